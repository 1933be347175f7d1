//! Planted bugs: mistakes that implementations make, put between a host and its engine by
//! changing what goes in and what comes out. They exist to be caught; see `canary.rs`.

use std::time::Duration;

use autoip_core::{
    Action, AddrRange, Config, Engine, Event, Instant, Interest, LinkLocalAddr, Loss, MacAddr,
    Sequence,
};
use autoip_wire::{ArpPacket, Frame, Operation};

use crate::subject::{Input, feed};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Leaves out the second probe.
    SkipProbe,
    /// Sends four probes.
    FourthProbe,
    /// Probes 200 ms apart.
    HastyProbes,
    /// Probes 3 s apart.
    SlowProbes,
    /// Sends the first probe without a random wait.
    NoWait,
    /// Probes with the candidate as sender.
    ProbesAsOwner,
    /// Does not listen after the last probe.
    NoListening,
    /// Ignores everything that comes in after the last probe.
    DeafWhileListening,
    /// Ignores other hosts' probes for its candidate.
    IgnoresCompetingProbes,
    /// Ignores other hosts' probes for its candidate once its own are sent.
    DeafToLateProbes,
    /// Takes its own probes, come back, for somebody else's.
    FearsItsEcho,
    /// Takes a probe for its address for a conflict.
    FearsProbes,
    /// Chooses from 256 addresses.
    SmallChoice,
    /// Tries the reserved addresses 169.254.0.0 to 169.254.0.255.
    ReservedAddress,
    /// Tries a candidate again that was denied.
    Stubborn,
    /// Forgets all conflicts at each one, so there never are many.
    NoRateLimit,
    /// Takes the eleventh conflict for the tenth.
    LimitAtEleven,
    /// Waits 40 s where it has to wait for 60.
    ImpatientLimit,
    /// Forgets conflicts when it has an address.
    ForgetsWhenBound,
    /// Announces before the address is on the interface.
    AnnouncesTooEarly,
    /// Announces once.
    OneAnnouncement,
    /// Announces every 30 s.
    AnnouncesForever,
    /// Announces to a single host.
    UnicastAnnouncements,
    /// Announces by ARP replies.
    ReplyAnnouncements,
    /// Sends with a wrong sender hardware address.
    WrongMac,
    /// Probes for its own address every 30 s.
    ProbesForever,
    /// Sends every defence twice.
    DefendsTwice,
    /// Answers every conflict by a defence, however soon after the last.
    DefendsForever,
    /// Defends as often as once in 6 s and never gives up.
    DefendsTooSoon,
    /// Ignores a second conflict within 10 s.
    IgnoresSecondConflict,
    /// Ignores every conflict over an address in use.
    NeverGivesUp,
    /// The same, to be seen by another checker.
    NeverAnswers,
    /// The same, for so long that two have one address in the end.
    KeepsForGood,
    /// Defends 3 s late.
    DefendsLate,
    /// Defends after 200 ms.
    DefendsSomewhatLate,
    /// Goes on answering for an address that it gave up.
    AnswersAfterwards,
    /// Keeps its address when the link was gone.
    IgnoresCarrier,
    /// Begins with another address when the link is back.
    ForgetsItsAddress,
    /// Stops for good at the first conflict.
    GivesUp,
}

/// How often bugs that repeat themselves do so.
const AGAIN: Duration = Duration::from_secs(30);
/// The first conflict with which claims are limited.
const LIMITED: u8 = 10;
/// A hardware address of nobody.
const NOBODY: MacAddr = MacAddr([0x02, 0xba, 0xad, 0xba, 0xad, 0x00]);

/// A planted bug and what it has to remember.
#[derive(Debug)]
pub(crate) struct Plant {
    bug: Bug,
    mac: MacAddr,
    /// Probes sent for the present candidate.
    probes: u8,
    /// Announcements sent for the present address.
    announcements: u8,
    in_use: Option<LinkLocalAddr>,
    /// A conflict over the address in use was seen then.
    conflict_at: Option<Instant>,
    was_bound: bool,
    /// Conflicts that have cost an address or a candidate.
    conflicts: u8,
    /// When it will have waited for long enough, in its view.
    patient_until: Option<Instant>,
    /// What the bug wants to send of its own, and when.
    pending: Option<(Instant, Frame)>,
    stuck: bool,
    /// What is to be done to the engine once all actions have been dealt with.
    afterwards: Option<Afterwards>,
    config: Config,
}

