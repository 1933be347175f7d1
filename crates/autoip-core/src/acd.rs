//! Address conflict detection for one IPv4 address on one link: RFC 5227, as a pure state machine.
//!
//! [`Acd`] probes for an address, says when it is free, announces it once it is on the interface,
//! and afterwards answers conflicts as its [`Defend`] policy tells. It chooses no addresses: what
//! to do when one is taken is its owner's business ([`crate::Engine`] for link-local addresses,
//! anybody for a static or DHCP address). It never reads a clock and does no I/O; every input
//! returns one [`Step`], and [`Acd::poll_timeout`] tells when to call
//! [`Acd::handle_timeout`] next.

use core::net::Ipv4Addr;
use core::num::NonZeroU8;
use core::time::Duration;

use autoip_wire::{ArpPacket, Ethernet, MacAddr};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

use crate::conflict::{ConflictKind, Meaning, Outcome, meaning};
use crate::counters::{Counters, bump};
use crate::time::Instant;
use crate::timing::{DEFEND_DELAY, DEFEND_INTERVAL, RETRY_INTERVAL, Timing};

/// What to do about a conflict over an address in use (RFC 5227 §2.4, RFC 3927 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Defend {
    /// Give the address up at the first conflict.
    Never,
    /// Defend it once; give it up at a second conflict within [`DEFEND_INTERVAL`].
    #[default]
    Once,
    /// Keep it for good, defending at most once in [`DEFEND_INTERVAL`]. For a router's or a
    /// server's own address; never for a link-local one.
    Always,
}

/// Somebody else's claim to the address, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contest {
    /// The sender hardware address of the packet.
    pub mac: MacAddr,
    /// How the claim showed itself.
    pub kind: ConflictKind,
    /// What follows.
    pub outcome: Outcome,
}

/// What happened to the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AcdEvent {
    /// Nobody answered: put the address on the interface, then call [`Acd::installed`].
    Free,
    /// The first announcement is in this step: from now on the address is in use.
    Claimed,
    /// A defence is in this step.
    Defended,
    /// Somebody else claims the address.
    Contested(Contest),
}

/// What to do after one input: at most one packet to broadcast, then at most one event to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Step {
    /// Send this to everybody on the link.
    pub transmit: Option<ArpPacket>,
    /// Then act on this.
    pub event: Option<AcdEvent>,
}

impl Step {
    const NOTHING: Self = Self { transmit: None, event: None };

    fn event(event: AcdEvent) -> Self {
        Self { transmit: None, event: Some(event) }
    }

    fn transmit(packet: ArpPacket) -> Self {
        Self { transmit: Some(packet), event: None }
    }
}

/// Where an address stands.
///
/// ```text
///          probe            random wait over        last probe sent
///   Idle ────────▶ Waiting ────────────────▶ Probing ──────────────▶ Listening
///    ▲               │ conflict                │ conflict              │ conflict │ 2 s pass
///    ├───────────────┴─────────────────────────┴──────────────────────┘          ▼
///    │  ceded                                               installed        Installing
///    ├────────────── Bound ◀──────── Verifying ◀──── Announcing ◀────────────────┘
///    │                 ▲   second round   ▲  last announcement │       conflict │
///    └─────────────────│──────────────────┴────────────────────┘◀──────────────-┘
///            watch ────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No address.
    Idle,
    /// Random wait before the first probe; conflicts already count.
    Waiting { probe_at: Instant },
    /// At least one probe is out, `left` are to come.
    Probing { left: NonZeroU8, probe_at: Instant },
    /// All probes are out; conflicts received up to `until` count.
    Listening { until: Instant },
    /// Free, and not announced before it is on the interface. Conflicts received up to
    /// `probed_until` still count as probe-time ones; `None` when it had been in use before.
    Installing { probed_until: Option<Instant> },
    /// In use; `left` announcements to come.
    Announcing { left: NonZeroU8, announce_at: Instant },
    /// In use and announced; `left` probes of the second round to come.
    Verifying { left: u8, probe_at: Instant },
    /// In use.
    Bound,
}

/// What the last frame was, in case that it could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Probe,
    Announcement,
    Defence,
}

