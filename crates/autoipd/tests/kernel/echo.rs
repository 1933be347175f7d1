//! Frames that look like conflicts and are none, while probing and in use.

use autoip_lab::{Peer, Switch};
use autoip_wire::{ArpPacket, MacAddr, Operation};

use crate::station::{SOON, Station, X, each, is_reply, ms, request, s};

const OPTIONS: &str = "-i eth0 -s 169.254.7.7";

/// Frames that a peer sends to the station, made from the MAC addresses of both.
type Frames = fn(MacAddr, MacAddr) -> Vec<Vec<u8>>;

/// Asserts that the station claims `X` in the usual way, and keeps it, whatever `frames` say.
#[track_caller]
fn assert_indifferent(frames: Frames) {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_daemon(&switch, OPTIONS);
    let disturb = |station: &Station| {
        for frame in frames(peer.mac(), station.mac()) {
            peer.send_bytes(&frame);
        }
    };
    for _ in 0..3 {
        station.expect_probe_for(X);
        disturb(&station);
    }
    station.expect_announcement(X);
    disturb(&station);
    station.expect_announcement(X);
    disturb(&station);
    disturb(&station);
    station.expect_none("it speaks", s(2), |seen| !is_reply(seen));
    let own = station.wire.filtered(|seen| seen.is_from_host() && !is_reply(seen));
    assert_eq!(own.len(), 5, "three probes and two announcements: {own:#?}");
    station.assert_bound(X);
}

fn plain_requests(peer: MacAddr, _station: MacAddr) -> Vec<Vec<u8>> {
    let routable = ArpPacket { sender_ip: [10, 0, 0, 9].into(), ..request(peer, X) };
    vec![request(peer, X).to_broadcast().to_vec(), routable.to_broadcast().to_vec()]
}

/// As switches send them that keep track of devices.
fn unicast_probe(peer: MacAddr, station: MacAddr) -> Vec<Vec<u8>> {
    vec![ArpPacket::probe(peer, X).to_frame(station).to_vec()]
}

fn zero_sender_reply(peer: MacAddr, _station: MacAddr) -> Vec<Vec<u8>> {
    let reply = ArpPacket { operation: Operation::Reply, ..ArpPacket::probe(peer, X) };
    vec![reply.to_broadcast().to_vec()]
}

fn own_probe(peer: MacAddr, station: MacAddr) -> Vec<Vec<u8>> {
    let mut frame = ArpPacket::probe(station, X).to_broadcast().to_vec();
    // The switch must not learn that the station is where the peer is.
    frame[6..12].copy_from_slice(&peer.octets());
    vec![frame]
}

fn about_other_addresses(peer: MacAddr, _station: MacAddr) -> Vec<Vec<u8>> {
    let others = [[169, 254, 7, 6], [169, 254, 7, 8], [169, 254, 8, 7], [169, 255, 7, 7]];
    let frames = others.into_iter().flat_map(|other| {
        let other = other.into();
        [ArpPacket::probe(peer, other), ArpPacket::announcement(peer, other)]
    });
    frames.map(|packet| packet.to_broadcast().to_vec()).collect()
}

//= test LL-2.2.1-08
//= test ACD-1.2-02
pub(crate) fn other_arp_is_no_conflict() {
    let cases: [(&str, Frames); 5] = [
        ("plain requests", plain_requests),
        ("unicast probe", unicast_probe),
        ("zero-sender reply", zero_sender_reply),
        ("own probe", own_probe),
        ("other addresses", about_other_addresses),
    ];
    each(&cases, |&frames| assert_indifferent(frames));
}

/// A conflict but for one field of the header.
fn altered(peer: MacAddr, _station: MacAddr) -> Vec<Vec<u8>> {
    let whole = ArpPacket::announcement(peer, X).to_broadcast();
    // The Ethernet type, hardware type, protocol type, lengths, operation.
    let fields: [(usize, &[u8]); 12] = [
        (12, &[0x08, 0x00]),
        (12, &[0x80, 0x35]),
        (14, &[0, 6]),
        (14, &[0, 0]),
        (16, &[0x86, 0xdd]),
        (18, &[8]),
        (19, &[16]),
        (20, &[0, 0]),
        (20, &[0, 3]),
        (20, &[0, 4]),
        (20, &[0, 8]),
        (20, &[1, 1]),
    ];
    let alter = |(at, value): (usize, &[u8])| {
        let mut frame = whole.to_vec();
        frame[at..at + value.len()].copy_from_slice(value);
        frame
    };
    fields.into_iter().map(alter).collect()
}

/// A conflict cut short after every byte.
fn cut(peer: MacAddr, _station: MacAddr) -> Vec<Vec<u8>> {
    let whole = ArpPacket::announcement(peer, X).to_broadcast();
    (14..whole.len()).map(|length| whole[..length].to_vec()).collect()
}

/// A conflict in a VLAN that the station has no part in.
fn tagged(peer: MacAddr, _station: MacAddr) -> Vec<Vec<u8>> {
    let whole = ArpPacket::announcement(peer, X).to_broadcast();
    let tag = |vlan: u8| [&whole[..12], &[0x81, 0x00, 0x00, vlan], &whole[12..]].concat();
    vec![tag(1), tag(5)]
}

pub(crate) fn malformed_frames_change_nothing() {
    let cases: [(&str, Frames); 3] = [("altered", altered), ("cut", cut), ("tagged", tagged)];
    each(&cases, |&frames| assert_indifferent(frames));
}

//= test ACD-2.1.1-07
pub(crate) fn own_frames_that_come_back_are_no_conflict() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.cable.set_hairpin(true);
    let _daemon = station.start(OPTIONS);
    station.expect_full_claim(X);
    let echoes =
        station.wire.filtered(|seen| !seen.is_from_host() && seen.arp.sender_mac == station.mac());
    assert_eq!(echoes.len(), 5, "the switch does not send them back: {echoes:#?}");
    station.expect_none("it defends itself against itself", s(1), |_| true);
    station.assert_bound(X);
}

//= test ACD-2.5-02
pub(crate) fn a_probe_for_the_address_in_use_is_only_answered() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_address(&switch);
    for _ in 0..5 {
        peer.probe(X);
        let answer = station.wire.expect("answer", SOON, |seen| seen.is_from_host());
        assert!(is_reply(&answer) && answer.arp.sender_ip == X, "{answer}");
    }
    station.expect_none("it reacts", ms(500), |_| true);
    // Had one of them counted, this would be the second conflict.
    peer.announce(X);
    station.expect_announcement(X);
    station.expect_none("it reacts", ms(500), |_| true);
    station.assert_bound(X);
}
