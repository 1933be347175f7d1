//! The commands that change something: what they ask for, and what they wait for.

use serde_json::{Value, json};

use crate::fake::{Fake, NOW, error, interface, status};
use crate::{assert_complains, assert_says, run};

/// Runs a command that has nothing to say, and returns the call that it made.
#[track_caller]
fn quiet(arguments: &str, method: &'static str) -> Value {
    let fake = Fake::new(vec![(method, vec![json!({})])]);
    assert_says(&run(&fake, arguments), 0, "");
    let calls = fake.calls();
    assert_eq!((calls.len(), calls[0].0.as_str()), (1, method));
    calls[0].1.clone()
}

#[test]
fn each_command_is_one_call() {
    let eth0 = json!({"interface": "eth0"});
    assert_eq!(quiet("add eth0", "AddInterface"), eth0);
    assert_eq!(
        quiet("add eth0 --mode always --start 169.254.20.20", "AddInterface"),
        json!({"interface": "eth0", "mode": "always", "start": "169.254.20.20"})
    );
    assert_eq!(
        quiet(
            "add eth0 --range 169.254.20.0-169.254.20.9 --timing draft-07 --defend never",
            "AddInterface"
        ),
        json!({
            "interface": "eth0",
            "range": {"first": "169.254.20.0", "last": "169.254.20.9"},
            "profile": "draft_07",
            "defend": "never",
        })
    );
    assert_eq!(quiet("remove eth0", "RemoveInterface"), eth0);
    assert_eq!(quiet("claim eth0", "Claim"), eth0);
    assert_eq!(
        quiet("claim eth0 169.254.7.7", "Claim"),
        json!({"interface": "eth0", "addr": "169.254.7.7"})
    );
    assert_eq!(quiet("release eth0", "Release"), eth0);
    assert_eq!(quiet("reannounce eth0", "Reannounce"), eth0);
    assert_eq!(quiet("reannounce", "Reannounce"), json!({}));
    assert_eq!(quiet("reload", "Reload"), json!({}));
}

#[test]
fn a_refusal_is_a_sentence_and_a_no() {
    let eth0 = || json!({"interface": "eth0"});
    for (command, method, refusal, sentence) in [
        ("add eth0", "AddInterface", error("AlreadyManaged", eth0()), "eth0 is managed already"),
        (
            "add eth0",
            "AddInterface",
            error("Unsuitable", json!({"interface": "eth0", "reason": "is point-to-point"})),
            "interface eth0 is point-to-point",
        ),
        (
            "remove eth0",
            "RemoveInterface",
            error("NotManaged", eth0()),
            "eth0 is not managed; \"autoipctl status\" shows what is",
        ),
        (
            "reannounce eth0",
            "Reannounce",
            error("NoAddress", eth0()),
            "eth0 has no link-local address at present",
        ),
        (
            "reload",
            "Reload",
            error("BadConfiguration", json!({"reason": "autoipd.toml:3: no such key"})),
            "autoipd.toml:3: no such key",
        ),
        (
            "reload",
            "Reload",
            error("BadConfiguration", json!({"reason": "a\u{1b}[31mb"})),
            "a?[31mb",
        ),
    ] {
        let fake = Fake::new(vec![(method, vec![refusal])]);
        assert_complains(&run(&fake, command), 1, sentence);
    }
}

/// Whatever was called: a script can try again.
#[test]
fn what_is_not_there_or_busy_is_no_no() {
    let missing = error("NoSuchInterface", json!({"interface": "eth0"}));
    let busy = error("TooMany", json!({"reason": "there are too many; try again"}));
    for (command, method) in [
        ("add eth0", "AddInterface"),
        ("claim eth0", "Claim"),
        ("watch 10.0.0.1 -i eth0", "Watch"),
        ("reload", "Reload"),
    ] {
        let fake = |refusal: &Value| Fake::new(vec![(method, vec![refusal.clone()])]);
        let ended = run(&fake(&missing), command);
        assert_complains(&ended, 69, "this host has no interface eth0");
        let ended = run(&fake(&busy), command);
        assert_complains(&ended, 69, "there are too many; try again");
    }
}

#[test]
fn who_may_not_change_things_is_told_so() {
    let fake = Fake::new(vec![(
        "Release",
        vec![json!({"error": "org.varlink.service.PermissionDenied"})],
    )]);
    let sentence = "only root and members of the group netdev may do that";
    assert_complains(&run(&fake, "release eth0"), 77, sentence);
}

