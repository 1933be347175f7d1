//! The kernel reports more than the daemon can take in, and what mattered was among it.

use std::process::Command;

use autoip_lab::{Host, Process, Switch, skip};
use autoip_linux::boottime;
use autoip_wire::MacAddr;
use nix::sys::signal::Signal;

use crate::station::{CLAIM, SOON, Station, X, each, eventually, lines_with, ms, rules};

/// More than fit into any buffer for notifications, at some kilobytes each.
const CHANGES: u32 = 8000;

/// Changes the unused interface `name` so often that a reader who sleeps loses messages.
fn flood(host: &Host, name: &str) {
    for number in 0..CHANGES {
        let [_, b, c, d] = number.to_be_bytes();
        host.set_mac(name, MacAddr([2, 0, 9, b, c, d]));
    }
}

/// A station with its address claimed, and a daemon that is stopped.
fn asleep(switch: &Switch) -> (Station, Process) {
    let mut station = Station::new(switch);
    station.host.connect(switch, "eth1");
    let daemon = station.start("-i eth0 -s 169.254.7.7 -p 2 -a 1 -w 1 -v");
    station.expect_announcement(X);
    // The last thing that a claim does to the kernel.
    eventually("its rule", SOON, || !rules(&station.host).is_empty());
    daemon.signal(Signal::SIGSTOP);
    (station, daemon)
}

fn wake(daemon: &Process) {
    daemon.signal(Signal::SIGCONT);
    daemon.wait_log(SOON, |line| line.contains("reading everything again"));
}

//= test LL-1.5-02
pub(crate) fn a_deletion_that_went_unseen_is_put_right() {
    let switch = Switch::new();
    let (mut station, daemon) = asleep(&switch);
    flood(&station.host, "eth1");
    station.host.remove_address("eth0", X);
    let woken = boottime();
    wake(&daemon);
    let announced = station.expect_announcement(X);
    assert!(announced.at - woken <= SOON);
    station.await_route(X);
    station.assert_bound(X);
    assert_eq!(station.wire.probes_for(X).len(), 2, "not probed again");
}

/// The kernel is out of memory when everything is to be read again.
//= test LL-1.5-02
pub(crate) fn a_reading_that_failed_is_repeated() {
    if Command::new("strace").arg("--version").output().is_err() {
        skip("strace is not installed, so no request to the kernel can be made to fail");
    }
    let switch = Switch::new();
    let (mut station, daemon) = asleep(&switch);
    flood(&station.host, "eth1");
    station.host.remove_address("eth0", X);
    let mut strace = Command::new("strace");
    strace.args(["-e", "trace=sendto", "-e", "inject=sendto:error=ENOMEM:when=1", "-p"]);
    let tracer = station.host.spawn({
        strace.arg(daemon.pid().to_string());
        strace
    });
    eventually("the tracer says something", SOON, || !tracer.log().is_empty());
    if !tracer.log_contains("attached") {
        skip("processes cannot be traced here");
    }
    wake(&daemon);
    daemon.wait_log(SOON, |line| line.contains("WARN") && line.contains("again every second"));
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
    assert_eq!(lines_with(&daemon, "again every second"), 1);
}

/// When the cable is pulled and put back, seen from the flood.
#[derive(Clone, Copy)]
enum Flap {
    After,
    Around,
}

//= test LL-2.2-03
pub(crate) fn a_flap_that_went_unseen_starts_a_claim() {
    let cases = [("after the flood", Flap::After), ("around the flood", Flap::Around)];
    each(&cases, |&flap| {
        let switch = Switch::new();
        let (mut station, daemon) = asleep(&switch);
        match flap {
            Flap::After => {
                flood(&station.host, "eth1");
                station.cable.pull();
            }
            // The daemon is told of the pull, but never that the cable is back.
            Flap::Around => {
                station.cable.pull();
                flood(&station.host, "eth1");
            }
        }
        station.cable.put_back();
        station.wire.skip_to_end();
        wake(&daemon);
        station.expect_probe_for(X);
        station.expect_probe_for(X);
        station.expect_announcement(X);
        station.await_route(X);
        station.assert_bound(X);
        station.expect_none("one claim is enough", ms(1500), |_| true);
    });
}

pub(crate) fn an_interface_made_again_unseen_is_found() {
    let switch = Switch::new();
    let (station, daemon) = asleep(&switch);
    flood(&station.host, "eth1");
    station.host.delete("eth0");
    let cable = station.host.connect(&switch, "eth0");
    let mut wire = cable.capture();
    wake(&daemon);
    let announced = wire
        .expect("announcement", CLAIM, |seen| seen.is_from_host() && seen.is_announcement_of(X));
    assert_eq!(announced.arp.sender_mac, station.mac());
    assert_eq!(wire.probes_for(X).len(), 2);
    station.await_route(X);
    station.assert_bound(X);
}
