//! Hooks: which are run, when, with what, and that none of them holds the protocol up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoip_lab::{Host, Peer, Process, Switch};
use autoip_linux::boottime;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::station::{
    LATE, LOCK, Memory, QUICK, SOON, Station, X, autoipd, await_lines, eventually, lines_with, ms,
    s,
};

/// What a hook needs to leave a trace: `$1` of `trace` goes to the file.
const TRACE: &str = "#!/bin/sh\ntrace() { echo \"$*\" >>\"@/trace\"; }\n";

/// A directory of hooks, and what they leave behind.
struct Hooks {
    dir: Memory,
}

impl Hooks {
    fn new() -> Self {
        let dir = Memory::new();
        fs::create_dir(dir.dir().join("hooks")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.dir().join("hooks").join(name)
    }

    /// Adds a shell script, in which `trace` leaves a line and `@` is a directory to write in.
    fn add(&self, name: &str, body: &str) -> PathBuf {
        let path = self.path(name);
        let text = format!("{TRACE}{body}\n").replace('@', self.dir.dir().to_str().unwrap());
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o755);
        path
    }

    /// The lines that hooks have left.
    fn trace(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.dir().join("trace")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until hooks have left so many lines.
    #[track_caller]
    fn await_trace(&self, count: usize) -> Vec<String> {
        eventually("traces of hooks", s(5), || self.trace().len() >= count);
        self.trace()
    }

    fn options(&self, more: &str) -> String {
        format!("{QUICK} --hooks {} {more}", self.path("").display())
    }

    /// A host with the daemon running and `X` claimed.
    fn station(&self, switch: &Switch, more: &str) -> (Station, Process) {
        let (mut station, daemon) = Station::with_daemon(switch, &self.options(more));
        station.expect_announcement(X);
        (station, daemon)
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Ends the daemon in the ordinary way.
#[track_caller]
fn end(daemon: &Process) {
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(s(5)).success());
}

/// Takes `X` away from the station: a conflict, and another before ten seconds are over.
fn take_address(station: &mut Station, peer: &Peer) {
    peer.announce(X);
    station.expect_announcement(X);
    peer.announce(X);
    station.expect_removal(X);
}

/// avahi-autoipd: `EVENT IFACE ADDR` and nothing else, one at a time, in order.
pub(crate) fn arguments_are_those_of_avahi_autoipd() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    let peer = Peer::new(&switch);
    hooks.add("hook", r#"trace "$# $*""#);
    let (mut station, daemon) = hooks.station(&switch, "");
    hooks.await_trace(1);
    take_address(&mut station, &peer);
    let next = station.expect_probe_beside(X).arp.target_ip;
    station.expect_announcement(next);
    hooks.await_trace(4);
    station.cable.pull();
    hooks.await_trace(5);
    station.cable.put_back();
    station.expect_announcement(next);
    end(&daemon);
    let expected = [
        format!("3 BIND eth0 {X}"),
        format!("3 DEFEND eth0 {X}"),
        format!("3 CONFLICT eth0 {X}"),
        format!("3 BIND eth0 {next}"),
        format!("3 UNBIND eth0 {next}"),
        format!("3 BIND eth0 {next}"),
        format!("3 STOP eth0 {next}"),
    ];
    assert_eq!(hooks.trace(), expected);
}

/// Runs a script on a claim and its end, and gives what it left.
fn variables(script: &str) -> Vec<String> {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add("hook", script);
    let (_station, daemon) = hooks.station(&switch, "");
    hooks.await_trace(1);
    end(&daemon);
    hooks.trace()
}

/// zcip's example script knows nothing but `$interface` and `$ip`; udhcpc's know the rest.
pub(crate) fn variables_are_those_of_zcip() {
    let left = variables(r#"trace "$interface $ip $subnet $mask $broadcast""#);
    let line = format!("eth0 {X} 255.255.0.0 16 169.254.255.255");
    assert_eq!(left, [line.clone(), line]);
}

pub(crate) fn variables_are_those_of_dhcpcd() {
    let left = variables(
        r#"trace "$interface $reason $protocol $if_up $if_down $ifcarrier $ifmtu $ifwireless" \
        "$ifmetric $interface_order ${new_ip_address-none} ${new_subnet_mask-none}" \
        "${new_subnet_cidr-none} ${new_network_number-none} ${new_broadcast_address-none}""#,
    );
    let [bound, gone] = &left[..] else { panic!("{left:?}") };
    let metric = bound.split(' ').nth(8).unwrap();
    assert!(metric.parse::<u32>().is_ok_and(|metric| metric > 1000), "{bound}");
    let head = |up, down| format!("eth0 IPV4LL ipv4ll {up} {down} up 1500 0 {metric} eth0");
    let new = format!("{X} 255.255.0.0 16 169.254.0.0 169.254.255.255");
    assert_eq!(*bound, format!("{} {new}", head("true", "false")));
    assert_eq!(*gone, format!("{} none none none none none", head("false", "true")));
}

pub(crate) fn variables_of_our_own_say_more() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    let peer = Peer::new(&switch);
    hooks.add(
        "hook",
        r#"trace "$AUTOIP_EVENT $AUTOIP_REASON $AUTOIP_INTERFACE $AUTOIP_ADDRESS $AUTOIP_LABEL" \
        "$AUTOIP_MAC ${AUTOIP_CONFLICT_MAC-none} ${AUTOIP_CONFLICT_KIND-none}""#,
    );
    let (mut station, daemon) = hooks.station(&switch, "");
    take_address(&mut station, &peer);
    hooks.await_trace(3);
    daemon.signal(Signal::SIGTERM);
    let (mac, other) = (station.mac(), peer.mac());
    assert_eq!(
        hooks.trace()[..3],
        [
            format!("BIND acquired eth0 {X} eth0:9 {mac} none none"),
            format!("DEFEND conflict eth0 {X} eth0:9 {mac} {other} late"),
            format!("CONFLICT conflict eth0 {X} eth0:9 {mac} {other} late"),
        ]
    );
}

/// Also where the first conflict is the last.
pub(crate) fn a_lost_address_comes_with_who_has_it() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    let peer = Peer::new(&switch);
    hooks.add("hook", r#"trace "$AUTOIP_EVENT ${AUTOIP_CONFLICT_MAC-none}""#);
    let (_station, daemon) = hooks.station(&switch, "-d");
    hooks.await_trace(1);
    peer.announce(X);
    hooks.await_trace(2);
    assert_eq!(hooks.trace()[..2], ["BIND none".to_owned(), format!("CONFLICT {}", peer.mac())]);
    end(&daemon);
}

/// Nothing of the daemon's environment, no input, no blocked signal, the root as directory.
pub(crate) fn surroundings_are_clean() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add(
        "hook",
        r#"[ "$1" = BIND ] || exit 0
        trace "$PATH ${SECRET-unset} ${LD_PRELOAD-unset} $(pwd) $(wc -c)"
        trace "$(sed -n 's/^SigBlk:\t//p' /proc/self/status)"
        trace "$(sed -n 's/^SigIgn:\t//p' /proc/self/status)"
        trace "$(ls /proc/self/fd | wc -l)""#,
    );
    let mut station = Station::new(&switch);
    let mut command = autoipd(&hooks.options(""), station.memory.dir());
    command.env("SECRET", "x").env("PATH", "/nonsense");
    let _daemon = station.host.spawn(command);
    station.expect_announcement(X);
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let trace = hooks.await_trace(4);
    let [shell, blocked, ignored, files] = &trace[..] else { panic!("{trace:?}") };
    assert_eq!(*shell, format!("{path} unset unset / 0"));
    assert_eq!(u64::from_str_radix(blocked, 16), Ok(0), "blocked signals");
    // The C library has those from 32 on to itself.
    let ignored = u64::from_str_radix(ignored, 16).unwrap();
    assert_eq!(ignored & 0x7fff_ffff, 0, "ignored signals {ignored:x}");
    // Input, output, error, and the directory that is being listed.
    assert_eq!(files, "4", "open files");
}

pub(crate) fn hooks_run_by_name_one_after_the_other() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    for name in ["20-second", "10-first", "30-third"] {
        hooks.add(name, "trace \"$1 in ${0##*/}\"; sleep 0.05; trace \"$1 out ${0##*/}\"");
    }
    let (station, daemon) = hooks.station(&switch, "");
    station.cable.pull();
    hooks.await_trace(12);
    end(&daemon);
    let mut expected = Vec::new();
    for event in ["BIND", "UNBIND"] {
        for name in ["10-first", "20-second", "30-third"] {
            expected.extend(["in", "out"].map(|way| format!("{event} {way} {name}")));
        }
    }
    assert_eq!(hooks.trace(), expected);
}

