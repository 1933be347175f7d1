//! What hooks are told.

use super::*;
use autoip_core::{Instant, MacAddr, ZeroConfState};

fn notice(what: What) -> Notice {
    Notice {
        at: Instant::from_nanos(1),
        index: IfIndex::new(7).unwrap(),
        interface: "eth0".to_owned(),
        mac: MacAddr([2, 0, 0, 0, 0, 1]),
        label: Some("eth0:9".to_owned()),
        addr: Some("169.254.7.7".parse().unwrap()),
        what,
    }
}

fn contest(outcome: Outcome) -> Contest {
    Contest { mac: MacAddr([2, 0, 0, 0, 0, 9]), kind: ConflictKind::Late, outcome }
}

/// The value of a variable, which is there at most once.
fn value<'a>(job: &'a Job, name: &str) -> Option<&'a str> {
    let mut found = job.env.iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert_eq!(found.next(), None, "{name} is there twice");
    value
}

#[test]
fn events_are_those_of_avahi_autoipd_and_one_more() {
    for (what, told) in [
        (What::Acquired, Some(("BIND", "acquired"))),
        (What::Restored, Some(("BIND", "restored"))),
        (What::Lost(Loss::Conflict), Some(("CONFLICT", "conflict"))),
        (What::Lost(Loss::Carrier), Some(("UNBIND", "carrier"))),
        (What::Lost(Loss::MacChanged), Some(("UNBIND", "mac-changed"))),
        (What::Lost(Loss::Retired), Some(("UNBIND", "retired"))),
        (What::Lost(Loss::Deleted), Some(("UNBIND", "deleted"))),
        (What::Lost(Loss::OutOfRange), Some(("UNBIND", "out-of-range"))),
        (What::Lost(Loss::Released), Some(("UNBIND", "released"))),
        (What::Lost(Loss::Stopped), Some(("STOP", "stopped"))),
        (What::Conflict(contest(Outcome::Defending)), Some(("DEFEND", "conflict"))),
        (What::Conflict(contest(Outcome::Endured)), Some(("DEFEND", "conflict"))),
        (What::Conflict(contest(Outcome::Ceded)), None),
        (What::Conflict(contest(Outcome::Dropped)), None),
        (What::State(ZeroConfState::Configured), None),
        (What::Stopped, None),
    ] {
        let job = job(&notice(what), None);
        let args = job.as_ref().map(|job| job.args.clone());
        let expected = told.map(|(event, _)| [event, "eth0", "169.254.7.7"].map(str::to_owned));
        assert_eq!(args, expected.map(Vec::from), "{what:?}");
        let reason = job.as_ref().and_then(|job| value(job, "AUTOIP_REASON"));
        assert_eq!(reason, told.map(|(_, reason)| reason), "{what:?}");
    }
}

#[test]
fn a_conflict_names_who_caused_it() {
    let ceded = job(&notice(What::Lost(Loss::Conflict)), Some(contest(Outcome::Ceded))).unwrap();
    assert_eq!(value(&ceded, "AUTOIP_CONFLICT_MAC"), Some("02:00:00:00:00:09"));
    assert_eq!(value(&ceded, "AUTOIP_CONFLICT_KIND"), Some("late"));
    let later = job(&notice(What::Lost(Loss::Carrier)), Some(contest(Outcome::Ceded))).unwrap();
    assert_eq!(value(&later, "AUTOIP_CONFLICT_MAC"), None);
}

#[test]
fn new_values_go_with_the_address() {
    let bound = job(&notice(What::Acquired), None).unwrap();
    let lost = job(&notice(What::Lost(Loss::Carrier)), None).unwrap();
    for (name, text) in [
        ("ip_address", "169.254.7.7"),
        ("subnet_mask", "255.255.0.0"),
        ("subnet_cidr", "16"),
        ("network_number", "169.254.0.0"),
        ("broadcast_address", "169.254.255.255"),
    ] {
        let (new, old) = (format!("new_{name}"), format!("old_{name}"));
        assert_eq!((value(&bound, &new), value(&bound, &old)), (Some(text), None), "{name}");
        assert_eq!((value(&lost, &new), value(&lost, &old)), (None, Some(text)), "{name}");
    }
    let if_up = |job| (value(job, "if_up").unwrap(), value(job, "if_down").unwrap());
    assert_eq!((if_up(&bound), if_up(&lost)), (("true", "false"), ("false", "true")));
}
