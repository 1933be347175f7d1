//! Frames: into the codec, and into an engine in whatever state the bytes bring it to.

use std::time::Duration;

use autoip_core::{
    Action, ArpPacket, Config, Engine, Instant, LinkLocalAddr, Loss, MacAddr, Phase, Stage,
};
use autoip_wire::FRAME_LEN;

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

/// One frame into the codec: what it accepts is what RFC 826 calls a request or a reply for IPv4
/// over Ethernet, and it is built again from what was read.
pub fn arp(bytes: &[u8]) {
    let head = bytes.first_chunk::<FRAME_LEN>();
    let is_arp = head.is_some_and(|frame| {
        frame[12..20] == [8, 6, 0, 1, 8, 0, 6, 4] && matches!(frame[20..22], [0, 1 | 2])
    });
    let Ok((ethernet, packet)) = ArpPacket::parse(bytes) else {
        return assert!(!is_arp, "refused {bytes:02x?}");
    };
    assert!(is_arp, "accepted {bytes:02x?}");
    let built = packet.to_frame(ethernet.destination);
    // The Ethernet source is not built from the packet of somebody else.
    let sent = bytes.iter().zip(&built).enumerate();
    let differ: Vec<_> = sent.filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    assert!(differ.iter().all(|at| (6..12).contains(at)), "{bytes:02x?} became {built:02x?}");
}

/// A run of an engine: each step is a byte that says what happens, and what that needs. Whatever
/// the frames are, the engine keeps to its contract, and a quiet link ends it bound.
pub fn frame(bytes: &[u8]) {
    let mut run = Run::new();
    let mut rest = bytes;
    while let Some((&step, after)) = rest.split_first() {
        rest = run.step(step, after);
    }
    run.assert_gets_bound();
}

struct Run {
    engine: Engine,
    now: Instant,
    /// What is to be put on the interface, and what is there.
    asked: Option<LinkLocalAddr>,
    has: Option<LinkLocalAddr>,
    sent: bool,
}

impl Run {
    fn new() -> Self {
        let engine = Engine::new(Config::new(OWN, 1));
        let now = Instant::from_nanos(1_000_000_000_000);
        let mut run = Self { engine, now, asked: None, has: None, sent: false };
        run.engine.start(now);
        run.drain();
        run
    }

    /// Does one step and returns the bytes that it did not use.
    fn step<'b>(&mut self, step: u8, rest: &'b [u8]) -> &'b [u8] {
        let mut after = rest;
        match step {
            0 => self.engine.start(self.now),
            1 => self.engine.stop(Loss::Carrier),
            2 => self.engine.stop(Loss::Retired),
            3 => {
                self.has = self.asked.take().or(self.has);
                self.engine.installed(self.now);
            }
            4 => {
                self.asked = None;
                self.engine.install_failed(self.now);
            }
            5 => self.engine.address_deleted(self.now),
            6 => self.engine.reannounce(self.now),
            7 if self.sent => self.engine.transmit_failed(self.now),
            8..=15 => self.now = self.now + Duration::from_millis(1 << (2 * (step - 8))),
            16..=127 => {
                self.now = self.engine.poll_timeout().map_or(self.now, |at| at.max(self.now));
                self.engine.handle_timeout(self.now);
            }
            // A frame as it is, with its length before it.
            128..=191 => {
                let (&length, behind) = rest.split_first().unwrap_or((&0, &[]));
                let (frame, behind) = behind.split_at(behind.len().min(length.into()));
                self.engine.handle_frame(self.now, frame);
                after = behind;
            }
            // One about the address in question: bytes behind it are laid over a good one.
            192..=255 => {
                let addr = self.engine.addr().unwrap_or(LinkLocalAddr::FIRST);
                let mac = MacAddr([2, 0, 0, 0, 0, step & 3]);
                let packet = match step & 4 {
                    0 => ArpPacket::announcement(mac, addr.ip()),
                    _ => ArpPacket::probe(mac, addr.ip()),
                };
                let mut frame = packet.to_broadcast();
                if let ([at, value, behind @ ..], 8) = (rest, step & 8) {
                    frame[usize::from(*at) % FRAME_LEN] = *value;
                    after = behind;
                }
                self.engine.handle_frame(self.now, &frame);
            }
            7 => {}
        }
        self.drain();
        after
    }

    fn drain(&mut self) {
        self.sent = false;
        for count in 0.. {
            let Some(action) = self.engine.poll_action() else { break };
            assert!(count < 5, "more than five actions");
            match action {
                Action::Transmit(frame) => {
                    self.sent = true;
                    let (ethernet, packet) = ArpPacket::parse(&frame).expect("engines send ARP");
                    assert!(ethernet.destination.is_broadcast() && packet.sender_mac == OWN);
                    let sender = LinkLocalAddr::new(packet.sender_ip).ok();
                    assert!(packet.sender_ip.is_unspecified() || sender == self.has, "{packet:?}");
                }
                Action::Install(addr) => {
                    assert!(self.has.is_none_or(|has| has == addr), "{addr} beside another one");
                    (self.asked, self.has) = (Some(addr), None);
                }
                Action::Remove(..) => (self.asked, self.has) = (None, None),
                Action::Listen(_) | Action::Report(_) => {}
            }
        }
        let addr = self.engine.addr();
        assert!(self.has.is_none_or(|has| addr == Some(has)), "{:?} is left over", self.has);
    }

    fn assert_gets_bound(&mut self) {
        const START: u8 = 0;
        const INSTALLED: u8 = 3;
        const DUE: u8 = 16;
        let quiet = self.now;
        for _ in 0..32 {
            match (self.engine.snapshot(self.now).stage, self.engine.poll_timeout()) {
                (Stage::Stopped, _) => self.step(START, &[]),
                (Stage::Claim(Phase::Installing), _) => self.step(INSTALLED, &[]),
                (Stage::Claim(Phase::Bound), None) => {
                    assert!(self.now - quiet <= Duration::from_secs(90), "{:?}", self.engine);
                    return;
                }
                (_, deadline) => {
                    assert!(deadline.is_some(), "nothing ever happens: {:?}", self.engine);
                    self.step(DUE, &[])
                }
            };
        }
        panic!("never bound: {:?}", self.engine);
    }
}
