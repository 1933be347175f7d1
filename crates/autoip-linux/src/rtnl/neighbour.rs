//! The hosts that the kernel knows on a link.

use std::net::Ipv4Addr;

use netlink_packet_route::neighbour::{NeighbourHeader, NeighbourMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Rtnl;
use crate::netlink::{attributes, ipv4_of};
use crate::{Error, IfIndex, Result};

const HEADER_LEN: usize = 12;

/// The states in which the kernel has a hardware address for a neighbour, fresh or not.
pub(super) const KNOWN: u16 =
    libc::NUD_REACHABLE | libc::NUD_STALE | libc::NUD_DELAY | libc::NUD_PROBE | libc::NUD_PERMANENT;

impl Rtnl {
    /// The IPv4 neighbours on one interface whose hardware address the kernel knows.
    pub fn neighbours(&mut self, index: IfIndex) -> Result<Vec<Ipv4Addr>> {
        let mut message = NeighbourMessage::default();
        message.header.family = AddressFamily::Inet;
        let request = RouteNetlinkMessage::GetNeighbour(message);
        self.list(request, libc::RTM_NEWNEIGH, |body| decode(body, index))
            .map_err(|error| Error::new(format!("list the neighbours on interface {index}"), error))
    }
}

/// Reads the body of an RTM_NEWNEIGH message; `None` where it does not describe a known IPv4
/// neighbour on `index`.
pub(crate) fn decode(message: &[u8], index: IfIndex) -> Option<Ipv4Addr> {
    let header = NeighbourHeader::parse(message).ok()?;
    let on_link = header.family == AddressFamily::Inet && header.ifindex == index.get();
    if !on_link || u16::from(header.state) & KNOWN == 0 {
        return None;
    }
    let mut ip = None;
    let mut has_mac = false;
    for (kind, value) in attributes(message, HEADER_LEN) {
        match kind {
            libc::NDA_DST => ip = ipv4_of(value),
            libc::NDA_LLADDR => has_mac = value.len() == 6,
            _ => {}
        }
    }
    ip.filter(|_| has_mac)
}
