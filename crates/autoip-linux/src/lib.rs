//! The Linux edge of autoip: everything that talks to the kernel.
//!
//! - [`PacketSocket`] sends and receives ARP frames on one interface;
//! - [`rtnl`] reads and changes links, addresses, routes and rules, and reports their changes;
//! - [`nft`] installs packet filter rules;
//! - [`sock_diag`] finds and ends the sockets that use an address;
//! - [`Poller`], [`Timer`], [`Signals`] and [`ClockJump`] are the parts of a loop on one thread;
//! - [`Peer`] tells who is at the other end of a Unix socket;
//! - [`boottime`], [`SuspendWatch`], [`seed`], [`missing`](capability::missing), [`InterfaceLock`],
//!   [`running()`] and [`die_with_parent`] are what else a program asks of its system;
//! - [`Worker`] is a second process for scripts, and [`as_script`], [`kill_group`], [`ChildEnds`],
//!   [`wait_ready`] and [`Facts`] are what it needs;
//! - [`confine`] gives up what a daemon does not need once everything is open;
//! - [`Launch`], [`Title`] and [`command_of`] are for daemons of the old kind.
//!
//! It owns no policy and no protocol: it says what happened and does what it is told. Points in
//! time are [`autoip_core::Instant`]s that count nanoseconds on CLOCK_BOOTTIME. It is the only
//! crate of the project with `unsafe` code.
#![deny(unsafe_op_in_unsafe_fn)]

pub mod capability;
mod children;
mod clock;
pub mod confine;
mod entropy;
mod error;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod ifreq;
mod index;
mod launch;
mod lock;
mod netlink;
pub mod nft;
mod packet;
mod peer;
mod poller;
mod process;
mod ready;
pub mod rtnl;
mod running;
mod signal;
pub mod sock_diag;
mod timer;
mod title;
mod worker;

pub use children::ChildEnds;
pub use clock::{ClockJump, SuspendWatch, boottime, realtime};
pub use entropy::seed;
pub use error::{Error, Result};
pub use filter::ArpFilter;
pub use filter::sibling::{Port, SIBLINGS_MAX};
pub use ifreq::{Facts, driver};
pub use index::IfIndex;
pub use launch::{Launch, Side};
pub use lock::{Acquire, InterfaceLock};
pub use packet::sibling::SiblingSocket;
pub use packet::{Direction, PacketSocket, Received};
pub use peer::{Peer, connect_now};
pub use poller::{Poller, Readiness};
pub use process::{
    as_script, ask_to_announce, ask_to_end, command_of, die_with_parent, kill_group,
};
pub use ready::wait_ready;
pub use running::{Running, running};
pub use signal::{Signal, Signals};
pub use timer::Timer;
pub use title::{Title, set_name};
pub use worker::{Channel, Message, Worker};
