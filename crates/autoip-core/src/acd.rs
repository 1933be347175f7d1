//! Address conflict detection for one IPv4 address on one link: RFC 5227, as a pure state machine.
//!
//! [`Acd`] probes for an address, says when it is free, announces it once it is on the interface,
//! and afterwards answers conflicts as its [`Defend`] policy tells. It chooses no addresses: what
//! to do when one is taken is its owner's business ([`crate::Engine`] for link-local addresses,
//! anybody for a static or DHCP address). It never reads a clock and does no I/O; every input
//! returns one [`Step`], and [`Acd::poll_timeout`] tells when to call
//! [`Acd::handle_timeout`] next.
//!
//! What comes in is judged in `acd/receive.rs`; what goes out is made in `acd/send.rs`.

mod receive;
mod send;

use core::net::Ipv4Addr;
use core::num::NonZeroU8;
use core::time::Duration;

use autoip_wire::{ArpPacket, MacAddr};
use rand_core::SeedableRng;
use rand_pcg::Pcg32;

use crate::conflict::{ConflictKind, Outcome};
use crate::counters::{Counters, bump};
use crate::time::Instant;
use crate::timing::{DEFEND_INTERVAL, RETRY_INTERVAL, Timing};

/// What to do about a conflict over an address in use (RFC 5227 §2.4, RFC 3927 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Defend {
    //= ACD-2.4-03 an address may be given up at once
    /// Give the address up at the first conflict.
    Never,
    /// Defend it once; give it up at a second conflict within [`DEFEND_INTERVAL`].
    #[default]
    Once,
    //= ACD-2.4-06 an address may be kept for good
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
    //= LL-2.2-01 an address is tested before it is used
    //= ACD-2.1.1-02 the first wait keeps hosts apart that start together
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
    //= ACD-2.3-01 announcements follow a clean probe
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

    /// Announces an address in use once more, as often as after a claim. An announcement that is
    /// to come keeps its time, however often this is asked for.
    pub fn reannounce(&mut self, now: Instant) {
        let announce_at = match self.state {
            State::Announcing { announce_at, .. } => announce_at,
            State::Verifying { .. } | State::Bound => now,
            State::Idle
            | State::Waiting { .. }
            | State::Probing { .. }
            | State::Listening { .. }
            | State::Installing { .. } => return,
        };
        self.state = State::Announcing { left: self.timing.announce_count, announce_at };
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
            //= ACD-2.1.1-10 silence up to ANNOUNCE_WAIT after the last probe makes it safe
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
    //= ACD-2.1-03 an address in use is not probed for on a timer
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

    /// Whether a claim runs of which the link has seen nothing: a probe that could not be sent
    /// counts as never sent.
    pub(crate) fn is_unprobed(&self) -> bool {
        match self.state {
            State::Waiting { .. } => true,
            State::Probing { left, .. } => left >= self.timing.probe_count,
            State::Idle
            | State::Listening { .. }
            | State::Installing { .. }
            | State::Announcing { .. }
            | State::Verifying { .. }
            | State::Bound => false,
        }
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

    /// Takes other counts and waits, from the next claim on: one that runs has to be stopped by
    /// the caller.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// Takes another policy, for the next conflict.
    pub fn set_defend(&mut self, defend: Defend) {
        self.defend = defend;
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
}
