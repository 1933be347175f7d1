//! A station on a switch that speaks raw ARP and has no IP of its own.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use autoip_linux::{ArpFilter, PacketSocket};
use autoip_wire::{ArpPacket, MacAddr};

use crate::cable::Cable;
use crate::device::{End, fresh_number};
use crate::responder::{Answer, Responder};
use crate::switch::Switch;

/// Somebody else on the link: sends whatever it is told to, and answers for the addresses that
/// it owns. No kernel answers in its place.
#[derive(Debug)]
pub struct Peer {
    mac: MacAddr,
    socket: Arc<PacketSocket>,
    responder: Responder,
    cable: Cable,
}

impl Peer {
    /// A new station on `switch`, with a hardware address that no other has.
    #[must_use]
    #[track_caller]
    pub fn new(switch: &Switch) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let [a, b, c, d] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Self::with_mac(switch, MacAddr([0x02, 0xfe, a, b, c, d]))
    }

    /// The same with a hardware address of one's own choice.
    #[must_use]
    #[track_caller]
    pub fn with_mac(switch: &Switch, mac: MacAddr) -> Self {
        // Its interface is in the switch's namespace, beside the bridge: without an address it
        // is as silent there as anywhere else.
        let end = End::new(switch.namespace(), format!("peer{}", fresh_number()));
        let cable = Cable::new(switch, end.clone(), Some(mac));
        let index = end.namespace.index(&end.name);
        let socket = end.namespace.run(|| {
            let socket = PacketSocket::arp(index)?;
            socket.set_filter(ArpFilter::All)?;
            Ok(socket)
        });
        let socket = socket.unwrap_or_else(|error: autoip_linux::Error| panic!("a peer: {error}"));
        let socket = Arc::new(socket);
        let responder = Responder::start(Arc::clone(&socket), mac);
        Self { mac, socket, responder, cable }
    }

    /// Its hardware address.
    #[must_use]
    pub fn mac(&self) -> MacAddr {
        self.mac
    }

    /// Its cable, to be pulled or captured.
    #[must_use]
    pub fn cable(&self) -> &Cable {
        &self.cable
    }

    /// Sends a packet to everybody on the link.
    #[track_caller]
    pub fn broadcast(&self, packet: &ArpPacket) {
        self.send(packet, MacAddr::BROADCAST);
    }

    /// Sends a packet to one station.
    #[track_caller]
    pub fn send(&self, packet: &ArpPacket, destination: MacAddr) {
        self.send_bytes(&packet.to_frame(destination));
    }

    /// Sends any bytes at all, Ethernet header first.
    ///
    /// # Panics
    ///
    /// When its cable is pulled.
    #[track_caller]
    pub fn send_bytes(&self, frame: &[u8]) {
        self.socket.send(frame).unwrap_or_else(|error| panic!("a peer {error}"));
    }

    /// Asks with a probe whether anybody uses `addr`.
    #[track_caller]
    pub fn probe(&self, addr: Ipv4Addr) {
        self.broadcast(&ArpPacket::probe(self.mac, addr));
    }

    /// Says that `addr` is its own: a conflict for anybody else who uses it.
    #[track_caller]
    pub fn announce(&self, addr: Ipv4Addr) {
        self.broadcast(&ArpPacket::announcement(self.mac, addr));
    }

    /// Answers from here on whoever asks for `addr` or probes it.
    pub fn own(&self, addr: Ipv4Addr, answer: Answer) {
        self.responder.rules().owned.insert(addr, answer);
    }

    /// Answers no longer for `addr`.
    pub fn disown(&self, addr: Ipv4Addr) {
        self.responder.rules().owned.remove(&addr);
    }

    /// Whether it answers for every address there is, as proxy ARP gone wrong does.
    pub fn deny_everything(&self, on: bool) {
        self.responder.rules().everything = on;
    }
}
