//! The one queue of everything that is yet to happen.
//!
//! What happens at the same nanosecond happens in an order that follows from the events
//! themselves, never from the order in which they were put in: so a run does not change when
//! something is scheduled a little earlier or twice.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::clock::SimTime;
use crate::link::Transmission;

/// Where an event stands among all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) at: SimTime,
    rank: u8,
    /// For frames: when it arrived, and which frame it is.
    order: (SimTime, u64),
    node: u32,
    copy: u8,
}

impl Place {
    /// The place after everything that happens at `at`.
    pub(crate) fn after_all(at: SimTime) -> Self {
        Self { at, rank: u8::MAX, order: (at, 0), node: 0, copy: 0 }
    }
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A frame arrives at its port.
    Arrival(Rc<Transmission>),
    /// The program reads a frame that arrived while it was busy.
    Reading(Rc<Transmission>, SimTime),
    /// Something that it waits for is due.
    Alarm(Alarm),
}

/// What a node can wait for, in the order in which it happens at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// The power is switched on.
    PowerOn,
    /// The kernel has put the address on the interface, or has not; the number tells which
    /// request it was.
    Installed(u32),
    /// Its own timer.
    Timer,
    /// Something goes wrong, or is right again.
    Fault(Fault),
}

/// What can go wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Unplug,
    Plug,
    Suspend,
    Resume,
    NewMac,
    Stop,
    Start,
    Delete,
    /// An application wants to reach somebody: no fault, but it comes at random as they do.
    Talk,
}

/// An event with its place.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) place: Place,
    pub(crate) what: What,
}

impl Event {
    pub(crate) fn node(&self) -> u32 {
        self.place.node
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Event>>,
}

impl Queue {
    /// A frame's copy will arrive.
    pub(crate) fn arrival(&mut self, at: SimTime, node: u32, frame: Rc<Transmission>, copy: u8) {
        let place = Self::place_of_arrival(at, node, &frame, copy);
        self.heap.push(Reverse(Event { place, what: What::Arrival(frame) }));
    }

    pub(crate) fn place_of_arrival(
        at: SimTime,
        node: u32,
        frame: &Transmission,
        copy: u8,
    ) -> Place {
        Place { at, rank: 0, order: (at, frame.id), node, copy }
    }

    /// A frame that arrived at `arrived` will be read.
    pub(crate) fn reading(
        &mut self,
        at: SimTime,
        node: u32,
        frame: Rc<Transmission>,
        arrived: SimTime,
    ) {
        // Before alarms: what has arrived goes in before what is due.
        let place = Place { at, rank: 0, order: (arrived, frame.id), node, copy: 0 };
        self.heap.push(Reverse(Event { place, what: What::Reading(frame, arrived) }));
    }

    pub(crate) fn alarm(&mut self, at: SimTime, node: u32, alarm: Alarm) {
        let (rank, number) = match alarm {
            Alarm::PowerOn => (1, 0),
            Alarm::Installed(request) => (2, request.into()),
            Alarm::Timer => (3, 0),
            Alarm::Fault(fault) => (4, fault as u64),
        };
        let place = Place { at, rank, order: (SimTime::START, number), node, copy: 0 };
        self.heap.push(Reverse(Event { place, what: What::Alarm(alarm) }));
    }

    pub(crate) fn pop_until(&mut self, end: SimTime) -> Option<Event> {
        if self.heap.peek()?.0.place.at > end {
            return None;
        }
        self.heap.pop().map(|Reverse(event)| event)
    }
}
