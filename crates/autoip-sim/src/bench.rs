//! How fast the simulator is and what a host costs: the one place that looks at a real clock.

use std::fmt;
use std::time::{Duration, Instant};

use crate::clock::SimTime;
use crate::host::Host;
use crate::options::Options;
use crate::sweep::{Sweep, sweep};
use crate::world::World;

/// Many hosts powered on together.
#[derive(Clone, Copy, Debug)]
pub struct PowerOn {
    /// How many hosts.
    pub hosts: u32,
    /// Real time from the first event to the last, building the hosts included.
    pub took: Duration,
    /// Simulated time until nothing was due any more.
    pub simulated: Duration,
    /// Frames that were sent.
    pub frames: u64,
    /// Hosts that had an address in the end.
    pub bound: usize,
    /// Broken rules.
    pub violations: usize,
    /// Memory for each host in bytes, where the system tells.
    pub bytes_per_host: Option<u64>,
}

impl fmt::Display for PowerOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hosts, took, simulated, frames, bound, violations, bytes_per_host } = self;
        write!(
            f,
            "{hosts} hosts powered on together: {:.3} s for {:.1} s until quiet, {frames} frames \
             of {:.2} µs each, {bound} bound, {violations} rules broken",
            took.as_secs_f64(),
            simulated.as_secs_f64(),
            took.as_secs_f64() * 1e6 / (*frames).max(1) as f64,
        )?;
        match bytes_per_host {
            Some(bytes) => {
                write!(f, ", {bytes} bytes a host ({} of it the host)", size_of::<Host>())
            }
            None => Ok(()),
        }
    }
}

/// Powers `hosts` hosts on together, with all checkers, and runs until nothing is due. What a host
/// weighs can be told by the first such run of a process only, because the system tells the most
/// memory so far.
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
#[must_use]
pub fn power_on(hosts: u32, weigh: bool) -> PowerOn {
    let options = Options { hosts, ..Options::default() };
    let before = resident();
    let start = Instant::now();
    let mut world = World::new(1, &options, None, false);
    world.schedule();
    let last = world.run_to_quiet(SimTime::from_secs(86_400));
    let took = start.elapsed();
    world.net.audit.finish(last);
    let used =
        before.zip(peak()).filter(|_| weigh).map(|(before, peak)| peak.saturating_sub(before));
    PowerOn {
        hosts,
        took,
        simulated: last - SimTime::START,
        frames: world.net.frames,
        bound: world.hosts.iter().filter(|host| host.addr().is_some()).count(),
        violations: world.net.audit.violations().len(),
        bytes_per_host: used.map(|bytes| bytes / u64::from(hosts.max(1))),
    }
}

/// Runs `count` seeds of the swarm on `threads` threads and says how long that took.
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
#[must_use]
pub fn swarm_speed(count: u64, threads: usize) -> (Duration, Sweep) {
    let start = Instant::now();
    let total = sweep(0, count, threads);
    (start.elapsed(), total)
}

/// Memory of this process in bytes: at present, and the most so far. Only Linux tells, in a file.
fn resident() -> Option<u64> {
    field("VmRSS:")
}

fn peak() -> Option<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}
