//! Every input in every stage: exactly which actions come out, and which stage follows.
//!
//! X is the address held or tried before the input, Y any other. A cell reads
//! `actions => stage after`; `-` is nothing at all: no action, and status and deadline unchanged;
//! `+name` is a counter that grew by one.

use autoip_core::timing::MAX_CONFLICTS;
use autoip_core::{
    Action, AddrRange, Config, Counters, DEFAULT_KEY, Engine, LinkLocalAddr, Loss, Phase, Sequence,
    Timing, ZeroConfState,
};

use crate::driver::{
    Driver, GARBAGE, NANOSECOND, OWN, PEER, THIRD, announcement, before, elsewhere, in_words, ms,
    probe, reply, request, unicast_probe, unicast_reply, zero_sender_reply,
};
use Input::{
    AddressDeleted, Avoid, AvoidOther, Frame, InstallFailed, Installed, Reannounce, SetMacOther,
    SetMacSame, Start, Stop, TimeoutDue, TimeoutEarly, TransmitFailed,
};
use Situation::{
    Announcing, BackingOff, Bound, Contested, Installing, Listening, Pending, Probing, Restoring,
    Stopped, Verifying, Waiting,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Situation {
    Stopped,
    BackingOff,
    Waiting,
    Probing,
    Listening,
    /// The driver has not yet acknowledged a new address.
    Installing,
    /// The driver has not yet put back an address in use that others had deleted.
    Restoring,
    Announcing,
    /// Before the second round of probes of the fast profile.
    Verifying,
    Bound,
    /// Bound, and a defence waits for its random delay.
    Pending,
    /// Bound, and just defended.
    Contested,
}

const ALL: &[Situation] = &[
    Stopped, BackingOff, Waiting, Probing, Listening, Installing, Restoring, Announcing, Verifying,
    Bound, Pending, Contested,
];
const AT_REST: &[Situation] = &[Stopped, BackingOff];
const SEARCHING: &[Situation] = &[Waiting, Probing, Listening];
const UNACKED: &[Situation] = &[Installing, Restoring];
const IN_USE: &[Situation] = &[Announcing, Verifying, Bound, Pending, Contested];
/// A conflict there ends the claim: no second defence, and none in the second round.
const DOUBTFUL: &[Situation] = &[Verifying, Pending, Contested];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Start,
    Stop(Loss),
    SetMacSame,
    SetMacOther,
    Avoid,
    AvoidOther,
    Installed,
    InstallFailed,
    AddressDeleted,
    Reannounce,
    TransmitFailed,
    TimeoutEarly,
    TimeoutDue,
    Frame(Kind),
}

/// What the frame says; it is received at the present time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reply,
    UnicastReply,
    Request,
    Announcement,
    OwnReply,
    OwnAnnouncement,
    CompetingProbe,
    UnicastProbe,
    OwnProbe,
    ZeroSenderReply,
    OrdinaryRequest,
    Unrelated,
    Garbage,
}

const STOPS: &[Input] = &[
    Stop(Loss::Conflict),
    Stop(Loss::Carrier),
    Stop(Loss::MacChanged),
    Stop(Loss::Retired),
    Stop(Loss::Stopped),
    Stop(Loss::Deleted),
    Stop(Loss::OutOfRange),
    Stop(Loss::Released),
];
const FOREIGN: &[Input] = &[
    Frame(Kind::Reply),
    Frame(Kind::UnicastReply),
    Frame(Kind::Request),
    Frame(Kind::Announcement),
];
const OWN_MAC: &[Input] = &[Frame(Kind::OwnReply), Frame(Kind::OwnAnnouncement)];
const HARMLESS: &[Input] = &[
    SetMacSame,
    AvoidOther,
    TimeoutEarly,
    Frame(Kind::ZeroSenderReply),
    Frame(Kind::OrdinaryRequest),
    Frame(Kind::Unrelated),
];

const SAME: &str = "-";
const ANEW: &str = "listen(candidate X) candidate(X) => waiting";
const ANOTHER: &str = "listen(candidate Y) candidate(Y) => waiting";
const CEDED: &str = "remove(X Conflict) contested(X Late Ceded) \
                     listen(candidate Y) candidate(Y) => waiting";

