//! The rules of RFC 3927 and RFC 5227 in their simplest reading: one flat state, one arm for each
//! input. [`crate::run`] holds the engine to it.
//!
//! It shares nothing with the engine but the types in which inputs and actions are told. Where the
//! rules say "random" it knows the first and the last instant that they allow, and takes any in
//! between.

use std::mem::{replace, take};
use std::time::Duration;

use autoip_core::{
    Action, ConflictKind, Contest, Event, Instant, Interest, LinkLocalAddr, Loss, Outcome, Timing,
};

use crate::frame::{self, Said};
use crate::run::Input;

const NANOSECOND: Duration = Duration::from_nanos(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The first and the last instant at which something may happen.
type Window = (Instant, Instant);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Stage {
    #[default]
    Rest,
    /// The next candidate has to wait.
    Limited,
    /// So many probes are still to come; none while listening after the last.
    Searching(u8),
    /// Free since then and on its way onto the interface; or back onto it, as others deleted it.
    Installing(Option<Instant>),
    /// So many announcements are still to come.
    InUse(u8),
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    mac: [u8; 6],
    timing: Timing,
    /// Whether the first conflict ends the use of an address.
    yields: bool,
    /// Held, tried, or the first to try.
    addr: Option<LinkLocalAddr>,
    stage: Stage,
    /// When the stage goes on by itself, and when a defence goes out.
    next: Option<Window>,
    defence: Option<Window>,
    /// The earlier of both, as the engine says.
    deadline: Option<Instant>,
    /// The last defence of an address, past or to come; whether it was the last frame.
    defended: Option<(LinkLocalAddr, Window)>,
    defended_last: bool,
    /// When the last candidate came up or was first probed for.
    begun_at: Option<Instant>,
    /// The last one, and how many there were up to then.
    conflicts: Option<(Instant, u32)>,
    deletions: Option<(Instant, u32)>,
    /// The last address that another host has.
    lost: Option<LinkLocalAddr>,
    /// What the engine did, and what it had to do.
    told: Vec<Action>,
    must: Vec<Action>,
}

impl Model {
    pub(crate) fn new(
        mac: [u8; 6],
        timing: Timing,
        yields: bool,
        addr: Option<LinkLocalAddr>,
    ) -> Self {
        Self { mac, timing, yields, addr, ..Self::default() }
    }

    /// What an engine has to do about `input`. It did what it `told`, which decides where the rules
    /// leave a choice: of the next candidate, and of what goes first when two things are due.
    pub(crate) fn step(&mut self, now: Instant, input: &Input, told: &[Action]) -> Vec<Action> {
        self.told = told.to_vec();
        match (input, self.stage, self.addr) {
            (Input::Start, Stage::Rest, _) => self.begin(now, true),
            (&Input::Stop(loss), ..) => {
                self.leave(loss);
                if replace(&mut self.stage, Stage::Rest) != Stage::Rest {
                    self.must.push(Action::Listen(Interest::Nothing));
                }
                if loss == Loss::Carrier {
                    (self.conflicts, self.lost) = (None, None);
                }
            }
            (&Input::SetMac(mac), stage, _) if mac.0 != self.mac => {
                self.mac = mac.0;
                if stage != Stage::Rest {
                    self.leave(Loss::MacChanged);
                    self.begin(now, true);
                }
            }
            (Input::Installed, Stage::Installing(free), Some(addr)) => {
                self.announce(now, self.timing.announce_count.get(), addr);
                self.must.push(Action::Listen(Interest::Claimed(addr)));
                let event = if free.is_some() { Event::Acquired } else { Event::Restored };
                self.must.push(Action::Report(event(addr)));
            }
            (Input::InstallFailed, Stage::Installing(free), _) => {
                if free.is_none() {
                    self.leave(Loss::Deleted);
                }
                self.back_off(now + MINUTE);
            }
            (Input::AddressDeleted, Stage::InUse(_), Some(addr)) => {
                let recent = self.deletions.filter(|&(last, _)| now - last < MINUTE);
                let count = recent.map_or(1, |(_, count)| count + 1);
                self.deletions = Some((now, count));
                if count > 5 {
                    self.leave(Loss::Deleted);
                    self.back_off(now + MINUTE);
                } else {
                    self.go(Stage::Installing(None), None);
                    self.defence = None;
                    self.must.push(Action::Install(addr));
                }
            }
            (Input::Reannounce, Stage::InUse(_), _) => {
                let next = self.next.or(Some((now, now)));
                self.go(Stage::InUse(self.timing.announce_count.get()), next);
            }
            (Input::TransmitFailed, stage, Some(addr)) => {
                let again = (now + SECOND, now + SECOND);
                match stage {
                    _ if self.defended_last => {
                        (self.defence, self.defended) = (Some(again), Some((addr, again)));
                    }
                    Stage::Searching(left) => self.go(Stage::Searching(left + 1), Some(again)),
                    Stage::InUse(left) => self.go(Stage::InUse(left + 1), Some(again)),
                    Stage::Rest | Stage::Limited | Stage::Installing(_) => {}
                }
            }
            (Input::Timeout, ..) if self.deadline.is_some_and(|due| due <= now) => self.due(now),
            (Input::Frame(at, bytes), _, Some(addr)) => self.heard(*at, frame::read(bytes), addr),
            _ => {}
        }
        take(&mut self.must)
    }

    /// Takes the engine's word for the deadline, where the rules allow that one.
    pub(crate) fn settle(&mut self, deadline: Option<Instant>) -> Result<(), String> {
        let open = || [self.next, self.defence].into_iter().flatten();
        let (from, to) = (open().map(|at| at.0).min(), open().map(|at| at.1).min());
        if deadline < from || deadline > to {
            return Err(format!("deadline {deadline:?}, allowed {from:?} to {to:?}"));
        }
        self.deadline = deadline;
        let Some(at) = deadline else { return Ok(()) };
        let only_one = open().filter(|window| window.0 <= at).count() == 1;
        for window in [&mut self.next, &mut self.defence].into_iter().flatten() {
            *window = (window.0.max(at), if only_one && window.0 <= at { at } else { window.1 });
        }
        self.defended = self.defended.map(|(addr, at)| (addr, self.defence.unwrap_or(at)));
        Ok(())
    }

    fn due(&mut self, now: Instant) {
        let Some(addr) = self.addr else { return self.begin(now, false) };
        let defended = Action::Report(Event::Defended(addr));
        if self.defence.is_some_and(|at| at.0 <= now) && self.told.contains(&defended) {
            (self.defence, self.defended, self.defended_last) =
                (None, Some((addr, (now, now))), true);
            self.must.extend([frame::request(self.mac, addr.ip().octets(), addr), defended]);
            return;
        }
        match self.stage {
            Stage::Searching(0) => {
                self.go(Stage::Installing(self.deadline), None);
                self.must.push(Action::Install(addr));
            }
            Stage::Searching(left) => {
                // One that could not be sent counts as never sent.
                if left == self.timing.probe_count.get() {
                    self.begun_at = Some(now);
                }
                let Timing { probe_min_ms, probe_max_ms, announce_wait_ms, .. } = self.timing;
                let between = (now + ms(probe_min_ms), now + ms(probe_max_ms.max(probe_min_ms)));
                let end = now + ms(announce_wait_ms);
                // A frame that is received at the very end still counts.
                let next = if left > 1 { between } else { (end, end + NANOSECOND) };
                self.go(Stage::Searching(left - 1), Some(next));
                self.defended_last = false;
                self.must.push(frame::request(self.mac, [0; 4], addr));
            }
            Stage::InUse(left) => self.announce(now, left, addr),
            Stage::Limited => self.begin(now, false),
            Stage::Rest | Stage::Installing(_) => {}
        }
    }

    fn announce(&mut self, now: Instant, left: u8, addr: LinkLocalAddr) {
        let next = now + ms(self.timing.announce_interval_ms);
        self.go(Stage::InUse(left - 1), (left > 1).then_some((next, next)));
        self.defended_last = false;
        self.must.push(frame::request(self.mac, addr.ip().octets(), addr));
    }

    fn heard(&mut self, at: Instant, said: Said, addr: LinkLocalAddr) {
        let searching = match self.stage {
            Stage::Rest | Stage::Limited => return,
            Stage::Searching(0) => self.next.is_some_and(|end| at < end.1),
            Stage::Searching(_) => true,
            Stage::Installing(free) => free.is_some_and(|free| at < free),
            Stage::InUse(_) => false,
        };
        let (about, mac, kind) = match said {
            Said::Claim(about, mac) if searching => (about, mac, ConflictKind::InUse),
            Said::Claim(about, mac) if mac.0 != self.mac => (about, mac, ConflictKind::Late),
            Said::Probe(about, mac) if searching && mac.0 != self.mac => {
                (about, mac, ConflictKind::CompetingProbe)
            }
            Said::Claim(..) | Said::Probe(..) | Said::Nothing => return,
        };
        if about != addr.ip() {
            return;
        }
        let recent = self.conflicts.filter(|&(last, _)| at - last < 10 * MINUTE);
        self.conflicts = Some(recent.map_or((at, 1), |(last, count)| (last.max(at), count + 1)));
        let contested =
            |outcome| Action::Report(Event::Contested(addr, Contest { mac, kind, outcome }));
        let defending = contested(Outcome::Defending);
        let (first, last) = match self.defended {
            Some((of, window)) if of == addr => window,
            Some(_) | None => (Instant::from_nanos(0), Instant::from_nanos(0)),
        };
        let may = !self.yields && at - first >= 10 * SECOND;
        let must = may && at - last >= 10 * SECOND;
        let in_use = matches!(self.stage, Stage::InUse(_));
        if in_use && (must || may && self.told.contains(&defending)) {
            self.defence = Some((at, at + ms(100)));
            self.defended = self.defence.map(|window| (addr, window));
            return self.must.push(defending);
        }
        self.leave(Loss::Conflict);
        let had_it = in_use || self.stage == Stage::Installing(None);
        self.must.push(contested(if had_it { Outcome::Ceded } else { Outcome::Dropped }));
        self.lost = self.addr.take();
        self.begin(at, false);
    }

    /// Claims the old address, or where others have that, another one. Changes of the link begin
    /// one claim a second at most; from the tenth conflict on there is one a minute.
    fn begin(&mut self, now: Instant, link_changed: bool) {
        let many = |&(last, count): &(Instant, u32)| now - last < 10 * MINUTE && count >= 10;
        let minute = self.begun_at.filter(|_| self.conflicts.as_ref().is_some_and(many));
        let until = minute.map(|begun| begun + MINUTE).filter(|&until| until > now);
        // A new address has to wait, the old one may.
        let waits = self.addr.is_none() || self.told.contains(&Action::Report(Event::BackedOff));
        if let Some(until) = until.filter(|_| waits) {
            return self.back_off(until);
        }
        let chosen = self.told.iter().find_map(|action| {
            if let Action::Report(Event::Candidate(addr)) = *action { Some(addr) } else { None }
        });
        self.addr = self.addr.or(chosen.filter(|&addr| self.lost != Some(addr)));
        let Some(addr) = self.addr else { return };
        self.must.push(Action::Listen(Interest::Candidate(addr)));
        self.must.push(Action::Report(Event::Candidate(addr)));
        let begun = self.begun_at.filter(|_| link_changed);
        let from = begun.map_or(now, |begun| now.max(begun + SECOND));
        let to = from + ms(self.timing.probe_wait_ms);
        self.go(Stage::Searching(self.timing.probe_count.get()), Some((from, to)));
        self.begun_at = self.begun_at.max(Some(now));
    }

    fn back_off(&mut self, until: Instant) {
        self.go(Stage::Limited, Some((until, until)));
        let deaf = Action::Listen(Interest::Nothing);
        self.must.extend([deaf, Action::Report(Event::BackedOff)]);
    }

    /// Ends a claim: the address goes from the interface, if it can be there.
    fn leave(&mut self, loss: Loss) {
        (self.next, self.defence) = (None, None);
        if let (Stage::Installing(_) | Stage::InUse(_), Some(addr)) = (self.stage, self.addr) {
            self.must.push(Action::Remove(addr, loss));
        }
    }

    fn go(&mut self, stage: Stage, next: Option<Window>) {
        (self.stage, self.next) = (stage, next);
    }
}

const fn ms(n: u16) -> Duration {
    Duration::from_millis(n as u64)
}
