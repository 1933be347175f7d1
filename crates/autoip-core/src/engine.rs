//! The engine of one interface: which address to try, when, and what to do when it is lost
//! (RFC 3927). Detection itself is [`Acd`]'s; the driver's duties stand in the crate's
//! documentation.
//!
//! Must never read a clock, draw randomness of its own, allocate, or panic on what a link sends.

use autoip_wire::{LinkLocalAddr, MacAddr};

use crate::acd::{Acd, AcdEvent, Contest, Defend, Phase, Step};
use crate::action::{Action, Event, Interest, Loss, Queue, Queued};
use crate::avoid::AvoidSet;
use crate::conflict::Outcome;
use crate::counters::Counters;
use crate::sequence::{AddrRange, DEFAULT_KEY, Sequence};
use crate::snapshot::{Snapshot, Stage, ZeroConfState};
use crate::time::Instant;
use crate::timing::{
    CONFLICT_MEMORY, MAX_CONFLICTS, RATE_LIMIT_INTERVAL, RESTART_INTERVAL, RESTORE_MAX,
    RESTORE_WINDOW, Timing,
};

/// From how many candidates denied in a row by one MAC address on it is named as a denier. The
/// chance that an honest host holds three candidates in a row is one in 10¹³.
const DENIALS_NAMED: u8 = 3;
/// How many candidates in a row may be refused by the driver before the engine rests.
const REFUSALS_MAX: u8 = 64;
/// How many draws in a row may hit addresses to avoid.
const DRAWS_MAX: u8 = 64;

/// How an engine is to behave.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The MAC address of the interface.
    pub mac: MacAddr,
    /// Drawn by the caller, differently for every engine: it makes the random waits, nothing else.
    pub seed: u64,
    /// Counts and waits of a claim.
    pub timing: Timing,
    /// What to do about conflicts over the address in use. [`Defend::Always`] is not for
    /// link-local addresses and counts as [`Defend::Once`].
    pub defend: Defend,
    /// The first candidate, before those of the sequence: chosen by the user or remembered.
    pub first: Option<LinkLocalAddr>,
    /// The candidates, usually those of the MAC address.
    pub sequence: Sequence,
}

impl Config {
    /// What RFC 3927 says, for an interface with the address `mac`.
    #[must_use]
    pub fn new(mac: MacAddr, seed: u64) -> Self {
        Self {
            mac,
            seed,
            timing: Timing::RFC3927,
            defend: Defend::Once,
            first: None,
            sequence: Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL),
        }
    }
}

/// What the engine does besides detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No address is wanted, or there is no link.
    Stopped,
    /// The next candidate waits for the rate limit.
    BackingOff { until: Instant },
    /// The detector probes for an address or holds one.
    Claiming,
}

/// Link-local addressing on one interface.
///
/// After every input, take actions with [`Engine::poll_action`] until there is none, then ask
/// [`Engine::poll_timeout`] for the next deadline.
///
/// # Panics
///
/// Every input panics when actions of the one before were left in the queue: they would be done
/// too late, or in the wrong order.
#[derive(Clone, Debug)]
pub struct Engine {
    acd: Acd,
    state: State,
    sequence: Sequence,
    avoided: AvoidSet,
    queue: Queue,
    /// Tried before the sequence goes on.
    first: Option<LinkLocalAddr>,
    /// The driver was asked to put the address on the interface.
    on_interface: bool,
    /// The address in use had been deleted and is being put back.
    restoring: bool,
    /// When the last new candidate began, or was first probed for.
    attempted_at: Option<Instant>,
    /// Conflicts of all kinds, those over addresses in use included.
    conflicts: u8,
    conflicted_at: Option<Instant>,
    denier: Option<(MacAddr, u8)>,
    refusals: u8,
    restores: u8,
    restored_at: Option<Instant>,
}

