//! Random links: whatever fails, no rule is broken, and in the end everybody has an address.

use autoip_sim::{Run, swarm};

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
