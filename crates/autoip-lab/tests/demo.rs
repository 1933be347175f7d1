//! The demo from outside: it succeeds by itself, and leaves nothing behind however it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use autoip_lab::{Host, Pid, Process, Signal, tests};

const SOON: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    autoip_lab::test_main(&tests![
        the_demo_succeeds_within_a_minute,
        the_demo_can_be_interrupted_before_the_first_claim,
        the_demo_can_be_ended_while_addresses_are_in_use,
        the_demo_fails_when_a_daemon_dies,
        help_explains_the_demo,
    ])
}

/// The demo, run inside a host of its own, with a directory for temporary files of its own.
struct Demo {
    process: Process,
    temporary: PathBuf,
    _host: Host,
}

impl Demo {
    fn start(name: &str) -> Self {
        let temporary = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&temporary);
        fs::create_dir_all(&temporary).unwrap();
        let host = Host::new(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoip-lab"));
        command.arg("demo").env("TMPDIR", &temporary);
        Self { process: host.spawn(command), temporary, _host: host }
    }

    /// The processes that the demo has started: its daemons.
    fn daemons(&self) -> Vec<i32> {
        let parent = self.process.pid().to_string();
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
        let is_child = |pid: &i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let fields = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').nth(1));
            fields.flatten() == Some(&parent)
        };
        let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter_map(number);
        all.filter(is_child).collect()
    }

    /// Both daemons, which run once the first probe was seen.
    fn running_daemons(&self) -> Vec<i32> {
        self.process.wait_log(SOON, |line| line.contains("probe 1 of 3"));
        let daemons = self.daemons();
        assert_eq!(daemons.len(), 2);
        daemons
    }

    fn leaves_nothing(&self, daemons: &[i32]) {
        let left: Vec<_> = fs::read_dir(&self.temporary).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        for pid in daemons {
            assert!(!fs::exists(format!("/proc/{pid}")).unwrap(), "a daemon is left");
        }
    }
}

fn the_demo_succeeds_within_a_minute() {
    let demo = Demo::start("demo-success");
    let daemons = demo.running_daemons();
    let status = demo.process.wait(Duration::from_secs(60));
    assert!(status.success());
    let log = demo.process.log();
    let mut lines = log.iter().map(|line| &*line.text);
    for expected in [
        "Nothing of this machine is touched",
        "camera    announcement 2 of 2",
        "answers the ping",
        "intruder  claims",
        "camera    defence",
        "intruder  claims",
        "camera    169.254.",
        "camera    probe 1 of 3",
        "camera    announcement 2 of 2",
        "laptop    the interface has no carrier",
        "laptop    the interface has a carrier again",
        "laptop    probe 1 of 3",
        "laptop    announcement 2 of 2",
        "Everything happened as it should",
    ] {
        assert!(lines.any(|line| line.contains(expected)), "no {expected:?} in its place");
    }
    assert!(!demo.process.log_contains("\x1b"), "no colours without a terminal");
    demo.leaves_nothing(&daemons);
}

fn the_demo_can_be_interrupted_before_the_first_claim() {
    let demo = Demo::start("demo-interrupt");
    let daemons = demo.running_daemons();
    demo.process.signal(Signal::SIGINT);
    assert_eq!(demo.process.wait(SOON).code(), Some(130));
    assert!(demo.process.log_contains("autoip-lab: interrupted"));
    demo.leaves_nothing(&daemons);
}

fn the_demo_can_be_ended_while_addresses_are_in_use() {
    let demo = Demo::start("demo-terminate");
    let daemons = demo.running_daemons();
    demo.process.wait_log(SOON * 3, |line| line.contains("announcement 1 of 2"));
    demo.process.signal(Signal::SIGTERM);
    assert_eq!(demo.process.wait(SOON).code(), Some(143));
    demo.leaves_nothing(&daemons);
}

fn the_demo_fails_when_a_daemon_dies() {
    let demo = Demo::start("demo-failure");
    let daemons = demo.running_daemons();
    let victim = Pid::from_raw(daemons[0]);
    nix::sys::signal::kill(victim, Signal::SIGKILL).unwrap();
    assert_eq!(demo.process.wait(SOON).code(), Some(1));
    assert!(demo.process.log_contains("autoip-lab: a daemon has ended by itself"));
    demo.leaves_nothing(&daemons);
}

fn help_explains_the_demo() {
    let host = Host::new("help");
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoip-lab"));
    command.arg("--help");
    let process = host.spawn(command);
    assert!(process.wait(SOON).success());
    for expected in ["demo", "Exit status", "130", "never touches the network"] {
        assert!(process.log_contains(expected), "no {expected:?}: {:?}", process.log());
    }
    assert!(!process.log_contains("autoipd  "), "the daemon's entry is no user's business");
}