pub(crate) fn files_that_others_could_have_written_are_passed_over() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    let body = "trace \"${0##*/}\"";
    set_mode(&hooks.add("1-group", body), 0o775);
    set_mode(&hooks.add("2-others", body), 0o757);
    set_mode(&hooks.add("3-plain", body), 0o644);
    let stranger = hooks.add("4-stranger", body);
    let changed = std::os::unix::fs::chown(&stranger, Some(4242), None).is_ok();
    if !changed {
        // Root of a user namespace alone is all users there are.
        fs::remove_file(&stranger).unwrap();
    }
    fs::create_dir(hooks.path("5-directory")).unwrap();
    hooks.add("6-left~", body);
    hooks.add("7-left.dpkg-old", body);
    let good = hooks.add("9-good", body);
    std::os::unix::fs::symlink(&good, hooks.path("8-link")).unwrap();
    let (station, daemon) = hooks.station(&switch, "");
    station.cable.pull();
    hooks.await_trace(4);
    end(&daemon);
    assert_eq!(hooks.trace(), ["8-link", "9-good", "8-link", "9-good"]);
    for (name, why) in [
        ("1-group", "chmod go-w"),
        ("2-others", "chmod go-w"),
        ("3-plain", "not executable"),
        ("4-stranger", "belongs to user 4242"),
        ("5-directory", "not a file"),
    ] {
        let said: Vec<_> = daemon.log().into_iter().filter(|l| l.text.contains(name)).collect();
        if changed || name != "4-stranger" {
            assert!(said.len() == 1 && said[0].text.contains(why), "{name}: {said:?}");
        }
    }
    assert_eq!(lines_with(&daemon, "-left"), 0, "left-overs are not worth a line");
}

