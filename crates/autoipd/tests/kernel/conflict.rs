//! Somebody else has the candidate, or wants it: RFC 3927 §2.2.1, at every moment of the claim.

use std::time::Duration;

use autoip_core::timing;
use autoip_lab::{Peer, Process, Switch};
use autoip_linux::boottime;
use autoip_wire::{ArpPacket, Frame, MacAddr, Operation};
use nix::sys::signal::Signal;

use crate::station::{
    SOON, Station, X, assert_between, await_lines, each, is_reply, ms, pause_until, request, s,
};

const OPTIONS: &str = "-i eth0 -s 169.254.7.7 -v";
/// How often a frame that was sent too late is tried again.
const TRIES_MAX: u32 = 3;

/// The moment of a claim at which somebody interferes.
#[derive(Clone, Copy)]
enum Moment {
    /// In the random wait before the first probe.
    BeforeProbes,
    /// After this many probes.
    AfterProbe(usize),
    /// This long after the last probe.
    AfterLast(Duration),
}

use Moment::{AfterLast, AfterProbe, BeforeProbes};

/// What a peer sends to the station, made from the MAC addresses of both.
type Interference = fn(MacAddr, MacAddr) -> Frame;

/// Brings a station to `moment` of its claim of `X`.
fn reach(station: &mut Station, daemon: &Process, moment: Moment) {
    match moment {
        BeforeProbes => {
            // A link that comes back at once waits a second longer than others: that is enough
            // time to be sure of what comes first.
            station.expect_probe_for(X);
            station.cable.pull();
            station.put_back();
            await_lines(daemon, "probing for", 2);
        }
        AfterProbe(count) => {
            for _ in 0..count {
                station.expect_probe_for(X);
            }
        }
        AfterLast(time) => {
            let probes = [(); 3].map(|()| station.expect_probe_for(X));
            pause_until(probes[2].at + time);
        }
    }
}

/// Asserts that the station leaves `X` for another address, at once and for good.
#[track_caller]
fn assert_leaves(moment: Moment, interference: Interference) {
    let in_time = (0..TRIES_MAX).any(|_| leaves(moment, interference));
    assert!(in_time, "the machine is too busy to send a frame on time");
}

/// The same, or `false` where a busy machine sent the frame when it was too late.
#[track_caller]
fn leaves(moment: Moment, interference: Interference) -> bool {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, daemon) = Station::with_daemon(&switch, OPTIONS);
    reach(&mut station, &daemon, moment);
    let sent = boottime();
    peer.send_bytes(&interference(peer.mac(), station.mac()));
    let last_probe = station.wire.probes_for(X).last().map(|probe| probe.at);
    if last_probe.is_some_and(|at| boottime() - at >= timing::ANNOUNCE_WAIT) {
        return false;
    }
    let probe = station.expect_probe_beside(X);
    assert_between("first probe for another address", probe.at - sent, s(0)..=s(1));
    let other = probe.arp.target_ip;
    station.expect_announcement(other);
    station.await_route(other);
    station.assert_bound(other);
    let probes = station.wire.probes_for(X);
    assert!(probes.iter().all(|seen| seen.at <= sent), "it goes on probing for {X}");
    assert!(station.sent_as(X).is_empty(), "it used {X}");
    assert!(station.changes.filtered(|change| change.is_added(X)).is_empty(), "it added {X}");
    true
}

fn unicast_reply(peer: MacAddr, station: MacAddr) -> Frame {
    reply(peer, station).to_frame(station)
}

fn broadcast_reply(peer: MacAddr, station: MacAddr) -> Frame {
    reply(peer, station).to_broadcast()
}

fn reply(peer: MacAddr, station: MacAddr) -> ArpPacket {
    ArpPacket {
        operation: Operation::Reply,
        sender_mac: peer,
        sender_ip: X,
        target_mac: station,
        target_ip: [0, 0, 0, 0].into(),
    }
}

fn request_for_another(peer: MacAddr, _station: MacAddr) -> Frame {
    ArpPacket { sender_ip: X, ..request(peer, [169, 254, 99, 99].into()) }.to_broadcast()
}

fn announcement(peer: MacAddr, _station: MacAddr) -> Frame {
    ArpPacket::announcement(peer, X).to_broadcast()
}

fn probe(peer: MacAddr, _station: MacAddr) -> Frame {
    ArpPacket::probe(peer, X).to_broadcast()
}

