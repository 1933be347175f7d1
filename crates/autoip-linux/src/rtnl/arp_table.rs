//! Which hardware address the kernel knows for whom, on all interfaces.

use std::net::Ipv4Addr;

use autoip_wire::MacAddr;
use netlink_packet_route::neighbour::{NeighbourHeader, NeighbourMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Rtnl;
use super::neighbour::KNOWN;
use crate::netlink::{attributes, ipv4_of};
use crate::{Error, IfIndex, Result};

const HEADER_LEN: usize = 12;

/// A host on the link of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// The interface.
    pub index: IfIndex,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its hardware address.
    pub mac: MacAddr,
}

impl Rtnl {
    /// The IPv4 neighbours on all interfaces whose hardware address the kernel knows.
    pub fn arp_table(&mut self) -> Result<Vec<Neighbour>> {
        let mut message = NeighbourMessage::default();
        message.header.family = AddressFamily::Inet;
        self.list(RouteNetlinkMessage::GetNeighbour(message), libc::RTM_NEWNEIGH, decode)
            .map_err(|error| Error::new("list the neighbours", error))
    }
}

/// Reads the body of an RTM_NEWNEIGH message; `None` where it does not describe a known IPv4
/// neighbour with an Ethernet address.
pub(crate) fn decode(message: &[u8]) -> Option<Neighbour> {
    let header = NeighbourHeader::parse(message).ok()?;
    if header.family != AddressFamily::Inet || u16::from(header.state) & KNOWN == 0 {
        return None;
    }
    let (mut ip, mut mac) = (None, None);
    for (kind, value) in attributes(message, HEADER_LEN) {
        match kind {
            libc::NDA_DST => ip = ipv4_of(value),
            libc::NDA_LLADDR => mac = value.try_into().ok().map(MacAddr),
            _ => {}
        }
    }
    Some(Neighbour { index: IfIndex::new(header.ifindex)?, ip: ip?, mac: mac? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Writer;
    use proptest::prelude::*;

    fn message(state: u16) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(&[2, 0, 0, 0]);
        out.raw(&3u32.to_ne_bytes());
        out.raw(&state.to_ne_bytes());
        out.raw(&[0, 0]);
        out.attribute(libc::NDA_DST, &[169, 254, 7, 9]);
        out.attribute(libc::NDA_LLADDR, &[2, 0, 0, 0, 0, 9]);
        out.into_bytes()
    }

    #[test]
    fn a_neighbour_is_one_with_a_hardware_address() {
        let known = decode(&message(libc::NUD_STALE)).unwrap();
        assert_eq!((known.index.get(), known.ip), (3, [169, 254, 7, 9].into()));
        assert_eq!(known.mac, MacAddr([2, 0, 0, 0, 0, 9]));
        assert_eq!(decode(&message(libc::NUD_FAILED)), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }
    }
}
