//! Routes that lead nowhere: packets that take one are dropped or refused.

use std::net::Ipv4Addr;

use netlink_packet_route::route::{RouteHeader, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Rtnl;
use crate::netlink::{attributes, ipv4_of, u32_of};
use crate::{Error, Result};

const HEADER_LEN: usize = 12;

/// A route that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What `ip route` calls its kind: "blackhole", "unreachable" or "prohibit".
    pub kind: &'static str,
    /// The network that is refused.
    pub destination: Ipv4Addr,
    /// The length of its prefix.
    pub prefix_len: u8,
    /// The lower, the more it is preferred.
    pub metric: u32,
    /// The routing table.
    pub table: u32,
}

impl Rtnl {
    /// The IPv4 routes of all tables that lead nowhere.
    pub fn refusals(&mut self) -> Result<Vec<Refusal>> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        self.list(RouteNetlinkMessage::GetRoute(message), libc::RTM_NEWROUTE, decode)
            .map_err(|error| Error::new("list the routes that lead nowhere", error))
    }
}

/// Reads the body of an RTM_NEWROUTE message; `None` where it describes another route.
fn decode(message: &[u8]) -> Option<Refusal> {
    let header = RouteHeader::parse(message).ok()?;
    if header.address_family != AddressFamily::Inet {
        return None;
    }
    let kinds = [
        (RouteType::BlackHole, "blackhole"),
        (RouteType::Unreachable, "unreachable"),
        (RouteType::Prohibit, "prohibit"),
    ];
    let (_, kind) = kinds.into_iter().find(|(kind, _)| *kind == header.kind)?;
    let mut refusal = Refusal {
        kind,
        destination: Ipv4Addr::UNSPECIFIED,
        prefix_len: header.destination_prefix_length,
        metric: 0,
        table: u32::from(header.table),
    };
    for (kind, value) in attributes(message, HEADER_LEN) {
        match kind {
            libc::RTA_DST => refusal.destination = ipv4_of(value)?,
            libc::RTA_PRIORITY => refusal.metric = u32_of(value)?,
            libc::RTA_TABLE => refusal.table = u32_of(value)?,
            _ => {}
        }
    }
    Some(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Writer;
    use proptest::prelude::*;

    /// A route to 169.254.0.0/16 of a kind (RTN_*), in table 500.
    fn message(kind: u8) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(&[2, 16, 0, 0, 0, 3, 0, kind, 0, 0, 0, 0]);
        out.attribute(libc::RTA_TABLE, &500u32.to_ne_bytes());
        out.attribute(libc::RTA_DST, &[169, 254, 0, 0]);
        out.attribute(libc::RTA_PRIORITY, &7u32.to_ne_bytes());
        out.into_bytes()
    }

    #[test]
    fn only_routes_that_lead_nowhere_are_read() {
        let kind = |number| decode(&message(number)).map(|refusal| refusal.kind);
        assert_eq!(kind(1), None, "unicast");
        assert_eq!(kind(6), Some("blackhole"));
        assert_eq!(kind(7), Some("unreachable"));
        assert_eq!(kind(8), Some("prohibit"));
        let refusal = decode(&message(6)).unwrap();
        assert_eq!((refusal.metric, refusal.table, refusal.prefix_len), (7, 500, 16));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }
    }
}
