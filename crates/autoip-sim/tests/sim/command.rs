//! The program: what it prints and how it ends.

use std::process::{Command, Output};

fn autoip_sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autoip-sim")).args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

#[test]
fn the_line_that_a_run_prints_repeats_it() {
    let first = text(&autoip_sim(&["run", "--seed", "5"]).stdout);
    let line = first.lines().next().unwrap();
    let (options, seed) = (line.split('\'').nth(1).unwrap(), "5");
    assert!(line.starts_with("autoip-sim run --seed 5 --with '"), "{line}");
    let again = autoip_sim(&["run", "--seed", seed, "--with", options]);
    assert_eq!(text(&again.stdout), first);
    assert_eq!(again.status.code(), Some(0));
}

#[test]
fn a_broken_rule_is_told_and_ends_with_one() {
    let bug = ["run", "--seed", "1", "--with", "hosts=2 chaos_s=20", "--bug", "WrongMac"];
    let output = autoip_sim(&bug);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("breaks format: sender "), "{output:?}");
}

#[test]
fn a_swarm_sums_up() {
    let output = autoip_sim(&["swarm", "--count", "20", "--threads", "2"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("20 runs, "), "{output:?}");
    assert!(text(&output.stdout).contains(" 0 broke a rule"), "{output:?}");
}

#[test]
fn what_cannot_be_done_is_said_and_ends_with_two() {
    let output = autoip_sim(&["run", "--seed", "1", "--with", "hosts=lots"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("the option hosts cannot be \"lots\""), "{said}");
    let output = autoip_sim(&["run", "--seed", "5", "--with", "hosts=4 owners=65025"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("at most 61773 find one in time"), "{output:?}");
    let output = autoip_sim(&["experiment", "lossy", "--quick", "--out", "/dev/null/no"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot write /dev/null/no"), "{output:?}");
}

#[test]
fn every_rule_is_listed_with_its_rows() {
    let listed = text(&autoip_sim(&["rules"]).stdout);
    for rule in autoip_sim::RULES {
        assert!(listed.contains(rule.name) && listed.contains(rule.rows), "{}", rule.name);
    }
}
