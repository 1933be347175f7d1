//! Hosts that lie: they hear everything and contradict as they like. They stop when faults end.

use std::time::Duration;

use autoip_wire::{ArpPacket, MacAddr, Operation};

use super::Peer;
use crate::clock::SimTime;
use crate::link::Transmission;
use crate::net::Net;
use crate::queue::Alarm;
use crate::stream::{Purpose, Stream};

/// How a liar lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It answers every probe.
    Denies,
    /// It answers every probe some seconds late.
    DeniesLate,
    /// It contradicts every announcement, and once more some seconds later.
    Harasses,
    /// It sends frames of every kind, and bytes that are no frames.
    Floods,
    /// It sends what it hears again, under the sender's own MAC address.
    Spoofs,
    /// It asks every sender of an announcement by unicast whether the address is in use, as
    /// switches do that track devices. That is no lie, but hosts take it for one.
    Tracks,
}

/// Two liars that answer each other must not fill the link.
const PENDING_MAX: usize = 32;

/// A liar.
#[derive(Debug)]
pub(crate) struct Liar {
    id: u32,
    habit: Habit,
    stream: Stream,
    /// What it will send.
    pending: Vec<(SimTime, Vec<u8>)>,
    /// What it heard last.
    heard: Option<ArpPacket>,
}

impl Liar {
    pub(crate) fn new(net: &mut Net, id: u32, habit: Habit) -> Self {
        net.listen_to_everything(id);
        if habit == Habit::Floods {
            net.wake(id, SimTime::START, Alarm::PowerOn);
        }
        let stream = Stream::new(net.seed, Purpose::Peer, id.into(), 0);
        Self { id, habit, stream, pending: Vec::new(), heard: None }
    }

    fn later(&mut self, net: &mut Net, low_ms: u32, high_ms: u32, bytes: Vec<u8>) {
        if self.pending.len() >= PENDING_MAX {
            return;
        }
        let wait = self.stream.between(low_ms, high_ms);
        let at = net.now() + Duration::from_millis(wait.into());
        self.pending.push((at, bytes));
        net.wake(self.id, at, Alarm::Timer);
    }

    /// A frame that says that `addr` is taken, in any of the ways in which that can be said.
    fn claim(&mut self, mac: MacAddr, about: &ArpPacket) -> Vec<u8> {
        let addr = about.target_ip;
        let reply = ArpPacket {
            operation: Operation::Reply,
            sender_mac: mac,
            sender_ip: addr,
            target_mac: about.sender_mac,
            target_ip: about.sender_ip,
        };
        let request = ArpPacket { target_ip: [169, 254, 9, 9].into(), ..reply };
        match self.stream.below(5) {
            0 => reply.to_frame(about.sender_mac),
            1 => reply.to_broadcast(),
            2 => ArpPacket { operation: Operation::Request, ..request }.to_broadcast(),
            3 => ArpPacket::probe(mac, addr).to_broadcast(),
            _ => ArpPacket::announcement(mac, addr).to_broadcast(),
        }
        .to_vec()
    }

    fn flood(&mut self, net: &mut Net) {
        let mac = net.ports[self.id as usize].mac;
        let heard = self.heard.unwrap_or(ArpPacket::probe(mac, [169, 254, 1, 1].into()));
        let mut bytes = self.claim(mac, &heard);
        match self.stream.below(8) {
            // Any byte may be any other.
            0..=3 => {
                for _ in 0..=self.stream.below(3) {
                    let at = self.stream.below(u32::try_from(bytes.len()).unwrap_or(1));
                    bytes[at as usize] = self.stream.next_u64().to_le_bytes()[0];
                }
            }
            4 => bytes.truncate(self.stream.below(42) as usize),
            5 => bytes.extend([0; 18]),
            6 => bytes = self.stream.next_u64().to_le_bytes().repeat(8),
            _ => {}
        }
        net.transmit(self.id, &bytes);
        let wait = Duration::from_millis(self.stream.between(20, 2000).into());
        net.wake(self.id, net.now() + wait, Alarm::PowerOn);
    }

    fn spoof(&mut self, net: &mut Net, heard: &ArpPacket) {
        let said = match self.stream.below(6) {
            0 => *heard,
            1 => ArpPacket { sender_ip: heard.target_ip, ..*heard },
            2 => ArpPacket { operation: Operation::Reply, ..*heard },
            _ => return,
        };
        self.later(net, 0, 5000, said.to_broadcast().to_vec());
    }
}

impl Peer for Liar {
    fn receive(&mut self, net: &mut Net, frame: &Transmission) {
        let is_own = frame.from == self.id;
        let Some((_, packet)) = frame.arp.filter(|_| !is_own && !net.is_calm()) else { return };
        let mac = net.ports[self.id as usize].mac;
        let is_request = packet.operation == Operation::Request;
        let probes = is_request && packet.sender_ip.is_unspecified();
        let announces = is_request && packet.sender_ip == packet.target_ip;
        self.heard = Some(packet);
        match self.habit {
            Habit::Denies if probes => {
                let lie = self.claim(mac, &packet);
                net.transmit(self.id, &lie);
            }
            Habit::DeniesLate if probes => {
                let lie = self.claim(mac, &packet);
                self.later(net, 100, 7000, lie);
            }
            Habit::Harasses if announces => {
                let lie = ArpPacket::announcement(mac, packet.sender_ip).to_broadcast().to_vec();
                self.later(net, 0, 3000, lie.clone());
                self.later(net, 3000, 15_000, lie);
            }
            Habit::Tracks if announces => {
                let probe = ArpPacket::probe(mac, packet.sender_ip).to_frame(packet.sender_mac);
                for _ in 0..3 {
                    self.later(net, 0, 10_000, probe.to_vec());
                }
            }
            Habit::Spoofs => self.spoof(net, &packet),
            Habit::Denies | Habit::DeniesLate | Habit::Harasses | Habit::Tracks | Habit::Floods => {
            }
        }
    }

    fn alarm(&mut self, net: &mut Net, alarm: Alarm) {
        if net.is_calm() {
            return;
        }
        if alarm == Alarm::PowerOn {
            return self.flood(net);
        }
        let now = net.now();
        let (due, later) = std::mem::take(&mut self.pending).into_iter().partition(|p| p.0 <= now);
        self.pending = later;
        for (_, bytes) in due {
            net.transmit(self.id, &bytes);
        }
    }
}
