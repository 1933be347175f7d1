//! Connections of an address that another host takes over end at once, at both ends: RFC 3927
//! §2.5. Stock Linux lets them hang when their address goes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use autoip_lab::{Host, Peer, Switch};

use crate::packet::{Kind, Packet, Tap};
use crate::station::{SOON, Station, X, ms};

const FRIEND: Ipv4Addr = Ipv4Addr::new(169, 254, 3, 3);
const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const ROUTABLE_FRIEND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

/// An ordinary host with both kinds of address.
pub(crate) fn friend(switch: &Switch) -> Host {
    let friend = Host::new("friend");
    friend.connect(switch, "eth0");
    friend.add_address("eth0", FRIEND, 16);
    friend.add_address("eth0", ROUTABLE_FRIEND, 24);
    friend
}

/// Both ends of a connection: of the host that made it, and of the one that took it.
pub(crate) fn connection(from: &Host, to: &Host, addr: Ipv4Addr) -> (TcpStream, TcpStream) {
    let listener = to.run(|| TcpListener::bind((addr, 0))).unwrap();
    let there: SocketAddr = listener.local_addr().unwrap();
    let made = from.run(|| TcpStream::connect_timeout(&there, SOON)).unwrap();
    let (taken, _) = listener.accept().unwrap();
    for end in [&made, &taken] {
        end.set_read_timeout(Some(SOON)).unwrap();
    }
    let mut ends = (made, taken);
    assert_talk(&mut ends);
    ends
}

/// Asserts that data passes both ways.
#[track_caller]
pub(crate) fn assert_talk((a, b): &mut (TcpStream, TcpStream)) {
    let mut buffer = [0; 1];
    a.write_all(b"1").unwrap();
    b.read_exact(&mut buffer).unwrap();
    b.write_all(b"2").unwrap();
    a.read_exact(&mut buffer).unwrap();
}

fn is_reset(packet: &Packet) -> bool {
    packet.kind == Kind::Reset && packet.source == X
}

/// Lets a peer insist on `X`: the second conflict within ten seconds.
fn insist(station: &mut Station, peer: &Peer) {
    peer.announce(X);
    station.expect_announcement(X);
    peer.announce(X);
}

//= test LL-2.5-08
//= test LL-5-04
//= test ACD-2.4-10
//= test ACD-5-01
pub(crate) fn ll_2_5_08_connections_are_reset_before_the_address_goes() {
    let switch = Switch::new();
    let (peer, friend) = (Peer::new(&switch), friend(&switch));
    let mut station = Station::new(&switch);
    station.host.add_address("eth0", ROUTABLE, 24);
    let mut tap = Tap::new(&station.cable);
    let daemon = station.claim(true, "-f");
    let lost = [connection(&friend, &station.host, X), connection(&friend, &station.host, X)];
    let mut kept = connection(&friend, &station.host, ROUTABLE);
    station.changes.skip_to_end();
    insist(&mut station, &peer);
    for (mut far, mut near) in lost {
        assert_eq!(far.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(near.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    }
    let removed = station.expect_removal(X);
    let resets = tap.sent(is_reset);
    assert_eq!(resets.len(), 2, "{resets:#?}");
    assert!(resets.iter().all(|packet| packet.at < removed.at), "the address went first");
    daemon.wait_log(SOON, |line| line.contains("reset 2 connections"));
    assert_talk(&mut kept);
    let late = tap.sent(|packet| packet.source == X && packet.at > removed.at);
    assert!(late.is_empty(), "{late:#?}");
}

/// What happens otherwise, and why it has to be so early: the kernel alone says nothing when an
/// address goes, and the peer waits for ever.
//= test LL-2.5-08
pub(crate) fn without_a_reset_the_peer_waits() {
    let switch = Switch::new();
    let friend = friend(&switch);
    let mut station = Station::new(&switch);
    station.host.add_address("eth0", X, 16);
    let mut tap = Tap::new(&station.cable);
    let (mut far, mut near) = connection(&friend, &station.host, X);
    station.host.remove_address("eth0", X);
    station.expect_removal(X);
    far.set_read_timeout(Some(ms(500))).unwrap();
    assert_eq!(far.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(tap.sent(is_reset).is_empty());
    let _ = near.write_all(b"nobody hears it");
}
