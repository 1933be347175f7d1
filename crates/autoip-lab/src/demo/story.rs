//! What frames and changes mean, as a sentence, for one host of the demo.

use std::net::Ipv4Addr;

use autoip_core::Instant;
use autoip_lab::Seen;
use autoip_linux::IfIndex;
use autoip_linux::rtnl::Event;
use autoip_wire::{ArpPacket, Operation};

/// The daemon's defaults, which are the RFC's (RFC 3927 §9).
const PROBES: u8 = 3;
const ANNOUNCEMENTS: u8 = 2;

/// Something that was seen.
pub(super) struct Happening {
    pub(super) at: Instant,
    /// The number of the station that did it.
    pub(super) station: usize,
    pub(super) what: What,
}

pub(super) enum What {
    /// A station sent a frame.
    Frame(Seen),
    /// The network configuration of a host changed.
    Change(Event),
}

impl Happening {
    /// Whether `station` says that `addr` is its own.
    pub(super) fn is_announcement(&self, station: usize, addr: Ipv4Addr) -> bool {
        self.station == station
            && matches!(&self.what, What::Frame(seen) if seen.is_announcement_of(addr))
    }
}

/// What is known of a host from what was seen so far.
pub(super) struct Story {
    index: IfIndex,
    address: Option<Ipv4Addr>,
    carrier: bool,
    probes: Run,
    announcements: Run,
    /// Another host has claimed this address of ours, and there was no answer so far.
    challenged: Option<Ipv4Addr>,
}

/// How many frames of a kind came in a row for one address.
#[derive(Default)]
struct Run {
    addr: Option<Ipv4Addr>,
    count: u8,
}

impl Run {
    /// Counts a frame: its number, from 1 to `max`.
    fn next(&mut self, addr: Ipv4Addr, max: u8) -> u8 {
        let goes_on = self.addr == Some(addr) && self.count < max;
        self.count = if goes_on { self.count + 1 } else { 1 };
        self.addr = Some(addr);
        self.count
    }
}

impl Story {
    /// A host without address, whose interface has a carrier.
    pub(super) fn new(index: IfIndex) -> Self {
        let (probes, announcements) = (Run::default(), Run::default());
        Self { index, address: None, carrier: true, probes, announcements, challenged: None }
    }

    /// The address on the interface.
    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        self.address
    }

    /// The address on the interface once it has been announced as often as it should.
    pub(super) fn settled(&self) -> Option<Ipv4Addr> {
        let announced = self.announcements.count == ANNOUNCEMENTS;
        self.address.filter(|_| announced && self.announcements.addr == self.address)
    }

    /// Another host claims `addr`.
    pub(super) fn challenge(&mut self, addr: Ipv4Addr) {
        self.challenged = self.address.filter(|&own| own == addr);
    }

    /// Takes note of what happened, and tells it; `None` for what the audience need not know.
    pub(super) fn tell(&mut self, what: &What) -> Option<String> {
        match what {
            What::Frame(seen) => Some(self.tell_frame(seen)),
            What::Change(Event::AddressAdded(address)) if address.index == self.index => {
                // The kernel repeats itself when a property of the address changes.
                let before = self.address.replace(address.ip);
                (before != self.address).then(|| format!("{} is on the interface", address.ip))
            }
            What::Change(Event::AddressRemoved(address)) if self.address == Some(address.ip) => {
                self.forget();
                Some(format!("{} is off the interface", address.ip))
            }
            What::Change(Event::LinkChanged(link)) if link.index == self.index => {
                let before = std::mem::replace(&mut self.carrier, link.has_carrier());
                (before != self.carrier).then(|| {
                    let state = if self.carrier { "has a carrier again" } else { "has no carrier" };
                    format!("the interface {state}")
                })
            }
            What::Change(
                Event::AddressAdded(_)
                | Event::AddressRemoved(_)
                | Event::LinkChanged(_)
                | Event::LinkRemoved(_)
                | Event::RouteAdded(_)
                | Event::RouteRemoved(_)
                | Event::RuleAdded(_)
                | Event::RuleRemoved(_)
                | Event::Overrun,
            ) => None,
        }
    }

    fn forget(&mut self) {
        self.address = None;
        self.probes = Run::default();
        self.announcements = Run::default();
        self.challenged = None;
    }

    fn tell_frame(&mut self, seen: &Seen) -> String {
        let addr = seen.arp.target_ip;
        if seen.is_probe() {
            let number = self.probes.next(addr, PROBES);
            return format!("probe {number} of {PROBES}: who has {addr}?");
        }
        if seen.is_announcement() && self.challenged.take_if(|own| *own == addr).is_some() {
            return format!("defence: {addr} is mine");
        }
        if seen.is_announcement() {
            let number = self.announcements.next(addr, ANNOUNCEMENTS);
            return format!("announcement {number} of {ANNOUNCEMENTS}: {addr} is mine");
        }
        exchange(&seen.arp, seen.is_broadcast())
    }
}

/// Ordinary ARP traffic.
fn exchange(arp: &ArpPacket, broadcast: bool) -> String {
    let to = if broadcast { "everybody" } else { "one host" };
    match arp.operation {
        Operation::Request => format!("asks {to}: who has {}?", arp.target_ip),
        Operation::Reply => format!("tells {to}: {} is at {}", arp.sender_ip, arp.sender_mac),
    }
}
