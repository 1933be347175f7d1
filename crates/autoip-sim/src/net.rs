//! What all nodes share: the time, the queue, the link with its ports, and those who look on.
//!
//! A node changes nothing but itself and this. It never sees another node.

use std::net::Ipv4Addr;
use std::rc::Rc;

use autoip_wire::MacAddr;

use crate::checker::{Audit, Fact};
use crate::clock::SimTime;
use crate::link::{Index, Link, Transmission};
use crate::options::{Delivery, Options};
use crate::queue::{Alarm, Event, Place, Queue, What};
use crate::trace::Trace;

/// Where a node is attached to the link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    pub(crate) mac: MacAddr,
    /// The part of a split link that it is on.
    pub(crate) segment: u8,
    pub(crate) carrier: bool,
    pub(crate) awake: bool,
    /// It takes in frames for others as well.
    pub(crate) promiscuous: bool,
}

/// What nodes share.
#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) seed: u64,
    pub(crate) options: Options,
    pub(crate) queue: Queue,
    pub(crate) ports: Vec<Port>,
    pub(crate) audit: Audit,
    pub(crate) trace: Trace,
    pub(crate) frames: u64,
    pub(crate) events: u64,
    link: Link,
    index: Index,
    /// The event that is being dealt with.
    place: Option<Place>,
    now: SimTime,
    receivers: Vec<u32>,
}

impl Net {
    pub(crate) fn new(seed: u64, options: &Options, audit: Audit, trace: Trace) -> Self {
        Self {
            seed,
            options: options.clone(),
            queue: Queue::default(),
            ports: Vec::new(),
            audit,
            trace,
            frames: 0,
            events: 0,
            link: Link::new(seed, options),
            index: Index::default(),
            place: None,
            now: SimTime::START,
            receivers: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> SimTime {
        self.now
    }

    /// Whether faults are over.
    pub(crate) fn is_calm(&self) -> bool {
        self.link.calm
    }

    /// Ends all faults of the link; frames under way still suffer theirs.
    pub(crate) fn calm(&mut self) {
        self.link.calm = true;
        for port in &mut self.ports {
            port.segment = 0;
        }
    }

    /// The next event up to `end`, whose time is now.
    pub(crate) fn next(&mut self, end: SimTime) -> Option<Event> {
        loop {
            let event = self.queue.pop_until(end)?;
            // A frame that was scheduled twice arrives once.
            let is_arrival = matches!(event.what, What::Arrival(_));
            if !is_arrival || self.place != Some(event.place) {
                self.place = Some(event.place);
                self.now = event.place.at;
                self.events += 1;
                return Some(event);
            }
        }
    }

    /// Lets the time pass up to `at`, when all that was due up to then has happened.
    pub(crate) fn pass(&mut self, at: SimTime) {
        self.now = self.now.max(at);
        self.place = Some(Place::after_all(self.now));
    }

    pub(crate) fn wake(&mut self, node: u32, at: SimTime, alarm: Alarm) {
        self.queue.alarm(at, node, alarm);
    }

    /// Puts bytes on the link from the port of `node`; without carrier they are gone.
    pub(crate) fn transmit(&mut self, node: u32, bytes: &[u8]) {
        let port = self.ports[node as usize];
        if !port.carrier || !port.awake {
            return;
        }
        self.frames += 1;
        let frame = self.link.send(self.now, node, port.segment, bytes);
        self.trace.note(self.now, node, bytes, Words(&frame));
        self.audit.note(self.now, node, &Fact::Sent(&frame));
        let mut receivers = std::mem::take(&mut self.receivers);
        match self.options.delivery {
            Delivery::All => receivers.extend(0..u32::try_from(self.ports.len()).unwrap_or(0)),
            Delivery::Indexed => {
                self.index.find(&frame, &mut receivers);
                receivers.sort_unstable();
                receivers.dedup();
                self.link.keep(Rc::clone(&frame));
            }
        }
        for node in receivers.drain(..) {
            self.schedule(&frame, node);
        }
        self.receivers = receivers;
    }

    fn schedule(&mut self, frame: &Rc<Transmission>, node: u32) {
        for (copy, at) in (0..).zip(self.link.arrivals(frame, node)) {
            let Some(at) = at else { continue };
            // Not what has passed already, for a node that begins to care about it just now.
            if Some(Queue::place_of_arrival(at, node, frame, copy)) > self.place {
                self.queue.arrival(at, node, Rc::clone(frame), copy);
            }
        }
    }

    /// From now on `node` cares about `addr`.
    pub(crate) fn listen(&mut self, node: u32, addr: Ipv4Addr) {
        self.index.add(addr, node);
        if self.options.delivery == Delivery::Indexed {
            for frame in self.link.in_flight(addr) {
                self.schedule(&frame, node);
            }
        }
    }

    /// `node` does not care about `addr` any more.
    pub(crate) fn ignore(&mut self, node: u32, addr: Ipv4Addr) {
        self.index.remove(addr, node);
    }

    /// `node` wants every frame, those for others included.
    pub(crate) fn listen_to_everything(&mut self, node: u32) {
        self.index.add_for_everything(node);
        self.ports[node as usize].promiscuous = true;
    }

    /// Whether the port of `node` takes a frame in that has come to it.
    pub(crate) fn takes_in(&self, node: u32, frame: &Transmission) -> bool {
        let port = &self.ports[node as usize];
        let destination = frame.bytes.get(..6).and_then(|mac| mac.try_into().ok()).map(MacAddr);
        let is_for_it = port.promiscuous
            || destination.is_some_and(|mac| mac.is_multicast() || mac == port.mac);
        port.carrier && port.awake && port.segment == frame.segment && is_for_it
    }
}

/// A frame in words.
struct Words<'a>(&'a Transmission);

impl std::fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((ethernet, packet)) = self.0.arp else {
            return write!(f, "sends {} bytes that are not ARP", self.0.bytes.len());
        };
        let to = ethernet.destination;
        let to = if to.is_broadcast() { "all".to_owned() } else { to.to_string() };
        write!(
            f,
            "sends to {to}: {:?} of {} at {} for {}",
            packet.operation, packet.sender_ip, packet.sender_mac, packet.target_ip
        )
    }
}
