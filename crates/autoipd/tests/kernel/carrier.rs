//! The link comes and goes: RFC 3927 §2.2, RFC 4436 §2.

use autoip_core::Instant;
use autoip_lab::{Answer, Peer, Seen, Switch};
use autoip_linux::boottime;

use crate::station::{EARLY, LOCK, Station, X, is_reply, ms, s, while_asking};

const OPTIONS: &str = "-i eth0 -s 169.254.7.7";

/// Asserts that nothing had `X` as its sender between the two times.
#[track_caller]
fn assert_unused(station: &Station, from: Instant, to: Instant) {
    // The address is on the interface for a moment before it is announced.
    let early = |seen: &Seen| seen.at > from && seen.at + EARLY < to;
    let early: Vec<_> = station.sent_as(X).into_iter().filter(early).collect();
    assert!(early.is_empty(), "used before it was announced: {early:#?}");
}

//= test LL-2.2-02
//= test LL-2.2-03
//= test ACD-2.1-02
//= test DNA-2.1.1-01
//= test DNA-2.3-01
//= test DNA-2.3-02
//= test DNA-2.3-03
pub(crate) fn the_address_goes_with_the_carrier_and_is_claimed_again() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_daemon(&switch, OPTIONS);
    station.expect_announcement(X);
    station.expect_announcement(X);
    let pulled = boottime();
    station.cable.pull();
    let removed = station.expect_removal(X);
    assert!(removed.at - pulled <= ms(100) + LOCK, "gone after {:?}", removed.at - pulled);
    station.await_clean();
    station.wire.skip_to_end();
    while_asking(&peer, X, || {
        let back = boottime();
        station.put_back();
        station.expect_full_claim(X);
        let announced = station.wire.announcements_of(X)[2].at;
        assert_unused(&station, back, announced);
        let answered = station.sent_as(X).iter().filter(|seen| is_reply(seen)).count();
        assert!(answered > 20, "nobody asked: {answered} answers");
    });
    station.assert_bound(X);
}

//= test LL-1.5-01
//= test LL-2.2-03
pub(crate) fn an_address_taken_meanwhile_is_not_claimed_again() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_address(&switch);
    station.cable.pull();
    station.expect_removal(X);
    peer.own(X, Answer::Unicast);
    station.wire.skip_to_end();
    station.put_back();
    station.expect_probe_for(X);
    let other = station.expect_probe_beside(X).arp.target_ip;
    station.expect_announcement(other);
    station.await_route(other);
    station.assert_bound(other);
    assert_eq!(station.wire.announcements_of(X).len(), 1, "only the one from before");
}

//= test DNA-2-01
pub(crate) fn quick_flaps_start_one_claim_a_second() {
    let switch = Switch::new();
    let (mut station, _daemon) = Station::with_daemon(&switch, OPTIONS);
    station.expect_probe_for(X);
    for _ in 0..5 {
        station.cable.pull();
        station.cable.put_back();
    }
    station.expect_announcement(X);
    // Within one claim they are a second apart anyway.
    let probes = station.wire.filtered(|seen| seen.is_from_host() && seen.is_probe());
    for pair in probes.windows(2) {
        assert!(pair[1].at - pair[0].at + EARLY >= s(1), "too close: {pair:#?}");
    }
    station.await_route(X);
    station.assert_bound(X);
    assert!((4..=5).contains(&probes.len()), "the last claim was whole: {probes:#?}");
}

/// Unlike a lost carrier this leaves the packet socket with an error.
//= test LL-2.2-02
//= test LL-2.2-03
pub(crate) fn an_interface_set_down_and_up_claims_again() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, daemon) = Station::with_daemon(&switch, OPTIONS);
    station.expect_announcement(X);
    station.expect_announcement(X);
    station.host.set_up("eth0", false);
    station.expect_removal(X);
    station.await_clean();
    station.wire.skip_to_end();
    let down = boottime();
    while_asking(&peer, X, || {
        station.host.set_up("eth0", true);
        let announced = station.expect_announcement(X).at;
        assert_unused(&station, down, announced);
    });
    assert_eq!(station.wire.probes_for(X).len(), 6);
    station.expect_announcement(X);
    station.assert_bound(X);
    assert_eq!(daemon.status(), None);
}
