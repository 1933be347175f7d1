//! Somebody else on the host takes away what the daemon put into the kernel.

use autoip_lab::{Host, Switch};
use autoip_linux::boottime;
use autoip_linux::rtnl::{Event, Route};

use crate::station::{LOCK, SOON, Station, X, change, ms, s};

/// Deletes the address, and asserts that it comes back with everything that belongs to it.
#[track_caller]
fn assert_put_back(station: &mut Station) {
    station.wire.skip_to_end();
    station.changes.skip_to_end();
    let deleted = boottime();
    station.host.remove_address("eth0", X);
    let back = station.changes.expect("return of the address", SOON, |change| change.is_added(X));
    assert!(back.at - deleted <= ms(200) + LOCK, "back after {:?}", back.at - deleted);
    let announced = station.expect_announcement(X);
    assert!(announced.at - deleted <= ms(200) + LOCK);
    station.await_route(X);
    station.assert_bound(X);
}

//= test LL-1.5-02
pub(crate) fn a_deleted_address_is_put_back_five_times() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_daemon(&switch, "-i eth0 -s 169.254.7.7 -p 1 -w 1");
    station.expect_announcement(X);
    station.expect_announcement(X);
    station.await_route(X);
    assert_put_back(&mut station);
    station.expect_announcement(X);
    station.expect_none("announced as after a claim, so twice", s(2), |_| true);
    for _ in 2..=5 {
        assert_put_back(&mut station);
    }
    station.host.remove_address("eth0", X);
    daemon.wait_log(SOON, |line| line.contains("somebody keeps deleting it"));
    station.wire.skip_to_end();
    station.expect_none("it goes on", s(4), |_| true);
    station.assert_clean();
}

fn delete_route(host: &Host, route: &Route) {
    change(host, |rtnl| assert!(rtnl.remove_route(route).unwrap()));
}

pub(crate) fn a_deleted_route_is_put_back() {
    let switch = Switch::new();
    let (mut station, _daemon) = Station::with_address(&switch);
    let routes = station.routes();
    for _ in 0..5 {
        station.changes.skip_to_end();
        delete_route(&station.host, &routes[0]);
        station.changes.expect(
            "return of the route",
            SOON,
            |change| matches!(&change.event, Event::RouteAdded(route) if *route == routes[0]),
        );
        assert_eq!(station.routes(), routes);
    }
    // Whoever insists is left to it, for a while.
    delete_route(&station.host, &routes[0]);
    assert!(station.changes.wait(s(1), |c| matches!(c.event, Event::RouteAdded(_))).is_none());
    assert_eq!(station.marked().len(), 1, "the address stays");
}
