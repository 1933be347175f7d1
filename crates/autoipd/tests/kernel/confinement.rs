//! The sandbox is in force in the daemon, not in its runner, and the daemon's life goes on in it.
//! That every other test passes within it is the rest of the proof.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use autoip_lab::{Host, Process, Switch};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::station::{CLAIM, Memory, QUICK, SOON, Station, X, eventually, s};

/// CAP_NET_ADMIN and CAP_NET_RAW.
const NETWORK: &str = "0000000000003000";

/// A line of `/proc/PID/status`.
fn status(pid: Pid, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

fn confinement(pid: Pid) -> [String; 4] {
    ["CapEff", "CapPrm", "NoNewPrivs", "Seccomp"].map(|name| status(pid, name))
}

fn runner(daemon: &Process) -> Pid {
    let pid = daemon.pid();
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    Pid::from_raw(text.trim().parse().unwrap())
}

/// A claim in the sandbox or not, with a hook that says what it can do.
fn claim(switch: &Switch, hooks: &Memory, sandbox: &str) -> (Station, Process) {
    let hook = hooks.dir().join("hook");
    let trace = hooks.dir().join("trace");
    let text = format!(
        "#!/bin/sh\ngrep -E '^(NoNewPrivs|Seccomp):' /proc/self/status >{}\n",
        trace.display()
    );
    fs::write(&hook, text).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let dir = hooks.dir().display();
    let options = format!("{QUICK} --sandbox {sandbox} --hooks {dir}");
    let (mut station, daemon) = Station::with_daemon(switch, &options);
    station.expect_announcement(X);
    (station, daemon)
}

pub(crate) fn the_daemon_is_confined_and_the_runner_is_not() {
    let (switch, hooks) = (Switch::new(), Memory::new());
    let ours = confinement(Pid::this());
    let (_station, daemon) = claim(&switch, &hooks, "on");
    let confined = [NETWORK, NETWORK, "1", "2"].map(str::to_owned);
    assert_eq!(confinement(daemon.pid()), confined);
    assert_eq!(status(daemon.pid(), "CapInh"), "0".repeat(16));
    assert_eq!(status(daemon.pid(), "CapAmb"), "0".repeat(16));
    assert_eq!(confinement(runner(&daemon)), ours, "as whoever started the daemon");
    let trace = hooks.dir().join("trace");
    let [.., no_new_privs, seccomp] = &ours;
    let expected = format!("NoNewPrivs:\t{no_new_privs}\nSeccomp:\t{seccomp}\n");
    eventually("the hook's trace", SOON, || {
        fs::read_to_string(&trace).is_ok_and(|text| text == expected)
    });
}

pub(crate) fn without_the_sandbox_it_keeps_everything() {
    let (switch, hooks) = (Switch::new(), Memory::new());
    let (_station, daemon) = claim(&switch, &hooks, "off");
    assert_eq!(confinement(daemon.pid()), confinement(Pid::this()));
}

/// Asks for the configuration to be read again, and waits until a line of the log says `what`.
#[track_caller]
fn reload(daemon: &Process, what: &str) {
    daemon.signal(Signal::SIGHUP);
    daemon.wait_log(SOON, |line| line.contains(what));
}

/// The daemon reads its file again, also another one of the same name, and no file elsewhere: the
/// same reading works without the sandbox.
pub(crate) fn a_file_out_of_place_cannot_be_read() {
    for (sandbox, said) in [("on", "in its sandbox the daemon reads only from"), ("off", "1: ")] {
        let switch = Switch::new();
        let (inside, outside) = (Memory::new(), Memory::new());
        let config = inside.dir().join("autoipd.toml");
        fs::write(&config, "metric = 7\n").unwrap();
        let options = format!("{QUICK} --sandbox {sandbox} --config {}", config.display());
        let (mut station, daemon) = Station::with_daemon(&switch, &options);
        station.expect_announcement(X);
        eventually("the route", SOON, || metrics(&station) == [7]);
        replace(&config, |new| fs::write(new, "metric = 8\n").unwrap());
        daemon.signal(Signal::SIGHUP);
        eventually("the other route", SOON, || metrics(&station) == [8]);

        let elsewhere = outside.dir().join("secret");
        fs::write(&elsewhere, "no configuration\n").unwrap();
        replace(&config, |new| symlink(&elsewhere, new).unwrap());
        reload(&daemon, said);
        assert_eq!(daemon.log_contains("Permission denied"), sandbox == "on");
        assert_eq!(daemon.log_contains("restart it"), sandbox == "on");
        assert_eq!(metrics(&station), [8]);
    }
}

/// Whoever keeps configurations elsewhere puts a link in its place.
pub(crate) fn a_link_is_followed_to_its_directory() {
    let switch = Switch::new();
    let (links, files) = (Memory::new(), Memory::new());
    let (link, file) = (links.dir().join("autoipd.toml"), files.dir().join("real.toml"));
    fs::write(&file, "metric = 7\n").unwrap();
    symlink(&file, &link).unwrap();
    let options = format!("{QUICK} --config {}", link.display());
    let (mut station, daemon) = Station::with_daemon(&switch, &options);
    station.expect_announcement(X);
    replace(&file, |new| fs::write(new, "metric = 8\n").unwrap());
    daemon.signal(Signal::SIGHUP);
    eventually("the other route", SOON, || metrics(&station) == [8]);
}

/// The metrics of the routes to 169.254.0.0/16.
fn metrics(station: &Station) -> Vec<u32> {
    let routes = station.routes().into_iter().filter(|route| route.prefix_len == 16);
    routes.map(|route| route.metric).collect()
}

/// Puts another file in the place of this one, as editors do.
fn replace(path: &Path, make: impl FnOnce(&Path)) {
    let new = path.with_extension("new");
    make(&new);
    fs::rename(new, path).unwrap();
}

/// An interface that appears when the doors are closed is managed and guarded like any other.
pub(crate) fn an_interface_that_comes_later_gets_everything() {
    let (switch, memory) = (Switch::new(), Memory::new());
    let host = Host::new("station");
    let daemon =
        host.spawn(crate::station::autoipd("-i eth9 -s 169.254.7.7 -p 1 -a 1 -w 1", memory.dir()));
    daemon.wait_log(SOON, |line| line.contains("eth9: there is no such interface"));
    eventually("the sandbox", SOON, || status(daemon.pid(), "Seccomp") == "2");
    let cable = host.connect(&switch, "eth9");
    let mut wire = cable.capture();
    wire.expect("announcement", CLAIM, |seen| seen.is_announcement_of(X));
    let mac = host.mac("eth9");
    eventually("a file that remembers", SOON, || memory.file(mac).exists());
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(s(5)).success());
    assert!(host.addresses("eth9").is_empty());
}
