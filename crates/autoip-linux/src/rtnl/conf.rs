//! The IPv4 settings of interfaces: what `/proc/sys/net/ipv4/conf` shows as files.
//!
//! Those of one interface are read and set over rtnetlink, which knows it by its number: no name
//! can lead elsewhere or change meanwhile, and it works where `/proc/sys` is read-only. The
//! settings of all interfaces together are not to be had there.

use std::{fs, io};

use netlink_packet_core::DefaultNla;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet, AfSpecUnspec, LinkAttribute, LinkHeader, LinkMessage,
};

use super::Rtnl;
use crate::netlink::{Writer, attributes};
use crate::{Error, IfIndex, Result};

const LINK_HEADER_LEN: usize = 16;
const AF_SPEC_INET: u16 = 2;
const IFLA_INET_CONF: u16 = 1;
const SETTING_LEN: usize = 4;

/// A setting.
///
/// For most of them what counts is the greater of the interface's value and
/// [that of all interfaces](conf_of_all).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conf {
    /// Packets that come in here are passed on; the interface's value alone counts.
    Forwarding,
    /// ARP requests for addresses elsewhere are answered; one of both values is enough.
    ProxyArp,
    /// Whether packets are dropped whose source lies elsewhere: 0 no, 1 strict, 2 loose.
    RpFilter,
    /// Which address is the sender of ARP requests: 0 any, 2 the best one of the interface.
    ArpAnnounce,
    /// Which ARP requests are answered: 0 those for any address of the host, 1 those for
    /// addresses of the interface.
    ArpIgnore,
    /// Addresses are announced by the kernel when the interface goes up.
    ArpNotify,
    /// When the first address of a network is deleted, the next one takes its place, instead of
    /// all of them going with it.
    PromoteSecondaries,
}

impl Conf {
    /// The kernel's number (IPV4_DEVCONF_*).
    const fn number(self) -> u16 {
        match self {
            Self::Forwarding => 1,
            Self::ProxyArp => 3,
            Self::RpFilter => 8,
            Self::ArpAnnounce => 18,
            Self::ArpIgnore => 19,
            Self::PromoteSecondaries => 20,
            Self::ArpNotify => 22,
        }
    }

    /// The name of its file, and of its sysctl.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forwarding => "forwarding",
            Self::ProxyArp => "proxy_arp",
            Self::RpFilter => "rp_filter",
            Self::ArpAnnounce => "arp_announce",
            Self::ArpIgnore => "arp_ignore",
            Self::ArpNotify => "arp_notify",
            Self::PromoteSecondaries => "promote_secondaries",
        }
    }
}

/// A setting of all interfaces in the network namespace of this thread.
pub fn conf_of_all(conf: Conf) -> Result<i32> {
    let path = format!("/proc/sys/net/ipv4/conf/all/{}", conf.name());
    let value = fs::read_to_string(&path).and_then(|text| {
        let is_no_number = |_| io::Error::new(io::ErrorKind::InvalidData, "is not a number");
        text.trim().parse().map_err(is_no_number)
    });
    value.map_err(|error| Error::new(format!("read {path}"), error))
}

impl Rtnl {
    /// A setting of one interface.
    ///
    /// EOPNOTSUPP means that there is no IPv4 on it, as where the MTU is too small.
    pub fn conf(&mut self, index: IfIndex, conf: Conf) -> Result<i32> {
        self.confs(index, &[conf]).map(|values| values[0])
    }

    /// Several settings of one interface, in this order, with one request.
    pub fn confs(&mut self, index: IfIndex, confs: &[Conf]) -> Result<Vec<i32>> {
        let mut message = LinkMessage::default();
        message.header.index = index.get();
        let decode = |kind, body: &[u8]| {
            let value = |conf: &Conf| decode(body, index, *conf);
            if kind == libc::RTM_NEWLINK { confs.iter().map(value).collect() } else { None }
        };
        let values = self.ask(RouteNetlinkMessage::GetLink(message), decode).and_then(|answers| {
            let without_ipv4 = || io::Error::from_raw_os_error(libc::EOPNOTSUPP);
            answers.into_iter().next().ok_or_else(without_ipv4)
        });
        values.map_err(|error| {
            let names: Vec<_> = confs.iter().map(|conf| conf.name()).collect();
            Error::new(format!("read {} of interface {index}", names.join(", ")), error)
        })
    }

