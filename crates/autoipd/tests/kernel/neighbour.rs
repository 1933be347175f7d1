//! The daemon among other hosts: a second daemon, and kernels that know nothing of all this.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use autoip_lab::{Host, Switch};

use crate::station::{CLAIM, SOON, Station, X, ms, s};

const OPTIONS: &str = "-i eth0 -s 169.254.7.7";

/// The address that a station ends with, when nothing has changed about it for a while.
fn settled(station: &mut Station) -> Ipv4Addr {
    let announced = station
        .wire
        .expect("announcement", CLAIM * 2, |seen| seen.is_from_host() && seen.is_announcement());
    announced.arp.sender_ip
}

//= test LL-2.2.1-08
pub(crate) fn two_that_want_the_same_address_get_two() {
    let switch = Switch::new();
    let (mut a, _daemon_a) = Station::with_daemon(&switch, OPTIONS);
    let (mut b, _daemon_b) = Station::with_daemon(&switch, OPTIONS);
    let (addr_a, addr_b) = (settled(&mut a), settled(&mut b));
    assert_ne!(addr_a, addr_b);
    a.expect_announcement(addr_a);
    b.expect_announcement(addr_b);
    for station in [&mut a, &mut b] {
        station.expect_none("they fight", s(1), |_| true);
    }
    a.assert_bound(addr_a);
    b.assert_bound(addr_b);
    assert!(a.host.ping(addr_b, SOON).unwrap().is_some(), "they cannot talk");
}

//= test LL-4-02
pub(crate) fn joined_links_end_with_one_holder() {
    let (left, right) = (Switch::new(), Switch::new());
    let (mut a, _daemon_a) = Station::with_daemon(&left, OPTIONS);
    let (mut b, _daemon_b) = Station::with_daemon(&right, OPTIONS);
    for station in [&mut a, &mut b] {
        station.expect_announcement(X);
        station.expect_announcement(X);
        station.assert_bound(X);
    }
    left.join(&right);
    // Its kernel asks for an address that nobody has, in the name of X: so the other learns.
    let _ = a.host.ping(Ipv4Addr::new(169, 254, 99, 99), ms(100));
    let gone = |station: &Station| station.changes.filtered(|change| change.is_removed(X)).len();
    let loser = b.host.expect("loser of the address", s(5), |_| match (gone(&a), gone(&b)) {
        (0, 0) => None,
        counts => Some(counts),
    });
    let claimant = if loser.0 > 0 { &mut a } else { &mut b };
    let other = claimant.expect_probe_beside(X).arp.target_ip;
    claimant.expect_announcement(other);
    claimant.await_route(other);
    let ends: BTreeSet<_> = [&a, &b].into_iter().flat_map(Station::marked).map(|a| a.ip).collect();
    assert_eq!(ends.len(), 2, "each has an address of its own: {ends:?}");
}

//= test ACD-1.3-03
pub(crate) fn the_address_of_an_ordinary_host_is_left_alone() {
    let switch = Switch::new();
    let ordinary = Host::new("ordinary");
    ordinary.connect(&switch, "eth0");
    ordinary.add_address("eth0", X, 16);
    let (mut station, _daemon) = Station::with_daemon(&switch, OPTIONS);
    station.expect_probe_for(X);
    let other = station.expect_probe_beside(X).arp.target_ip;
    station.expect_announcement(other);
    station.await_route(other);
    station.assert_bound(other);
    assert!(station.sent_as(X).is_empty(), "it used {X}");
}
