//! The daemon as a service: what it tells systemd, the unit and init scripts that come with it, and
//! that it runs with no more rights than the unit gives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use autoip_lab::{Switch, skip};
use autoip_linux::boottime;
use nix::sys::signal::Signal;

use crate::stand_in::{Place, need};
use crate::station::{
    LATE, LOCK, Memory, QUICK, SOON, Station, X, autoipd, eventually, lines_with, ms, s,
};

/// The most that `systemd-analyze security` may find.
const EXPOSURE_MAX: f64 = 1.5;

/// A file that comes with the program.
fn dist(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist").join(name)
}

/// Waits for the next message that begins with `start`.
#[track_caller]
fn expect(manager: &UnixDatagram, start: &str) -> String {
    let mut buffer = [0; 4096];
    loop {
        let len = manager.recv(&mut buffer).unwrap_or_else(|_| panic!("no {start}"));
        let text = String::from_utf8_lossy(&buffer[..len]).trim_end().to_owned();
        if text.starts_with(start) {
            return text;
        }
    }
}

pub(crate) fn the_service_manager_is_told() {
    let (switch, dir) = (Switch::new(), Memory::new());
    let socket = dir.dir().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(s(9))).unwrap();
    let mut station = Station::new(&switch);
    let mut command = autoipd(QUICK, station.memory.dir());
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "1000000");
    let daemon = station.host.spawn(command);
    expect(&manager, "READY=1");
    expect(&manager, "STATUS=eth0: probing 169.254.7.7");
    station.expect_announcement(X);
    expect(&manager, "STATUS=eth0: 169.254.7.7");
    // Twice in the time that the manager allows.
    expect(&manager, "WATCHDOG=1");
    let since = boottime();
    expect(&manager, "WATCHDOG=1");
    let took = boottime() - since;
    assert!(took >= ms(400) && took <= ms(500) + LATE + LOCK, "{took:?}");
    station.cable.pull();
    expect(&manager, "STATUS=eth0: idle");
    daemon.signal(Signal::SIGTERM);
    expect(&manager, "STOPPING=1");
    assert!(daemon.wait(SOON).success());
}

pub(crate) fn the_unit_leaves_little_exposed() {
    let unit = dist("systemd/autoipd.service");
    let mut command = Command::new("systemd-analyze");
    let Ok(output) = command.args(["security", "--offline=yes"]).arg(&unit).output() else {
        skip("systemd-analyze is not installed");
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("Overall exposure level"));
    let Some(line) = line else { skip("this systemd-analyze cannot look at a file") };
    let level: f64 = line
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("{line}"));
    assert!(level <= EXPOSURE_MAX, "{text}");
}

pub(crate) fn the_unit_has_no_mistake() {
    let text = fs::read_to_string(dist("systemd/autoipd.service")).unwrap();
    let dir = Memory::new();
    let unit = dir.dir().join("autoipd.service");
    fs::write(&unit, text.replace("/usr/sbin/autoipd", env!("CARGO_BIN_EXE_autoipd"))).unwrap();
    let mut command = Command::new("systemd-analyze");
    let Ok(output) = command.args(["verify", "--man=no"]).arg(&unit).output() else {
        skip("systemd-analyze is not installed");
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_it: Vec<_> = said.lines().filter(|line| line.contains("autoipd")).collect();
    assert_eq!(about_it, [""; 0]);
}

/// As under the unit: nobody in particular, two capabilities, no way to more.
pub(crate) fn two_capabilities_are_enough() {
    if Command::new("setpriv").arg("--version").output().is_err() {
        skip("setpriv (util-linux) is not installed");
    }
    let (switch, hooks) = (Switch::new(), Memory::new());
    let mut station = Station::new(&switch);
    fs::set_permissions(station.memory.dir(), fs::Permissions::from_mode(0o777)).unwrap();
    let hook = hooks.dir().join("hook");
    fs::write(&hook, "#!/bin/sh\necho \"$1 as $(id -u)\"\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let options = format!("{QUICK} --hooks {}", hooks.dir().display());
    let command = autoipd(&options, station.memory.dir());
    let capabilities = "+net_admin,+net_raw";
    let mut as_nobody = Command::new("setpriv");
    as_nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]);
    as_nobody.args(["--inh-caps", capabilities, "--ambient-caps", capabilities]);
    as_nobody.arg(format!("--bounding-set=-all,{capabilities}"));
    as_nobody.arg(command.get_program()).args(command.get_args());
    let daemon = station.host.spawn(as_nobody);
    if daemon.ended_within(ms(300)).is_some() && daemon.log_contains("setpriv") {
        skip("there is one user alone in this user namespace");
    }
    station.expect_announcement(X);
    // A second one sees that this is a daemon, although it does not belong to root.
    let second = station.start("-i eth0");
    assert_eq!(second.wait(SOON).code(), Some(1));
    let pid = daemon.pid().to_string();
    assert!(second.log_contains(&pid), "{:#?}", second.log());
    eventually("the address is remembered", SOON, || station.memory.file(station.mac()).exists());
    daemon.wait_log(SOON, |line| line.contains("BIND as 65534"));
    assert_eq!(lines_with(&daemon, "WARN"), 0, "{:#?}", daemon.log());
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(s(5)).success());
    station.assert_clean();
}

pub(crate) fn init_scripts_are_shell() {
    for name in ["sysv/autoipd", "openrc/autoipd", "openwrt/autoipd.init"] {
        let output = Command::new("sh").arg("-n").arg(dist(name)).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Does something even where the test fails: a daemon in the background has no other end.
struct AtTheEnd<'a>(&'a dyn Fn());

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0();
    }
}

/// start, status, reload, stop.
pub(crate) fn the_sysv_script_manages_the_daemon() {
    need("/sbin/start-stop-daemon");
    let (switch, place) = (Switch::new(), Place::new());
    let host = autoip_lab::Host::new("station");
    let mut wire = host.connect(&switch, "eth0").capture();
    let script = dist("sysv/autoipd");
    let script = script.to_str().unwrap();
    let status = |verb: &str| {
        let mut command = place.command(&format!("/bin/sh {script} {verb}"));
        command
            .env("DAEMON", env!("CARGO_BIN_EXE_autoipd"))
            .env("OPTIONS", "-i eth0 --control none");
        host.run(|| command.output().unwrap()).status.code()
    };
    assert_eq!(status("status"), Some(3));
    let stop = || assert!(status("stop").is_some());
    let _stop = AtTheEnd(&stop);
    assert_eq!(status("start"), Some(0));
    let probe = wire.expect("probe", s(4), |seen| seen.is_from_host() && seen.is_probe());
    assert_eq!((status("status"), status("start")), (Some(0), Some(0)));
    let announced = |seen: &autoip_lab::Seen| seen.is_announcement_of(probe.arp.target_ip);
    wire.expect("announcement", s(9), announced);
    wire.expect("second announcement", s(9), announced);
    assert_eq!(status("reload"), Some(0));
    wire.expect("announcement", s(3), announced);
    assert_eq!((status("stop"), status("status")), (Some(0), Some(3)));
    assert!(host.addresses("eth0").is_empty());
    assert_eq!(status("dance"), Some(2));
}
