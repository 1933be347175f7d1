//! What the kernel says a daemon has used, with all the processes that it consists of.

use std::fs;
use std::ops::Sub;
use std::path::PathBuf;
use std::time::Duration;

use autoip_lab::Pid;
use nix::time::clock_getcpuclockid;

/// CPU time and context switches since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// How often it went to sleep, which is how often it was woken.
    pub(crate) wakeups: u64,
    pub(crate) preemptions: u64,
}

/// Memory now, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    pub(crate) proportional: u64,
    pub(crate) private_dirty: u64,
}

impl Usage {
    pub(crate) fn of(daemon: Pid) -> Self {
        let mut usage = Self::default();
        for pid in processes_beside(daemon) {
            usage.cpu += cpu_time(pid).unwrap_or_default();
            for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
                usage.wakeups += field(&status, "voluntary_ctxt_switches:");
                usage.preemptions += field(&status, "nonvoluntary_ctxt_switches:");
            }
        }
        usage
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wakeups: self.wakeups.saturating_sub(earlier.wakeups),
            preemptions: self.preemptions.saturating_sub(earlier.preemptions),
        }
    }
}

impl Memory {
    pub(crate) fn of(daemon: Pid) -> Self {
        let mut memory = Self::default();
        for pid in processes_beside(daemon) {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
            let rollup = rollup.unwrap_or_default();
            memory.resident += field(&rollup, "Rss:");
            memory.proportional += field(&rollup, "Pss:");
            memory.private_dirty += field(&rollup, "Private_Dirty:");
        }
        memory
    }
}

/// How many processes the daemon consists of.
pub(crate) fn process_count(daemon: Pid) -> usize {
    processes_beside(daemon).len()
}

/// The processes on the daemon's virtual host. It is the only one there, with its children.
fn processes_beside(daemon: Pid) -> Vec<Pid> {
    let network =
        |pid: Pid| -> Option<PathBuf> { fs::read_link(format!("/proc/{pid}/ns/net")).ok() };
    let Some(own) = network(daemon) else { return Vec::new() };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
        .filter(|&pid| network(pid).as_ref() == Some(&own))
        .collect()
}

/// To the nanosecond, unlike the ticks of /proc/PID/stat.
fn cpu_time(pid: Pid) -> nix::Result<Duration> {
    clock_getcpuclockid(pid)?.now().map(Duration::from)
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
