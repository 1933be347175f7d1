//! What Monitor tells.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::conflict::Conflict;
use crate::status::State;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An address is announced and in use.
    AddressAcquired(AddressAcquired),
    /// An address is no longer ours.
    AddressLost(AddressLost),
    /// An interface is in another state; or in its present one, in the first replies.
    StateChanged(StateChanged),
    /// Another host claims an address.
    Conflict(Conflict),
    /// An interface is no longer managed.
    InterfaceRemoved(InterfaceRemoved),
}

/// Why an address is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Another host claims it.
    Conflict,
    /// The link is down.
    Carrier,
    /// The MAC address changed.
    MacChanged,
    /// A routable address took its place.
    Retired,
    /// The interface is no longer managed.
    Stopped,
    /// Others deleted it too often.
    Deleted,
    /// It is not in the range to choose from any longer.
    OutOfRange,
    /// Somebody asked for it.
    Released,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "another host claims it",
            Self::Carrier => "the link is down",
            Self::MacChanged => "the MAC address changed",
            Self::Retired => "a routable address is there",
            Self::Stopped => "the interface is no longer managed",
            Self::Deleted => "somebody keeps deleting it",
            Self::OutOfRange => "it is not in the range to choose from any longer",
            Self::Released => "released on request",
        })
    }
}

/// An address is announced and in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressAcquired {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// On which interface.
    pub interface: String,
    /// The name under which it is there, such as `eth0:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The address.
    pub addr: Ipv4Addr,
}

/// An address is no longer ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLost {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// On which interface.
    pub interface: String,
    /// The name under which it was there, such as `eth0:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The address.
    pub addr: Ipv4Addr,
    /// Why.
    pub loss: Loss,
}

/// An interface is in another state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChanged {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Which interface.
    pub interface: String,
    /// The state from here on.
    pub state: State,
    /// Its number.
    pub state_number: u8,
    /// The candidate, or the address in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<Ipv4Addr>,
}

/// An interface is no longer managed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceRemoved {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Which interface.
    pub interface: String,
}
