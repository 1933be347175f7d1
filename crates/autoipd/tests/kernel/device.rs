//! Interfaces that are not there yet, go, come back, or change their name or MAC address.

use autoip_lab::{Host, Peer, Seen, Switch};
use autoip_wire::MacAddr;

use crate::station::{
    CLAIM, LATE, Memory, QUICK, SOON, Station, X, autoipd, first_of, lines_with, ms, s,
};

const OPTIONS: &str = "-i eth0 -s 169.254.7.7";

pub(crate) fn an_absent_interface_is_waited_for() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let daemon = host.spawn(autoipd("-i eth0 -p 1 -a 1 -w 1", memory.dir()));
    daemon.wait_log(SOON, |line| line.contains("there is no such interface"));
    let _other = host.connect(&switch, "eth1");
    let cable = host.connect(&switch, "eth0");
    let mut wire = cable.capture();
    let addr = first_of(host.mac("eth0"));
    wire.expect("announcement", CLAIM, |seen| seen.is_from_host() && seen.is_announcement_of(addr));
    assert!(host.addresses("eth1").is_empty());
    assert_eq!(lines_with(&daemon, "there is no such interface"), 1, "said once");
}

/// As udev does with the names that the kernel gives.
pub(crate) fn an_interface_renamed_to_the_awaited_name_is_taken() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let daemon = host.spawn(autoipd(QUICK, memory.dir()));
    daemon.wait_log(SOON, |line| line.contains("there is no such interface"));
    let cable = host.connect(&switch, "new0");
    let mut wire = cable.capture();
    assert_eq!(wire.wait(ms(300), Seen::is_from_host), None, "nobody asked for new0");
    host.rename("new0", "eth0");
    wire.expect("announcement", CLAIM, |seen| seen.is_from_host() && seen.is_announcement_of(X));
}

pub(crate) fn an_interface_that_is_down_is_waited_for() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.host.set_up("eth0", false);
    let daemon = station.start(OPTIONS);
    daemon.wait_log(SOON, |line| line.contains("managing"));
    station.expect_none("it is down", ms(500), |_| true);
    station.host.set_up("eth0", true);
    station.expect_full_claim(X);
    station.assert_bound(X);
}

/// What is remembered for the old MAC address helps nothing here: the new device has another one.
pub(crate) fn an_interface_made_again_gets_the_same_address() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let addr = first_of(station.mac());
    let daemon = station.start("-i eth0 -p 1 -a 1 -w 1");
    station.expect_announcement(addr);
    station.host.delete("eth0");
    daemon.wait_log(SOON, |line| line.contains("the interface is gone"));
    // Under another name at first, so that the recording runs when the claim begins.
    let cable = station.host.connect(&switch, "new0");
    let mut wire = cable.capture();
    station.host.rename("new0", "eth0");
    let is_first = |seen: &Seen| seen.is_from_host() && seen.is_announcement();
    let announced = wire.expect("announcement", CLAIM, is_first);
    assert_eq!(announced.arp.sender_ip, addr);
    assert_eq!(announced.arp.sender_mac, station.mac());
    assert_ne!(first_of(station.mac()), addr, "so it was not chosen anew");
    station.await_route(addr);
    station.assert_bound(addr);
    assert_eq!(wire.probes_for(addr).len(), 1);
    assert_eq!(daemon.status(), None);
}

pub(crate) fn a_renamed_interface_is_kept_and_defended() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_address(&switch);
    station.host.rename("eth0", "lan0");
    peer.announce(X);
    station.expect_announcement(X);
    let labels = |station: &Station| -> Vec<_> {
        station.host.addresses("lan0").into_iter().map(|a| (a.ip, a.label.unwrap())).collect()
    };
    // The kernel itself gives the first address of an interface its plain name.
    assert_eq!(labels(&station), [(X, "lan0".to_owned())]);

    station.cable.pull();
    station.expect_removal(X);
    station.wire.skip_to_end();
    station.cable.put_back();
    station.expect_announcement(X);
    station.await_route(X);
    assert_eq!(labels(&station), [(X, "lan0:9".to_owned())]);
}

const MAC: MacAddr = MacAddr([2, 0, 0, 0xaa, 0xbb, 1]);

//= test LL-1.2-02
pub(crate) fn another_mac_address_claims_the_same_address_again() {
    let switch = Switch::new();
    let (mut station, _daemon) = Station::with_daemon(&switch, OPTIONS);
    station.expect_announcement(X);
    station.expect_announcement(X);
    station.host.set_mac("eth0", MAC);
    station.expect_removal(X);
    let again = station.expect_full_claim(X);
    assert_eq!((again.arp.sender_mac, again.ethernet.source), (MAC, MAC));
    let frames = station.wire.from_host();
    let old = frames.iter().position(|seen| seen.arp.sender_mac == MAC).unwrap();
    assert_eq!(old, 5, "the claim before");
    assert!(frames[old..].iter().all(|s| s.arp.sender_mac == MAC && s.ethernet.source == MAC));
    station.assert_bound(X);
}

//= test DNA-2-01
pub(crate) fn a_mac_address_changed_while_probing_starts_over() {
    let switch = Switch::new();
    let (mut station, _daemon) = Station::with_daemon(&switch, OPTIONS);
    let before = station.expect_probe_for(X);
    station.host.set_mac("eth0", MAC);
    station.expect_full_claim(X);
    let frames = station.wire.from_host();
    assert!(frames[1].at - before.at + ms(10) >= s(1), "probes too close: {frames:#?}");
    assert!(frames[1..].iter().all(|seen| seen.arp.sender_mac == MAC), "{frames:#?}");
    assert!(frames[1].at - before.at <= s(2) + LATE, "started late");
    station.assert_bound(X);
}
