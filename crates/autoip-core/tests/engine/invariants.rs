//! What must hold in every run of an engine, whatever the link, the kernel and the owner do: one
//! function for each rule. Runs are made by [`crate::properties`].

use std::time::Duration;

use autoip_core::{
    Action, ConflictKind, Contest, Event, Instant, Interest, LinkLocalAddr, MacAddr, Outcome,
    Phase, Snapshot, Stage, Timing,
};
use autoip_wire::{ArpPacket, Operation};

use crate::driver::{Sent, sent};

/// What was done to the engine, as far as the rules need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Installed,
    InstallFailed,
    AddressDeleted,
    TransmitFailed,
    SetMac(MacAddr),
    /// A frame, and when it was received.
    Frame(Instant, Vec<u8>),
    Other,
}

/// One input and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) now: Instant,
    pub(crate) cause: Cause,
    pub(crate) actions: Vec<Action>,
    pub(crate) before: Snapshot,
    pub(crate) after: Snapshot,
    /// The MAC address of the interface, before the input.
    pub(crate) mac: MacAddr,
}

pub(crate) type Rule = fn(&[Turn]) -> Result<(), String>;

pub(crate) const RULES: &[(&str, Rule)] = &[
    (
        "only_an_address_on_the_interface_is_announced",
        only_an_address_on_the_interface_is_announced,
    ),
    ("installs_and_removes_alternate", installs_and_removes_alternate),
    ("frames_carry_the_own_mac_address", frames_carry_the_own_mac_address),
    ("probes_are_for_the_candidate", probes_are_for_the_candidate),
    ("probes_keep_their_distance", probes_keep_their_distance),
    ("an_install_follows_a_clean_probe", an_install_follows_a_clean_probe),
    ("defences_are_ten_seconds_apart", defences_are_ten_seconds_apart),
    ("a_late_conflict_is_never_ones_own", a_late_conflict_is_never_ones_own),
    ("no_conflict_is_ignored", no_conflict_is_ignored),
    ("nothing_else_is_a_conflict", nothing_else_is_a_conflict),
    ("a_ceded_address_is_not_tried_next", a_ceded_address_is_not_tried_next),
    ("new_candidates_keep_to_the_rate_limit", new_candidates_keep_to_the_rate_limit),
    ("the_engine_listens_to_what_it_needs", the_engine_listens_to_what_it_needs),
    ("an_input_causes_at_most_five_actions", an_input_causes_at_most_five_actions),
];

macro_rules! ensure {
    ($holds:expr, $turn:expr) => {
        if !$holds {
            return Err(format!("{} does not hold in {:#?}", stringify!($holds), $turn));
        }
    };
}

/// The candidate that a turn reports, if it does.
fn candidate(turn: &Turn) -> Option<LinkLocalAddr> {
    turn.actions.iter().find_map(|action| match *action {
        Action::Report(Event::Candidate(addr)) => Some(addr),
        Action::Report(_)
        | Action::Listen(_)
        | Action::Transmit(_)
        | Action::Install(_)
        | Action::Remove(..) => None,
    })
}

/// The conflict that a turn reports, if it does.
fn contest(turn: &Turn) -> Option<Contest> {
    turn.actions.iter().find_map(|action| match *action {
        Action::Report(Event::Contested(_, contest)) => Some(contest),
        Action::Report(_)
        | Action::Listen(_)
        | Action::Transmit(_)
        | Action::Install(_)
        | Action::Remove(..) => None,
    })
}

fn probe(turn: &Turn) -> Option<LinkLocalAddr> {
    turn.actions.iter().find_map(|action| match sent(action)? {
        Sent::Probe(addr) => Some(addr),
        Sent::Announcement(_) => None,
    })
}

fn is_defence(turn: &Turn) -> bool {
    turn.actions.iter().any(|action| matches!(action, Action::Report(Event::Defended(_))))
}

fn is_in_use(status: &Snapshot) -> bool {
    matches!(status.stage, Stage::Claim(Phase::Announcing | Phase::Verifying | Phase::Bound))
}

fn is_searching(status: &Snapshot) -> bool {
    matches!(status.stage, Stage::Claim(Phase::Waiting | Phase::Probing | Phase::Listening))
}

