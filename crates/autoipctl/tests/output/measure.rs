//! What is found out or printed for others: probe, predict, metrics, completions.

use std::fs;

use serde_json::{Value, json};

use crate::fake::{Fake, conflict, error};
use crate::{Ended, assert_complains, assert_says, run, run_alone};

fn probe(reply: Value, more: &str) -> (Ended, Value) {
    let fake = Fake::new(vec![("Probe", vec![reply])]);
    let ended = run(&fake, &format!("probe 169.254.7.7 -i eth0 {more}"));
    (ended, fake.calls()[0].1.clone())
}

#[test]
fn free_is_yes_and_taken_is_no() {
    let (ended, call) = probe(json!({"free": true}), "");
    assert_says(&ended, 0, "169.254.7.7 is free on eth0\n");
    let expected = json!({"interface": "eth0", "addr": "169.254.7.7", "profile": "rfc3927"});
    assert_eq!(call, expected);
    let taken = json!({"free": false, "conflict": conflict()});
    let (ended, call) = probe(taken.clone(), "--timing draft-07");
    assert_says(&ended, 1, "169.254.7.7 is taken on eth0 by 02:00:00:00:00:05\n");
    assert_eq!(call["profile"], "draft_07");
    let (ended, _) = probe(taken.clone(), "--json");
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), taken);
    assert_eq!(ended.status, Some(1));
}

/// A script must not take "I could not find out" for "taken".
#[test]
fn not_knowing_is_neither() {
    for (refusal, sentence) in [
        (error("NoSuchInterface", json!({"interface": "eth0"})), "this host has no interface eth0"),
        (error("TooMany", json!({"reason": "16 probes run already"})), "16 probes run already"),
    ] {
        let (ended, _) = probe(refusal, "");
        assert_complains(&ended, 69, sentence);
    }
    let denied = json!({"error": "org.varlink.service.PermissionDenied"});
    let (ended, _) = probe(denied, "");
    assert_complains(&ended, 77, "only root and members of the group netdev may do that");
    // Without a daemon it looks for itself.
    let ended = run_alone("probe 169.254.7.7 -i autoip-no-such");
    assert_complains(&ended, 69, "this host has no interface autoip-no-such");
    let ended = run_alone("probe 169.254.7.7 -i lo --direct");
    assert_complains(&ended, 69, "interface lo is the loopback interface");
}

/// The documentation of the sequence names the first three.
#[test]
fn predictions_are_those_of_the_sequence() {
    let ended = run_alone("predict 02:00:00:00:00:01");
    assert_says(&ended, 0, "169.254.172.150\n");
    let three = "169.254.172.150\n169.254.99.28\n169.254.237.72\n";
    assert_says(&run_alone("predict 02-00-00-00-00-01 -n 3"), 0, three);
    let key = "6175746f69702052464320333932 3721".replace(' ', "");
    assert_says(&run_alone(&format!("predict 02:00:00:00:00:01 -n 3 --key {key}")), 0, three);
    let other = run_alone(&format!("predict 02:00:00:00:00:01 --key {}", "0".repeat(32)));
    assert_ne!(other.out, ended.out);
}

#[test]
fn predictions_have_each_address_once() {
    let predict = |options: &str| run_alone(&format!("predict 02:00:00:00:00:01 {options}"));
    let all = predict("-n 256 --range 169.254.9.0-169.254.9.255");
    let distinct: std::collections::BTreeSet<_> = all.out.lines().collect();
    assert_eq!((all.status, distinct.len()), (Some(0), 256));
    let more = predict("-n 3 --range 169.254.9.8-169.254.9.9");
    let sentence = "3 addresses are asked for, and 169.254.9.8-169.254.9.9 has 2: ask for at most \
                    2, or widen --range";
    assert_complains(&more, 2, sentence);
}

#[test]
fn a_file_is_checked_as_the_daemon_would() {
    let file = std::env::temp_dir().join(format!("autoipctl-validate-{}", std::process::id()));
    let arguments = format!("validate {}", file.display());
    let shown = file.display();
    assert_says(&run_alone(&arguments), 1, &format!("{shown}: there is no such file\n"));
    fs::write(&file, "mode = \"always\"\n").unwrap();
    assert_says(&run_alone(&arguments), 0, &format!("{shown}: no mistakes\n"));
    fs::write(&file, "mode = \"always\"\nwait = -3\nmoed = 1\n").unwrap();
    let ended = run_alone(&arguments);
    assert_eq!((ended.status, ended.err.as_str()), (Some(1), ""));
    let lines: Vec<_> = ended.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.out);
    assert!(lines[0].starts_with(&format!("{shown}:2: wait = -3")), "{}", lines[0]);
    assert!(lines[1].starts_with(&format!("{shown}:3: moed is not a key")), "{}", lines[1]);
    fs::remove_file(&file).unwrap();
}

fn metrics() -> Fake {
    Fake::new(vec![("Metrics", vec![json!({"text": "a 1\n"}), json!({"text": "b 2\n"})])])
}

#[test]
fn metrics_are_put_together() {
    assert_says(&run(&metrics(), "metrics"), 0, "a 1\nb 2\n");
}

#[test]
fn a_text_file_is_replaced_in_one_step() {
    let dir = std::env::temp_dir().join(format!("autoipctl-textfile-{}", std::process::id()));
    fs::create_dir(&dir).unwrap();
    let path = dir.join("autoip.prom");
    fs::write(&path, "old").unwrap();
    // A name for the old file: it must not be written into.
    fs::hard_link(&path, dir.join("old")).unwrap();
    let arguments = format!("metrics --textfile {}", path.display());
    assert_says(&run(&metrics(), &arguments), 0, "");
    assert_eq!(fs::read_to_string(&path).unwrap(), "a 1\nb 2\n");
    assert_eq!(fs::read_to_string(dir.join("old")).unwrap(), "old");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "nothing else is left");
    let nowhere = dir.join("no/such.prom");
    let ended = run(&metrics(), &format!("metrics --textfile {}", nowhere.display()));
    let sentence = format!("{} cannot be written: No such file or directory", nowhere.display());
    assert_complains(&ended, 74, &format!("{sentence} (os error 2)"));
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = run_alone(&format!("completions {shell}"));
        assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""), "{shell}");
        for command in ["status", "monitor", "reannounce", "predict", "textfile"] {
            assert!(ended.out.contains(command), "{shell}: {command}");
        }
    }
}
