//! The methods: their parameters, and the replies that they get.

use std::net::Ipv4Addr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::conflict::{Conflict, Defend};
use crate::event::Event;
use crate::status::{Mode, Profile, StatusReply};

/// The parameters of a method.
pub trait Method: Serialize + DeserializeOwned {
    /// The name of the interface, a dot, and the name of the method.
    const NAME: &'static str;
    /// What comes back.
    type Reply: Serialize + DeserializeOwned;
}

/// A reply that says no more than that it was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// Begins to manage an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddInterface {
    /// Its name.
    pub interface: String,
    /// When it is to have an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The address to try first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Ipv4Addr>,
    /// The addresses to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The timing of claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What to do about conflicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defend: Option<Defend>,
}

/// Addresses to choose from, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The lowest.
    pub first: Ipv4Addr,
    /// The highest.
    pub last: Ipv4Addr,
}

/// Whether a host can have this address, so that it makes sense to ask for it on a link: not those
/// of nobody, of oneself, of groups and of everybody, 169.254.0.0 and 169.254.255.255 included.
#[must_use]
pub fn is_host_addr(addr: Ipv4Addr) -> bool {
    let ends = matches!(addr.octets(), [169, 254, 0, 0] | [169, 254, 255, 255] | [0, ..]);
    !(ends || addr.is_loopback() || addr.is_multicast() || addr.is_broadcast())
}

/// Gives the address of an interface up and manages it no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveInterface {
    /// Its name.
    pub interface: String,
}

/// Asks where everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Of this interface alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// Asks to be told what happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// On this interface alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// Claims an address on a managed interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name.
    pub interface: String,
    /// The address to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<Ipv4Addr>,
}

/// Gives the address of an interface up until [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its name.
    pub interface: String,
}

/// Announces addresses in use once more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reannounce {
    /// That of this interface alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// Asks whether an address is free on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The interface on the link.
    pub interface: String,
    /// The address.
    pub addr: Ipv4Addr,
    /// How long to take over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

/// Whether an address is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReply {
    /// Whether nobody objected.
    pub free: bool,
    /// Who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
}

/// Watches and defends an address that is on the interface already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The interface.
    pub interface: String,
    /// The address.
    pub addr: Ipv4Addr,
    /// What to do about conflicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defend: Option<Defend>,
}

/// What happened to a watched address; nothing in the first reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchReply {
    /// Another host claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// It was announced in defence.
    pub defended: bool,
}

/// Asks for the counters as Prometheus text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {}

/// The counters as Prometheus text, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsReply {
    /// The text.
    pub text: String,
}

/// Has the configuration read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {}

macro_rules! methods {
    ($($method:ident -> $reply:ty;)*) => {
        $(impl Method for $method {
            const NAME: &'static str = concat!("net.autoip.Manager.", stringify!($method));
            type Reply = $reply;
        })*
    };
}

methods! {
    AddInterface -> Nothing;
    RemoveInterface -> Nothing;
    Status -> StatusReply;
    Monitor -> Event;
    Claim -> Nothing;
    Release -> Nothing;
    Reannounce -> Nothing;
    Probe -> ProbeReply;
    Watch -> WatchReply;
    Metrics -> MetricsReply;
    Reload -> Nothing;
}
