//! Random links: whatever fails, no rule is broken, and in the end everybody has an address.

use autoip_sim::{Options, Run, swarm};

/// So many seeds take a second or two; `just sim` takes more.
const SEEDS: u64 = 1000;

#[test]
fn no_seed_of_the_swarm_breaks_a_rule() {
    for seed in 0..SEEDS {
        let run = Run { seed, options: swarm(seed), bug: None };
        let outcome = run.outcome(false);
        assert!(outcome.violations.is_empty(), "{run}\n{:#?}", outcome.violations);
        assert!(outcome.settled_after.is_some(), "{run}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..40 {
        let run = Run { seed, options: swarm(seed), bug: None };
        let (once, again) = (run.outcome(false), run.outcome(true));
        assert_eq!(once.trace, again.trace, "{run}");
        assert_eq!(once.frames, again.frames, "{run}");
        let sent = again.lines.iter().filter(|line| line.contains(" sends ")).count();
        assert_eq!(u64::try_from(sent).unwrap(), again.frames, "{run}");
    }
}

#[test]
fn another_seed_gives_another_run() {
    let trace = |seed| Run { seed, options: swarm(1), bug: None }.outcome(false).trace;
    assert_ne!(trace(1), trace(2));
}

/// Troubles that the swarm seldom brings together.
const RARE: &[&str] = &[
    "hosts=4 chaos_s=300 harassers=1 delete_s=5 install_ms=2000",
    "hosts=4 chaos_s=300 harassers=1 delete_s=5 install_ms=2000 install_fail=300",
    "hosts=4 chaos_s=300 harassers=1 transmit_fail=500 busy_ms=200 duplicate=500",
    "hosts=6 chaos_s=900 range=40 deniers=1 harassers=1 install_fail=100 delete_s=10",
    "hosts=6 chaos_s=300 range=30 mac_s=5 stop_s=5 flap_s=5 suspend_s=5 talk_s=1",
    "hosts=20 chaos_s=200 range=50 split_s=5 talk_s=1 spread_ms=100000 echo=1000 jitter_us=50000",
    "hosts=8 clones=4 range=30 chaos_s=200 spoofers=1 echo=500 talk_s=1 delete_s=10",
];

#[test]
fn rare_combinations_break_no_rule_either() {
    for options in RARE {
        for seed in 0..20 {
            let run = Run { seed, options: Options::parse(options).unwrap(), bug: None };
            let outcome = run.outcome(false);
            assert!(outcome.violations.is_empty(), "{run}\n{:#?}", outcome.violations);
        }
    }
}
