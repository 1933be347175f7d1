//! Hosts with somebody else's software that claim addresses by their own timing and rules, with a
//! stock kernel under it that answers by unicast.

use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_core::LinkLocalAddr;
use autoip_wire::{ArpPacket, Operation};

use super::{Peer, owner};
use crate::clock::SimTime;
use crate::host::avahi_candidate;
use crate::link::Transmission;
use crate::net::Net;
use crate::queue::Alarm;
use crate::stream::{Purpose, Stream};

/// How a claimer behaves. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    wait: u32,
    probes: u8,
    gap: (u32, u32),
    listen: u32,
    announcements: u8,
    /// Whether it defends an address once in ten seconds, or leaves at once.
    defends: bool,
    /// Whether its first candidate is a weighted sum of its MAC address's bytes.
    sums: bool,
}

impl Style {
    /// Who speaks draft-07: four probes, exactly 2 s apart.
    pub(crate) const DRAFT_07: Self = Self {
        wait: 2000,
        probes: 4,
        gap: (2000, 2000),
        listen: 2000,
        announcements: 2,
        defends: true,
        sums: false,
    };
    /// avahi-autoipd: the RFC's times, a poor first choice, and no defence.
    pub(crate) const AVAHI: Self = Self {
        wait: 1000,
        probes: 3,
        gap: (1000, 2000),
        listen: 2000,
        announcements: 2,
        defends: false,
        sums: true,
    };
    /// systemd-networkd: all waits before the first announcement divided by 35.
    pub(crate) const SYSTEMD: Self = Self {
        wait: 28,
        probes: 3,
        gap: (28, 57),
        listen: 57,
        announcements: 2,
        defends: true,
        sums: false,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many probes are to come.
    Probing(u8),
    /// All probes are sent; or it rests after too many conflicts.
    Listening,
    /// It has the address; so many announcements are to come.
    Bound(u8),
}

/// A host with somebody else's software.
#[derive(Debug)]
pub(crate) struct Claimer {
    id: u32,
    style: Style,
    stream: Stream,
    state: State,
    candidate: LinkLocalAddr,
    addresses: u32,
    due: Option<SimTime>,
    conflicts: u8,
    defended_at: Option<SimTime>,
}

impl Claimer {
    pub(crate) fn new(net: &mut Net, id: u32, style: Style) -> Self {
        let mut stream = Stream::new(net.seed, Purpose::Peer, id.into(), 0);
        let addresses = net.options.addresses();
        let summed = avahi_candidate(net.ports[id as usize].mac);
        let candidate = match style.sums {
            true if u32::from(summed.index()) < addresses => summed,
            _ => drawn(&mut stream, addresses),
        };
        net.listen(id, candidate.ip());
        net.wake(id, SimTime::START, Alarm::PowerOn);
        Self {
            id,
            style,
            stream,
            state: State::Probing(style.probes),
            candidate,
            addresses,
            due: None,
            conflicts: 0,
            defended_at: None,
        }
    }

    fn wait(&mut self, net: &mut Net, low_ms: u32, high_ms: u32) {
        let span = Duration::from_millis((high_ms - low_ms).into());
        let wait = Duration::from_millis(low_ms.into()) + self.stream.up_to(span);
        let at = net.now() + wait;
        self.due = Some(at);
        net.wake(self.id, at, Alarm::Timer);
    }

    /// Goes on with another address.
    fn move_on(&mut self, net: &mut Net) {
        net.ignore(self.id, self.candidate.ip());
        self.candidate = drawn(&mut self.stream, self.addresses);
        net.listen(self.id, self.candidate.ip());
        self.state = State::Probing(self.style.probes);
        self.conflicts = self.conflicts.saturating_add(1);
        let rest = if self.conflicts >= 10 { 60_000 } else { 0 };
        self.wait(net, rest, rest + self.style.wait);
    }

    fn step(&mut self, net: &mut Net) {
        let mac = net.ports[self.id as usize].mac;
        let addr = self.candidate.ip();
        match self.state {
            State::Probing(left) => {
                net.transmit(self.id, &ArpPacket::probe(mac, addr).to_broadcast());
                if left > 1 {
                    self.state = State::Probing(left - 1);
                    self.wait(net, self.style.gap.0, self.style.gap.1);
                } else {
                    self.state = State::Listening;
                    self.wait(net, self.style.listen, self.style.listen);
                }
            }
            State::Listening => {
                self.state = State::Bound(self.style.announcements);
                self.conflicts = 0;
                self.step(net);
            }
            State::Bound(left) if left > 0 => {
                net.transmit(self.id, &ArpPacket::announcement(mac, addr).to_broadcast());
                self.state = State::Bound(left - 1);
                self.wait(net, 2000, 2000);
            }
            State::Bound(_) => {}
        }
    }

    fn on_conflict(&mut self, net: &mut Net) {
        let is_bound = matches!(self.state, State::Bound(_));
        let rested = |at: SimTime| net.now() - at >= Duration::from_secs(10);
        if is_bound && self.style.defends && self.defended_at.is_none_or(rested) {
            self.defended_at = Some(net.now());
            let mac = net.ports[self.id as usize].mac;
            let defence = ArpPacket::announcement(mac, self.candidate.ip());
            net.transmit(self.id, &defence.to_broadcast());
        } else {
            self.move_on(net);
        }
    }
}

fn drawn(stream: &mut Stream, addresses: u32) -> LinkLocalAddr {
    let index = u16::try_from(stream.below(addresses)).unwrap_or(0);
    LinkLocalAddr::from_index(index).unwrap_or(LinkLocalAddr::FIRST)
}

impl Peer for Claimer {
    fn receive(&mut self, net: &mut Net, frame: &Transmission) {
        let Some((_, packet)) = frame.arp else { return };
        let addr = self.candidate.ip();
        if packet.sender_mac == net.ports[self.id as usize].mac {
            return;
        }
        let is_bound = matches!(self.state, State::Bound(_));
        let competes = packet.operation == Operation::Request
            && packet.sender_ip.is_unspecified()
            && packet.target_ip == addr;
        if packet.sender_ip == addr || (competes && !is_bound) {
            self.on_conflict(net);
        } else if is_bound {
            owner::answer(net, self.id, addr, frame);
        }
    }

    fn alarm(&mut self, net: &mut Net, alarm: Alarm) {
        match alarm {
            Alarm::PowerOn => self.wait(net, 0, self.style.wait),
            Alarm::Timer if self.due == Some(net.now()) => self.step(net),
            Alarm::Timer | Alarm::Installed(_) | Alarm::Fault(_) => {}
        }
    }

    fn talk(&self, net: &mut Net, target: Ipv4Addr) {
        if let Some(addr) = self.addr() {
            owner::ask(net, self.id, addr, target);
        }
    }

    fn addr(&self) -> Option<Ipv4Addr> {
        matches!(self.state, State::Bound(_)).then(|| self.candidate.ip())
    }
}