    /// Sets a setting of one interface; see [`Rtnl::set_confs`].
    pub fn set_conf(&mut self, index: IfIndex, conf: Conf, value: i32) -> Result<()> {
        self.set_confs(index, &[(conf, value)])
    }

    /// Sets settings of one interface with one request.
    ///
    /// It is all that writes to their files do, except for [`Conf::Forwarding`]: the file also
    /// switches off the merging of received packets (LRO), which routers must not do.
    pub fn set_confs(&mut self, index: IfIndex, confs: &[(Conf, i32)]) -> Result<()> {
        // The library's own type for this leaves out what is 0.
        let mut settings = Writer::default();
        for (conf, value) in confs {
            settings.attribute(conf.number(), &value.to_ne_bytes());
        }
        let settings = AfSpecInet::Other(DefaultNla::new(IFLA_INET_CONF, settings.into_bytes()));
        let families = vec![AfSpecUnspec::Inet(vec![settings])];
        let mut message = LinkMessage::default();
        message.header.index = index.get();
        message.attributes.push(LinkAttribute::AfSpecUnspec(families));
        self.change(RouteNetlinkMessage::SetLink(message), 0).map_err(|error| {
            let words = |(conf, value): &(Conf, i32)| format!("{} to {value}", conf.name());
            let what: Vec<_> = confs.iter().map(words).collect();
            Error::new(format!("set {} on interface {index}", what.join(", ")), error)
        })
    }
}

/// The value in the body of an RTM_NEWLINK message; `None` where it is of another interface or has
/// none.
pub(crate) fn decode(message: &[u8], index: IfIndex, conf: Conf) -> Option<i32> {
    if LinkHeader::parse(message).ok()?.index != index.get() {
        return None;
    }
    let families = attribute(message, LINK_HEADER_LEN, libc::IFLA_AF_SPEC)?;
    let settings = attribute(attribute(families, 0, AF_SPEC_INET)?, 0, IFLA_INET_CONF)?;
    // The kernel's numbers begin with 1.
    let place = usize::from(conf.number() - 1) * SETTING_LEN;
    settings.get(place..)?.first_chunk().map(|value| i32::from_ne_bytes(*value))
}

fn attribute(message: &[u8], header_len: usize, wanted: u16) -> Option<&[u8]> {
    attributes(message, header_len).find_map(|(kind, value)| (kind == wanted).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index() -> IfIndex {
        IfIndex::new(3).unwrap()
    }

    /// The description of interface 3, where each setting has its own number as value.
    fn link() -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(&[0, 0, 1, 0]);
        out.raw(&3u32.to_ne_bytes());
        out.raw(&[0; 8]);
        out.attribute(libc::IFLA_IFNAME, b"eth0\0");
        out.nested(libc::IFLA_AF_SPEC, |families| {
            families.nested(10, |inet6| inet6.attribute(IFLA_INET_CONF, &[9; 64]));
            families.nested(AF_SPEC_INET, |inet| {
                let settings: Vec<u8> = (1..=22i32).flat_map(i32::to_ne_bytes).collect();
                inet.attribute(IFLA_INET_CONF, &settings);
            });
        });
        out.into_bytes()
    }

    #[test]
    fn a_setting_stands_at_its_number() {
        for (conf, number) in [(Conf::Forwarding, 1), (Conf::RpFilter, 8), (Conf::ArpNotify, 22)] {
            assert_eq!(decode(&link(), index(), conf), Some(number));
        }
        assert_eq!(decode(&link(), IfIndex::new(4).unwrap(), Conf::Forwarding), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = decode(&bytes, index(), Conf::ArpNotify);
        }

        #[test]
        fn damaged_links_do_no_harm(at in 0..200usize, byte: u8, length in 0..200usize) {
            let mut link = link();
            let at = at % link.len();
            link[at] = byte;
            let _ = decode(&link, index(), Conf::ArpNotify);
            link.truncate(length);
            let _ = decode(&link, index(), Conf::ArpNotify);
        }
    }
}
