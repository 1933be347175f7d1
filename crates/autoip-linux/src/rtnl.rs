//! Links, addresses, routes and rules of the network namespace (rtnetlink).
//!
//! [`Rtnl`] asks and changes, [`Monitor`] reports changes. Requests are built with
//! `netlink-packet-route`. Answers are read attribute by attribute, and only those attributes
//! that are wanted: a property of some unrelated driver that a parser does not know must not
//! hide an interface from the daemon.

mod address;
pub(crate) mod arp_table;
pub(crate) mod conf;
mod link;
mod monitor;
pub(crate) mod neighbour;
pub(crate) mod neighbour_setting;
mod refusal;
mod route;
mod rule;
mod socket;

pub use address::Address;
pub use arp_table::Neighbour;
pub use conf::{Conf, conf_of_all};
pub use link::Link;
pub use monitor::{Event, Monitor, decode};
pub use neighbour_setting::NeighbourSetting;
pub use refusal::Refusal;
pub use route::{LOCAL_TABLE, MAIN_TABLE, Route, RouteKind};
pub use rule::Rule;
pub use socket::Rtnl;
