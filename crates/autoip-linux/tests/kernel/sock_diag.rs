//! Sockets that use an address, and their end, seen from a host at the other end of a cable.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

use autoip_linux::rtnl::{Address, Link, Monitor, Rtnl};
use autoip_linux::sock_diag::{Protocol, Resets, SockDiag, Socket, State};
use autoip_linux::{Direction, PacketSocket};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use nix::sched::{CloneFlags, setns, unshare};

use crate::cable::{Cable, OTHER, OURS, await_frame, index};
use crate::monitor::await_link;
use crate::route::address;

const PLAIN: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const PLAIN_PEER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

/// How often the kernel is asked whether a packet has arrived that no socket tells of.
const TRIES_MAX: u32 = 10_000;

const PROTOCOL_TCP: u8 = 6;
const FLAG_RST: u8 = 4;

/// What a host at the far end of a cable has open, in a namespace of its own.
struct Peer {
    tap: PacketSocket,
    listener: TcpListener,
    port: u16,
}

fn namespace() -> File {
    File::open("/proc/thread-self/ns/net").unwrap()
}

/// Gives the near end both kinds of address.
fn add_addresses(cable: &mut Cable, link_local: Ipv4Addr, plain: Ipv4Addr) {
    let index = cable.near;
    for (ip, prefix_len) in [(link_local, 16), (plain, 24)] {
        let base = address(index, ip);
        let added =
            Address { prefix_len, broadcast: None, label: None, no_prefix_route: false, ..base };
        cable.rtnl.add_address(&added).unwrap();
    }
}

/// Gives the far end of a cable to a host of its own.
fn hosts() -> (Cable, Peer) {
    let home = namespace();
    let mut cable = Cable::new();
    add_addresses(&mut cable, OURS, PLAIN);
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    let away = namespace();
    let mut away_rtnl = Rtnl::open().unwrap();
    let mut away_monitor = Monitor::open().unwrap();

    setns(&home, CloneFlags::CLONE_NEWNET).unwrap();
    let mut home_monitor = Monitor::open().unwrap();
    let mut link = LinkMessage::default();
    link.header.index = cable.far.get();
    link.attributes.push(LinkAttribute::NetNsFd(away.as_raw_fd()));
    cable.rtnl.request(RouteNetlinkMessage::SetLink(link), 0).unwrap();
    await_link(&mut home_monitor, cable.near, |link| !link.has_carrier());

    setns(&away, CloneFlags::CLONE_NEWNET).unwrap();
    let far = index(&mut away_rtnl, "far");
    // From there, the far end is the near one.
    let mut there = Cable { rtnl: away_rtnl, near: far, far };
    there.set_up(far, true);
    await_link(&mut away_monitor, far, Link::has_carrier);
    await_link(&mut home_monitor, cable.near, Link::has_carrier);
    add_addresses(&mut there, OTHER, PLAIN_PEER);
    let tap = PacketSocket::tap(far).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    setns(&home, CloneFlags::CLONE_NEWNET).unwrap();
    (cable, Peer { tap, listener, port })
}

fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(address) => {
            SocketAddrV4::new(address.ip().to_ipv4_mapped().unwrap(), address.port())
        }
    }
}

impl Peer {
    /// A connection from the near end to an address here; both ends of it.
    fn connect(&self, to: impl Into<std::net::IpAddr>) -> (TcpStream, TcpStream) {
        let ours = TcpStream::connect((to.into(), self.port)).unwrap();
        let (theirs, from) = self.listener.accept().unwrap();
        assert_eq!(v4(ours.local_addr().unwrap()), v4(from));
        (ours, theirs)
    }
}