fn acquired(interface: &str, addr: &str) -> Value {
    json!({"address_acquired": {"time": NOW, "interface": interface, "addr": addr}})
}

/// A daemon whose eth0 still probes when it is asked, and then tells these events.
fn probing(events: Vec<Value>) -> Fake {
    probing_until(&[], events)
}

/// The same, whose eth0 is like these when it is asked again.
fn probing_until(later: &[Value], events: Vec<Value>) -> Fake {
    let probing = interface(json!({"in_use": false, "state": "probing", "state_number": 1}));
    let mut answers =
        vec![("Claim", vec![json!({})]), ("AddInterface", vec![json!({})]), ("Monitor", events)];
    for eth0 in [&probing].into_iter().chain(later) {
        answers.push(("Status", vec![status(json!([eth0]))]));
    }
    Fake::new(answers)
}

#[test]
fn who_waits_gets_the_address() {
    let events = vec![acquired("eth1", "169.254.1.1"), acquired("eth0", "169.254.7.7")];
    for command in
        ["claim eth0 --wait 20", "add eth0 --wait 20", "claim eth0 169.254.7.7 --wait 20"]
    {
        let fake = probing(events.clone());
        assert_says(&run(&fake, command), 0, "169.254.7.7\n");
    }
    let fake = probing(events);
    let ended = run(&fake, "claim eth0 169.254.8.8 --wait 20");
    assert_eq!((ended.status, ended.out.as_str()), (Some(1), "169.254.7.7\n"));
    assert_eq!(ended.err, "autoipctl: 169.254.8.8 was not to be had, so eth0 has 169.254.7.7\n");
}

/// Between the question whether it is there and the events, or before its announcement.
#[test]
fn an_address_that_nobody_tells_of_is_asked_for_at_each_change() {
    let state = |of: &str| {
        let (time, state, addr) = (NOW, "announcing", "169.254.8.8");
        json!({"state_changed": {
            "time": time, "interface": of, "state": state, "state_number": 2, "addr": addr
        }})
    };
    let asked = |in_use: bool| {
        let then = interface(json!({
            "in_use": in_use, "state": "announcing", "state_number": 2, "addr": "169.254.8.8"
        }));
        let told = vec![state("eth1"), state("eth0"), acquired("eth0", "169.254.9.9")];
        probing_until(&[then], told)
    };
    assert_says(&run(&asked(true), "add eth0 --wait 20"), 0, "169.254.8.8\n");
    let others = "claim eth0 169.254.9.9 --wait 20";
    assert_says(&run(&asked(true), others), 0, "169.254.9.9\n");
    let fake = asked(false);
    assert_says(&run(&fake, "add eth0 --wait 20"), 0, "169.254.9.9\n");
    let questions = fake.calls().into_iter().filter(|(method, _)| method == "Status").count();
    assert_eq!(questions, 2, "before, and when eth0 changed");
}

/// Whichever event comes first.
#[test]
fn nobody_waits_for_an_interface_that_is_removed() {
    let removed = json!({"interface_removed": {"time": NOW, "interface": "eth0"}});
    let idle = json!({"state_changed": {
        "time": NOW, "interface": "eth0", "state": "idle", "state_number": 0
    }});
    for event in [removed, idle] {
        let not_managed = error("NotManaged", json!({"interface": "eth0"}));
        let probing = interface(json!({"in_use": false, "state": "probing", "state_number": 1}));
        let fake = Fake::new(vec![
            ("Claim", vec![json!({})]),
            ("Monitor", vec![event, json!({"hold": true})]),
            ("Status", vec![status(json!([probing]))]),
            ("Status", vec![not_managed]),
        ]);
        let sentence = "eth0 is not managed; \"autoipctl status\" shows what is";
        assert_complains(&run(&fake, "claim eth0 --wait 20"), 1, sentence);
    }
}

#[test]
fn who_has_an_address_does_not_wait() {
    let fake = Fake::new(vec![
        ("Claim", vec![json!({})]),
        ("Status", vec![status(json!([interface(json!({}))]))]),
        ("Monitor", vec![acquired("eth9", "169.254.1.1")]),
    ]);
    assert_says(&run(&fake, "claim eth0 --wait 20"), 0, "169.254.7.7\n");
}

#[test]
fn waiting_has_an_end() {
    // More events are to come, and none does.
    let fake = probing(vec![acquired("eth1", "169.254.1.1"), json!({"hold": true})]);
    let ended = run(&fake, "claim eth0 --wait 0.05");
    assert_complains(&ended, 1, "eth0 has no address after 0.05 s");
}
