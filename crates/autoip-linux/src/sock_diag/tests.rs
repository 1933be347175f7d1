//! Descriptions of sockets as bytes: what they mean, and that none of them can do harm.

use netlink_packet_sock_diag::inet::Timer;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const OURS: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 9);
const PEER: Ipv4Addr = Ipv4Addr::new(169, 254, 9, 7);

fn description(state: u8, local: IpAddr, remote: IpAddr) -> Vec<u8> {
    let header = InetResponseHeader {
        family: if local.is_ipv4() { AF_INET } else { AF_INET6 },
        state,
        timer: None::<Timer>,
        socket_id: SocketId {
            source_port: 40000,
            destination_port: 80,
            source_address: local,
            destination_address: remote,
            interface_id: 3,
            cookie: [1, 2, 3, 4, 5, 6, 7, 8],
        },
        recv_queue: 0,
        send_queue: 0,
        uid: 0,
        inode: 0,
    };
    let mut bytes = vec![0; header.buffer_len()];
    header.emit(&mut bytes);
    bytes
}

fn tcp(state: u8, local: IpAddr, remote: IpAddr) -> Option<Socket> {
    Socket::decode(&description(state, local, remote), Protocol::Tcp)
}

#[test]
fn a_socket_is_read() {
    let socket = tcp(1, OURS.into(), PEER.into()).unwrap();
    assert_eq!(socket.local, SocketAddrV4::new(OURS, 40000));
    assert_eq!(socket.remote, SocketAddrV4::new(PEER, 80));
    assert_eq!((socket.protocol, socket.state), (Protocol::Tcp, State::Connected));
    assert_eq!(socket.interface, IfIndex::new(3));
}

#[test]
fn states_are_told_apart() {
    let state = |state| tcp(state, OURS.into(), PEER.into()).unwrap().state;
    assert_eq!((state(6), state(10)), (State::TimeWait, State::Listening));
    for connected in [1, 2, 3, 4, 5, 8, 9, 11, 12] {
        assert_eq!(state(connected), State::Connected);
    }
}

#[test]
fn an_ipv6_socket_that_talks_ipv4_keeps_its_form() {
    let mapped = tcp(1, OURS.to_ipv6_mapped().into(), PEER.to_ipv6_mapped().into()).unwrap();
    assert_eq!((*mapped.local.ip(), *mapped.remote.ip()), (OURS, PEER));
    let request = mapped.destroy_request();
    assert_eq!(request[..2], [AF_INET6, IPPROTO_TCP]);
    assert_eq!(request[12..28], OURS.to_ipv6_mapped().octets());
    assert_eq!(request[request.len() - 8..], [1, 2, 3, 4, 5, 6, 7, 8]);

    let any = std::net::Ipv6Addr::UNSPECIFIED;
    let listening = tcp(10, OURS.to_ipv6_mapped().into(), any.into()).unwrap();
    assert!(listening.remote.ip().is_unspecified());
    assert_eq!(tcp(1, std::net::Ipv6Addr::LOCALHOST.into(), any.into()), None);
}

#[test]
fn the_filter_asks_for_the_address() {
    let mut expected = vec![7, 16];
    expected.extend(20u16.to_ne_bytes());
    expected.extend([2, 32, 0, 0, 255, 255, 255, 255, 169, 254, 7, 9]);
    assert_eq!(local_address_is(OURS), expected);
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..128)) {
        let _ = Socket::decode(&bytes, Protocol::Tcp);
    }

    #[test]
    fn damaged_descriptions_do_no_harm(
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        length in any::<Index>(),
    ) {
        let mut bytes = description(1, OURS.into(), PEER.into());
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(length.index(bytes.len() + 1));
        if let Some(socket) = Socket::decode(&bytes, Protocol::Udp) {
            socket.destroy_request();
        }
    }
}
