//! What the daemon knows, in the words of the control protocol.

use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_control as control;
use autoip_core::{
    AddrRange, ConflictKind, Contest, Counters, Defend, Instant, LinkLocalAddr, Loss, Outcome,
    Phase, Stage, Timing, ZeroConfState,
};
use autoip_linux::{boottime, realtime};

use crate::choice::{Choices, Profile};
use crate::guard::Tier;
use crate::settings::Mode;

/// Both clocks at one moment, to tell points in time by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    boot: Instant,
    wall: Duration,
}

impl Clock {
    pub(crate) fn now() -> Self {
        let read = || {
            let (before, wall, after) = (boottime(), realtime(), boottime());
            (after.since(before), Self { boot: before, wall })
        };
        // A busy machine may pause between two readings, and rarely does so twice in a row.
        let ((apart, clock), (other_apart, other)) = (read(), read());
        if apart <= other_apart { clock } else { other }
    }

    /// The moment itself.
    pub(crate) fn at(&self) -> Instant {
        self.boot
    }

    /// A point in time in milliseconds since 1970.
    pub(crate) fn ms(&self, at: Instant) -> i64 {
        // Cut off last: by one clock nothing later seems to have happened earlier.
        let ns = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
        let since_boot = ns(at.since(self.boot)).saturating_sub(ns(self.boot.since(at)));
        let ms = ns(self.wall).saturating_add(since_boot).div_euclid(1_000_000);
        i64::try_from(ms).unwrap_or(i64::MAX)
    }
}

pub(crate) fn state(state: ZeroConfState) -> control::State {
    match state {
        ZeroConfState::Idle => control::State::Idle,
        ZeroConfState::Probing => control::State::Probing,
        ZeroConfState::Announcing => control::State::Announcing,
        ZeroConfState::Configured => control::State::Configured,
        ZeroConfState::Defending => control::State::Defending,
    }
}

pub(crate) fn stage(stage: Stage) -> control::Stage {
    match stage {
        Stage::Stopped | Stage::Claim(Phase::Idle) => control::Stage::Stopped,
        Stage::BackingOff => control::Stage::BackingOff,
        Stage::Claim(Phase::Waiting) => control::Stage::Waiting,
        Stage::Claim(Phase::Probing) => control::Stage::Probing,
        Stage::Claim(Phase::Listening) => control::Stage::Listening,
        Stage::Claim(Phase::Installing) => control::Stage::Installing,
        Stage::Claim(Phase::Announcing) => control::Stage::Announcing,
        Stage::Claim(Phase::Verifying) => control::Stage::Verifying,
        Stage::Claim(Phase::Bound) => control::Stage::Bound,
    }
}

pub(crate) fn loss(loss: Loss) -> control::Loss {
    match loss {
        Loss::Conflict => control::Loss::Conflict,
        Loss::Carrier => control::Loss::Carrier,
        Loss::MacChanged => control::Loss::MacChanged,
        Loss::Retired => control::Loss::Retired,
        Loss::Stopped => control::Loss::Stopped,
        Loss::Deleted => control::Loss::Deleted,
        Loss::OutOfRange => control::Loss::OutOfRange,
        Loss::Released => control::Loss::Released,
    }
}

fn kind(kind: ConflictKind) -> control::ConflictKind {
    match kind {
        ConflictKind::InUse => control::ConflictKind::InUse,
        ConflictKind::CompetingProbe => control::ConflictKind::CompetingProbe,
        ConflictKind::Late => control::ConflictKind::Late,
    }
}

fn outcome(outcome: Outcome) -> control::Outcome {
    match outcome {
        Outcome::Dropped => control::Outcome::Dropped,
        Outcome::Defending => control::Outcome::Defending,
        Outcome::Ceded => control::Outcome::Ceded,
        Outcome::Endured => control::Outcome::Endured,
    }
}

pub(crate) fn defend(defend: Defend) -> control::Defend {
    match defend {
        Defend::Never => control::Defend::Never,
        Defend::Once => control::Defend::Once,
        Defend::Always => control::Defend::Always,
    }
}

//= ACD-1.3-05 an address of a router or a server is watched and kept for good where that is asked
pub(crate) fn wanted_defence(defend: control::Defend) -> Defend {
    match defend {
        control::Defend::Never => Defend::Never,
        control::Defend::Once => Defend::Once,
        control::Defend::Always => Defend::Always,
    }
}

pub(crate) fn mode(mode: Mode) -> control::Mode {
    match mode {
        Mode::Fallback => control::Mode::Fallback,
        Mode::Always => control::Mode::Always,
        Mode::Route => control::Mode::Route,
    }
}