pub(crate) fn a_directory_that_others_may_write_to_is_not_used() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add("hook", "trace hook");
    set_mode(&hooks.path(""), 0o777);
    let (_station, daemon) = hooks.station(&switch, "");
    daemon.wait_log(SOON, |line| line.contains("no hooks run") && line.contains("go-w"));
    end(&daemon);
    assert_eq!(hooks.trace(), [""; 0]);
}

pub(crate) fn output_and_exit_status_go_to_the_log() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add("1-failing", "echo 'to output'; echo 'to error' >&2; printf unended; exit 3");
    hooks.add("2-killed", "kill -9 $$");
    hooks.add("3-no-program", "");
    fs::write(hooks.path("3-no-program"), "#!/no/such/program\n").unwrap();
    hooks.add("4-verbose", "[ \"$1\" = BIND ] && yes many | head -n 5000; trace end");
    let (_station, daemon) = hooks.station(&switch, "");
    // They run in order, so the last line comes after all others.
    await_lines(&daemon, "4-verbose: (and more", 1);
    assert_eq!(lines_with(&daemon, "1-failing failed: exit status: 3"), 1);
    for line in ["to output", "to error", "unended"] {
        assert_eq!(lines_with(&daemon, &format!("eth0: 1-failing: {line}")), 1, "{line}");
    }
    assert_eq!(lines_with(&daemon, "2-killed failed: signal: 9"), 1);
    assert_eq!(lines_with(&daemon, "3-no-program cannot be run"), 1);
    assert_eq!(lines_with(&daemon, "4-verbose: many"), 100);
    end(&daemon);
}

/// The address is defended within the time that is allowed for it while a hook hangs, and the
/// events behind it wait.
pub(crate) fn a_hanging_hook_delays_no_defence() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    let peer = Peer::new(&switch);
    hooks.add("hook", "trace \"$1\"; [ \"$1\" != BIND ] || sleep 60");
    let (mut station, daemon) = hooks.station(&switch, "");
    hooks.await_trace(1);
    for wait in [Duration::ZERO, s(10) + ms(200)] {
        // The second one comes when ten seconds have passed.
        station.expect_none("one defence is enough", wait, |seen| seen.is_announcement_of(X));
        let sent = boottime();
        peer.announce(X);
        let defence = station.expect_announcement(X);
        assert!(defence.at - sent <= ms(100) + LATE, "{:?}", defence.at - sent);
    }
    assert_eq!(hooks.trace(), ["BIND"]);
    // The end waits for the hook, but not for as long as it would like.
    daemon.signal(Signal::SIGTERM);
    let asked = boottime();
    assert!(daemon.wait(s(20)).success());
    let took = boottime() - asked;
    assert!(took >= s(9) && took <= s(10) + LATE + LOCK, "{took:?}");
    assert_eq!(lines_with(&daemon, "a script still runs"), 1);
}