/// The finer state of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// No address.
    Idle,
    /// The random wait before the first probe.
    Waiting,
    /// Between the first and the last probe.
    Probing,
    /// After the last probe.
    Listening,
    /// Free, and on its way onto the interface.
    Installing,
    /// In use; announcements are still to come.
    Announcing,
    /// In use; the second round of probes of a fast profile runs.
    Verifying,
    /// In use.
    Bound,
}

/// Conflict detection for one address on one interface.
#[derive(Clone, Debug)]
pub struct Acd {
    state: State,
    /// When the pending defence goes out.
    defend_at: Option<Instant>,
    /// When the last defence went out or will. The defence interval runs from here, not from
    /// the conflict shortly before: so two defences are never closer than that.
    //= ACD-1.3-02 two defences are at least DEFEND_INTERVAL apart
    defended_at: Option<Instant>,
    rng: Pcg32,
    counters: Counters,
    timing: Timing,
    mac: MacAddr,
    addr: Ipv4Addr,
    defend: Defend,
    sent: Sent,
    /// The second round of probes that belongs to this claim is not over.
    doubtful: bool,
}

impl Acd {
    /// A detector for the interface with the address `mac`, at rest. `seed` is drawn by the
    /// caller, differently for every detector: it makes the random waits.
    #[must_use]
    pub fn new(mac: MacAddr, timing: Timing, defend: Defend, seed: u64) -> Self {
        Self {
            state: State::Idle,
            defend_at: None,
            defended_at: None,
            rng: Pcg32::seed_from_u64(seed),
            counters: Counters::default(),
            timing,
            mac,
            addr: Ipv4Addr::UNSPECIFIED,
            defend,
            sent: Sent::Probe,
            doubtful: false,
        }
    }

    /// Starts to probe for `addr`, from `now` on. The window in which conflicts count opens at
    /// once; the first probe follows after the random wait, which begins at `not_before` where
    /// that is later than `now`. Whatever ran before is forgotten.
    //= LL-2.2.1-05 the first wait is random, up to PROBE_WAIT
    pub fn probe(&mut self, now: Instant, not_before: Instant, addr: Ipv4Addr) {
        self.reset(addr);
        self.doubtful = self.timing.second_round;
        let wait = self.uniform(0, self.timing.probe_wait_ms);
        self.state = State::Waiting { probe_at: now.max(not_before) + wait };
    }

    /// Watches `addr`, which is already in use on the interface, without probing for it: for a
    /// static or DHCP address that somebody else configured.
    pub fn watch(&mut self, addr: Ipv4Addr) {
        self.reset(addr);
        self.state = State::Bound;
    }

    /// Goes on with `addr` instead of the candidate, with the wait that was drawn for it. Does
    /// nothing once the first probe is out.
    pub(crate) fn redirect(&mut self, addr: Ipv4Addr) {
        if matches!(self.state, State::Waiting { .. }) {
            self.addr = addr;
        }
    }

    /// Ends the claim. Sends nothing.
    pub fn stop(&mut self) {
        self.reset(self.addr);
    }

    /// The address is on the interface: the first announcement follows at once. Does nothing
    /// unless [`AcdEvent::Free`] or [`Acd::reinstall`] came before.
    //= LL-2.2-02 nothing carries the address as sender before probing has passed
    //= LL-2.4-01 announcements follow a clean probe
    pub fn installed(&mut self, now: Instant) -> Step {
        match self.state {
            State::Installing { .. } => {
                let step = self.send_announcement(now, self.timing.announce_count);
                Step { event: Some(AcdEvent::Claimed), ..step }
            }
            State::Idle
            | State::Waiting { .. }
            | State::Probing { .. }
            | State::Listening { .. }
            | State::Announcing { .. }
            | State::Verifying { .. }
            | State::Bound => Step::NOTHING,
        }
    }

    /// The address in use went from the interface and is about to be put back; announcements
    /// begin anew after [`Acd::installed`]. Does nothing unless the address is in use.
    pub fn reinstall(&mut self) {
        if self.in_use() {
            self.state = State::Installing { probed_until: None };
            self.defend_at = None;
        }
    }

    /// Announces an address in use once more, as often as after a claim.
    pub fn reannounce(&mut self, now: Instant) {
        if self.in_use() {
            let left = self.timing.announce_count;
            self.state = State::Announcing { left, announce_at: now };
        }
    }

