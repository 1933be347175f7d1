//! Very many owners of addresses in one node, for experiments: each has a MAC address of its own
//! and answers requests and probes, after a delay where the experiment wants one.

use std::rc::Rc;
use std::time::Duration;

use autoip_core::LinkLocalAddr;
use autoip_wire::{ArpPacket, MacAddr, Operation};

use super::Peer;
use crate::clock::SimTime;
use crate::host::reply;
use crate::link::Transmission;
use crate::net::Net;
use crate::queue::Alarm;

/// The owners of many addresses.
#[derive(Debug)]
pub(crate) struct Crowd {
    id: u32,
    /// For each address by its place whether somebody owns it.
    taken: Rc<[bool]>,
    /// How long an owner takes to answer.
    delay: Duration,
    pending: Vec<(SimTime, Vec<u8>)>,
}

impl Crowd {
    pub(crate) fn new(net: &mut Net, id: u32, taken: Rc<[bool]>, delay: Duration) -> Self {
        net.listen_to_everything(id);
        Self { id, taken, delay, pending: Vec::new() }
    }
}

/// The MAC address of the owner of `addr`.
fn mac_of(addr: LinkLocalAddr) -> MacAddr {
    let [high, low] = addr.index().to_be_bytes();
    MacAddr([0x02, 0xc0, 0, 0, high, low])
}

impl Peer for Crowd {
    fn receive(&mut self, net: &mut Net, frame: &Transmission) {
        let Some((_, packet)) = frame.arp else { return };
        let Ok(addr) = LinkLocalAddr::new(packet.target_ip) else { return };
        let asks = packet.operation == Operation::Request && packet.sender_ip != packet.target_ip;
        if !asks || !self.taken[usize::from(addr.index())] {
            return;
        }
        let answer: ArpPacket = reply(mac_of(addr), addr.ip(), &packet);
        let bytes = answer.to_frame(packet.sender_mac);
        if self.delay.is_zero() {
            net.transmit(self.id, &bytes);
        } else {
            let at = net.now() + self.delay;
            self.pending.push((at, bytes.to_vec()));
            net.wake(self.id, at, Alarm::Timer);
        }
    }

    fn alarm(&mut self, net: &mut Net, _alarm: Alarm) {
        let now = net.now();
        let (due, later) = std::mem::take(&mut self.pending).into_iter().partition(|p| p.0 <= now);
        self.pending = later;
        for (_, bytes) in due {
            net.transmit(self.id, &bytes);
        }
    }
}
