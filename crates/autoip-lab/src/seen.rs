//! ARP frames on a cable, as a recording holds them.

use std::fmt;
use std::net::Ipv4Addr;

use autoip_core::Instant;
use autoip_linux::{Direction, PacketSocket, Received};
use autoip_wire::{ArpPacket, Ethernet, Operation};

use crate::reader::{copy, drain};
use crate::recording::Recording;

/// An ARP frame that went over a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it passed the switch's end of the cable.
    pub at: Instant,
    /// Whether the host sent it or was sent it.
    pub way: Way,
    /// The addresses of the Ethernet header.
    pub ethernet: Ethernet,
    /// The packet.
    pub arp: ArpPacket,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the host at the far end of the cable.
    FromHost,
    /// To that host.
    ToHost,
}

impl Seen {
    /// The frame that a tap received, if it is an ARP request or reply.
    #[must_use]
    pub fn from_received(received: &Received<'_>) -> Option<Self> {
        let (ethernet, arp) = ArpPacket::parse(received.frame).ok()?;
        let way = match received.direction {
            Direction::In => Way::FromHost,
            Direction::Out => Way::ToHost,
        };
        Some(Self { at: received.at, way, ethernet, arp })
    }

    /// Whether it asks if anybody uses `addr`, with a zero sender address.
    #[must_use]
    pub fn is_probe_for(&self, addr: Ipv4Addr) -> bool {
        self.is_probe() && self.arp.target_ip == addr
    }

    /// Whether it is a probe for any address.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.arp.operation == Operation::Request && self.arp.sender_ip.is_unspecified()
    }

    /// Whether it says that `addr` is the sender's (a defence looks the same).
    #[must_use]
    pub fn is_announcement_of(&self, addr: Ipv4Addr) -> bool {
        self.is_announcement() && self.arp.target_ip == addr
    }

    /// Whether it is an announcement of any address.
    #[must_use]
    pub fn is_announcement(&self) -> bool {
        self.arp.operation == Operation::Request
            && !self.arp.sender_ip.is_unspecified()
            && self.arp.sender_ip == self.arp.target_ip
    }

    /// Whether the Ethernet header addresses it to everybody.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        self.ethernet.destination.is_broadcast()
    }

    /// Whether the host at the far end of the cable sent it.
    #[must_use]
    pub fn is_from_host(&self) -> bool {
        self.way == Way::FromHost
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, way, ethernet, arp } = self;
        let way = match way {
            Way::FromHost => "from host",
            Way::ToHost => "to host  ",
        };
        write!(f, "{at:?} {way} {} > {}: ", ethernet.source, ethernet.destination)?;
        let ArpPacket { operation, sender_mac, sender_ip, target_mac, target_ip } = arp;
        write!(f, "{operation:?} sender {sender_ip} {sender_mac} target {target_ip} {target_mac}")
    }
}

impl Recording<Seen> {
    /// Records on `tap`, which sits at the switch's end of a cable.
    pub(crate) fn of_cable(name: String, tap: PacketSocket) -> Self {
        Self::start(name, copy(&tap), move |frames| {
            drain(&tap, |received| frames.extend(Seen::from_received(received)));
        })
    }

    /// What the host at the far end has sent so far.
    #[must_use]
    pub fn from_host(&self) -> Vec<Seen> {
        self.filtered(Seen::is_from_host)
    }

    /// The host's probes for `addr` so far.
    #[must_use]
    pub fn probes_for(&self, addr: Ipv4Addr) -> Vec<Seen> {
        self.filtered(|seen| seen.is_from_host() && seen.is_probe_for(addr))
    }

    /// The host's announcements of `addr` so far, defences included.
    #[must_use]
    pub fn announcements_of(&self, addr: Ipv4Addr) -> Vec<Seen> {
        self.filtered(|seen| seen.is_from_host() && seen.is_announcement_of(addr))
    }
}