pub(crate) fn listed() {
    let (_cable, peer) = hosts();
    let mut diag = SockDiag::open().unwrap();
    assert_eq!(diag.using(OURS).unwrap(), []);
    let listener = TcpListener::bind((OURS, 0)).unwrap();
    let (plain, _) = peer.connect(PLAIN_PEER);
    let (tcp, _far_tcp) = peer.connect(OTHER);
    let (mapped, _far_mapped) = peer.connect(OTHER.to_ipv6_mapped());
    let udp = UdpSocket::bind((OURS, 0)).unwrap();
    let _unconnected = UdpSocket::bind((OURS, 0)).unwrap();
    udp.connect((OTHER, 9)).unwrap();
    let (ended, far_ended) = peer.connect(OTHER);
    let ended_local = v4(ended.local_addr().unwrap());
    drop(ended);
    assert_eq!((&far_ended).read(&mut [0; 8]).unwrap(), 0);
    drop(far_ended);

    let is_over = |socket: &Socket| socket.local == ended_local && socket.state == State::TimeWait;
    let sockets = (0..TRIES_MAX)
        .map(|_| diag.using(OURS).unwrap())
        .find(|sockets| sockets.iter().any(is_over))
        .expect("the last packet of a connection arrives");
    let of = |local: SocketAddrV4| sockets.iter().find(|socket| socket.local == local).unwrap();
    let listening = of(v4(listener.local_addr().unwrap()));
    assert_eq!((listening.protocol, listening.state), (Protocol::Tcp, State::Listening));
    for stream in [&tcp, &mapped] {
        let socket = of(v4(stream.local_addr().unwrap()));
        assert_eq!((socket.protocol, socket.state), (Protocol::Tcp, State::Connected));
        assert_eq!(socket.remote, v4(stream.peer_addr().unwrap()));
        assert_eq!(socket.interface, None);
    }
    let udp = of(v4(udp.local_addr().unwrap()));
    assert_eq!((udp.protocol, udp.state), (Protocol::Udp, State::Connected));
    assert_eq!(sockets.len(), 5, "{sockets:?}");
    let plain = v4(plain.local_addr().unwrap());
    assert!(diag.using(PLAIN).unwrap().iter().any(|socket| socket.local == plain));
}

/// Waits for an RST that comes out of the cable and returns the address that it is from.
fn next_reset(tap: &PacketSocket) -> SocketAddrV4 {
    let frame = await_frame(tap, |received| {
        let is_tcp = received.frame[12..14] == [8, 0] && received.frame[23] == PROTOCOL_TCP;
        received.direction == Direction::In && is_tcp && received.frame[47] & FLAG_RST != 0
    });
    let ip = Ipv4Addr::from(*frame[26..].first_chunk::<4>().unwrap());
    SocketAddrV4::new(ip, u16::from_be_bytes(*frame[34..].first_chunk().unwrap()))
}

/// How many connections were ended, when all could be.
#[track_caller]
fn count_of(resets: Resets) -> usize {
    let Resets { count, failures } = resets;
    assert!(failures.is_empty(), "{failures:?}");
    count
}

pub(crate) fn reset() {
    let (mut cable, peer) = hosts();
    let mut diag = SockDiag::open().unwrap();
    let listener = TcpListener::bind((OURS, 0)).unwrap();
    let udp = UdpSocket::bind((OURS, 0)).unwrap();
    udp.connect((OTHER, 9)).unwrap();
    let (plain, mut far_plain) = peer.connect(PLAIN_PEER);
    let (tcp, far_tcp) = peer.connect(OTHER);
    let (mapped, far_mapped) = peer.connect(OTHER.to_ipv6_mapped());
    let socket = diag.using(OURS).unwrap().into_iter().find(|s| s.state == State::Connected);
    let socket = socket.unwrap();

    assert_eq!(count_of(diag.reset_all(OURS).unwrap()), 2);
    assert!(!diag.destroy(&socket).unwrap(), "it is gone");
    let mut seen = [next_reset(&peer.tap), next_reset(&peer.tap)];
    seen.sort_unstable();
    let mut sent = [&tcp, &mapped].map(|stream| v4(stream.local_addr().unwrap()));
    sent.sort_unstable();
    assert_eq!(seen, sent);
    for mut stream in [far_tcp, far_mapped] {
        let error = stream.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    for mut stream in [tcp, mapped] {
        let error = stream.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "{error}");
    }

    let left: Vec<_> = diag.using(OURS).unwrap().into_iter().map(|socket| socket.local).collect();
    let untouched = [listener.local_addr().unwrap(), udp.local_addr().unwrap()].map(v4);
    assert_eq!(left, untouched);
    (&plain).write_all(b"hello").unwrap();
    let mut read = [0; 5];
    far_plain.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"hello");

    let added = cable.rtnl.addresses().unwrap().into_iter().find(|a| a.ip == OURS).unwrap();
    assert!(cable.rtnl.remove_address(&added).unwrap());
    assert_eq!(count_of(diag.reset_all(OURS).unwrap()), 0);
}
