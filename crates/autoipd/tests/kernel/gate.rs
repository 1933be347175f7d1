//! Nothing with a link-local sender leaves before its address is claimed, or after it is given
//! up: RFC 3927 §2.2. Stock Linux answers from the moment an address is on the interface.

use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_core::Instant;
use autoip_lab::{Peer, Switch};
use autoip_linux::nft::{self, Batch, Chain, Family, Hook, Nft, Table};
use autoip_linux::rtnl::Route;
use autoip_linux::{PacketSocket, boottime};
use autoip_wire::{ArpPacket, MacAddr};

use crate::packet::{Tap, send_as};
use crate::station::{
    CLAIM, LATE, QUICK, SOON, Station, X, change, eventually, is_reply, ms, request,
    while_asking_every, with_and_without_guard,
};

/// An address that nobody has claimed.
const UNCLAIMED: Ipv4Addr = Ipv4Addr::new(169, 254, 9, 9);
const PEER: Ipv4Addr = Ipv4Addr::new(169, 254, 30, 1);
/// An address that is reached over another interface.
const BEHIND: Ipv4Addr = Ipv4Addr::new(169, 254, 99, 1);
const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);

/// Clocks are read one after the other when the time of a frame is taken.
const CLOCKS: Duration = ms(2);

/// Asks for `X` every millisecond, all through the claim.
//= test LL-2.2-02
//= test ACD-2.3-02
//= test ACD-2.5-01
pub(crate) fn ll_2_2_02_answers_begin_with_the_first_announcement() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let _daemon = while_asking_every(ms(1), &peer, X, || {
        let daemon = station.claim(true, "");
        station.wire.expect("answer", SOON, |seen| is_reply(seen) && seen.is_from_host());
        daemon
    });
    let sent = station.sent_as(X);
    let announced = station.wire.announcements_of(X)[0];
    let early: Vec<_> = sent.iter().filter(|seen| seen.at + CLOCKS < announced.at).collect();
    assert!(early.is_empty(), "sent before the first announcement: {early:#?}");
    let answer = sent.iter().find(|seen| is_reply(seen)).expect("an answer");
    let after = answer.at - announced.at;
    assert!(after <= ms(50) + LATE, "the first answer {after:?} after the announcement");
}

/// What of an attempt to send as `from` gets onto the cable: ARP, and IPv4. What is sent as a
/// routable address afterwards must, and shows that the rest does not come late.
#[track_caller]
fn leaves(station: &mut Station, tap: &mut Tap, from: Ipv4Addr) -> (bool, bool) {
    let index = station.host.link("eth0").unwrap().index;
    let socket = station.host.run(|| PacketSocket::arp(index)).unwrap();
    let before = boottime();
    for from in [from, ROUTABLE] {
        let question = ArpPacket { sender_ip: from, ..request(station.mac(), PEER) };
        // The gate's word for it is ENOBUFS.
        let _ = socket.send(&question.to_broadcast());
        send_as(&station.host, from);
    }
    let is_new = |at: Instant| at + CLOCKS >= before;
    tap.expect("routable datagram", |packet| packet.source == ROUTABLE && is_new(packet.at));
    station
        .wire
        .expect("routable request", SOON, |seen| seen.arp.sender_ip == ROUTABLE && is_new(seen.at));
    let asked = station.wire.filtered(|seen| {
        seen.is_from_host() && seen.arp.sender_ip == from && seen.arp.target_ip == PEER
    });
    let sent = tap.sent(|packet| packet.source == from && is_new(packet.at));
    (asked.iter().any(|seen| is_new(seen.at)), !sent.is_empty())
}

//= test LL-2.2-02
//= test LL-2.5-07
//= test BASE-05
pub(crate) fn ll_2_2_02_only_claimed_senders_leave() {
    with_and_without_guard(|guarded| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let mut station = Station::new(&switch);
        let mut tap = Tap::new(&station.cable);
        let guard = if guarded { "" } else { "--guard off" };
        let _daemon = station.start(&format!("{QUICK} {guard}"));
        let expected = (!guarded, !guarded);

        station.expect_probe_for(X);
        assert_eq!(leaves(&mut station, &mut tap, X), expected, "while it is probed for");
        station.expect_announcement(X);
        station.await_route(X);
        assert_eq!(leaves(&mut station, &mut tap, X), (true, true), "in use");
        assert_eq!(leaves(&mut station, &mut tap, UNCLAIMED), expected, "another address");
        peer.announce(X);
        station.expect_announcement(X);
        peer.announce(X);
        station.expect_removal(X);
        assert_eq!(leaves(&mut station, &mut tap, X), expected, "given up");
    });
}

