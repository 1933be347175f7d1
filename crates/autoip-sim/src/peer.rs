//! Hosts that are not ours.

mod claimer;
mod crowd;
mod liar;
mod owner;

use std::fmt::Debug;
use std::net::Ipv4Addr;

use crate::link::Transmission;
use crate::net::Net;
use crate::queue::Alarm;

pub(crate) use claimer::{Claimer, Style};
pub(crate) use crowd::Crowd;
pub(crate) use liar::{Habit, Liar};
pub(crate) use owner::Owner;

/// A node that is not ours.
pub(crate) trait Peer: Debug {
    /// A frame that its port took in.
    fn receive(&mut self, net: &mut Net, frame: &Transmission);

    /// Something that it waited for is due.
    fn alarm(&mut self, net: &mut Net, alarm: Alarm);

    /// An application wants to reach `target`.
    fn talk(&self, _net: &mut Net, _target: Ipv4Addr) {}

    /// The address that it uses.
    fn addr(&self) -> Option<Ipv4Addr> {
        None
    }
}
