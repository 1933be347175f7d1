//! IPv4 routes.

use std::net::Ipv4Addr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Rtnl;
use crate::netlink::{attributes, ipv4_of, u32_of};
use crate::{Error, IfIndex, Result};

const HEADER_LEN: usize = 12;

/// The number of the routing table that is used unless a rule says otherwise.
pub const MAIN_TABLE: u32 = RouteHeader::RT_TABLE_MAIN as u32;

/// The number of the routing table that is asked first, for the host's own addresses and for
/// broadcast.
pub const LOCAL_TABLE: u32 = libc::RT_TABLE_LOCAL as u32;

/// An IPv4 route over one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What becomes of packets that take it.
    pub kind: RouteKind,
    /// The interface that it leads over.
    pub index: IfIndex,
    /// The network that it leads to.
    pub destination: Ipv4Addr,
    /// The length of the destination's prefix; 0 makes it a default route.
    pub prefix_len: u8,
    /// How far the destination is (RT_SCOPE_*): 0 behind a gateway, 253 on the link.
    pub scope: u8,
    /// The lower, the more it is preferred.
    pub metric: u32,
    /// The source address for traffic of sockets that have none.
    pub source: Option<Ipv4Addr>,
    /// Who added it (RTPROT_*).
    pub protocol: u8,
    /// The router, where the destination is not on the link itself.
    pub gateway: Option<Ipv4Addr>,
    /// The routing table.
    pub table: u32,
}

/// What becomes of packets that take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// They are sent to one host.
    Unicast,
    /// They are sent to all hosts of the link.
    Broadcast,
}

impl Route {
    /// Reads the body of an RTM_NEWROUTE or RTM_DELROUTE message; `None` where it does not
    /// describe a unicast or broadcast IPv4 route over one interface.
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let header = RouteHeader::parse(message).ok()?;
        if header.address_family != AddressFamily::Inet || header.flags.contains(RouteFlags::Cloned)
        {
            return None;
        }
        let kind = [RouteKind::Unicast, RouteKind::Broadcast]
            .into_iter()
            .find(|kind| kind.to_type() == header.kind)?;
        let mut index = None;
        let mut route = Self {
            kind,
            index: IfIndex::new(1)?,
            destination: Ipv4Addr::UNSPECIFIED,
            prefix_len: header.destination_prefix_length,
            scope: header.scope.into(),
            metric: 0,
            source: None,
            protocol: header.protocol.into(),
            gateway: None,
            table: u32::from(header.table),
        };
        for (kind, value) in attributes(message, HEADER_LEN) {
            match kind {
                libc::RTA_OIF => index = u32_of(value).and_then(IfIndex::new),
                libc::RTA_DST => route.destination = ipv4_of(value)?,
                libc::RTA_PRIORITY => route.metric = u32_of(value)?,
                libc::RTA_PREFSRC => route.source = ipv4_of(value),
                libc::RTA_GATEWAY => route.gateway = ipv4_of(value),
                libc::RTA_TABLE => route.table = u32_of(value)?,
                _ => {}
            }
        }
        route.index = index?;
        Some(route)
    }

    fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = AddressFamily::Inet;
        header.destination_prefix_length = self.prefix_len;
        header.protocol = self.protocol.into();
        header.scope = self.scope.into();
        header.kind = self.kind.to_type();
        let attributes = &mut message.attributes;
        attributes.push(RouteAttribute::Table(self.table));
        attributes.push(RouteAttribute::Oif(self.index.get()));
        if self.prefix_len != 0 {
            attributes.push(RouteAttribute::Destination(RouteAddress::Inet(self.destination)));
        }
        if self.metric != 0 {
            attributes.push(RouteAttribute::Priority(self.metric));
        }
        if let Some(source) = self.source {
            attributes.push(RouteAttribute::PrefSource(RouteAddress::Inet(source)));
        }
        if let Some(gateway) = self.gateway {
            attributes.push(RouteAttribute::Gateway(RouteAddress::Inet(gateway)));
        }
        message
    }

    /// Whether both lead to the same network over the same interface with the same preference,
    /// so that only one of them is ever used.
    fn rivals(&self, other: &Self) -> bool {
        let place = |r: &Self| (r.kind, r.index, r.destination, r.prefix_len, r.metric, r.table);
        place(self) == place(other) && self.protocol == other.protocol
    }

    fn to_op(&self, verb: &str) -> String {
        let Self { destination, prefix_len, index, .. } = self;
        format!("{verb} the route {destination}/{prefix_len} over interface {index}")
    }
}