/// Whoever configures a link-local address by hand answers for it, guard or not.
//= test LL-2.11-02
pub(crate) fn addresses_of_others_pass_the_gate() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    station.host.add_address("eth0", UNCLAIMED, 16);
    let _daemon = station.claim(true, "");
    peer.broadcast(&request(peer.mac(), UNCLAIMED));
    station.wire.expect("answer", SOON, |seen| is_reply(seen) && seen.arp.sender_ip == UNCLAIMED);
    station.host.remove_address("eth0", UNCLAIMED);
    let mut tap = Tap::new(&station.cable);
    eventually("it passes no longer", SOON, || {
        leaves(&mut station, &mut tap, UNCLAIMED) == (false, false)
    });
}

/// What a virtual interface on top of eth0 sends leaves by eth0 with another hardware address, and
/// is somebody else's business.
pub(crate) fn frames_of_interfaces_on_top_pass_the_gate() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let _daemon = station.claim(true, "");
    let index = station.host.link("eth0").unwrap().index;
    let socket = station.host.run(|| PacketSocket::arp(index).unwrap());
    let send = |mac| socket.send(&ArpPacket::announcement(mac, UNCLAIMED).to_broadcast());
    assert!(send(station.mac()).is_err(), "its own frame is held back");
    send(MacAddr([0x02, 0, 0, 0, 0x70, 0x99])).unwrap();
    let passed = station.wire.expect("frame from on top", SOON, |seen| {
        seen.is_from_host() && seen.is_announcement_of(UNCLAIMED)
    });
    assert_ne!(passed.arp.sender_mac, station.mac());
}

/// Somebody's filter holds back the first announcement: the address is not used before it is out.
//= test ACD-2.3-02
pub(crate) fn an_address_that_cannot_be_announced_is_not_used() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let mut nft = station.host.run(|| Nft::open().unwrap());
    let table = Table { family: Family::Netdev, name: "strict", owned: true };
    let hook = Hook::Egress { device: "eth0" };
    let chain = Chain { table, name: "out", hook, priority: 0 };
    let mut batch = Batch::new();
    let held_back = [nft::meta_protocol_arp(), nft::arp_saddr_ip().is(X), nft::drop()];
    batch.add_table(&table).add_chain(&chain).add_rule(&chain, held_back);
    nft.commit(&batch).unwrap();
    let daemon = station.start(QUICK);
    let words = ["eth0: could not send a frame: No buffer", "trying again every second"];
    daemon.wait_log(CLAIM, |line| words.iter().all(|word| line.contains(word)));
    station.expect_none("an announcement", ms(500), |seen| !seen.is_probe());
    assert_eq!(station.routes(), [], "no route before the announcement");
    assert!(!daemon.log_contains("claimed"), "nobody has heard of it");
    drop(nft);
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
}

/// A kernel that answers for others, as routers do by mistake.
//= test LL-2.7-04
pub(crate) fn ll_2_7_04_nobody_answers_for_all_addresses() {
    with_and_without_guard(|guarded| {
        let (switch, elsewhere) = (Switch::new(), Switch::new());
        let peer = Peer::new(&switch);
        let mut station = Station::new(&switch);
        let _cable = station.host.connect(&elsewhere, "eth1");
        let _daemon = station.claim(guarded, "");
        let behind = Route {
            destination: BEHIND,
            prefix_len: 32,
            metric: 0,
            source: None,
            protocol: 0,
            index: station.host.link("eth1").unwrap().index,
            ..station.routes()[0].clone()
        };
        change(&station.host, |rtnl| rtnl.add_route(&behind).unwrap());
        station.host.set_variable("ipv4/ip_forward", "1");
        station.host.set_variable("ipv4/conf/eth0/proxy_arp", "1");
        // The kernel takes its time with the answers of a proxy, unless told otherwise.
        station.host.set_variable("ipv4/neigh/eth0/proxy_delay", "0");
        for addr in [BEHIND, X] {
            peer.broadcast(&request(peer.mac(), addr));
        }
        station
            .wire
            .expect("answer for its own", SOON, |seen| is_reply(seen) && seen.arp.sender_ip == X);
        assert_eq!(station.sent_as(BEHIND).is_empty(), guarded);
    });
}