type Cell = (&'static [Situation], &'static str);

const TABLE: &[(&[Input], &[Cell])] = &[
    (
        &[Start],
        &[
            (&[Stopped], ANEW),
            (&[BackingOff], SAME),
            (SEARCHING, SAME),
            (UNACKED, SAME),
            (IN_USE, SAME),
        ],
    ),
    (
        STOPS,
        &[
            (&[Stopped], SAME),
            (&[BackingOff], "deaf => stopped"),
            (SEARCHING, "deaf => stopped"),
            (UNACKED, "remove(X LOSS) deaf => stopped"),
            (IN_USE, "remove(X LOSS) deaf => stopped"),
        ],
    ),
    (
        &[SetMacOther],
        &[
            (&[Stopped], SAME),
            (&[BackingOff], "deaf backed-off => backing off"),
            (SEARCHING, ANEW),
            (UNACKED, "remove(X MacChanged) listen(candidate X) candidate(X) => waiting"),
            (IN_USE, "remove(X MacChanged) listen(candidate X) candidate(X) => waiting"),
        ],
    ),
    (&[Avoid], &[(SEARCHING, ANOTHER), (AT_REST, SAME), (UNACKED, SAME), (IN_USE, SAME)]),
    (
        &[Installed],
        &[
            (&[Installing], "announce(X) listen(claimed X) acquired(X) => announcing"),
            (&[Restoring], "announce(X) listen(claimed X) restored(X) => announcing"),
            (AT_REST, SAME),
            (SEARCHING, SAME),
            (IN_USE, SAME),
        ],
    ),
    (
        &[InstallFailed],
        &[
            (&[Installing], "deaf backed-off => backing off"),
            (&[Restoring], "remove(X Deleted) deaf backed-off => backing off"),
            (AT_REST, SAME),
            (SEARCHING, SAME),
            (IN_USE, SAME),
        ],
    ),
    (
        &[AddressDeleted],
        &[
            (IN_USE, "install(X) => installing"),
            (AT_REST, SAME),
            (SEARCHING, SAME),
            (UNACKED, SAME),
        ],
    ),
    (
        &[Reannounce],
        &[
            (&[Announcing], SAME),
            (&[Verifying, Bound], "=> announcing"),
            (&[Pending, Contested], "=> announcing, contested"),
            (AT_REST, SAME),
            (SEARCHING, SAME),
            (UNACKED, SAME),
        ],
    ),
    (
        &[TransmitFailed],
        &[
            (AT_REST, "- +transmit_failures"),
            (&[Waiting], "- +transmit_failures"),
            (UNACKED, "- +transmit_failures"),
            (&[Probing, Listening], "+transmit_failures => probing"),
            (&[Announcing, Verifying, Bound], "+transmit_failures => announcing"),
            (&[Pending], "+transmit_failures => announcing, contested"),
            (&[Contested], "+transmit_failures => bound, contested"),
        ],
    ),
    (
        &[TimeoutDue],
        &[
            (&[BackingOff], ANOTHER),
            (&[Waiting], "probe(X) => probing"),
            (&[Probing], "probe(X) => probing"),
            (&[Listening], "install(X) => installing"),
            (&[Announcing], "announce(X) => bound"),
            (&[Verifying], "probe(X) => verifying"),
            (&[Pending], "announce(X) defended(X) => bound, contested"),
            (&[Stopped, Bound, Contested], SAME),
            (UNACKED, SAME),
        ],
    ),
    (
        FOREIGN,
        &[
            (AT_REST, SAME),
            (SEARCHING, "contested(X InUse Dropped) listen(candidate Y) candidate(Y) => waiting"),
            (
                &[Installing],
                "remove(X Conflict) contested(X Late Dropped) \
                 listen(candidate Y) candidate(Y) => waiting",
            ),
            (&[Restoring], CEDED),
            (&[Announcing], "contested(X Late Defending) => announcing, contested"),
            (&[Bound], "contested(X Late Defending) => bound, contested"),
            (DOUBTFUL, CEDED),
        ],
    ),
    (
        &[Frame(Kind::CompetingProbe)],
        &[
            (
                SEARCHING,
                "contested(X CompetingProbe Dropped) \
                     listen(candidate Y) candidate(Y) => waiting",
            ),
            (AT_REST, SAME),
            (UNACKED, SAME),
            (IN_USE, SAME),
        ],
    ),
    (
        OWN_MAC,
        &[
            (SEARCHING, "contested(X InUse Dropped) listen(candidate Y) candidate(Y) => waiting"),
            (AT_REST, SAME),
            (UNACKED, "- +echoes"),
            (IN_USE, "- +echoes"),
        ],
    ),
    (
        &[Frame(Kind::OwnProbe)],
        &[(AT_REST, SAME), (SEARCHING, "- +echoes"), (UNACKED, "- +echoes"), (IN_USE, "- +echoes")],
    ),
    (
        &[Frame(Kind::UnicastProbe)],
        &[
            (AT_REST, SAME),
            (SEARCHING, "- +unicast_probes"),
            (UNACKED, "- +unicast_probes"),
            (IN_USE, "- +unicast_probes"),
        ],
    ),
    (&[Frame(Kind::Garbage)], &[(ALL, "- +frames_refused")]),
    (HARMLESS, &[(ALL, SAME)]),
];