impl RouteKind {
    const fn to_type(self) -> RouteType {
        match self {
            Self::Unicast => RouteType::Unicast,
            Self::Broadcast => RouteType::Broadcast,
        }
    }
}

impl Rtnl {
    /// The unicast IPv4 routes of the main table, without multipath routes.
    pub fn routes(&mut self) -> Result<Vec<Route>> {
        let mut routes = self.routes_of(MAIN_TABLE)?;
        routes.retain(|route| route.kind == RouteKind::Unicast);
        Ok(routes)
    }

    /// The unicast and broadcast IPv4 routes of a table, without multipath routes.
    pub fn routes_of(&mut self, table: u32) -> Result<Vec<Route>> {
        self.look_through(|route| (route.table == table).then_some(route))
    }

    /// The unicast and broadcast IPv4 routes of all tables, without multipath routes.
    pub fn routes_of_all_tables(&mut self) -> Result<Vec<Route>> {
        self.look_through(Some)
    }

    /// The unicast and broadcast IPv4 routes of all tables that bear a protocol number, without
    /// multipath routes.
    pub fn routes_with(&mut self, protocol: u8) -> Result<Vec<Route>> {
        self.look_through(|route| (route.protocol == protocol).then_some(route))
    }

    /// The routers that routes of any table lead to, each once, without those of multipath routes.
    pub fn gateways(&mut self) -> Result<Vec<Ipv4Addr>> {
        let mut gateways = self.look_through(|route| route.gateway)?;
        gateways.sort_unstable();
        gateways.dedup();
        Ok(gateways)
    }

    /// What `wanted` finds in the routes of all tables: a router may have a million of them.
    fn look_through<T>(&mut self, wanted: impl Fn(Route) -> Option<T>) -> Result<Vec<T>> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        let request = RouteNetlinkMessage::GetRoute(message);
        let decode = |body: &[u8]| Route::decode(body).and_then(&wanted);
        self.list(request, libc::RTM_NEWROUTE, decode)
            .map_err(|error| Error::new("list the routes", error))
    }

    /// Adds a route, in the place of one with the same protocol that leads to the same network
    /// over the same interface with the same metric.
    ///
    /// The kernel's own "replace" would take the place of another interface's route as well.
    pub fn add_route(&mut self, route: &Route) -> Result<()> {
        if self.insert_route(route, NLM_F_EXCL)? {
            return Ok(());
        }
        // Something with the same destination and metric is there: the same route, one that is
        // to be replaced, or somebody else's. Only a look at all of them can tell.
        let rivals = |other: &Route| other.rivals(route) && other != route;
        let old: Vec<_> = self.routes_of(route.table)?.into_iter().filter(rivals).collect();
        // To the kernel no source means any, the new one's as well: such a route goes before.
        let (anonymous, others): (Vec<_>, Vec<_>) =
            old.into_iter().partition(|other| other.source.is_none());
        for other in &anonymous {
            self.remove_route(other)?;
        }
        // Without further flags the kernel puts ours in front of everybody else's.
        self.insert_route(route, 0)?;
        for other in &others {
            self.remove_route(other)?;
        }
        Ok(())
    }

    /// Adds a route. `false` when the kernel has one that forbids it.
    fn insert_route(&mut self, route: &Route, flag: u16) -> Result<bool> {
        let request = RouteNetlinkMessage::NewRoute(route.message());
        match self.change(request, NLM_F_CREATE | flag) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(false),
            Err(error) => Err(Error::new(route.to_op("add"), error)),
        }
    }

    /// Removes a route. `false` when it, or the interface, was not there.
    ///
    /// To the kernel a metric of 0 and a missing source or gateway mean "any".
    pub fn remove_route(&mut self, route: &Route) -> Result<bool> {
        let request = RouteNetlinkMessage::DelRoute(route.message());
        match self.change(request, 0) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ESRCH | libc::ENODEV)) => {
                Ok(false)
            }
            Err(error) => Err(Error::new(route.to_op("remove"), error)),
        }
    }
}