/// From a clone of the station, or from a host that had its MAC address before.
fn announcement_with_the_stations_mac(peer: MacAddr, station: MacAddr) -> Frame {
    let mut frame = ArpPacket::announcement(station, X).to_broadcast();
    // The switch must not learn that the station is where the peer is.
    frame[6..12].copy_from_slice(&peer.octets());
    frame
}

//= test LL-1.5-01
//= test LL-2.2-02
//= test LL-2.2.1-07
//= test ACD-2.1.1-04
//= test ACD-4-01
pub(crate) fn any_arp_from_the_candidate_ends_the_claim() {
    let cases: [(&str, (Moment, Interference)); 8] = [
        ("announcement before the probes", (BeforeProbes, announcement)),
        ("unicast reply after probe 1", (AfterProbe(1), unicast_reply)),
        ("broadcast reply after probe 2", (AfterProbe(2), broadcast_reply)),
        ("own MAC address after probe 2", (AfterProbe(2), announcement_with_the_stations_mac)),
        ("request for another after probe 3", (AfterProbe(3), request_for_another)),
        ("reply after 1.9 s", (AfterLast(ms(1900)), unicast_reply)),
        ("announcement after 1.9 s", (AfterLast(ms(1900)), announcement)),
        ("request for another after probe 1", (AfterProbe(1), request_for_another)),
    ];
    each(&cases, |&(moment, interference)| assert_leaves(moment, interference));
}

//= test LL-2.2.1-08
//= test ACD-1.2-03
//= test ACD-2.1.1-06
pub(crate) fn a_competing_probe_ends_the_claim() {
    let cases = [
        ("before the probes", BeforeProbes),
        ("after probe 1", AfterProbe(1)),
        ("after probe 3", AfterProbe(3)),
        ("after 1.9 s", AfterLast(ms(1900))),
    ];
    each(&cases, |&moment| assert_leaves(moment, probe));
}

/// The daemon is stopped while the answer comes in and while its time runs out.
//= test LL-2.2.1-07
pub(crate) fn a_conflict_read_late_counts_by_its_time() {
    each(&[("in time", ms(1800)), ("too late", ms(2200))], |&time| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let (mut station, daemon) = Station::with_daemon(&switch, OPTIONS);
        reach(&mut station, &daemon, AfterLast(ms(1500)));
        let last = station.wire.probes_for(X)[2].at;
        daemon.signal(Signal::SIGSTOP);
        pause_until(last + time);
        peer.announce(X);
        pause_until(last + ms(2500));
        daemon.signal(Signal::SIGCONT);
        // The address was not in use, so in neither case does anything speak for keeping it.
        let other = station.expect_probe_beside(X).arp.target_ip;
        station.expect_announcement(other);
        assert!(station.sent_as(X).is_empty(), "it used {X}");
    });
}

/// A station that has announced its address once, a moment ago.
fn just_claimed(switch: &Switch) -> (Station, Process) {
    let (mut station, daemon) = Station::with_daemon(switch, OPTIONS);
    let announced = station.expect_announcement(X);
    pause_until(announced.at + ms(100));
    (station, daemon)
}

//= test LL-2.5-01
//= test LL-2.5-03
//= test LL-2.5-05
pub(crate) fn a_conflict_just_after_the_claim_is_defended() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = just_claimed(&switch);
    let sent = boottime();
    peer.announce(X);
    let defence = station.expect_announcement(X);
    assert_between("defence", defence.at - sent, s(0)..=ms(100));
    let announced = station.wire.announcements_of(X)[0].at;
    let again = station.expect_announcement(X);
    assert_between("second announcement", again.at - announced, s(2)..=s(2));
    station.expect_none("nothing else happened", s(2), |_| true);
    station.assert_bound(X);
}

//= test ACD-2.5-02
pub(crate) fn a_probe_just_after_the_claim_is_no_conflict() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = just_claimed(&switch);
    for _ in 0..3 {
        peer.probe(X);
        let answer = station.wire.expect("answer", SOON, |seen| seen.is_from_host());
        assert!(is_reply(&answer), "{answer}");
    }
    station.expect_announcement(X);
    station.expect_none("the claim is over", s(2), |_| true);
    assert_eq!(station.wire.announcements_of(X).len(), 2);
    station.assert_bound(X);
    // Had the probes counted, this would be one conflict too many.
    peer.announce(X);
    station.expect_announcement(X);
    station.assert_bound(X);
}