/// A change of the engine itself.
#[derive(Clone, Copy, Debug)]
enum Afterwards {
    /// It forgets its conflicts.
    Forget,
    /// It forgets all its conflicts but nine, so that the next is the tenth.
    Miscount,
    /// It begins anew with this address.
    Retry(LinkLocalAddr),
}

impl Plant {
    /// Plants the bug; some of them need no more than a wrong configuration.
    pub(crate) fn new(bug: Bug, config: &mut Config) -> Self {
        let timing = &mut config.timing;
        match bug {
            Bug::FourthProbe => timing.probe_count = timing.probe_count.saturating_add(1),
            Bug::SlowProbes => (timing.probe_min_ms, timing.probe_max_ms) = (3000, 3000),
            Bug::HastyProbes => (timing.probe_min_ms, timing.probe_max_ms) = (200, 200),
            Bug::NoWait => timing.probe_wait_ms = 0,
            Bug::NoListening => timing.announce_wait_ms = 0,
            Bug::SmallChoice => {
                let last = LinkLocalAddr::from_index(255).unwrap_or(LinkLocalAddr::LAST);
                let few = AddrRange::new(LinkLocalAddr::FIRST, last).unwrap_or(AddrRange::ALL);
                config.sequence = Sequence::new(config.mac, &autoip_core::DEFAULT_KEY, few);
            }
            _ => {}
        }
        Self {
            bug,
            mac: config.mac,
            probes: 0,
            announcements: 0,
            in_use: None,
            conflict_at: None,
            was_bound: false,
            conflicts: 0,
            patient_until: None,
            pending: None,
            stuck: false,
            afterwards: None,
            config: *config,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.map(|(at, _)| at).into_iter().chain(self.patient_until).min()
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck
    }

    pub(crate) fn input(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        input: Input<'_>,
        actions: &mut Vec<Action>,
    ) {
        if let Some((_, frame)) = self.pending.take_if(|(at, _)| *at <= now) {
            actions.push(Action::Transmit(frame));
            self.repeat(now, frame);
        }
        if self.patient_until.take_if(|at| *at <= now).is_some() {
            Self::miscount(engine, now, actions);
        }
        let mut changed = Vec::new();
        if let Some(input) = self.on_input(now, input, &mut changed, actions) {
            let first = actions.len();
            feed(engine, now, input, actions);
            if self.bug == Bug::ForgetsItsAddress && matches!(input, Input::Stop(_)) {
                self.config.sequence.next();
                *engine = Engine::new(self.config);
            }
            self.on_actions(engine, now, first, actions);
        }
    }

    /// What the engine gets instead of `input`, if anything.
    fn on_input<'a>(
        &mut self,
        now: Instant,
        input: Input<'a>,
        changed: &'a mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) -> Option<Input<'a>> {
        if self.stuck {
            return None;
        }
        match input {
            Input::SetMac(mac, _) => self.mac = mac,
            Input::Stop(Loss::Carrier) if self.bug == Bug::IgnoresCarrier => {
                return self.in_use.is_none().then_some(input);
            }
            Input::Frame(at, bytes) => return self.on_frame(now, at, bytes, changed, actions),
            _ => {}
        }
        Some(input)
    }

    fn on_frame<'a>(
        &mut self,
        now: Instant,
        at: Instant,
        bytes: &'a [u8],
        changed: &'a mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) -> Option<Input<'a>> {
        let same = Some(Input::Frame(at, bytes));
        let Ok((ethernet, packet)) = ArpPacket::parse(bytes) else { return same };
        let is_probe = packet.sender_ip.is_unspecified();
        let is_foreign = packet.sender_mac != self.mac;
        let over = self.in_use.filter(|addr| addr.ip() == packet.sender_ip && is_foreign);
        match self.bug {
            Bug::DeafWhileListening if self.probes >= 3 && self.in_use.is_none() => None,
            Bug::IgnoresCompetingProbes if is_probe => None,
            Bug::DeafToLateProbes if is_probe && self.probes >= 3 && self.in_use.is_none() => None,
            Bug::FearsItsEcho if !is_foreign && is_probe => {
                let strange = ArpPacket { sender_mac: NOBODY, ..packet };
                *changed = strange.to_frame(ethernet.destination).to_vec();
                Some(Input::Frame(at, changed))
            }
            Bug::FearsProbes if is_probe && is_foreign => {
                let addr = self.in_use.filter(|addr| addr.ip() == packet.target_ip);
                let Some(addr) = addr else { return same };
                let strange = ArpPacket { sender_ip: addr.ip(), ..packet };
                *changed = strange.to_frame(ethernet.destination).to_vec();
                Some(Input::Frame(at, changed))
            }
            Bug::NeverGivesUp | Bug::NeverAnswers | Bug::KeepsForGood if over.is_some() => None,
            Bug::IgnoresSecondConflict if over.is_some() => {
                let last = self.conflict_at.replace(at);
                let is_second = last.is_some_and(|last| at - last < Duration::from_secs(11));
                if is_second { None } else { same }
            }
            Bug::DefendsForever => {
                let Some(addr) = over else { return same };
                actions.push(Action::Transmit(self.announcement(addr)));
                None
            }
            Bug::DefendsTooSoon => {
                let Some(addr) = over else { return same };
                if self.conflict_at.is_none_or(|last| at - last >= Duration::from_secs(6)) {
                    self.conflict_at = Some(at);
                    actions.push(Action::Transmit(self.announcement(addr)));
                }
                None
            }
            Bug::DefendsLate | Bug::DefendsSomewhatLate => {
                let Some(addr) = over else { return same };
                let late_ms = if self.bug == Bug::DefendsLate { 3000 } else { 200 };
                let late = now + Duration::from_millis(late_ms);
                self.pending.get_or_insert((late, self.announcement(addr)));
                None
            }
            _ => same,
        }
    }

    /// Changes what the engine says: the actions from `first` on.
    fn on_actions(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        first: usize,
        actions: &mut Vec<Action>,
    ) {
        for action in actions.split_off(first) {
            self.on_action(engine, now, action, actions);
        }
        match self.afterwards.take() {
            None => {}
            Some(Afterwards::Forget) => forget(engine, now, actions),
            Some(Afterwards::Miscount) => Self::miscount(engine, now, actions),
            Some(Afterwards::Retry(addr)) => {
                self.config.first = Some(addr);
                self.config.seed = self.config.seed.wrapping_add(1);
                *engine = Engine::new(self.config);
                feed(engine, now, Input::Start, actions);
            }
        }
    }

    fn on_action(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        action: Action,
        actions: &mut Vec<Action>,
    ) {
        match action {
            Action::Transmit(frame) => self.on_transmit(frame, actions),
            Action::Install(addr) => {
                if self.bug == Bug::AnnouncesTooEarly {
                    actions.push(Action::Transmit(self.announcement(addr)));
                }
                actions.push(action);
            }
            Action::Remove(addr, loss) => {
                actions.push(action);
                (self.in_use, self.conflict_at) = (None, None);
                if self.bug == Bug::AnswersAfterwards && loss == Loss::Conflict {
                    let frame = self.announcement(addr);
                    self.pending = Some((now + Duration::from_secs(1), frame));
                }
            }
            Action::Report(event) => {
                actions.push(action);
                self.on_event(engine, now, event);
            }
            Action::Listen(Interest::Candidate(_)) => {
                (self.probes, self.announcements) = (0, 0);
                actions.push(action);
            }
            Action::Listen(Interest::Nothing | Interest::Claimed(_)) => actions.push(action),
        }
    }

    fn on_event(&mut self, engine: &mut Engine, now: Instant, event: Event) {
        match event {
            Event::Acquired(addr) | Event::Restored(addr) => {
                self.in_use = Some(addr);
                self.was_bound = true;
                let announcement = self.announcement(addr);
                let frame = match self.bug {
                    Bug::AnnouncesForever => announcement,
                    Bug::ProbesForever => ArpPacket::probe(self.mac, addr.ip()).to_broadcast(),
                    _ => return,
                };
                self.pending = Some((now + AGAIN, frame));
            }
            Event::Contested(addr, _) if engine.addr() != Some(addr) => {
                let was_bound = std::mem::take(&mut self.was_bound);
                self.conflicts = self.conflicts.saturating_add(1);
                match self.bug {
                    Bug::LimitAtEleven if self.conflicts == LIMITED => {
                        self.afterwards = Some(Afterwards::Miscount);
                    }
                    Bug::NoRateLimit => self.afterwards = Some(Afterwards::Forget),
                    Bug::ForgetsWhenBound if was_bound => {
                        self.afterwards = Some(Afterwards::Forget);
                    }
                    Bug::Stubborn => self.afterwards = Some(Afterwards::Retry(addr)),
                    Bug::GivesUp => self.stuck = true,
                    _ => {}
                }
            }
            Event::BackedOff if self.bug == Bug::ImpatientLimit => {
                self.patient_until = Some(now + Duration::from_secs(40));
            }
            _ => {}
        }
    }

    /// Forgets all conflicts and has the engine believe in nine: each of as many candidates is
    /// denied before anything is sent for it.
    fn miscount(engine: &mut Engine, now: Instant, actions: &mut Vec<Action>) {
        forget(engine, now, actions);
        for _ in 1..LIMITED {
            let denied = actions.iter().rev().find_map(|action| match *action {
                Action::Listen(Interest::Candidate(addr)) => Some(addr),
                _ => None,
            });
            let Some(addr) = denied else { return };
            let denial = ArpPacket::announcement(NOBODY, addr.ip()).to_broadcast();
            feed(engine, now, Input::Frame(now, &denial), actions);
        }
    }

    fn on_transmit(&mut self, frame: Frame, actions: &mut Vec<Action>) {
        let Ok((_, packet)) = ArpPacket::parse(&frame) else { return };
        let is_probe = packet.sender_ip.is_unspecified();
        if is_probe {
            self.probes = self.probes.saturating_add(1);
        } else {
            self.announcements = self.announcements.saturating_add(1);
        }
        let changed = match self.bug {
            Bug::SkipProbe if is_probe && self.probes == 2 => return,
            Bug::OneAnnouncement if !is_probe && self.announcements == 2 => return,
            Bug::ProbesAsOwner if is_probe => {
                ArpPacket { sender_ip: packet.target_ip, ..packet }.to_broadcast()
            }
            Bug::ReservedAddress if is_probe => {
                let [a, b, _, d] = packet.target_ip.octets();
                ArpPacket { target_ip: [a, b, 0, d].into(), ..packet }.to_broadcast()
            }
            Bug::UnicastAnnouncements if !is_probe => packet.to_frame(NOBODY),
            Bug::ReplyAnnouncements if !is_probe => {
                ArpPacket { operation: Operation::Reply, ..packet }.to_broadcast()
            }
            Bug::WrongMac => ArpPacket { sender_mac: NOBODY, ..packet }.to_broadcast(),
            _ => frame,
        };
        actions.push(Action::Transmit(changed));
        // The announcements of a claim are two; what follows are defences.
        if self.bug == Bug::DefendsTwice && self.announcements > 2 {
            actions.push(Action::Transmit(changed));
        }
    }

    fn announcement(&self, addr: LinkLocalAddr) -> Frame {
        ArpPacket::announcement(self.mac, addr.ip()).to_broadcast()
    }

    /// Bugs that send for ever do so again.
    fn repeat(&mut self, now: Instant, frame: Frame) {
        let is_endless = matches!(self.bug, Bug::AnnouncesForever | Bug::ProbesForever);
        if is_endless && self.in_use.is_some() {
            self.pending = Some((now + AGAIN, frame));
        }
    }
}

/// Makes the engine forget its conflicts, as a loss of the carrier does.
fn forget(engine: &mut Engine, now: Instant, actions: &mut Vec<Action>) {
    feed(engine, now, Input::Stop(Loss::Carrier), actions);
    feed(engine, now, Input::Start, actions);
}