/// A driver in `situation`, and the address that is X there.
fn driver_in(situation: Situation) -> (Driver, LinkLocalAddr) {
    let fast = Config { timing: Timing::FAST, ..Config::new(OWN, 1) };
    let mut driver = match situation {
        Waiting | Probing | Listening | Installing | Announcing | BackingOff => Driver::started(),
        Verifying => Driver::started_with(fast),
        Stopped | Restoring | Bound | Pending | Contested => Driver::bound(),
    };
    let mut held = driver.addr();
    match situation {
        Waiting | Bound => {}
        Stopped => driver.input(|engine, _| engine.stop(Loss::Retired)),
        BackingOff => {
            for _ in 0..MAX_CONFLICTS {
                held = driver.addr();
                driver.receive(&reply(PEER, held));
            }
        }
        Probing => driver.run_to(Phase::Probing),
        Listening => driver.run_to(Phase::Listening),
        Installing => {
            driver.acknowledges = false;
            driver.run_to(Phase::Installing);
        }
        Restoring => {
            driver.acknowledges = false;
            driver.input(Engine::address_deleted);
        }
        Announcing => driver.run_to(Phase::Announcing),
        Verifying => driver.run_to(Phase::Verifying),
        Pending => driver.receive(&reply(PEER, held)),
        Contested => {
            driver.receive(&reply(PEER, held));
            driver.step();
        }
    }
    driver.acknowledges = false;
    driver.log.clear();
    (driver, held)
}

fn frame(kind: Kind, held: LinkLocalAddr) -> [u8; 42] {
    match kind {
        Kind::Reply => reply(PEER, held),
        Kind::UnicastReply => unicast_reply(PEER, held),
        Kind::Request => request(PEER, held, elsewhere()),
        Kind::Announcement => announcement(PEER, held),
        Kind::OwnReply => reply(OWN, held),
        Kind::OwnAnnouncement => announcement(OWN, held),
        Kind::CompetingProbe => probe(PEER, held),
        Kind::UnicastProbe => unicast_probe(PEER, held),
        Kind::OwnProbe => probe(OWN, held),
        Kind::ZeroSenderReply => zero_sender_reply(PEER, held),
        Kind::OrdinaryRequest => request(PEER, elsewhere(), held),
        Kind::Unrelated => request(PEER, elsewhere(), elsewhere()),
        Kind::Garbage => GARBAGE,
    }
}

