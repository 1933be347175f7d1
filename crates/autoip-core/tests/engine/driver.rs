//! A driver without a kernel: an engine, the time, and a log of what it was told to do.

use std::time::Duration;

use autoip_core::{
    Action, Config, Contest, Engine, Event, Instant, Interest, LinkLocalAddr, MacAddr, Phase, Stage,
};
use autoip_wire::{ArpPacket, FRAME_LEN, Frame, Operation};

/// The MAC address of the engine under test.
pub(crate) const OWN: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
/// Another host.
pub(crate) const PEER: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x02]);
/// Yet another one.
pub(crate) const THIRD: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x03]);
/// When every test begins; not zero, so that times before it exist.
pub(crate) const START: Instant = Instant::from_nanos(1_000_000_000_000);

pub(crate) const NANOSECOND: Duration = Duration::from_nanos(1);

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `at` less `duration`: instants have no subtraction of their own.
pub(crate) fn before(at: Instant, duration: Duration) -> Instant {
    Instant::from_nanos(at.as_nanos() - u64::try_from(duration.as_nanos()).expect("short"))
}

/// The claimable address 169.254.`c`.`d`.
pub(crate) fn ll(c: u8, d: u8) -> LinkLocalAddr {
    LinkLocalAddr::new([169, 254, c, d].into()).expect("a claimable address")
}

/// An address that no engine of these tests holds.
pub(crate) fn elsewhere() -> LinkLocalAddr {
    ll(99, 99)
}

pub(crate) struct Driver {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
    /// Everything that came out, with the time at which it did.
    pub(crate) log: Vec<(Instant, Action)>,
    /// Whether installs are acknowledged by themselves.
    pub(crate) acknowledges: bool,
}

impl Driver {
    pub(crate) fn new(config: Config) -> Self {
        let engine = Engine::new(config);
        Self { engine, now: START, log: Vec::new(), acknowledges: true }
    }

    /// A driver whose engine has been started, with RFC 3927 timing.
    pub(crate) fn started() -> Self {
        Self::started_with(Config::new(OWN, 1))
    }

    pub(crate) fn started_with(config: Config) -> Self {
        let mut driver = Self::new(config);
        driver.input(Engine::start);
        driver
    }

    /// A driver whose engine holds an address and has announced it; the log is empty.
    pub(crate) fn bound() -> Self {
        Self::bound_with(Config::new(OWN, 1))
    }

    pub(crate) fn bound_with(config: Config) -> Self {
        let mut driver = Self::started_with(config);
        driver.run_to(Phase::Bound);
        driver.log.clear();
        driver
    }

    /// One input at the present time, and what comes of it.
    pub(crate) fn input(&mut self, input: impl FnOnce(&mut Engine, Instant)) {
        input(&mut self.engine, self.now);
        let mut install = false;
        while let Some(action) = self.engine.poll_action() {
            install = match action {
                Action::Install(_) => true,
                Action::Remove(..) => false,
                Action::Listen(_) | Action::Transmit(_) | Action::Report(_) => install,
            };
            self.log.push((self.now, action));
        }
        if install && self.acknowledges {
            self.input(Engine::installed);
        }
    }

    /// A frame that is received at the present time.
    pub(crate) fn receive(&mut self, frame: &[u8]) {
        self.input(|engine, now| engine.handle_frame(now, frame));
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.engine.poll_timeout().expect("a deadline")
    }

    /// Jumps to the next deadline and does what is due.
    pub(crate) fn step(&mut self) {
        self.now = self.deadline();
        self.input(Engine::handle_timeout);
    }

    /// Does what is due up to `at`, and arrives there.
    pub(crate) fn run_until(&mut self, at: Instant) {
        for _ in 0..10_000 {
            if self.engine.poll_timeout().is_none_or(|deadline| deadline > at) {
                self.now = at;
                return;
            }
            self.step();
        }
        panic!("deadline after deadline, but never {at:?}: {:?}", self.engine);
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    /// Steps until the engine has just reached `phase`.
    pub(crate) fn run_to(&mut self, phase: Phase) {
        for _ in 0..32 {
            if self.stage() == Stage::Claim(phase) {
                return;
            }
            self.step();
        }
        panic!("{phase:?} was not reached: {:?}", self.engine);
    }

    pub(crate) fn stage(&self) -> Stage {
        self.engine.snapshot(self.now).stage
    }

    /// The candidate or the address in use.
    pub(crate) fn addr(&self) -> LinkLocalAddr {
        self.engine.addr().expect("an address")
    }

    /// What is in the log, in words; the log is empty afterwards. `held` is called X.
    pub(crate) fn told(&mut self, held: LinkLocalAddr) -> Vec<String> {
        self.timeline(held).into_iter().map(|(_, words)| words).collect()
    }

    /// The same with the instants.
    pub(crate) fn timeline(&mut self, held: LinkLocalAddr) -> Vec<(Instant, String)> {
        self.log.drain(..).map(|(at, action)| (at, in_words(&action, held))).collect()
    }

    /// When the frames in the log that `wanted` picks were sent.
    pub(crate) fn times(&self, wanted: impl Fn(&Sent) -> bool) -> Vec<Instant> {
        let sent = self.log.iter().filter_map(|(at, action)| Some((*at, sent(action)?)));
        sent.filter(|(_, sent)| wanted(sent)).map(|(at, _)| at).collect()
    }

    pub(crate) fn probe_times(&self) -> Vec<Instant> {
        self.times(|sent| matches!(sent, Sent::Probe(_)))
    }

    pub(crate) fn announcement_times(&self) -> Vec<Instant> {
        self.times(|sent| matches!(sent, Sent::Announcement(_)))
    }

    /// When each of the events that `wanted` picks was reported.
    pub(crate) fn event_times(&self, wanted: impl Fn(&Event) -> bool) -> Vec<Instant> {
        let wanted = |action: &Action| matches!(action, Action::Report(event) if wanted(event));
        self.log.iter().filter(|(_, action)| wanted(action)).map(|&(at, _)| at).collect()
    }

    /// The candidates in the log, in order.
    pub(crate) fn candidates(&self) -> Vec<LinkLocalAddr> {
        let candidate = |&(_, action): &(Instant, Action)| match action {
            Action::Report(Event::Candidate(addr)) => Some(addr),
            Action::Report(_)
            | Action::Listen(_)
            | Action::Transmit(_)
            | Action::Install(_)
            | Action::Remove(..) => None,
        };
        self.log.iter().filter_map(candidate).collect()
    }
}

/// A frame that an engine sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Probe(LinkLocalAddr),
    Announcement(LinkLocalAddr),
}

