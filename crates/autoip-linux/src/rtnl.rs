//! Links, addresses and routes of the network namespace (rtnetlink).
//!
//! [`Rtnl`] asks and changes, [`Monitor`] reports changes. Requests are built with
//! `netlink-packet-route`. Answers are read attribute by attribute, and only those attributes
//! that are wanted: a property of some unrelated driver that a parser does not know must not
//! hide an interface from the daemon.

mod address;
mod link;
mod message;
mod monitor;
mod neighbour;
mod route;
mod socket;

pub use address::Address;
pub use link::Link;
pub use monitor::{Event, Monitor, decode};
pub use route::{MAIN_TABLE, Route};
pub use socket::Rtnl;