impl Engine {
    /// An engine at rest: it does nothing before [`Engine::start`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            acd: Acd::new(config.mac, config.timing, link_local(config.defend), config.seed),
            state: State::Stopped,
            sequence: config.sequence,
            avoided: AvoidSet::default(),
            queue: Queue::default(),
            first: config.first,
            on_interface: false,
            restoring: false,
            attempted_at: None,
            conflicts: 0,
            conflicted_at: None,
            denier: None,
            refusals: 0,
            restores: 0,
            restored_at: None,
        }
    }

    /// The link works and an address is wanted: claims one, beginning with the one held or tried
    /// last. Does nothing while it already runs.
    //= LL-2.2-03 every start of a link begins with a claim
    //= DNA-2.3-01 a former address is claimed again in full
    //= DNA-2.3-02 no reachability test stands in for a claim
    pub fn start(&mut self, now: Instant) {
        self.begin_input();
        if self.state == State::Stopped {
            self.next_candidate(now, self.damped(now));
        }
    }

    /// The link is gone or no address is wanted: gives up what is held or tried, and begins with
    /// it again at the next [`Engine::start`]. `loss` says why; after [`Loss::Carrier`] the
    /// conflicts and the addresses seen are forgotten, because the next link may be another one.
    //= DNA-2.3-03 a claim ends with the link
    pub fn stop(&mut self, loss: Loss) {
        self.begin_input();
        if let Some(addr) = self.addr() {
            self.first = Some(addr);
        }
        self.give_up(loss);
        if loss == Loss::Carrier {
            self.avoided.clear();
            self.conflicts = 0;
            self.denier = None;
        }
        if self.state != State::Stopped {
            self.state = State::Stopped;
            self.queue.push(Queued::Listen(Interest::Nothing));
        }
    }

    /// The next [`Engine::start`] begins with `addr`, also when it was seen in use: somebody who
    /// must know asked for it. Does nothing while the engine runs.
    pub fn prefer(&mut self, addr: LinkLocalAddr) {
        self.begin_input();
        if self.state == State::Stopped {
            self.avoided.remove(addr);
            self.first = Some(addr);
        }
    }

    /// The interface has another MAC address: claims the same address anew with it, and goes on
    /// with `sequence` after that, usually the one of the new MAC address.
    pub fn set_mac(&mut self, now: Instant, mac: MacAddr, sequence: Sequence) {
        self.begin_input();
        if mac == self.acd.mac() {
            return;
        }
        self.first = self.addr().or(self.first);
        self.give_up(Loss::MacChanged);
        self.acd.set_mac(mac);
        self.sequence = sequence;
        if self.state != State::Stopped {
            self.next_candidate(now, self.damped(now));
        }
    }

    /// Takes other counts and waits. A claim that is not over begins anew with them, so that none
    /// is made of two halves; an address in use stays, and is claimed by them the next time.
    pub fn set_timing(&mut self, now: Instant, timing: Timing) {
        self.begin_input();
        if timing == *self.acd.timing() {
            return;
        }
        self.acd.set_timing(timing);
        if self.state == State::Claiming && !self.on_interface {
            self.first = self.addr();
            self.acd.stop();
            self.next_candidate(now, self.damped(now));
        }
    }

    /// Takes another policy for conflicts over the address in use, from the next one on.
    /// [`Defend::Always`] counts as [`Defend::Once`].
    pub fn set_defend(&mut self, defend: Defend) {
        self.begin_input();
        self.acd.set_defend(link_local(defend));
    }

    /// Chooses from another range. An address that does not lie in it is given up, and another
    /// one claimed; one that does stays.
    pub fn set_range(&mut self, now: Instant, range: AddrRange) {
        self.begin_input();
        self.sequence.set_range(range);
        self.first = self.first.filter(|&first| range.contains(first));
        if self.addr().is_none_or(|addr| range.contains(addr)) {
            return;
        }
        self.give_up(Loss::OutOfRange);
        self.next_candidate(now, self.damped(now));
    }

    /// `addr` is not to be tried: a sibling interface holds it, or it was seen in use. Where it is
    /// the candidate, the next one follows at once; no conflict is counted. An address in use
    /// stays.
    //= LL-3.4-03 interfaces of one host never try each other's address
    pub fn avoid(&mut self, now: Instant, addr: LinkLocalAddr) {
        self.begin_input();
        self.avoided.insert(addr);
        if self.addr() != Some(addr) || self.on_interface || self.state != State::Claiming {
            return;
        }
        self.refusals = self.refusals.saturating_add(1);
        if self.acd.phase() != Phase::Waiting {
            self.acd.stop();
            self.next_candidate(now, now);
        } else if self.refusals < REFUSALS_MAX {
            // Nothing has been on the link yet, so there is nothing to limit.
            let addr = self.pick();
            self.acd.redirect(addr.ip());
            self.report_candidate(addr);
        } else {
            self.refusals = 0;
            self.acd.stop();
            self.back_off(now + RATE_LIMIT_INTERVAL);
        }
    }

    /// The address of the last [`Action::Install`] is on the interface: announces it.
    //= ACD-2.5-01 from the first announcement on the interface answers for the address
    pub fn installed(&mut self, now: Instant) {
        self.begin_input();
        let addr = self.addr();
        let step = self.acd.installed(now);
        self.take(now, addr, step);
    }

    /// The address of the last [`Action::Install`] could not be put on the interface: it is
    /// claimed again after the rate limit interval.
    pub fn install_failed(&mut self, now: Instant) {
        self.begin_input();
        if self.acd.phase() != Phase::Installing {
            return;
        }
        let Some(addr) = self.addr() else { return };
        self.first = Some(addr);
        if self.restoring {
            self.remove(addr, Loss::Deleted);
        }
        self.on_interface = false;
        self.acd.stop();
        self.back_off(now + RATE_LIMIT_INTERVAL);
    }

    /// Somebody else deleted the address in use from the interface: asks for it back at once.
    /// After [`RESTORE_MAX`] times without a pause of [`RESTORE_WINDOW`] it counts as lost, and is
    /// claimed again after such a pause.
    pub fn address_deleted(&mut self, now: Instant) {
        self.begin_input();
        let Some(addr) = self.addr().filter(|_| self.acd.in_use()) else { return };
        if self.restored_at.is_none_or(|at| now.since(at) >= RESTORE_WINDOW) {
            self.restores = 0;
        }
        self.restored_at = Some(now);
        if self.restores < RESTORE_MAX {
            self.restores += 1;
            self.restoring = true;
            self.acd.reinstall();
            self.queue.push(Queued::Install(addr));
        } else {
            self.first = Some(addr);
            self.give_up(Loss::Deleted);
            self.back_off(now + RESTORE_WINDOW);
        }
    }

    /// Announces the address in use once more, as after a claim.
    pub fn reannounce(&mut self, now: Instant) {
        self.begin_input();
        self.acd.reannounce(now);
    }

    /// A frame was received at `at`, the time at which the kernel took it in, which may lie
    /// before earlier inputs. Any bytes are allowed.
    pub fn handle_frame(&mut self, at: Instant, frame: &[u8]) {
        self.begin_input();
        let addr = self.addr();
        let step = self.acd.handle_frame(at, frame);
        self.take(at, addr, step);
    }

    /// Does what is due at `now`. Calling it early is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.begin_input();
        match self.state {
            State::Stopped => {}
            State::BackingOff { until } => {
                if until <= now {
                    let addr = self.pick();
                    self.begin(now, now, addr);
                }
            }
            State::Claiming => {
                let addr = self.addr();
                let unprobed = self.acd.is_unprobed();
                let step = self.acd.handle_timeout(now);
                if unprobed && step.transmit.is_some() {
                    self.refusals = 0;
                    // The rate limit counts from first probe to first probe.
                    self.attempted_at = Some(now);
                }
                self.take(now, addr, step);
            }
        }
    }

    /// The frame of the last [`Action::Transmit`] could not be sent: it counts as never sent and
    /// is tried again.
    pub fn transmit_failed(&mut self, now: Instant) {
        self.begin_input();
        self.acd.transmit_failed(now);
    }

    /// The next thing to do, or `None` when the input is dealt with.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.queue.pop().map(|queued| queued.into_action(self.acd.mac()))
    }

    /// When to call [`Engine::handle_timeout`], or `None` while nothing is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Stopped => None,
            State::BackingOff { until } => Some(until),
            State::Claiming => self.acd.poll_timeout(),
        }
    }

    /// Where things stand at `now`, for status output.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let stage = match self.state {
            State::Stopped => Stage::Stopped,
            State::BackingOff { .. } => Stage::BackingOff,
            State::Claiming => Stage::Claim(self.acd.phase()),
        };
        let contested = self.acd.in_use() && self.acd.is_contested(now);
        let remembered = self.remembers_conflicts(now);
        let named = |&(_, denials): &(MacAddr, u8)| remembered && denials >= DENIALS_NAMED;
        Snapshot {
            state: ZeroConfState::of(stage, contested),
            stage,
            addr: self.addr(),
            deadline: self.poll_timeout(),
            conflicts: if remembered { self.conflicts } else { 0 },
            denier: self.denier.filter(named).map(|(mac, _)| mac),
            timing: *self.acd.timing(),
        }
    }

    /// What was counted since the engine was made.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        self.acd.counters()
    }

    /// The candidate, or the address in use.
    #[must_use]
    pub fn addr(&self) -> Option<LinkLocalAddr> {
        self.acd.addr().and_then(|addr| LinkLocalAddr::new(addr).ok())
    }

    fn begin_input(&self) {
        assert!(self.queue.is_empty(), "the actions of the last input were not taken");
    }

    /// Turns what the detector did about `addr` into actions.
    fn take(&mut self, at: Instant, addr: Option<LinkLocalAddr>, step: Step) {
        let Some(addr) = addr else { return };
        match step.transmit {
            None => {}
            Some(packet) if packet.sender_ip.is_unspecified() => {
                self.queue.push(Queued::Probe(addr));
            }
            Some(_) => self.queue.push(Queued::Announcement(addr)),
        }
        match step.event {
            None => {}
            Some(AcdEvent::Free) => {
                self.on_interface = true;
                self.queue.push(Queued::Install(addr));
            }
            Some(AcdEvent::Claimed) => {
                let restored = core::mem::take(&mut self.restoring);
                self.queue.push(Queued::Listen(Interest::Claimed(addr)));
                self.queue.push(Queued::Report(if restored {
                    Event::Restored(addr)
                } else {
                    Event::Acquired(addr)
                }));
            }
            Some(AcdEvent::Defended) => self.queue.push(Queued::Report(Event::Defended(addr))),
            Some(AcdEvent::Contested(contest)) => self.on_contest(at, addr, contest),
        }
    }

    fn on_contest(&mut self, at: Instant, addr: LinkLocalAddr, contest: Contest) {
        self.count_conflict(at);
        match contest.outcome {
            Outcome::Defending | Outcome::Endured => {
                self.queue.push(Queued::Report(Event::Contested(addr, contest)));
            }
            Outcome::Ceded | Outcome::Dropped => {
                self.remove(addr, Loss::Conflict);
                self.queue.push(Queued::Report(Event::Contested(addr, contest)));
                self.count_denial(contest.mac);
                self.avoided.insert(addr);
                self.next_candidate(at, at);
            }
        }
    }

    /// Counts a conflict towards the rate limit, whether or not an address was bound since.
    //= ACD-2.1.1-09 conflicts over an address in use count as those of the probing time do
    //= LL-2.2.1-09 conflicts are counted
    fn count_conflict(&mut self, at: Instant) {
        self.forget_old_conflicts(at);
        self.conflicts = self.conflicts.saturating_add(1);
        self.conflicted_at = Some(at);
    }

    fn remembers_conflicts(&self, now: Instant) -> bool {
        self.conflicted_at.is_some_and(|at| now.since(at) < CONFLICT_MEMORY)
    }

    fn forget_old_conflicts(&mut self, now: Instant) {
        if !self.remembers_conflicts(now) {
            self.conflicts = 0;
            self.denier = None;
        }
    }

    fn count_denial(&mut self, mac: MacAddr) {
        let denials = match self.denier {
            Some((known, denials)) if known == mac => denials.saturating_add(1),
            Some(_) | None => 1,
        };
        self.denier = Some((mac, denials));
        if denials == DENIALS_NAMED {
            self.queue.push(Queued::Report(Event::Denier(mac)));
        }
    }

    /// Goes on with another candidate: now, or when the rate limit allows one.
    //= LL-1.5-01 a conflict leads to another address without help from outside
    //= LL-2.2.1-10 past MAX_CONFLICTS, one new candidate per RATE_LIMIT_INTERVAL
    //= ACD-2.1.1-08 the limit begins at MAX_CONFLICTS
    //= LL-5-03 forged conflicts cost a bounded number of probes
    fn next_candidate(&mut self, now: Instant, not_before: Instant) {
        self.forget_old_conflicts(now);
        let earliest = self.attempted_at.map_or(now, |at| at + RATE_LIMIT_INTERVAL);
        if self.conflicts >= MAX_CONFLICTS && earliest > now {
            self.back_off(earliest);
        } else {
            let addr = self.pick();
            self.begin(now, not_before, addr);
        }
    }

    /// When a claim that follows from a change of the link may begin.
    fn damped(&self, now: Instant) -> Instant {
        self.attempted_at.map_or(now, |at| at + RESTART_INTERVAL)
    }

    fn begin(&mut self, now: Instant, not_before: Instant, addr: LinkLocalAddr) {
        self.state = State::Claiming;
        // Never back: `now` may be when a frame came in that was read late.
        self.attempted_at = self.attempted_at.max(Some(now));
        self.acd.probe(now, not_before, addr.ip());
        self.report_candidate(addr);
    }

    fn report_candidate(&mut self, addr: LinkLocalAddr) {
        self.queue.push(Queued::Listen(Interest::Candidate(addr)));
        self.queue.push(Queued::Report(Event::Candidate(addr)));
    }

    fn back_off(&mut self, until: Instant) {
        self.state = State::BackingOff { until };
        self.queue.push(Queued::Listen(Interest::Nothing));
        self.queue.push(Queued::Report(Event::BackedOff));
    }

    /// The first candidate, else the next of the sequence that is not to be avoided.
    //= LL-2.1-07 a remembered address is the first candidate
    fn pick(&mut self) -> LinkLocalAddr {
        if let Some(first) = self.first.take().filter(|&first| !self.avoided.contains(first)) {
            return first;
        }
        // In a range that is avoided as a whole any address is as good as another.
        let mut addr = self.sequence.draw();
        for _ in 0..DRAWS_MAX {
            if !self.avoided.contains(addr) {
                break;
            }
            addr = self.sequence.draw();
        }
        addr
    }

    /// Stops the detector and takes its address off the interface.
    fn give_up(&mut self, loss: Loss) {
        if let Some(addr) = self.addr() {
            self.remove(addr, loss);
        }
        self.acd.stop();
    }

    fn remove(&mut self, addr: LinkLocalAddr, loss: Loss) {
        self.restoring = false;
        if core::mem::take(&mut self.on_interface) {
            self.queue.push(Queued::Remove(addr, loss));
        }
    }
}

/// The policy for an address that is only borrowed.
fn link_local(defend: Defend) -> Defend {
    match defend {
        Defend::Always | Defend::Once => Defend::Once,
        Defend::Never => Defend::Never,
    }
}

// A host with a thousand links must not notice what they cost.
const _: () = assert!(size_of::<Engine>() <= 256, "an engine costs at most 256 bytes a link");
