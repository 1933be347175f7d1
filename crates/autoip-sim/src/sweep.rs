//! Many seeds of the swarm, one after the other on each of some threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::run::{Outcome, Run};
use crate::swarm::swarm;

/// What came of the seeds together.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Runs in which a rule was broken, by seed.
    pub failures: Vec<(u64, Run, Outcome)>,
    /// Frames that were sent in all runs.
    pub frames: u64,
    /// Simulated seconds of all runs.
    pub seconds: u64,
    /// The longest that it took after the end of faults until everybody was content, in seconds.
    pub slowest_s: u64,
}

/// Runs the seeds from `first` on, `count` of them. The result is the same with any number of
/// threads.
#[must_use]
pub fn sweep(first: u64, count: u64, threads: usize) -> Sweep {
    let next = AtomicU64::new(first);
    let total = Mutex::new(Sweep::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first.saturating_add(count) {
                break;
            }
            let run = Run { seed, options: swarm(seed), bug: None };
            let outcome = run.outcome(false);
            let mut total = total.lock().expect("no thread panics while it holds this");
            total.frames += outcome.frames;
            total.seconds += outcome.duration.as_secs();
            let settled = outcome.settled_after.unwrap_or_default().as_secs();
            total.slowest_s = total.slowest_s.max(settled);
            if !outcome.violations.is_empty() {
                total.failures.push((seed, run, outcome));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut total = total.into_inner().expect("no thread panics while it holds this");
    total.failures.sort_by_key(|&(seed, ..)| seed);
    total
}
