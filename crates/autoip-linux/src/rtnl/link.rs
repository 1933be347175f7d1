//! Network interfaces, as the kernel describes them.

use autoip_wire::MacAddr;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::LinkHeader;

use crate::IfIndex;
use crate::netlink::{attributes, string_of, u32_of};

const HEADER_LEN: usize = 16;
const IFLA_INFO_KIND: u16 = 1;

const OPERSTATE_UNKNOWN: u8 = 0;
const OPERSTATE_UP: u8 = 6;

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: IfIndex,
    /// Its name, which can change.
    pub name: String,
    /// Its hardware address, where that has 48 bits.
    pub mac: Option<MacAddr>,
    /// Its hardware type (ARPHRD_*).
    pub hardware: u16,
    /// Set up by an administrator (IFF_UP).
    pub up: bool,
    /// The hardware has a carrier (IFF_LOWER_UP).
    pub lower_up: bool,
    /// Operational in the kernel's judgement (IFF_RUNNING).
    pub running: bool,
    /// ARP is switched off (IFF_NOARP).
    pub no_arp: bool,
    /// The loopback interface (IFF_LOOPBACK).
    pub loopback: bool,
    /// One peer only (IFF_POINTOPOINT).
    pub point_to_point: bool,
    /// The operational state of RFC 2863 (IF_OPER_*): 0 unknown, 6 up.
    pub operstate: u8,
    /// How often the carrier came or went. It tells of a loss that was over before anybody looked.
    pub carrier_changes: u32,
    /// The bridge, bond or other interface that it is a port of.
    pub master: Option<IfIndex>,
    /// What kind of virtual interface it is, such as "veth" or "bridge".
    pub kind: Option<String>,
}

impl Link {
    /// Whether frames can pass: up, with a carrier, and not held back by its operational state
    /// (a port waiting for authentication is dormant).
    #[must_use]
    pub fn has_carrier(&self) -> bool {
        self.up && self.lower_up && matches!(self.operstate, OPERSTATE_UNKNOWN | OPERSTATE_UP)
    }

    /// Why ARP cannot run here, as the end of a sentence that begins with the name; `None` where
    /// it can.
    #[must_use]
    pub fn unsuitable(&self) -> Option<String> {
        if self.loopback {
            Some("is the loopback interface".to_owned())
        } else if self.point_to_point {
            Some("is point-to-point".to_owned())
        } else if self.hardware != libc::ARPHRD_ETHER {
            Some(format!("is not Ethernet (ARPHRD {})", self.hardware))
        } else if self.no_arp {
            Some("has ARP switched off".to_owned())
        } else {
            None
        }
    }

    /// Reads the body of an RTM_NEWLINK message; `None` where it does not describe an interface.
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let header = LinkHeader::parse(message).ok()?;
        // Bridges report their ports with messages of the same type in their own family.
        if header.interface_family != AddressFamily::Unspec {
            return None;
        }
        let flags = header.flags.bits();
        let has = |flag: i32| flags & flag.cast_unsigned() != 0;
        let mut link = Self {
            index: IfIndex::new(header.index)?,
            name: String::new(),
            mac: None,
            hardware: header.link_layer_type.into(),
            up: has(libc::IFF_UP),
            lower_up: has(libc::IFF_LOWER_UP),
            running: has(libc::IFF_RUNNING),
            no_arp: has(libc::IFF_NOARP),
            loopback: has(libc::IFF_LOOPBACK),
            point_to_point: has(libc::IFF_POINTOPOINT),
            operstate: OPERSTATE_UNKNOWN,
            carrier_changes: 0,
            master: None,
            kind: None,
        };
        for (kind, value) in attributes(message, HEADER_LEN) {
            match kind {
                libc::IFLA_IFNAME => link.name = string_of(value),
                libc::IFLA_ADDRESS => link.mac = value.try_into().ok().map(MacAddr),
                libc::IFLA_OPERSTATE => link.operstate = *value.first()?,
                libc::IFLA_CARRIER_CHANGES => link.carrier_changes = u32_of(value)?,
                libc::IFLA_MASTER => link.master = u32_of(value).and_then(IfIndex::new),
                libc::IFLA_LINKINFO => link.kind = info_kind(value),
                // An event of a wireless driver: it names the interface but does not describe it.
                libc::IFLA_WIRELESS => return None,
                _ => {}
            }
        }
        (!link.name.is_empty()).then_some(link)
    }

    /// Reads the body of an RTM_DELLINK message; `None` where no interface went away.
    pub(super) fn decode_removed(message: &[u8]) -> Option<IfIndex> {
        let header = LinkHeader::parse(message).ok()?;
        // A bridge says with its own family that an interface is no longer one of its ports.
        if header.interface_family != AddressFamily::Unspec {
            return None;
        }
        IfIndex::new(header.index)
    }
}

fn info_kind(info: &[u8]) -> Option<String> {
    let (_, value) = attributes(info, 0).find(|(kind, _)| *kind == IFLA_INFO_KIND)?;
    Some(string_of(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ethernet() -> Link {
        Link {
            index: IfIndex::new(3).unwrap(),
            name: "eth0".to_owned(),
            mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            hardware: libc::ARPHRD_ETHER,
            up: true,
            lower_up: true,
            running: true,
            no_arp: false,
            loopback: false,
            point_to_point: false,
            operstate: OPERSTATE_UP,
            carrier_changes: 2,
            master: None,
            kind: None,
        }
    }

    #[test]
    fn a_carrier_needs_all_of_its_signs() {
        assert!(ethernet().has_carrier());
        assert!(Link { operstate: OPERSTATE_UNKNOWN, ..ethernet() }.has_carrier());
        assert!(!Link { up: false, ..ethernet() }.has_carrier());
        assert!(!Link { lower_up: false, ..ethernet() }.has_carrier());
        for dormant_or_down in [1, 2, 3, 4, 5] {
            assert!(!Link { operstate: dormant_or_down, ..ethernet() }.has_carrier());
        }
    }

    #[test]
    fn says_why_arp_cannot_run() {
        let why = |link: Link| link.unsuitable().unwrap();
        assert_eq!(ethernet().unsuitable(), None);
        assert_eq!(why(Link { loopback: true, ..ethernet() }), "is the loopback interface");
        assert_eq!(why(Link { point_to_point: true, ..ethernet() }), "is point-to-point");
        assert_eq!(why(Link { no_arp: true, ..ethernet() }), "has ARP switched off");
        assert_eq!(why(Link { hardware: 65534, ..ethernet() }), "is not Ethernet (ARPHRD 65534)");
    }
}
