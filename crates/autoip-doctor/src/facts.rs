//! What is the case on this host, as plain data: all that the checks know.

use std::net::Ipv4Addr;

use autoip_linux::IfIndex;
use autoip_linux::rtnl::{
    Address, Conf, Link, MAIN_TABLE, Neighbour, Refusal, Route, RouteKind, Rule,
};
use autoip_wire::{LINK_LOCAL_NET, MacAddr, is_link_local};

use crate::Tier;
use crate::manager::Manager;
use crate::numbers;
use crate::resolver::Resolver;

/// 169.254.0.0/16 is never divided (RFC 3927 §2.8).
pub(crate) const LINK_LOCAL_PREFIX: u8 = 16;
/// The network of a single address.
pub(crate) const HOST_PREFIX: u8 = 32;
/// Valid on the link only (RT_SCOPE_LINK).
const SCOPE_LINK: u8 = 253;

/// Everything that was found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// All interfaces of the network namespace but loopback, examined or not.
    pub(crate) interfaces: Vec<Interface>,
    /// The routes of the main table and of autoipd's own tables.
    pub(crate) routes: Vec<Route>,
    /// The routes of all tables that lead nowhere.
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) neighbours: Vec<Neighbour>,
    /// Other programs that claim link-local addresses here.
    pub(crate) managers: Vec<Manager>,
    /// How much of its guard autoipd says is in force.
    pub(crate) tier: Option<Tier>,
    pub(crate) resolver: Resolver,
    /// What came of the probes, where some were sent.
    pub(crate) probed: Probed,
    pub(crate) unseen: Vec<Unseen>,
}

/// An interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) link: Link,
    pub(crate) addresses: Vec<Address>,
    pub(crate) settings: Vec<Setting>,
    /// Findings about it are wanted.
    pub(crate) examined: bool,
    /// It was asked for by name.
    pub(crate) asked: bool,
    /// Autoipd manages it.
    pub(crate) managed: bool,
    /// The process of that autoipd, where it can be seen.
    pub(crate) daemon: Option<u32>,
    /// Whether autoipd's packet filter guards it; `None` where that could not be seen.
    pub(crate) gate: Option<bool>,
}

/// A setting of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) conf: Conf,
    /// The interface's own value.
    pub(crate) own: i32,
    /// That of all interfaces.
    pub(crate) all: i32,
}

/// What ARP probes showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Probed {
    /// Pairs of interfaces: what the first one sent, the second one received.
    pub(crate) joined: Vec<(IfIndex, IfIndex)>,
    /// Who answered for several random addresses on an interface.
    pub(crate) proxies: Vec<Proxy>,
    /// Who else answered for a link-local address of this host.
    pub(crate) rivals: Vec<Neighbour>,
}

/// Somebody who answers for whatever is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) index: IfIndex,
    pub(crate) mac: MacAddr,
    /// The random addresses that it answered for.
    pub(crate) answered: Vec<Ipv4Addr>,
    /// How many were asked for.
    pub(crate) asked: usize,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unseen {
    pub(crate) interface: Option<String>,
    /// What it is, to follow "could not see".
    pub(crate) what: String,
    /// What was in the way.
    pub(crate) why: String,
    /// What would help.
    pub(crate) remedy: String,
}

impl Setting {
    /// What counts for most settings.
    pub(crate) fn effective(self) -> i32 {
        self.own.max(self.all)
    }
}

impl Interface {
    pub(crate) fn name(&self) -> &str {
        &self.link.name
    }

    pub(crate) fn index(&self) -> IfIndex {
        self.link.index
    }

    /// A setting, where it could be read.
    pub(crate) fn setting(&self, conf: Conf) -> Option<Setting> {
        self.settings.iter().copied().find(|setting| setting.conf == conf)
    }

    /// Its link-local addresses, whoever put them there.
    pub(crate) fn link_local(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|address| is_link_local(address.ip))
    }

    pub(crate) fn routable(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|address| !is_link_local(address.ip))
    }

    /// Whether link-local addressing is wanted here: an address is there, or autoipd is to
    /// get one.
    pub(crate) fn takes_part(&self) -> bool {
        self.managed || self.link_local().next().is_some()
    }

    /// Whether an address is autoipd's. Kernels before 5.18 do not keep who added it.
    pub(crate) fn is_ours(&self, address: &Address) -> bool {
        let looks_like_ours = address.scope == SCOPE_LINK
            && address.no_prefix_route
            && address.prefix_len == LINK_LOCAL_PREFIX;
        address.protocol == numbers::PROTOCOL
            || (self.managed && address.protocol == 0 && looks_like_ours)
    }

    /// Whether ARP can run here.
    pub(crate) fn is_usable(&self) -> bool {
        self.link.unsuitable().is_none() && self.link.master.is_none()
    }
}

impl Facts {
    pub(crate) fn examined(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(|interface| interface.examined)
    }

    /// What an interface is called.
    pub(crate) fn name(&self, index: IfIndex) -> String {
        let known = self.interfaces.iter().find(|interface| interface.index() == index);
        known.map_or_else(|| format!("interface {index}"), |known| known.name().to_owned())
    }

    /// The unicast routes of the main table.
    pub(crate) fn main_routes(&self) -> impl Iterator<Item = &Route> {
        let in_main = |route: &&Route| route.table == MAIN_TABLE;
        self.routes.iter().filter(in_main).filter(|route| route.kind == RouteKind::Unicast)
    }

    /// The route that has all of 169.254.0.0/16 on the link of an interface, the best of them.
    pub(crate) fn on_link_route(&self, index: IfIndex) -> Option<&Route> {
        self.main_routes()
            .filter(|route| route.index == index && route.gateway.is_none())
            .filter(|route| route.destination == LINK_LOCAL_NET)
            .filter(|route| route.prefix_len == LINK_LOCAL_PREFIX)
            .min_by_key(|route| route.metric)
    }

    /// The default route that decides.
    pub(crate) fn default_route(&self) -> Option<&Route> {
        self.default_routes().min_by_key(|route| route.metric)
    }

    pub(crate) fn default_routes(&self) -> impl Iterator<Item = &Route> {
        self.main_routes().filter(|route| route.prefix_len == 0)
    }

    /// Other interfaces with a carrier and an address, on which ARP runs.
    pub(crate) fn others(&self, index: IfIndex) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(move |other| {
            other.index() != index
                && other.is_usable()
                && other.link.has_carrier()
                && !other.addresses.is_empty()
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