    /// The packet of the last step could not be sent: it counts as never sent and is tried again
    /// after [`RETRY_INTERVAL`].
    pub fn transmit_failed(&mut self, now: Instant) {
        let again = now + RETRY_INTERVAL;
        bump(&mut self.counters.transmit_failures);
        self.state = match (self.sent, self.state) {
            (Sent::Probe, State::Probing { left, .. }) => {
                State::Probing { left: left.saturating_add(1), probe_at: again }
            }
            (Sent::Probe, State::Listening { .. }) => {
                State::Probing { left: NonZeroU8::MIN, probe_at: again }
            }
            (Sent::Probe, State::Verifying { left, .. }) => {
                State::Verifying { left: left.saturating_add(1), probe_at: again }
            }
            (Sent::Announcement, State::Announcing { left, .. }) => {
                State::Announcing { left: left.saturating_add(1), announce_at: again }
            }
            (Sent::Announcement, State::Verifying { .. } | State::Bound) => {
                State::Announcing { left: NonZeroU8::MIN, announce_at: again }
            }
            (Sent::Defence, state) if self.in_use() => {
                self.defend_at = Some(again);
                self.defended_at = self.defend_at;
                state
            }
            // The claim that the frame belonged to has ended.
            (Sent::Probe | Sent::Announcement | Sent::Defence, state) => state,
        };
    }

    /// A frame was received at `at`, which may lie before earlier inputs: kernels stamp frames
    /// when they come in, and a frame that arrived within the listening time counts even when it
    /// is handed over later. Any bytes are allowed.
    pub fn handle_frame(&mut self, at: Instant, frame: &[u8]) -> Step {
        match ArpPacket::parse(frame) {
            Ok((ethernet, packet)) => self.handle_packet(at, ethernet, &packet),
            Err(_) => {
                bump(&mut self.counters.frames_refused);
                Step::NOTHING
            }
        }
    }

    /// Does what is due at `now`: at most one thing, so ask [`Acd::poll_timeout`] again
    /// afterwards. Calling it early is harmless.
    pub fn handle_timeout(&mut self, now: Instant) -> Step {
        if self.defend_at.is_some_and(|at| at <= now) {
            return self.send_defence(now);
        }
        match self.state {
            State::Waiting { probe_at } if probe_at <= now => {
                self.send_probe(now, self.timing.probe_count)
            }
            State::Probing { left, probe_at } if probe_at <= now => self.send_probe(now, left),
            //= LL-2.2.1-11 silence up to ANNOUNCE_WAIT after the last probe makes it ours
            State::Listening { until } if until < now => {
                self.state = State::Installing { probed_until: Some(until) };
                Step::event(AcdEvent::Free)
            }
            State::Announcing { left, announce_at } if announce_at <= now => {
                self.send_announcement(now, left)
            }
            State::Verifying { left, probe_at } if probe_at <= now => self.verify(now, left),
            State::Idle
            | State::Waiting { .. }
            | State::Probing { .. }
            | State::Listening { .. }
            | State::Installing { .. }
            | State::Announcing { .. }
            | State::Verifying { .. }
            | State::Bound => Step::NOTHING,
        }
    }

