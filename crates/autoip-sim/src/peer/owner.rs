//! A plain host with a configured address: its kernel answers for it, by unicast and to probes as
//! well, and nobody on it ever notices a conflict.

use std::net::Ipv4Addr;

use autoip_wire::{ArpPacket, Operation};

use super::Peer;
use crate::host::reply;
use crate::link::Transmission;
use crate::net::Net;
use crate::queue::Alarm;

/// The owner of one address.
#[derive(Debug)]
pub(crate) struct Owner {
    id: u32,
    addr: Ipv4Addr,
}

impl Owner {
    pub(crate) fn new(net: &mut Net, id: u32, addr: Ipv4Addr) -> Self {
        net.listen(id, addr);
        Self { id, addr }
    }
}

/// What the kernel of a host with `addr` does about a frame.
pub(super) fn answer(net: &mut Net, id: u32, addr: Ipv4Addr, frame: &Transmission) {
    let Some((_, packet)) = frame.arp else { return };
    let asks = packet.operation == Operation::Request && packet.target_ip == addr;
    if asks && packet.sender_ip != addr {
        let mac = net.ports[id as usize].mac;
        net.transmit(id, &reply(mac, addr, &packet).to_frame(packet.sender_mac));
    }
}

/// What the kernel of a host with `addr` sends to find `target`.
pub(super) fn ask(net: &mut Net, id: u32, addr: Ipv4Addr, target: Ipv4Addr) {
    let mac = net.ports[id as usize].mac;
    let request = ArpPacket { target_ip: target, ..ArpPacket::announcement(mac, addr) };
    net.transmit(id, &request.to_broadcast());
}

impl Peer for Owner {
    fn receive(&mut self, net: &mut Net, frame: &Transmission) {
        answer(net, self.id, self.addr, frame);
    }

    fn alarm(&mut self, _net: &mut Net, _alarm: Alarm) {}

    fn talk(&self, net: &mut Net, target: Ipv4Addr) {
        ask(net, self.id, self.addr, target);
    }

    fn addr(&self) -> Option<Ipv4Addr> {
        Some(self.addr)
    }
}
