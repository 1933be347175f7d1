//! The daemon ends in some way and is started again.

use std::fs;
use std::path::Path;

use autoip_lab::{Peer, Switch};
use autoip_linux::boottime;
use nix::sys::signal::Signal;

use crate::station::{
    EARLY, LOCK, SOON, Station, X, autoipd, first_of, is_reply, lines_with, ms, while_asking,
};

const ANY: &str = "-i eth0 -p 1 -a 1 -w 1";

/// After a kill nobody takes the address off, and the kernel answers for it.
//= test LL-2.2-02
//= test LL-2.2-03
pub(crate) fn an_address_left_over_is_probed_before_it_is_used() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, daemon) = Station::with_address(&switch);
    daemon.signal(Signal::SIGKILL);
    daemon.wait(SOON);
    station.assert_bound(X);
    let _ = fs::remove_file(station.memory.file(station.mac()));
    station.changes.skip_to_end();
    while_asking(&peer, X, || {
        station.wire.expect("answer", SOON, |seen| seen.is_from_host() && is_reply(seen));
        let started = boottime();
        let _daemon = station.start("-i eth0");
        let removed = station.expect_removal(X);
        assert!(removed.at - started <= LOCK, "there for {:?}", removed.at - started);
        station.wire.skip_to_end();
        assert_eq!(station.expect_probe().arp.target_ip, X, "the address from before comes first");
        let first = station.expect_announcement(X).at;
        station.expect_announcement(X);
        let between = |at| at > removed.at && at + EARLY < first;
        let early: Vec<_> = station.sent_as(X).into_iter().filter(|s| between(s.at)).collect();
        assert!(early.is_empty(), "used before it was announced: {early:#?}");
        let probes = station.wire.probes_for(X).into_iter().filter(|seen| between(seen.at));
        assert_eq!(probes.count(), 3);
        station.assert_bound(X);
    });
}

//= test LL-2.1-06
//= test LL-2.1-07
pub(crate) fn the_address_is_remembered() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_address(&switch);
    // A signal is taken in when the claim has been dealt with, and so the file is written.
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(SOON).success());
    station.assert_clean();
    let _daemon = station.start(ANY);
    assert_eq!(station.expect_probe().arp.target_ip, X);
    station.expect_announcement(X);
}

/// Whoever puts the remembered address on by hand keeps it.
pub(crate) fn a_remembered_address_that_is_not_ours_stays() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_address(&switch);
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(SOON).success());
    station.expect_removal(X);
    station.host.add_address("eth0", X, 16);
    station.changes.skip_to_end();
    station.wire.skip_to_end();
    let _daemon = station.start(ANY);
    let other = station.expect_probe_beside(X).arp.target_ip;
    station.expect_announcement(other);
    let removal = station.changes.wait(ms(1), |change| change.is_removed(X));
    assert_eq!(removal, None);
    assert!(station.host.addresses("eth0").iter().any(|address| address.ip == X));
}

pub(crate) fn a_damaged_memory_costs_one_warning() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let addr = first_of(station.mac());
    let file = station.memory.file(station.mac());
    fs::write(&file, b"169.254.0.1\n\xff\0").unwrap();
    let daemon = station.start(ANY);
    station.expect_announcement(addr);
    station.await_route(addr);
    station.assert_bound(addr);
    assert_eq!(lines_with(&daemon, "WARN"), 1);
    assert_eq!(lines_with(&daemon, &file.display().to_string()), 1);
    daemon.signal(Signal::SIGTERM);
    daemon.wait(SOON);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{addr}\n"), "it is mended");
}

pub(crate) fn it_works_without_a_memory() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let addr = first_of(station.mac());
    let daemon = station.host.spawn(autoipd(ANY, Path::new("/proc/nowhere")));
    station.expect_announcement(addr);
    station.await_route(addr);
    daemon.wait_log(SOON, |line| line.contains("WARN") && line.contains("/proc/nowhere"));
    station.cable.pull();
    station.expect_removal(addr);
    station.cable.put_back();
    station.expect_announcement(addr);
    station.await_route(addr);
    assert_eq!(lines_with(&daemon, "WARN"), 1, "said once");
}