//= test LL-2.2-01
//= test LL-2.2-02
//= test DNA-2.1.1-01
fn only_an_address_on_the_interface_is_announced(turns: &[Turn]) -> Result<(), String> {
    let (mut asked, mut installed) = (None, None);
    for turn in turns {
        match turn.cause {
            Cause::Installed => installed = asked.take().or(installed),
            Cause::InstallFailed => asked = None,
            Cause::AddressDeleted => installed = None,
            Cause::TransmitFailed | Cause::SetMac(_) | Cause::Frame(..) | Cause::Other => {}
        }
        for action in &turn.actions {
            match *action {
                Action::Install(addr) => asked = Some(addr),
                Action::Remove(..) => (asked, installed) = (None, None),
                Action::Transmit(_) => match sent(action) {
                    Some(Sent::Announcement(addr)) => ensure!(installed == Some(addr), turn),
                    Some(Sent::Probe(_)) | None => {}
                },
                Action::Listen(_) | Action::Report(_) => {}
            }
        }
    }
    Ok(())
}

fn installs_and_removes_alternate(turns: &[Turn]) -> Result<(), String> {
    let mut installed = None;
    for turn in turns {
        for action in &turn.actions {
            match *action {
                Action::Install(addr) if turn.cause == Cause::AddressDeleted => {
                    ensure!(installed == Some(addr), turn);
                }
                Action::Install(addr) => {
                    ensure!(installed.is_none(), turn);
                    installed = Some(addr);
                }
                Action::Remove(addr, _) => {
                    ensure!(installed == Some(addr), turn);
                    installed = None;
                }
                Action::Report(Event::Candidate(_)) => ensure!(installed.is_none(), turn),
                Action::Report(_) | Action::Listen(_) | Action::Transmit(_) => {}
            }
        }
        if turn.cause == Cause::InstallFailed && !is_in_use(&turn.after) {
            installed = None;
        }
        ensure!(!is_in_use(&turn.after) || installed == turn.after.addr, turn);
    }
    Ok(())
}

//= test LL-1.2-02
//= test LL-2.2.1-01
fn frames_carry_the_own_mac_address(turns: &[Turn]) -> Result<(), String> {
    for turn in turns {
        for action in &turn.actions {
            let Action::Transmit(frame) = action else { continue };
            let packet = ArpPacket::parse(frame).map(|(_, packet)| packet);
            ensure!(packet.is_ok_and(|packet| packet.sender_mac == turn.mac), turn);
        }
    }
    Ok(())
}

//= test LL-1.2-04
//= test LL-2.2.1-04
fn probes_are_for_the_candidate(turns: &[Turn]) -> Result<(), String> {
    let mut current = None;
    for turn in turns {
        if let Some(addr) = probe(turn) {
            ensure!(current == Some(addr), turn);
        }
        current = candidate(turn).or(current);
    }
    Ok(())
}

//= test LL-2.2.1-06
fn probes_keep_their_distance(turns: &[Turn]) -> Result<(), String> {
    let mut probes = Vec::new();
    for turn in turns {
        let last = probes.last().copied();
        note_probes(&mut probes, turn);
        if probe(turn).is_some() {
            let gap = Duration::from_millis(turn.before.timing.probe_min_ms.into());
            ensure!(last.is_none_or(|last| turn.now - last >= gap), turn);
        }
    }
    Ok(())
}

//= test LL-2.2-01
//= test LL-2.2.1-11
//= test DNA-2.3-01
fn an_install_follows_a_clean_probe(turns: &[Turn]) -> Result<(), String> {
    let mut probes = Vec::new();
    for turn in turns {
        note_probes(&mut probes, turn);
        let installs = turn.actions.iter().any(|action| matches!(action, Action::Install(_)));
        if installs && turn.cause != Cause::AddressDeleted {
            let Timing { probe_count, announce_wait_ms, .. } = turn.before.timing;
            let wait = Duration::from_millis(announce_wait_ms.into());
            ensure!(probes.len() == usize::from(probe_count.get()), turn);
            ensure!(probes.last().is_some_and(|&last| turn.now - last > wait), turn);
        }
    }
    Ok(())
}

/// Keeps `probes`, the times at which those of the present claim left, up to date.
fn note_probes(probes: &mut Vec<Instant>, turn: &Turn) {
    if turn.cause == Cause::TransmitFailed && is_searching(&turn.before) {
        probes.pop();
    }
    if candidate(turn).is_some() {
        probes.clear();
    }
    if probe(turn).is_some() {
        probes.push(turn.now);
    }
}

//= test LL-2.5-05
//= test ACD-1.3-02
fn defences_are_ten_seconds_apart(turns: &[Turn]) -> Result<(), String> {
    let (mut last, mut failed): (Option<Instant>, bool) = (None, false);
    for turn in turns {
        // A defence that never left is no defence.
        if turn.cause == Cause::TransmitFailed && failed {
            last = None;
        }
        if candidate(turn).is_some() {
            last = None;
        }
        if is_defence(turn) {
            ensure!(last.is_none_or(|last| turn.now - last >= Duration::from_secs(10)), turn);
            last = Some(turn.now);
        }
        failed = is_defence(turn);
    }
    Ok(())
}