/// What `action` sends. Whatever is neither a probe nor an announcement fails the test.
pub(crate) fn sent(action: &Action) -> Option<Sent> {
    let Action::Transmit(frame) = action else { return None };
    let (ethernet, packet) = ArpPacket::parse(frame).expect("engines send ARP");
    assert!(ethernet.destination.is_broadcast(), "unicast: {packet:?}");
    assert_eq!(ethernet.source, packet.sender_mac);
    assert_eq!((packet.operation, packet.target_mac), (Operation::Request, MacAddr::ZERO));
    let addr = LinkLocalAddr::new(packet.target_ip).expect("a claimable address");
    if packet.sender_ip.is_unspecified() {
        return Some(Sent::Probe(addr));
    }
    assert_eq!(packet.sender_ip, packet.target_ip);
    Some(Sent::Announcement(addr))
}

/// An action in a few words. `held` is called X and every other address Y.
pub(crate) fn in_words(action: &Action, held: LinkLocalAddr) -> String {
    let name = |addr: LinkLocalAddr| if addr == held { "X" } else { "Y" };
    match *action {
        Action::Transmit(_) => match sent(action).expect("a frame") {
            Sent::Probe(addr) => format!("probe({})", name(addr)),
            Sent::Announcement(addr) => format!("announce({})", name(addr)),
        },
        Action::Listen(Interest::Nothing) => "deaf".to_owned(),
        Action::Listen(Interest::Candidate(addr)) => format!("listen(candidate {})", name(addr)),
        Action::Listen(Interest::Claimed(addr)) => format!("listen(claimed {})", name(addr)),
        Action::Install(addr) => format!("install({})", name(addr)),
        Action::Remove(addr, loss) => format!("remove({} {loss:?})", name(addr)),
        Action::Report(Event::Candidate(addr)) => format!("candidate({})", name(addr)),
        Action::Report(Event::Acquired(addr)) => format!("acquired({})", name(addr)),
        Action::Report(Event::Restored(addr)) => format!("restored({})", name(addr)),
        Action::Report(Event::Defended(addr)) => format!("defended({})", name(addr)),
        Action::Report(Event::Contested(addr, Contest { mac: _, kind, outcome })) => {
            format!("contested({} {kind:?} {outcome:?})", name(addr))
        }
        Action::Report(Event::Denier(mac)) => format!("denier({mac})"),
        Action::Report(Event::BackedOff) => "backed-off".to_owned(),
    }
}

/// A reply "`addr` is mine" from `mac` to everybody, as an owner on a link with RFC 3927 hosts
/// sends it.
pub(crate) fn reply(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    reply_packet(mac, addr).to_broadcast()
}

/// The same reply to the host under test alone, as other owners send it.
pub(crate) fn unicast_reply(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    reply_packet(mac, addr).to_frame(OWN)
}

fn reply_packet(mac: MacAddr, addr: LinkLocalAddr) -> ArpPacket {
    ArpPacket {
        operation: Operation::Reply,
        sender_mac: mac,
        sender_ip: addr.ip(),
        target_mac: OWN,
        target_ip: elsewhere().ip(),
    }
}

/// A request from `mac`, which uses `sender`, for `target`.
pub(crate) fn request(mac: MacAddr, sender: LinkLocalAddr, target: LinkLocalAddr) -> Frame {
    ArpPacket { target_ip: target.ip(), ..ArpPacket::announcement(mac, sender.ip()) }.to_broadcast()
}

pub(crate) fn announcement(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    ArpPacket::announcement(mac, addr.ip()).to_broadcast()
}

pub(crate) fn probe(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    ArpPacket::probe(mac, addr.ip()).to_broadcast()
}

/// A probe to the host under test alone: a switch that tracks devices.
pub(crate) fn unicast_probe(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    ArpPacket::probe(mac, addr.ip()).to_frame(OWN)
}

/// A reply with zero sender for `addr`: against no address at all.
pub(crate) fn zero_sender_reply(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    ArpPacket { operation: Operation::Reply, ..ArpPacket::probe(mac, addr.ip()) }.to_broadcast()
}

/// A frame that is not ARP.
pub(crate) const GARBAGE: Frame = [0xa5; FRAME_LEN];
