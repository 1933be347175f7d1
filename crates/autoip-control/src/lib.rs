//! The control protocol of autoip: the Varlink interface [`INTERFACE`], as messages, as bytes, and
//! as a client.
//!
//! A message is a JSON object followed by a NUL byte, over a Unix stream socket. The interface
//! stands in `net.autoip.Manager.varlink`, and every type here is held to it by a test.
//!
//! - [`Method`] ties parameters to the reply that they get; [`Request`] is any call, checked;
//! - [`Status`], [`Event`] and their parts are what a daemon has to tell;
//! - [`Refusal`] is what it says instead;
//! - [`Inbox`] takes bytes in and gives messages out;
//! - [`Client`] calls a daemon and waits for its replies;
//! - [`exposition`] writes a status as Prometheus text.
//!
//! It must never panic on what the other side sends, nor keep more of it than a limit allows.
#![forbid(unsafe_code)]

mod client;
mod conflict;
mod event;
pub mod exposition;
mod inbox;
mod message;
mod method;
mod refusal;
mod request;
pub mod service;
mod status;

pub use client::{Client, Error, Replies};
pub use conflict::{Conflict, ConflictKind, Defend, Outcome};
pub use event::{AddressAcquired, AddressLost, Event, InterfaceRemoved, Loss, StateChanged};
pub use inbox::{Inbox, TooLong};
pub use message::{Call, Reply};
pub use method::{
    AddInterface, Claim, Method, Metrics, MetricsReply, Monitor, Nothing, Probe, ProbeReply, Range,
    Reannounce, Release, Reload, RemoveInterface, Status, Watch, WatchReply, is_host_addr,
};
pub use refusal::Refusal;
pub use request::Request;
pub use status::{
    Counters, Guard, GuardTier, Interface, Mode, Profile, Stage, State, StatusReply, Timing,
    Watched,
};

/// The name of the interface.
pub const INTERFACE: &str = "net.autoip.Manager";

/// Where the daemon listens unless it is told otherwise.
pub const DEFAULT_PATH: &str = "/run/autoip/net.autoip.Manager";

/// The interface in Varlink's own language.
pub const DESCRIPTION: &str = include_str!("net.autoip.Manager.varlink");