/// It is killed together with what it started, and the next one runs.
pub(crate) fn a_hook_has_thirty_seconds() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add("1-hangs", "[ \"$1\" = BIND ] || exit 0; sleep 300 & echo $! >@/child; wait");
    hooks.add("2-next", "trace \"$1\"");
    let (_station, daemon) = hooks.station(&switch, "");
    let bound = boottime();
    eventually("the hook is killed", s(40), || !hooks.trace().is_empty());
    let took = boottime() - bound;
    assert!(took >= s(29) && took <= s(30) + LATE + LOCK, "{took:?}");
    let killed = "1-hangs ran for more than 30 s and was killed";
    eventually("that is said", SOON, || lines_with(&daemon, killed) == 1);
    let child = fs::read_to_string(hooks.dir.dir().join("child")).unwrap();
    let child = Pid::from_raw(child.trim().parse().unwrap());
    eventually("its child is gone", SOON, || is_gone(child));
    end(&daemon);
    assert_eq!(hooks.trace(), ["BIND", "STOP"]);
}

/// Whether a process has ended, reaped or not.
fn is_gone(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.is_empty() || status.contains(") Z ")
}

/// The process numbers of the daemon's children.
fn children(daemon: &Process) -> Vec<Pid> {
    let pid = daemon.pid();
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    text.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect()
}

/// Neither the runner nor what a script has started outlives a daemon that is killed.
pub(crate) fn nothing_outlives_a_killed_daemon() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add("hook", "sleep 60 & echo $! >@/pid; trace \"$1\"; wait");
    let (_station, daemon) = hooks.station(&switch, "");
    hooks.await_trace(1);
    let [runner] = children(&daemon)[..] else { panic!("one runner") };
    let script = fs::read_to_string(hooks.dir.dir().join("pid")).unwrap();
    let script = Pid::from_raw(script.trim().parse().unwrap());
    assert!(!is_gone(runner) && !is_gone(script));
    daemon.signal(Signal::SIGKILL);
    eventually("runner and script are gone", SOON, || is_gone(runner) && is_gone(script));
    assert_eq!(hooks.trace(), ["BIND"]);
}

/// The loss of the runner is said, and the daemon goes on without it.
pub(crate) fn a_runner_that_dies_does_not_stop_the_daemon() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    let peer = Peer::new(&switch);
    hooks.add("hook", "trace \"$1\"");
    let (mut station, daemon) = hooks.station(&switch, "");
    hooks.await_trace(1);
    let [runner] = children(&daemon)[..] else { panic!("one runner") };
    kill(runner, Signal::SIGKILL).unwrap();
    daemon.wait_log(SOON, |line| line.contains("runs scripts has ended"));
    eventually("it is buried", SOON, || children(&daemon).is_empty());
    peer.announce(X);
    station.expect_announcement(X);
    end(&daemon);
    assert_eq!(hooks.trace(), ["BIND"]);
    assert_eq!(lines_with(&daemon, "runs scripts has ended"), 1);
}

/// A terminal and a service manager send these to every process.
pub(crate) fn the_hooks_of_the_end_run_although_everybody_is_signalled() {
    let (switch, hooks) = (Switch::new(), Hooks::new());
    hooks.add("hook", "trace \"$1 in\"; sleep 0.3; trace \"$1 out\"");
    let (_station, daemon) = hooks.station(&switch, "");
    hooks.await_trace(2);
    let [runner] = children(&daemon)[..] else { panic!("one runner") };
    for signal in [Signal::SIGINT, Signal::SIGHUP, Signal::SIGTERM] {
        kill(runner, signal).unwrap();
    }
    end(&daemon);
    assert_eq!(hooks.trace(), ["BIND in", "BIND out", "STOP in", "STOP out"]);
}

pub(crate) fn without_hooks_there_is_one_process() {
    let (host, memory) = (Host::new("station"), Memory::new());
    for hooks in ["none", "/nonexistent/hooks.d"] {
        let daemon = host.spawn(autoipd(&format!("-i eth0 --hooks {hooks}"), memory.dir()));
        daemon.wait_log(SOON, |line| line.contains("no such interface"));
        assert_eq!(children(&daemon), [], "{hooks}");
        assert_eq!(daemon.log_contains("no such directory"), hooks != "none", "{hooks}");
        end(&daemon);
    }
}
