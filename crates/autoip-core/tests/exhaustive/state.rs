//! An engine, the time, and the interface as its driver sees it.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use autoip_core::{
    Action, AddrRange, ArpPacket, Config, DEFAULT_KEY, Engine, Instant, LinkLocalAddr, Loss,
    MacAddr, Phase, Sequence, Stage, Timing,
};

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const OTHER: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
/// The waits that are drawn at random are one instant long: how long they are changes no state.
const RFC3927: Timing = Timing { probe_wait_ms: 0, probe_max_ms: 0, ..Timing::RFC3927 };
const FAST: Timing = Timing { probe_wait_ms: 0, probe_max_ms: 0, ..Timing::FAST };
const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 3]);

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Start,
    Retire,
    CarrierLoss,
    /// The interface gets its other MAC address.
    SetMac,
    /// A sibling holds the address in question.
    Avoid,
    /// Another timing: that of RFC 3927, or the fast one.
    SetTiming,
    /// A range without the address in question.
    SetRange,
    Installed,
    InstallFailed,
    AddressDeleted,
    Reannounce,
    TransmitFailed,
    /// The deadline comes.
    Due,
    /// Eleven seconds pass, and then the driver looks at the time.
    Late,
    /// Another host uses the address.
    Claim,
    /// Our own MAC address uses it: an echo, or a clone.
    OwnClaim,
    /// Another host probes for it.
    Probe,
}

impl Input {
    /// What a link, a kernel and a driver do.
    pub(crate) const LIFE: [Self; 15] = [
        Self::Start,
        Self::Retire,
        Self::CarrierLoss,
        Self::SetMac,
        Self::Avoid,
        Self::Installed,
        Self::InstallFailed,
        Self::AddressDeleted,
        Self::Reannounce,
        Self::TransmitFailed,
        Self::Due,
        Self::Late,
        Self::Claim,
        Self::OwnClaim,
        Self::Probe,
    ];

    /// What an owner does while the daemon runs.
    pub(crate) const SETTINGS: [Self; 2] = [Self::SetTiming, Self::SetRange];
}

/// The address as far as the driver got with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interface {
    Bare,
    /// To be put there; not answered yet.
    Asked(LinkLocalAddr),
    Has(LinkLocalAddr),
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    engine: Engine,
    now: Instant,
    mac: MacAddr,
    interface: Interface,
    /// Whether the last input made it send something.
    sent: bool,
}

/// The lower and the upper half of all addresses.
fn halves() -> [AddrRange; 2] {
    let at = |index| LinkLocalAddr::from_index(index).expect("in range");
    let middle = LinkLocalAddr::COUNT / 2;
    let range = |first, last| AddrRange::new(first, last).expect("not empty");
    [range(LinkLocalAddr::FIRST, at(middle - 1)), range(at(middle), LinkLocalAddr::LAST)]
}

/// One engine in each stage of its life, and some of them with a past.
pub(crate) fn situations() -> Vec<State> {
    use Input::{AddressDeleted, Claim, Due, Installed, Late, Retire, Start};
    let fast = Config { timing: FAST, ..Config::new(OWN, 1) };
    let rfc = Config { timing: RFC3927, ..Config::new(OWN, 1) };
    let bound: &[Input] = &[Start, Due, Due, Due, Due, Installed, Due];
    let mut all = Vec::new();
    for length in 0..=bound.len() {
        all.push(State::new(rfc).through(&bound[..length]));
    }
    let bound = State::new(rfc).through(bound);
    all.push(bound.through(&[Claim]));
    all.push(bound.through(&[Claim, Due]));
    all.push(bound.through(&[Claim, Due, Late]));
    all.push(bound.through(&[AddressDeleted]));
    all.push(bound.through(&[AddressDeleted, Installed].repeat(5)));
    all.push(bound.through(&[Retire]));
    let started = State::new(rfc).through(&[Start]);
    all.push(started.through(&[Claim; 2]));
    all.push(started.through(&[Claim; 9]));
    all.push(started.through(&[Claim; 10]));
    let verifying = State::new(fast).through(&[Start, Due, Due, Due, Due, Installed, Due]);
    all.push(verifying.through(&[Due, Due]));
    all.push(verifying);
    all
}