pub(crate) fn wanted_mode(mode: control::Mode) -> Mode {
    match mode {
        control::Mode::Fallback => Mode::Fallback,
        control::Mode::Always => Mode::Always,
        control::Mode::Route => Mode::Route,
    }
}

/// A profile, unless it is made of single numbers.
fn wanted_profile(profile: control::Profile) -> Option<Profile> {
    match profile {
        control::Profile::Rfc3927 => Some(Profile::Rfc3927),
        control::Profile::Draft07 => Some(Profile::Draft07),
        control::Profile::Fast => Some(Profile::Fast),
        control::Profile::Custom => None,
    }
}

/// The timing of a profile, unless that is made of single numbers.
pub(crate) fn wanted_timing(profile: control::Profile) -> Option<Timing> {
    wanted_profile(profile).map(Profile::timing)
}

/// What a client chooses about an interface.
///
/// # Errors
///
/// Which parameter has a value that cannot be.
pub(crate) fn choices(asked: &control::AddInterface) -> Result<Choices, control::Refusal> {
    let invalid =
        |parameter: &str| control::Refusal::InvalidParameter { parameter: parameter.to_owned() };
    let mut choices = Choices { mode: asked.mode.map(wanted_mode), ..Choices::default() };
    if let Some(start) = asked.start {
        choices.start = Some(LinkLocalAddr::new(start).map_err(|_| invalid("start"))?);
    }
    if let Some(control::Range { first, last }) = asked.range {
        let ends = LinkLocalAddr::new(first).ok().zip(LinkLocalAddr::new(last).ok());
        let range = ends.and_then(|(first, last)| AddrRange::new(first, last));
        choices.range = Some(range.ok_or_else(|| invalid("range"))?);
    }
    if let Some(profile) = asked.profile {
        choices.profile = Some(wanted_profile(profile).ok_or_else(|| invalid("profile"))?);
    }
    if let Some(defend) = asked.defend {
        //= LL-2.5-07 a link-local address is not defended without end
        let defend = Some(wanted_defence(defend)).filter(|&defend| defend != Defend::Always);
        choices.defend = Some(defend.ok_or_else(|| invalid("defend"))?);
    }
    Ok(choices)
}

pub(crate) fn timing(timing: &Timing) -> control::Timing {
    let profiles = [control::Profile::Rfc3927, control::Profile::Draft07, control::Profile::Fast];
    let profile = profiles.into_iter().find(|&profile| wanted_timing(profile) == Some(*timing));
    control::Timing {
        profile: profile.unwrap_or(control::Profile::Custom),
        is_rfc3927: timing.is_rfc3927(),
        probe_wait_ms: timing.probe_wait_ms.into(),
        probe_count: timing.probe_count.get().into(),
        probe_min_ms: timing.probe_min_ms.into(),
        probe_max_ms: timing.probe_max_ms.into(),
        announce_wait_ms: timing.announce_wait_ms.into(),
        announce_count: timing.announce_count.get().into(),
        announce_interval_ms: timing.announce_interval_ms.into(),
        second_round: timing.second_round,
    }
}

pub(crate) fn counters(counters: &Counters) -> control::Counters {
    control::Counters {
        probes: counters.probes,
        announcements: counters.announcements,
        defences: counters.defences,
        conflicts_in_use: counters.conflicts_in_use,
        conflicts_competing: counters.conflicts_competing,
        conflicts_late: counters.conflicts_late,
        ceded: counters.ceded,
        echoes: counters.echoes,
        unicast_probes: counters.unicast_probes,
        frames_refused: counters.frames_refused,
        transmit_failures: counters.transmit_failures,
    }
}

/// A conflict over `addr` at `time`, and the frame that showed it where that is known.
pub(crate) fn conflict(
    time: i64,
    interface: &str,
    addr: Ipv4Addr,
    contest: Contest,
    frame: &[u8],
) -> control::Conflict {
    control::Conflict {
        time,
        interface: interface.to_owned(),
        addr,
        mac: contest.mac.to_string(),
        kind: kind(contest.kind),
        outcome: outcome(contest.outcome),
        packet: (!frame.is_empty()).then(|| hex(frame)),
    }
}

pub(crate) fn tier(tier: Tier) -> control::GuardTier {
    match tier {
        Tier::Off => control::GuardTier::Off,
        Tier::Sysctl => control::GuardTier::Sysctl,
        Tier::Filter => control::GuardTier::Nft,
    }
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