fn apply(driver: &mut Driver, input: Input, held: LinkLocalAddr) {
    let deadline = driver.engine.poll_timeout();
    match input {
        Start => driver.input(Engine::start),
        Stop(loss) => driver.input(|engine, _| engine.stop(loss)),
        SetMacSame | SetMacOther => {
            let mac = if input == SetMacSame { OWN } else { THIRD };
            let sequence = Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL);
            driver.input(|engine, now| engine.set_mac(now, mac, sequence));
        }
        Avoid => driver.input(|engine, now| engine.avoid(now, held)),
        AvoidOther => driver.input(|engine, now| engine.avoid(now, elsewhere())),
        Installed => driver.input(Engine::installed),
        InstallFailed => driver.input(Engine::install_failed),
        AddressDeleted => driver.input(Engine::address_deleted),
        Reannounce => driver.input(Engine::reannounce),
        TransmitFailed => driver.input(Engine::transmit_failed),
        TimeoutEarly => {
            driver.now = deadline.map_or(driver.now, |at| before(at, NANOSECOND));
            driver.input(Engine::handle_timeout);
        }
        TimeoutDue => {
            driver.now = deadline.unwrap_or(driver.now + ms(1));
            driver.input(Engine::handle_timeout);
        }
        Frame(kind) => driver.receive(&frame(kind, held)),
    }
}

/// The counters that do not follow from the actions, by name, where they grew by one.
fn grown(before: &Counters, after: &Counters) -> Vec<String> {
    let counters = [
        ("echoes", before.echoes, after.echoes),
        ("unicast_probes", before.unicast_probes, after.unicast_probes),
        ("frames_refused", before.frames_refused, after.frames_refused),
        ("transmit_failures", before.transmit_failures, after.transmit_failures),
    ];
    let grown = counters.into_iter().filter(|(_, before, after)| before != after);
    grown
        .map(|(name, before, after)| format!("+{name}").repeat((after - before) as usize))
        .collect()
}

/// What comes of `input` in `situation`, in the words of the table.
fn outcome(situation: Situation, input: Input) -> String {
    let (mut driver, held) = driver_in(situation);
    let counters = *driver.engine.counters();
    let status = driver.engine.snapshot(driver.now);
    let now = driver.now;
    apply(&mut driver, input, held);

    let actions = driver.log.iter().map(|(_, action): &(_, Action)| in_words(action, held));
    let mut words: Vec<String> = actions.collect();
    let unchanged = words.is_empty() && driver.engine.snapshot(now) == status;
    if unchanged {
        words.push("-".to_owned());
    }
    words.extend(grown(&counters, driver.engine.counters()));
    if !unchanged {
        let after = driver.engine.snapshot(driver.now);
        let contested = if after.state == ZeroConfState::Defending { ", contested" } else { "" };
        words.push(format!("=> {}{contested}", after.stage));
    }
    words.join(" ")
}

fn expected(cell: &str, input: Input) -> String {
    match input {
        Stop(loss) => cell.replace("LOSS", &format!("{loss:?}")),
        Start | SetMacSame | SetMacOther | Avoid | AvoidOther | Installed | InstallFailed
        | AddressDeleted | Reannounce | TransmitFailed | TimeoutEarly | TimeoutDue | Frame(_) => {
            cell.to_owned()
        }
    }
}

//= test LL-1.5-02
//= test LL-2.2.1-07
//= test LL-2.2.1-08
//= test LL-2.5-01
//= test LL-2.5-02
//= test LL-2.5-03
//= test ACD-2.1.1-04
//= test ACD-2.1.1-06
//= test ACD-2.1.1-07
//= test ACD-2.4-01
//= test ACD-2.4-02
#[test]
fn every_input_in_every_stage_does_what_the_table_says() {
    let mut wrong = Vec::new();
    for (inputs, cells) in TABLE {
        for &input in *inputs {
            for (situations, cell) in *cells {
                for &situation in *situations {
                    let (expected, got) = (expected(cell, input), outcome(situation, input));
                    if got != expected {
                        wrong.push(format!("{situation:?}, {input:?}:\n  {expected}\n  {got}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "expected, then got:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_has_every_cell_once() {
    let mut inputs = 0;
    for (row, cells) in TABLE {
        inputs += row.len();
        for situation in ALL {
            let cells = cells.iter().filter(|(situations, _)| situations.contains(situation));
            assert_eq!(cells.count(), 1, "{row:?} in {situation:?}");
        }
    }
    assert_eq!(inputs, 12 + 8 + 13, "every input, every reason to stop, every kind of frame");
}
