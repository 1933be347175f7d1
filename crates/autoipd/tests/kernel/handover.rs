//! A routable address comes while connections use the link-local one: RFC 3927 §1.9. They go on,
//! and everything new uses the routable address.

use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use autoip_core::Instant;
use autoip_lab::{Host, Process, Switch};
use autoip_linux::boottime;

use crate::packet::{Kind, Tap, await_source};
use crate::reset::{assert_talk, connection, friend};
use crate::station::{
    LOCK, SOON, Station, X, assert_between, eventually, ms, pause_until, rules, s,
};

const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
/// A host on the link that has nothing but this.
const PEER: Ipv4Addr = Ipv4Addr::new(169, 254, 30, 1);

/// A station with a connection over its link-local address, at the moment when it has got a
/// routable one.
struct Handover {
    station: Station,
    tap: Tap,
    ends: (TcpStream, TcpStream),
    began: Instant,
    friend: Host,
    _daemon: Process,
}

impl Handover {
    fn new(switch: &Switch, options: &str) -> Self {
        let friend = friend(switch);
        let mut station = Station::new(switch);
        let tap = Tap::new(&station.cable);
        let daemon = station.claim(true, options);
        let ends = connection(&friend, &station.host, X);
        station.wire.skip_to_end();
        station.changes.skip_to_end();
        let began = boottime();
        station.host.add_address("eth0", ROUTABLE, 24);
        await_source(&station.host, PEER, ROUTABLE);
        Self { station, tap, ends, began, friend, _daemon: daemon }
    }

    /// Asserts that the connection works for some time, with the address beneath it.
    #[track_caller]
    fn assert_lives(&mut self, from: Duration, to: Duration) {
        pause_until(self.began + from);
        while boottime() < self.began + to {
            assert_talk(&mut self.ends);
            assert_eq!(self.station.marked().len(), 1, "the address is gone");
            thread::sleep(ms(100));
        }
    }

    /// Asserts that nothing is left but the way to link-local hosts, from the routable address.
    #[track_caller]
    fn assert_over(&self) {
        let station = &self.station;
        eventually("only the way to the link is left", SOON, || {
            let sources: Vec<_> = station.routes().iter().map(|route| route.source).collect();
            let bare = station.marked().is_empty() && rules(&station.host).is_empty();
            bare && sources == [Some(ROUTABLE)]
        });
    }

    #[track_caller]
    fn assert_no_reset(&mut self) {
        let resets = self.tap.sent(|packet| packet.kind == Kind::Reset);
        assert!(resets.is_empty(), "{resets:#?}");
    }
}

//= test LL-1.9-06
//= test LL-1.9-07
//= test LL-1.9-08
//= test LL-2.6.1-02
//= test LL-2.6.1-03
//= test LL-1.9-03
//= test DNA-2.3-05
pub(crate) fn ll_1_9_08_open_connections_go_on_beside_a_routable_address() {
    let switch = Switch::new();
    let mut handover = Handover::new(&switch, "");
    handover.assert_lives(s(0), s(5));
    let closed = boottime();
    let (far, near) = &handover.ends;
    for end in [far, near] {
        end.shutdown(Shutdown::Both).unwrap();
    }
    let removed = handover
        .station
        .changes
        .expect("end of the address", s(3) + LOCK, |change| change.is_removed(X));
    assert!(removed.at - closed <= s(3) + LOCK, "gone {:?} later", removed.at - closed);
    handover.assert_no_reset();
    handover.assert_over();
}

//= test LL-1.9-08
//= test LL-1.9-01
//= test LL-1.9-03
//= test DNA-2.3-05
//= test LL-1.9-09
pub(crate) fn connections_last_no_longer_than_the_grace() {
    let switch = Switch::new();
    let mut handover = Handover::new(&switch, "--grace 3");
    handover.assert_lives(s(0), s(1));
    // Who knows the address still gets through, and prolongs nothing.
    let _late = connection(&handover.friend, &handover.station.host, X);
    handover.assert_lives(s(1), ms(2500));
    let removed = handover.station.expect_removal(X);
    assert_between("the end", removed.at - handover.began, s(3)..=s(3) + LOCK);
    handover.assert_over();
    // Merely retired: nobody else will have the address, so there is nothing to protect.
    handover.assert_no_reset();
}

//= test LL-1.9-10
//= test LL-1.9-08
pub(crate) fn an_address_that_is_needed_again_stays() {
    let switch = Switch::new();
    let mut handover = Handover::new(&switch, "--grace 3");
    handover.assert_lives(s(0), s(1));
    handover.station.host.remove_address("eth0", ROUTABLE);
    await_source(&handover.station.host, PEER, X);
    handover.assert_lives(s(1), s(5));
    let spoken = handover.station.wire.filtered(|seen| {
        seen.is_from_host()
            && seen.at > handover.began
            && (seen.is_probe() || seen.is_announcement())
    });
    assert!(spoken.is_empty(), "it claims anew what it has: {spoken:#?}");
    handover.station.assert_bound(X);
}

/// With several routable addresses one that is still there is the source.
//= test LL-1.9-06
pub(crate) fn the_source_follows_the_routable_addresses() {
    const SECOND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 5);
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let _daemon = station.claim(true, "-f");
    let host = &station.host;
    let now_from = |addr| await_source(host, PEER, addr);
    now_from(X);
    host.add_address("eth0", ROUTABLE, 24);
    now_from(ROUTABLE);
    host.add_address("eth0", SECOND, 24);
    host.remove_address("eth0", ROUTABLE);
    now_from(SECOND);
    host.remove_address("eth0", SECOND);
    now_from(X);
}