impl State {
    fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config),
            now: Instant::from_nanos(1_000_000_000_000),
            mac: config.mac,
            interface: Interface::Bare,
            sent: false,
        }
    }

    fn through(&self, inputs: &[Input]) -> Self {
        inputs.iter().fold(self.clone(), |state, &input| state.after(input))
    }

    pub(crate) fn stage(&self) -> Stage {
        self.engine.snapshot(self.now).stage
    }

    /// What tells this state from others.
    pub(crate) fn key(&self) -> u64 {
        let Self { engine, now, mac: _, interface, sent } = self;
        let text = format!("{engine:?}{now:?}{interface:?}{sent}");
        let (before, rest) = text.split_once("counters: ").expect("they are there");
        let (_, after) = rest.split_once('}').expect("they have an end");
        let mut hasher = DefaultHasher::new();
        hasher.write(before.as_bytes());
        hasher.write(after.as_bytes());
        hasher.finish()
    }

    pub(crate) fn after(&self, input: Input) -> Self {
        let mut state = self.clone();
        state.apply(input);
        state
    }

    fn apply(&mut self, input: Input) {
        let (now, engine) = (self.now, &mut self.engine);
        let about = engine.addr();
        match input {
            Input::Start => engine.start(now),
            Input::Retire => engine.stop(Loss::Retired),
            Input::CarrierLoss => engine.stop(Loss::Carrier),
            Input::SetMac => {
                self.mac = if self.mac == OWN { OTHER } else { OWN };
                let sequence = Sequence::new(self.mac, &DEFAULT_KEY, AddrRange::ALL);
                engine.set_mac(now, self.mac, sequence);
            }
            Input::SetTiming => {
                let fast = engine.snapshot(now).timing == FAST;
                engine.set_timing(now, if fast { RFC3927 } else { FAST });
            }
            Input::SetRange => {
                let [low, high] = halves();
                let inside = about.is_some_and(|addr| low.contains(addr));
                engine.set_range(now, if inside { high } else { low });
            }
            Input::Avoid => about.into_iter().for_each(|addr| engine.avoid(now, addr)),
            Input::Installed => engine.installed(now),
            Input::InstallFailed => engine.install_failed(now),
            Input::AddressDeleted => engine.address_deleted(now),
            Input::Reannounce => engine.reannounce(now),
            // A driver says so right after it has tried.
            Input::TransmitFailed if self.sent => engine.transmit_failed(now),
            Input::TransmitFailed => return,
            Input::Due => {
                let Some(deadline) = engine.poll_timeout() else { return };
                self.now = now.max(deadline);
                engine.handle_timeout(self.now);
            }
            Input::Late => {
                self.now = now + Duration::from_secs(11);
                engine.handle_timeout(self.now);
            }
            Input::Claim => self.hear(PEER),
            Input::OwnClaim => self.hear(self.mac),
            Input::Probe => {
                let probe = about.map(|addr| ArpPacket::probe(PEER, addr.ip()).to_broadcast());
                probe.iter().for_each(|frame| engine.handle_frame(now, frame));
            }
        }
        self.drain(input);
    }

    /// An announcement of the address in question.
    fn hear(&mut self, mac: MacAddr) {
        let Some(addr) = self.engine.addr() else { return };
        let frame = ArpPacket::announcement(mac, addr.ip()).to_broadcast();
        self.engine.handle_frame(self.now, &frame);
    }

    /// Does what the engine says. That an order makes sense is part of what must hold.
    fn drain(&mut self, input: Input) {
        if let (Input::Installed, Interface::Asked(addr)) = (input, self.interface) {
            self.interface = Interface::Has(addr);
        }
        if let (Input::InstallFailed, Interface::Asked(_)) = (input, self.interface) {
            self.interface = Interface::Bare;
        }
        self.sent = false;
        let mut count = 0;
        while let Some(action) = self.engine.poll_action() {
            count += 1;
            match action {
                Action::Transmit(frame) => {
                    self.sent = true;
                    self.assert_sendable(&frame);
                }
                Action::Install(addr) => {
                    let had = match self.interface {
                        Interface::Bare => input != Input::AddressDeleted,
                        Interface::Has(old) => input == Input::AddressDeleted && old == addr,
                        Interface::Asked(_) => false,
                    };
                    assert!(had, "{action:?} in {self:?}");
                    self.interface = Interface::Asked(addr);
                }
                Action::Remove(addr, _) => {
                    let there = [Interface::Asked(addr), Interface::Has(addr)];
                    let gone = input == Input::InstallFailed && self.interface == Interface::Bare;
                    assert!(there.contains(&self.interface) || gone, "{action:?} in {self:?}");
                    self.interface = Interface::Bare;
                }
                Action::Listen(_) | Action::Report(_) => {}
            }
        }
        assert!(count <= 5, "{count} actions for {input:?}: {self:?}");
    }

    /// Nothing with an address as sender that is not on the interface.
    fn assert_sendable(&self, frame: &[u8]) {
        let (ethernet, packet) = ArpPacket::parse(frame).expect("engines send ARP");
        assert!(ethernet.destination.is_broadcast());
        assert_eq!((ethernet.source, packet.sender_mac), (self.mac, self.mac));
        let target = LinkLocalAddr::new(packet.target_ip).expect("a claimable address");
        if !packet.sender_ip.is_unspecified() {
            assert_eq!(packet.sender_ip, packet.target_ip);
            assert_eq!(self.interface, Interface::Has(target), "{self:?}");
        }
    }

    /// There is a deadline where one must be, and an address where one must be.
    pub(crate) fn assert_sound(&self) {
        let deadline = self.engine.poll_timeout();
        let must = match self.stage() {
            Stage::Stopped | Stage::Claim(Phase::Idle) => Some(false),
            // The driver's answer is what it waits for.
            Stage::Claim(Phase::Installing) => Some(false),
            // A defence may be due.
            Stage::Claim(Phase::Bound) => None,
            Stage::BackingOff
            | Stage::Claim(
                Phase::Waiting
                | Phase::Probing
                | Phase::Listening
                | Phase::Announcing
                | Phase::Verifying,
            ) => Some(true),
        };
        assert!(must.is_none_or(|must| must == deadline.is_some()), "{self:?}");
        let held = match self.stage() {
            Stage::Stopped | Stage::BackingOff | Stage::Claim(_) => self.engine.addr(),
        };
        let claims = matches!(self.stage(), Stage::Claim(_));
        assert_eq!(held.is_some(), claims, "{self:?}");
        let expected = match self.stage() {
            Stage::Claim(Phase::Installing) => held.map(Interface::Asked),
            Stage::Claim(Phase::Announcing | Phase::Verifying | Phase::Bound) => {
                held.map(Interface::Has)
            }
            Stage::Stopped | Stage::BackingOff | Stage::Claim(_) => Some(Interface::Bare),
        };
        assert_eq!(Some(self.interface), expected, "{self:?}");
    }

    /// Stopping leaves nothing behind.
    pub(crate) fn assert_stoppable(&self) {
        let stopped = self.after(Input::Retire);
        assert_eq!(stopped.stage(), Stage::Stopped);
        assert_eq!(stopped.engine.poll_timeout(), None);
        assert_eq!(stopped.interface, Interface::Bare);
    }

    /// On a quiet link, with a driver that does its work, there is an address in time: after a
    /// minute of the rate limit at most, a second of damping, and a claim with its second round.
    pub(crate) fn assert_gets_bound(&self) {
        let mut state = self.clone();
        for _ in 0..32 {
            match (state.stage(), state.interface, state.engine.poll_timeout()) {
                (Stage::Stopped, ..) => state.apply(Input::Start),
                (_, Interface::Asked(_), _) => state.apply(Input::Installed),
                (Stage::Claim(Phase::Bound), _, None) => {
                    let longest = Duration::from_secs(60 + 1 + 7 + 2 + 9);
                    assert!(state.now - self.now <= longest, "late: {self:?}\n{state:?}");
                    return;
                }
                (_, _, Some(_)) => state.apply(Input::Due),
                (_, _, None) => panic!("nothing ever happens in {state:?}, after {self:?}"),
            }
        }
        panic!("never bound: {state:?}, after {self:?}");
    }
}
