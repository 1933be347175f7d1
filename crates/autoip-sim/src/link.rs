//! The link: which frames arrive where, and when.
//!
//! What happens to a frame on its way to one receiver follows from the run, the frame and the
//! receiver alone. Whether anybody else listens changes nothing, so that a run is the same
//! whichever hosts are asked.

use std::collections::{BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use autoip_wire::{ArpPacket, Ethernet};

use crate::clock::SimTime;
use crate::options::Options;
use crate::stream::{Purpose, Stream};

/// A frame on its way.
#[derive(Debug)]
pub(crate) struct Transmission {
    pub(crate) id: u64,
    pub(crate) at: SimTime,
    pub(crate) from: u32,
    /// The part of the link that it was sent on.
    pub(crate) segment: u8,
    pub(crate) bytes: Box<[u8]>,
    /// What the codec makes of it, where it is ARP.
    pub(crate) arp: Option<(Ethernet, ArpPacket)>,
    /// Whether the link's faults apply to it.
    faulty: bool,
}

impl Transmission {
    /// The addresses that it may matter for.
    pub(crate) fn addrs(&self) -> impl Iterator<Item = Ipv4Addr> {
        let arp = self.arp.map(|(_, packet)| packet);
        arp.into_iter().flat_map(|packet| [packet.sender_ip, packet.target_ip])
    }

    fn is_about(&self, addr: Ipv4Addr) -> bool {
        self.addrs().any(|about| about == addr)
    }
}

/// The link and its faults.
#[derive(Debug)]
pub(crate) struct Link {
    seed: u64,
    delay: Duration,
    jitter: Duration,
    loss: u32,
    duplicate: u32,
    echo: u32,
    frames: u64,
    /// Whether faults are over.
    pub(crate) calm: bool,
    /// Frames that have not arrived everywhere yet, for hosts that begin to care about them.
    in_flight: VecDeque<Rc<Transmission>>,
}

impl Link {
    pub(crate) fn new(seed: u64, options: &Options) -> Self {
        Self {
            seed,
            delay: options.delay(),
            jitter: options.jitter(),
            loss: options.loss,
            duplicate: options.duplicate,
            echo: options.echo,
            frames: 0,
            calm: false,
            in_flight: VecDeque::new(),
        }
    }

    /// Puts bytes on the link.
    pub(crate) fn send(
        &mut self,
        at: SimTime,
        from: u32,
        segment: u8,
        bytes: &[u8],
    ) -> Rc<Transmission> {
        self.frames += 1;
        Rc::new(Transmission {
            id: self.frames,
            at,
            from,
            segment,
            bytes: bytes.into(),
            arp: ArpPacket::parse(bytes).ok(),
            faulty: !self.calm,
        })
    }

    /// Keeps a frame for those who may begin to care about it before it has arrived.
    pub(crate) fn keep(&mut self, frame: Rc<Transmission>) {
        let oldest = frame.at;
        let longest = self.delay + self.jitter;
        while self.in_flight.front().is_some_and(|kept| kept.at + longest < oldest) {
            self.in_flight.pop_front();
        }
        self.in_flight.push_back(frame);
    }

    /// The frames about `addr` that may still be on their way.
    pub(crate) fn in_flight(&self, addr: Ipv4Addr) -> Vec<Rc<Transmission>> {
        self.in_flight.iter().filter(|frame| frame.is_about(addr)).cloned().collect()
    }

    /// When the copies of a frame arrive at `node`.
    pub(crate) fn arrivals(&self, frame: &Transmission, node: u32) -> [Option<SimTime>; 2] {
        let on_time = frame.at + self.delay;
        let is_own = frame.from == node;
        if !frame.faulty {
            return [(!is_own).then_some(on_time), None];
        }
        if is_own && self.echo == 0 {
            return [None, None];
        }
        let mut draw = Stream::new(self.seed, Purpose::Delivery, frame.id, node.into());
        if is_own && !draw.chance(self.echo) {
            return [None, None];
        }
        let copies = [true, draw.chance(self.duplicate)];
        copies.map(|exists| {
            let lost = draw.chance(self.loss);
            let late = draw.up_to(self.jitter);
            (exists && !lost).then(|| on_time + late)
        })
    }
}

/// Who cares about which address.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_addr: BTreeSet<(Ipv4Addr, u32)>,
    /// Nodes that want everything.
    everything: Vec<u32>,
}

impl Index {
    pub(crate) fn add(&mut self, addr: Ipv4Addr, node: u32) {
        self.by_addr.insert((addr, node));
    }

    pub(crate) fn remove(&mut self, addr: Ipv4Addr, node: u32) {
        self.by_addr.remove(&(addr, node));
    }

    pub(crate) fn add_for_everything(&mut self, node: u32) {
        self.everything.push(node);
    }

    /// Adds those who care about the frame to `found`, perhaps more than once.
    pub(crate) fn find(&self, frame: &Transmission, found: &mut Vec<u32>) {
        found.extend(&self.everything);
        for addr in frame.addrs() {
            let holders = self.by_addr.range((addr, 0)..=(addr, u32::MAX));
            found.extend(holders.map(|&(_, node)| node));
        }
    }
}