//= test LL-2.5-01
//= test ACD-2.1.1-07
fn a_late_conflict_is_never_ones_own(turns: &[Turn]) -> Result<(), String> {
    for turn in turns {
        let own = contest(turn).filter(|contest| contest.mac == turn.mac);
        ensure!(own.is_none_or(|contest| contest.kind == ConflictKind::InUse), turn);
        ensure!(own.is_none() || !is_in_use(&turn.before), turn);
    }
    Ok(())
}

/// The packet in the frame of a turn, whether everybody got it, and the address it may be about.
fn heard(turn: &Turn) -> Option<(ArpPacket, bool, LinkLocalAddr)> {
    let Cause::Frame(_, bytes) = &turn.cause else { return None };
    let (ethernet, packet) = ArpPacket::parse(bytes).ok()?;
    Some((packet, ethernet.destination.is_broadcast(), turn.before.addr?))
}

//= test LL-1.5-02
//= test LL-2.5-02
//= test LL-2.5-03
//= test ACD-2.4-12
fn no_conflict_is_ignored(turns: &[Turn]) -> Result<(), String> {
    for turn in turns {
        let Some((packet, _, addr)) = heard(turn) else { continue };
        if packet.sender_ip == addr.ip() && packet.sender_mac != turn.mac {
            ensure!(contest(turn).is_some(), turn);
        }
    }
    Ok(())
}

//= test LL-2.2.1-08
//= test LL-2.5-01
fn nothing_else_is_a_conflict(turns: &[Turn]) -> Result<(), String> {
    for turn in turns {
        let Some(contest) = contest(turn) else { continue };
        let Some((packet, to_all, addr)) = heard(turn) else {
            return Err(format!("a conflict out of nothing: {turn:#?}"));
        };
        ensure!(contest.mac == packet.sender_mac, turn);
        let is_right = match contest.kind {
            ConflictKind::InUse | ConflictKind::Late => packet.sender_ip == addr.ip(),
            ConflictKind::CompetingProbe => {
                to_all
                    && packet.operation == Operation::Request
                    && packet.sender_ip.is_unspecified()
                    && packet.target_ip == addr.ip()
                    && packet.sender_mac != turn.mac
                    && !is_in_use(&turn.before)
            }
        };
        ensure!(is_right, turn);
    }
    Ok(())
}

//= test LL-1.5-01
//= test LL-2.5-07
fn a_ceded_address_is_not_tried_next(turns: &[Turn]) -> Result<(), String> {
    for turn in turns {
        let Some(contest) = contest(turn) else { continue };
        let lost = match contest.outcome {
            Outcome::Ceded | Outcome::Dropped => true,
            Outcome::Defending | Outcome::Endured => false,
        };
        ensure!(lost == (turn.after.addr != turn.before.addr), turn);
        ensure!(lost != is_in_use(&turn.after), turn);
    }
    Ok(())
}

//= test LL-2.2.1-10
//= test ACD-2.1.1-08
//= test ACD-2.1.1-09
fn new_candidates_keep_to_the_rate_limit(turns: &[Turn]) -> Result<(), String> {
    let mut last_first_probe: Option<Instant> = None;
    // Whether the first probe of the candidate is still to come, and whether it is limited.
    let (mut awaited, mut limited) = (false, false);
    for turn in turns {
        if candidate(turn).is_some() {
            awaited = true;
            limited = turn.after.conflicts >= 10;
        }
        if awaited && probe(turn).is_some() {
            let gap = last_first_probe.map(|last| turn.now - last);
            ensure!(!limited || gap.is_none_or(|gap| gap >= Duration::from_secs(60)), turn);
            awaited = false;
            last_first_probe = Some(turn.now);
        }
    }
    Ok(())
}

fn the_engine_listens_to_what_it_needs(turns: &[Turn]) -> Result<(), String> {
    let mut interest = Interest::Nothing;
    for turn in turns {
        for action in &turn.actions {
            match *action {
                Action::Listen(new) => interest = new,
                Action::Transmit(_)
                | Action::Install(_)
                | Action::Remove(..)
                | Action::Report(_) => {}
            }
        }
        let enough = match (turn.after.addr, interest) {
            (None, interest) => interest == Interest::Nothing,
            (Some(addr), Interest::Candidate(heard)) => addr == heard && !is_in_use(&turn.after),
            (Some(addr), Interest::Claimed(heard)) => addr == heard && !is_searching(&turn.after),
            (Some(_), Interest::Nothing) => false,
        };
        ensure!(enough, turn);
    }
    Ok(())
}

fn an_input_causes_at_most_five_actions(turns: &[Turn]) -> Result<(), String> {
    for turn in turns {
        ensure!(turn.actions.len() <= 5, turn);
    }
    Ok(())
}
