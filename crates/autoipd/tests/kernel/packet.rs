//! IPv4 packets on a cable: how a test makes, sends and sees them.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread;

use autoip_core::Instant;
use autoip_lab::{Cable, Host};
use autoip_linux::{Direction, PacketSocket, Received, boottime};
use autoip_wire::MacAddr;
use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, setsockopt, socket, sockopt,
};

use crate::station::{SOON, eventually, ms};

/// The port of all datagrams, where nobody listens.
pub(crate) const PORT: u16 = 9;

/// Longer than any frame of these tests.
const FRAME_MAX: usize = 2048;

/// An IPv4 packet that went over a cable.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// When it passed the switch's end of the cable.
    pub(crate) at: Instant,
    /// The host sent it, rather than being sent it.
    pub(crate) is_from_host: bool,
    /// The Ethernet destination.
    pub(crate) mac: MacAddr,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) kind: Kind,
}

/// What a packet is to these tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Udp,
    Icmp,
    Reset,
    Other,
}

impl Packet {
    fn from_received(received: &Received<'_>) -> Option<Self> {
        let mac = MacAddr(*received.frame.first_chunk()?);
        let sliced = SlicedPacket::from_ethernet(received.frame).ok()?;
        let Some(NetSlice::Ipv4(ip)) = sliced.net else { return None };
        let kind = match sliced.transport {
            Some(TransportSlice::Udp(_)) => Kind::Udp,
            Some(TransportSlice::Icmpv4(_)) => Kind::Icmp,
            Some(TransportSlice::Tcp(tcp)) if tcp.rst() => Kind::Reset,
            _ => Kind::Other,
        };
        Some(Self {
            at: received.at,
            is_from_host: received.direction == Direction::In,
            mac,
            source: ip.header().source_addr(),
            destination: ip.header().destination_addr(),
            kind,
        })
    }

    /// Whether its sender and its receiver are these.
    pub(crate) fn goes(&self, from: Ipv4Addr, to: Ipv4Addr) -> bool {
        (self.source, self.destination) == (from, to)
    }
}

/// All IPv4 packets on a cable since it was opened.
pub(crate) struct Tap {
    socket: PacketSocket,
    packets: Vec<Packet>,
}

impl Tap {
    pub(crate) fn new(cable: &Cable) -> Self {
        Self { socket: cable.tap(), packets: Vec::new() }
    }

    /// What the host has sent so far that `wanted` accepts.
    pub(crate) fn sent(&mut self, wanted: impl Fn(&Packet) -> bool) -> Vec<Packet> {
        let mut buffer = [0; FRAME_MAX];
        while let Some(received) = self.socket.receive(&mut buffer).unwrap() {
            self.packets.extend(Packet::from_received(&received));
        }
        self.packets.iter().filter(|p| p.is_from_host && wanted(p)).cloned().collect()
    }

    /// Waits until the host has sent a packet that `wanted` accepts, now or before: the first.
    #[track_caller]
    pub(crate) fn expect(&mut self, what: &str, wanted: impl Fn(&Packet) -> bool) -> Packet {
        let deadline = boottime() + SOON;
        loop {
            if let Some(packet) = self.sent(&wanted).first() {
                return packet.clone();
            }
            assert!(boottime() < deadline, "no {what} within {SOON:?}: {:#?}", self.packets);
            thread::sleep(ms(1));
        }
    }
}

/// A UDP datagram in an Ethernet frame.
pub(crate) fn datagram(
    (from_mac, to_mac): (MacAddr, MacAddr),
    (from, to): (Ipv4Addr, Ipv4Addr),
    ttl: u8,
) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(from_mac.octets(), to_mac.octets())
        .ipv4(from.octets(), to.octets(), ttl)
        .udp(PORT, PORT)
        .write(&mut frame, b"hello")
        .unwrap();
    frame
}

/// A UDP socket of the host; an unspecified address leaves the choice to the kernel.
pub(crate) fn udp(host: &Host, from: Ipv4Addr) -> UdpSocket {
    host.run(|| UdpSocket::bind((from, 0))).unwrap()
}

/// Sends a datagram from a fresh socket.
pub(crate) fn send(host: &Host, from: Ipv4Addr, to: Ipv4Addr) -> io::Result<usize> {
    udp(host, from).send_to(b"hello", (to, PORT))
}

/// Sends a datagram from a fresh socket that is bound to an interface.
pub(crate) fn send_over(host: &Host, device: &str, to: Ipv4Addr) -> io::Result<usize> {
    let socket = udp(host, Ipv4Addr::UNSPECIFIED);
    setsockopt(&socket, sockopt::BindToDevice, &OsString::from(device))?;
    socket.send_to(b"hello", (to, PORT))
}

/// Sends a datagram to everybody on the link of eth0 as a program does that may send from any
/// address, whether the host has it or not. What a filter says to that is for the wire to show.
pub(crate) fn send_as(host: &Host, from: Ipv4Addr) {
    let socket = host.run(|| {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Inet, SockType::Datagram, flags, None).unwrap();
        setsockopt(&fd, sockopt::IpTransparent, &true).unwrap();
        setsockopt(&fd, sockopt::BindToDevice, &OsString::from("eth0")).unwrap();
        setsockopt(&fd, sockopt::Broadcast, &true).unwrap();
        bind(fd.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(from, 0))).unwrap();
        UdpSocket::from(fd)
    });
    let _ = socket.send_to(b"hello", (Ipv4Addr::BROADCAST, PORT));
}

/// Waits until the kernel chooses `from` as the source of new traffic to `to`. While one route
/// takes the place of another, both are there.
#[track_caller]
pub(crate) fn await_source(host: &Host, to: Ipv4Addr, from: Ipv4Addr) {
    eventually("new traffic comes from it", SOON, || source(host, to) == Some(IpAddr::V4(from)));
}

/// `None` where no route leads to `to`.
fn source(host: &Host, to: Ipv4Addr) -> Option<IpAddr> {
    let socket = udp(host, Ipv4Addr::UNSPECIFIED);
    socket.connect((to, PORT)).ok()?;
    Some(socket.local_addr().unwrap().ip())
}