    /// When [`Acd::handle_timeout`] has something to do, or `None` while nothing is due.
    //= LL-2.2-04 an address in use is never tested again on a timer
    //= LL-4-01 an address in use is never announced again on a timer
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = match self.state {
            State::Idle | State::Installing { .. } | State::Bound => None,
            State::Waiting { probe_at }
            | State::Probing { probe_at, .. }
            | State::Verifying { probe_at, .. } => Some(probe_at),
            State::Listening { until } => Some(until + Duration::from_nanos(1)),
            State::Announcing { announce_at, .. } => Some(announce_at),
        };
        match (next, self.defend_at) {
            (Some(next), Some(defend_at)) => Some(next.min(defend_at)),
            (next, defend_at) => next.or(defend_at),
        }
    }

    /// Where the address stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Idle => Phase::Idle,
            State::Waiting { .. } => Phase::Waiting,
            State::Probing { .. } => Phase::Probing,
            State::Listening { .. } => Phase::Listening,
            State::Installing { .. } => Phase::Installing,
            State::Announcing { .. } => Phase::Announcing,
            State::Verifying { .. } => Phase::Verifying,
            State::Bound => Phase::Bound,
        }
    }

    /// The address, or `None` at rest.
    #[must_use]
    pub fn addr(&self) -> Option<Ipv4Addr> {
        (self.state != State::Idle).then_some(self.addr)
    }

    /// Whether the address is announced and in use.
    #[must_use]
    pub fn in_use(&self) -> bool {
        matches!(self.phase(), Phase::Announcing | Phase::Verifying | Phase::Bound)
    }

    /// Whether a conflict is so recent that another one would end the claim.
    #[must_use]
    pub fn is_contested(&self, now: Instant) -> bool {
        self.defended_at.is_some_and(|at| now.since(at) < DEFEND_INTERVAL)
    }

    /// What was counted since the detector was made.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The MAC address that goes into every packet.
    #[must_use]
    pub fn mac(&self) -> MacAddr {
        self.mac
    }

    /// The timing in force.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Gives the interface another MAC address. The claim ends.
    pub fn set_mac(&mut self, mac: MacAddr) {
        self.stop();
        self.mac = mac;
    }

    /// Back to rest. When the last defence was is kept for the same address: a claim that begins
    /// anew shortly after may not defend it sooner.
    fn reset(&mut self, addr: Ipv4Addr) {
        if addr != self.addr {
            self.defended_at = None;
        }
        self.addr = addr;
        self.state = State::Idle;
        self.defend_at = None;
        self.doubtful = false;
    }

    fn handle_packet(&mut self, at: Instant, ethernet: Ethernet, packet: &ArpPacket) -> Step {
        if self.state == State::Idle {
            return Step::NOTHING;
        }
        let mac = packet.sender_mac;
        match (meaning(self.mac, self.addr, ethernet, packet), self.window_is_open(at)) {
            (Meaning::Nothing, _) => Step::NOTHING,
            // While probing we send nothing but zero senders, so this is no echo: a clone of our
            // MAC address or an owner from before holds the candidate.
            //= LL-2.2.1-07 any ARP with the candidate as sender means that it is in use
            (Meaning::Used | Meaning::UsedByOwnMac, true) => self.drop(mac, ConflictKind::InUse),
            //= LL-2.2.1-08 a probe from another MAC for the same candidate is a conflict
            (Meaning::Probed, true) => self.drop(mac, ConflictKind::CompetingProbe),
            //= LL-2.5-01 ARP with our address as sender from another MAC is a conflict
            (Meaning::Used, false) => self.contest(at, mac),
            // An address in use is asked for by a probe like by any request; the kernel answers.
            (Meaning::Probed, false) => Step::NOTHING,
            (Meaning::UsedByOwnMac, false) | (Meaning::OwnProbe, _) => {
                //= ACD-2.1.1-07 our own packets come back from some access points
                bump(&mut self.counters.echoes);
                Step::NOTHING
            }
            (Meaning::UnicastProbe, _) => {
                bump(&mut self.counters.unicast_probes);
                Step::NOTHING
            }
        }
    }

    /// Whether a packet received at `at` falls into the probing time.
    fn window_is_open(&self, at: Instant) -> bool {
        match self.state {
            State::Waiting { .. } | State::Probing { .. } => true,
            State::Listening { until } | State::Installing { probed_until: Some(until) } => {
                at <= until
            }
            State::Idle
            | State::Installing { probed_until: None }
            | State::Announcing { .. }
            | State::Verifying { .. }
            | State::Bound => false,
        }
    }

    fn drop(&mut self, mac: MacAddr, kind: ConflictKind) -> Step {
        match kind {
            ConflictKind::InUse => bump(&mut self.counters.conflicts_in_use),
            ConflictKind::CompetingProbe => bump(&mut self.counters.conflicts_competing),
            ConflictKind::Late => bump(&mut self.counters.conflicts_late),
        }
        self.stop();
        Step::event(AcdEvent::Contested(Contest { mac, kind, outcome: Outcome::Dropped }))
    }

    /// A conflict after the claim.
    fn contest(&mut self, at: Instant, mac: MacAddr) -> Step {
        let absent = self.state == State::Installing { probed_until: None };
        if !self.in_use() && !absent {
            // Free but not yet announced: nobody relies on it, so the other host may have it.
            return self.drop(mac, ConflictKind::Late);
        }
        bump(&mut self.counters.conflicts_late);
        let recent = self.is_contested(at);
        let outcome = match self.defend {
            Defend::Never => Outcome::Ceded,
            // An address that is not on the interface at present cannot be defended.
            Defend::Once if absent => Outcome::Ceded,
            Defend::Always if absent => Outcome::Endured,
            //= LL-2.5-07 a second conflict within DEFEND_INTERVAL ends the claim at once
            Defend::Once if recent || self.doubtful => Outcome::Ceded,
            //= ACD-2.4-09 an address kept for good is not defended twice in DEFEND_INTERVAL
            Defend::Always if recent => Outcome::Endured,
            Defend::Once | Defend::Always => Outcome::Defending,
        };
        match outcome {
            Outcome::Ceded => {
                bump(&mut self.counters.ceded);
                self.stop();
            }
            Outcome::Defending => {
                let delay = self.uniform_nanos(DEFEND_DELAY.as_nanos());
                self.defend_at = Some(at + delay);
                self.defended_at = self.defend_at;
            }
            Outcome::Endured | Outcome::Dropped => {}
        }
        Step::event(AcdEvent::Contested(Contest { mac, kind: ConflictKind::Late, outcome }))
    }

    //= LL-2.5-05 a defence is one announcement
    fn send_defence(&mut self, now: Instant) -> Step {
        self.sent = Sent::Defence;
        self.defend_at = None;
        self.defended_at = Some(now);
        bump(&mut self.counters.defences);
        let packet = ArpPacket::announcement(self.mac, self.addr);
        Step { transmit: Some(packet), event: Some(AcdEvent::Defended) }
    }

    /// Sends one of `left` probes.
    //= LL-2.2.1-06 probes are PROBE_MIN to PROBE_MAX apart, at random
    fn send_probe(&mut self, now: Instant, left: NonZeroU8) -> Step {
        self.sent = Sent::Probe;
        bump(&mut self.counters.probes);
        let timing = self.timing;
        self.state = match NonZeroU8::new(left.get() - 1) {
            Some(left) => State::Probing { left, probe_at: now + self.probe_gap(&timing) },
            None => {
                let wait = Duration::from_millis(self.timing.announce_wait_ms.into());
                State::Listening { until: now + wait }
            }
        };
        Step::transmit(ArpPacket::probe(self.mac, self.addr))
    }

    /// Sends one of `left` announcements.
    //= LL-2.4-02 announcements are ANNOUNCE_INTERVAL apart
    fn send_announcement(&mut self, now: Instant, left: NonZeroU8) -> Step {
        self.sent = Sent::Announcement;
        bump(&mut self.counters.announcements);
        self.state = match NonZeroU8::new(left.get() - 1) {
            Some(left) => {
                let gap = Duration::from_millis(self.timing.announce_interval_ms.into());
                State::Announcing { left, announce_at: now + gap }
            }
            None if self.doubtful => {
                let wait = self.uniform(0, Timing::RFC3927.probe_wait_ms);
                let left = Timing::RFC3927.probe_count.get();
                State::Verifying { left, probe_at: now + wait }
            }
            None => State::Bound,
        };
        Step::transmit(ArpPacket::announcement(self.mac, self.addr))
    }

    /// One probe of the second round, or its end.
    fn verify(&mut self, now: Instant, left: u8) -> Step {
        let Some(left) = left.checked_sub(1) else {
            self.doubtful = false;
            self.state = State::Bound;
            return Step::NOTHING;
        };
        self.sent = Sent::Probe;
        let gap = if left == 0 {
            Duration::from_millis(Timing::RFC3927.announce_wait_ms.into())
        } else {
            self.probe_gap(&Timing::RFC3927)
        };
        bump(&mut self.counters.probes);
        self.state = State::Verifying { left, probe_at: now + gap };
        Step::transmit(ArpPacket::probe(self.mac, self.addr))
    }

    fn probe_gap(&mut self, timing: &Timing) -> Duration {
        self.uniform(timing.probe_min_ms, timing.probe_max_ms)
    }

    /// A random time between two numbers of milliseconds, uniform to the nanosecond.
    fn uniform(&mut self, min_ms: u16, max_ms: u16) -> Duration {
        let min = Duration::from_millis(min_ms.into());
        let span = Duration::from_millis(max_ms.saturating_sub(min_ms).into());
        min + self.uniform_nanos(span.as_nanos())
    }

    fn uniform_nanos(&mut self, span: u128) -> Duration {
        let drawn = (u128::from(self.rng.next_u64()) * (span + 1)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX))
    }
}
