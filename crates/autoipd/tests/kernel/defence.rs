//! Somebody else claims the address in use: RFC 3927 §2.5.

use std::time::Duration;

use autoip_core::Instant;
use autoip_lab::{Peer, Process, Switch};
use autoip_linux::boottime;
use autoip_wire::{ArpPacket, MacAddr, Operation};

use crate::station::{
    LOCK, SOON, Station, X, assert_between, each, lines_with, ms, pause_until, request, s,
    while_asking,
};

/// What a peer says to everybody, or to the station alone.
type Claim = fn(&Peer, MacAddr);

fn announces(peer: &Peer, _station: MacAddr) {
    peer.announce(X);
}

fn asks_for_another(peer: &Peer, _station: MacAddr) {
    peer.broadcast(&ArpPacket { sender_ip: X, ..request(peer.mac(), [10, 1, 1, 1].into()) });
}

fn replies_to_all(peer: &Peer, station: MacAddr) {
    peer.broadcast(&reply(peer, station));
}

fn replies_to_it(peer: &Peer, station: MacAddr) {
    peer.send(&reply(peer, station), station);
}

/// A tag of VLAN 0 is but a priority: the frame belongs to the plain link.
fn announces_with_priority(peer: &Peer, _station: MacAddr) {
    let frame = ArpPacket::announcement(peer.mac(), X).to_broadcast();
    peer.send_bytes(&[&frame[..12], &[0x81, 0x00, 0xe0, 0x00], &frame[12..]].concat());
}

fn reply(peer: &Peer, station: MacAddr) -> ArpPacket {
    ArpPacket {
        operation: Operation::Reply,
        sender_mac: peer.mac(),
        sender_ip: X,
        target_mac: station,
        target_ip: X,
    }
}

/// Lets the peer claim the address, and asserts that the answer is one announcement, soon.
#[track_caller]
fn assert_defends(station: &mut Station, peer: &Peer, claim: Claim) -> Instant {
    station.wire.skip_to_end();
    let sent = boottime();
    claim(peer, station.mac());
    let defence = station.expect_announcement(X);
    assert_between("defence", defence.at - sent, s(0)..=ms(100));
    assert!(defence.is_broadcast() && defence.arp.target_mac == MacAddr::ZERO, "{defence}");
    station.expect_none("one defence is enough", s(1), |_| true);
    station.assert_bound(X);
    sent
}

//= test LL-2.5-01
//= test LL-2.5-02
//= test LL-2.5-05
//= test LL-2.5-06
//= test ACD-1.2-02
//= test ACD-2.4-04
//= test ACD-2.4-12
//= test ACD-3-01
//= test ACD-1.3-06
pub(crate) fn a_conflict_is_answered_by_one_announcement() {
    let cases: [(&str, Claim); 5] = [
        ("announcement", announces),
        ("announcement with a priority", announces_with_priority),
        ("request", asks_for_another),
        ("broadcast reply", replies_to_all),
        ("unicast reply", replies_to_it),
    ];
    each(&cases, |&claim| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let (mut station, daemon) = Station::with_address(&switch);
        assert_defends(&mut station, &peer, claim);
        assert_eq!(lines_with(&daemon, &peer.mac().to_string()), 1, "the log names the peer");
    });
}

/// Asserts that the station gives `X` up because of what the peer said at `sent`, and finds
/// another address.
#[track_caller]
fn assert_cedes(station: &mut Station, sent: Instant) {
    let removed = station.expect_removal(X);
    assert!(removed.at - sent <= ms(50) + LOCK, "given up after {:?}", removed.at - sent);
    let probe = station.expect_probe_beside(X);
    assert_between("first probe for another address", probe.at - sent, s(0)..=s(1) + LOCK);
    let other = probe.arp.target_ip;
    station.expect_announcement(other);
    station.await_route(other);
    station.assert_bound(other);
    let used: Vec<_> = station.sent_as(X).into_iter().filter(|s| s.at > removed.at).collect();
    assert!(used.is_empty(), "used after it was given up: {used:#?}");
    assert!(station.wire.probes_for(X).iter().all(|seen| seen.at < sent), "tried again");
}

/// The peer asks for the address all the time, so that a kernel that has it must answer.
fn cede(second_after: Duration) {
    let switch = Switch::new();
    let (peer, asker) = (Peer::new(&switch), Peer::new(&switch));
    let (mut station, _daemon) = Station::with_address(&switch);
    let first = assert_defends(&mut station, &peer, announces);
    station.changes.skip_to_end();
    while_asking(&asker, X, || {
        pause_until(first + second_after);
        let announced = station.wire.announcements_of(X).len();
        let sent = boottime();
        peer.announce(X);
        assert_cedes(&mut station, sent);
        assert_eq!(station.wire.announcements_of(X).len(), announced, "it defended again");
        let answers = station.sent_as(X).len();
        assert!(answers > 20, "{answers} answers before: nobody asked");
    });
}

//= test LL-1.5-01
//= test LL-1.5-02
//= test LL-2.5-07
//= test ACD-1.3-02
//= test ACD-2.4-05
pub(crate) fn a_second_conflict_within_ten_seconds_ends_the_use() {
    each(&[("1.5 s later", ms(1500)), ("9.5 s later", ms(9500))], |&time| cede(time));
}

//= test LL-2.5-05
//= test LL-2.5-07
pub(crate) fn a_conflict_after_ten_seconds_is_defended_again() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_address(&switch);
    let first = assert_defends(&mut station, &peer, announces);
    pause_until(first + ms(10_500));
    assert_defends(&mut station, &peer, announces);
    assert!(station.changes.filtered(|change| change.is_removed(X)).is_empty());
}

//= test LL-2.5-04
//= test ACD-2.4-03
pub(crate) fn without_defence_the_first_conflict_ends_the_use() {
    let options = [
        ("-d", "-i eth0 -d -s 169.254.7.7 -p 1 -a 1 -w 1"),
        ("abandon", "-o if=eth0,ip=169.254.7.7,delay=200,abandon -p 1 -a 1 -w 1"),
    ];
    each(&options, |options| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let (mut station, daemon) = Station::with_daemon(&switch, options);
        station.expect_announcement(X);
        let sent = boottime();
        peer.announce(X);
        assert_cedes(&mut station, sent);
        assert_eq!(station.wire.announcements_of(X).len(), 1, "it defended");
        await_line(&daemon, &peer);
    });
}

/// Waits until the log names the peer.
fn await_line(daemon: &Process, peer: &Peer) {
    let mac = peer.mac().to_string();
    daemon.wait_log(SOON, |line| line.contains(&mac));
}
