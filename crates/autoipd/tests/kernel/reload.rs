//! The configuration file, read again at SIGHUP: what is on the wire and in the kernel shows what
//! became of it.

use std::process::Command;

use autoip_lab::{Process, Switch};
use nix::sys::signal::Signal;

use crate::selection::{configure, start_with};
use crate::station::{Memory, SOON, Station, X, autoipd, await_lines, eventually, lines_with, s};

const ETH0: &str = "[[interface]]\nmatch = \"eth0\"\n";

/// A station whose daemon has claimed `X`, as a file says.
fn bound(switch: &Switch) -> (Station, Process) {
    let mut station = Station::new(switch);
    let daemon = start_with(&station.host, &station.memory, &with("", ETH0));
    station.expect_announcement(X);
    station.await_route(X);
    station.wire.skip_to_end();
    (station, daemon)
}

fn with(top: &str, tables: &str) -> String {
    format!("start = \"169.254.7.7\"\n{top}\n{tables}")
}

/// Has the daemon read this file instead.
fn reload(station: &Station, daemon: &Process, text: &str) {
    configure(&station.memory, text);
    daemon.signal(Signal::SIGHUP);
}

pub(crate) fn addresses_that_stay_valid_stay() {
    let switch = Switch::new();
    let (mut station, daemon) = bound(&switch);
    let top = "metric = 77\ndefend = \"never\"\ntiming = \"draft-07\"\nwait = 60\ngrace = 1\n\
               mode = \"always\"\nalias = \"none\"\nrange = \"169.254.7.0-169.254.7.255\"";
    station.changes.skip_to_end();
    reload(&station, &daemon, &with(top, "[[interface]]\nmatch = { kind = \"veth\" }"));
    station.expect_announcement(X);
    eventually("the new metric", SOON, || {
        let routes = station.routes();
        routes.iter().any(|route| route.metric == 77) && routes.len() == 1
    });
    station.expect_none("nothing is claimed anew", s(2), |seen| seen.is_probe());
    assert!(station.changes.filtered(|change| change.is_removed(X)).is_empty());
    station.assert_bound(X);
    // The policy is the new one, and so are the counts of the next claim.
    let peer = autoip_lab::Peer::new(&switch);
    station.changes.skip_to_end();
    peer.announce(X);
    station.expect_removal(X);
    let next = station.expect_probe_beside(X).arp.target_ip;
    assert_eq!(next.octets()[2], 7, "in the new range: {next}");
    assert_eq!(lines_with(&daemon, "WARN"), 1, "the conflict: {:#?}", daemon.log());
}

pub(crate) fn an_interface_taken_out_of_the_file_is_let_go() {
    let switch = Switch::new();
    let (mut station, daemon) = bound(&switch);
    reload(&station, &daemon, &with("", "[[interface]]\nmatch = \"eth9\""));
    station.await_clean();
    assert!(station.host.addresses("eth0").is_empty());
    station.wire.skip_to_end();
    station.expect_none("it is not managed", s(1), |_| true);
    reload(&station, &daemon, &with("", ETH0));
    station.expect_probe_for(X);
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
}

pub(crate) fn a_broken_file_changes_nothing() {
    let switch = Switch::new();
    let (mut station, daemon) = bound(&switch);
    reload(&station, &daemon, "mode = \"route\"\nmetric = -1\nalias = 1.5\n");
    let line = daemon.wait_log(SOON, |line| line.contains("autoipd.toml:2: metric = -1")).text;
    assert!(line.contains("one more mistake") && line.contains("stays as it is"), "{line}");
    assert_eq!(lines_with(&daemon, "WARN"), 1, "one line");
    station.expect_announcement(X);
    station.assert_bound(X);
    station.expect_none("nothing is claimed anew", s(1), |seen| seen.is_probe());
    // The next one counts.
    reload(&station, &daemon, &with("metric = 5", ETH0));
    eventually("the new metric", SOON, || station.routes().iter().any(|route| route.metric == 5));
    assert_eq!(daemon.status(), None);
}

pub(crate) fn what_needs_another_start_is_named() {
    let switch = Switch::new();
    let (station, daemon) = bound(&switch);
    reload(&station, &daemon, &with("verbosity = \"debug\"\nforward = [\"169.254.0.9\"]", ETH0));
    let words = "other values of verbosity, forward take effect at the next start";
    daemon.wait_log(SOON, |line| line.contains(words));
    reload(&station, &daemon, &with("metric = 5", ETH0));
    eventually("the new metric", SOON, || station.routes().iter().any(|route| route.metric == 5));
    assert_eq!(lines_with(&daemon, "WARN"), 1, "nothing else differs");
}

pub(crate) fn an_address_outside_the_new_range_is_given_up() {
    let switch = Switch::new();
    let (mut station, daemon) = bound(&switch);
    station.changes.skip_to_end();
    let range = "range = \"169.254.9.0-169.254.9.255\"";
    reload(&station, &daemon, &format!("{range}\n{ETH0}"));
    station.expect_removal(X);
    let next = station.expect_probe_beside(X).arp.target_ip;
    assert_eq!(next.octets()[2], 9, "{next}");
    station.expect_announcement(next);
    station.await_route(next);
    station.assert_bound(next);
    await_lines(&daemon, "not in the range", 1);
}

/// The address is known from before, and lies outside the range of today.
pub(crate) fn a_range_holds_for_remembered_addresses_too() {
    let switch = Switch::new();
    let (mut station, first) = Station::with_address(&switch);
    first.signal(Signal::SIGTERM);
    first.wait(SOON);
    assert!(station.memory.file(station.mac()).exists());
    station.wire.skip_to_end();
    let quick = "-i eth0 -p 1 -a 1 -w 1 --range 169.254.9.0-169.254.9.255";
    let _second = station.start(quick);
    let tried = station.expect_probe().arp.target_ip;
    assert_eq!(tried.octets()[2], 9, "{tried}");
    station.expect_announcement(tried);
}

pub(crate) fn another_mode_takes_the_address_off_and_back() {
    let switch = Switch::new();
    let (mut station, daemon) = bound(&switch);
    station.changes.skip_to_end();
    reload(&station, &daemon, &with("mode = \"route\"", ETH0));
    station.expect_removal(X);
    await_lines(&daemon, "no address is wanted here", 1);
    reload(&station, &daemon, &with("", ETH0));
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
    await_lines(&daemon, "has other settings", 2);
}

pub(crate) fn a_file_with_mistakes_keeps_the_daemon_from_starting() {
    let memory = Memory::new();
    let path = configure(&memory, "moed = 1\n\n[[interface]]\nmatch = \"eth0\"\nprobes = 99\n");
    let mut command: Command =
        autoipd(&format!("-i eth0 --config {}", path.display()), memory.dir());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "each mistake has its line: {text}");
    assert!(lines[0].contains("autoipd.toml:1: moed is not a key"), "{text}");
    assert!(lines[1].contains("autoipd.toml:5: probes = 99: give a number from 1 to 16"), "{text}");
}
