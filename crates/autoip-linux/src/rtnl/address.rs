//! IPv4 addresses on interfaces.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeader, AddressMessage, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Rtnl;
use crate::netlink::{attributes, ipv4_of, string_of, u32_of};
use crate::{Error, IfIndex, Result};

const HEADER_LEN: usize = 8;
const IFA_PROTO: u16 = 11;
const FOREVER: u32 = u32::MAX;

/// An IPv4 address on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface.
    pub index: IfIndex,
    /// The address.
    pub ip: Ipv4Addr,
    /// The length of its network prefix.
    pub prefix_len: u8,
    /// The broadcast address of its network.
    pub broadcast: Option<Ipv4Addr>,
    /// The name of an alias, such as "eth0:9"; at most 15 bytes. The kernel gives an address
    /// without a label the name of the interface.
    pub label: Option<String>,
    /// How far it is valid (RT_SCOPE_*): 0 everywhere, 253 on the link.
    pub scope: u8,
    /// The kernel adds no route for its network.
    pub no_prefix_route: bool,
    /// Not chosen as the source of new traffic.
    pub deprecated: bool,
    /// Who added it (IFA_PROTO); 0 where nobody said.
    pub protocol: u8,
    /// How long it is still valid, `None` for ever.
    pub valid: Option<Duration>,
}

impl Address {
    /// Reads the body of an RTM_NEWADDR or RTM_DELADDR message; `None` where it does not
    /// describe an IPv4 address.
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let header = AddressHeader::parse(message).ok()?;
        if header.family != AddressFamily::Inet {
            return None;
        }
        let mut flags = u32::from(header.flags.bits());
        let (mut local, mut peer) = (None, None);
        let mut address = Self {
            index: IfIndex::new(header.index)?,
            ip: Ipv4Addr::UNSPECIFIED,
            prefix_len: header.prefix_len,
            broadcast: None,
            label: None,
            scope: header.scope.into(),
            no_prefix_route: false,
            deprecated: false,
            protocol: 0,
            valid: None,
        };
        for (kind, value) in attributes(message, HEADER_LEN) {
            match kind {
                libc::IFA_LOCAL => local = ipv4_of(value),
                libc::IFA_ADDRESS => peer = ipv4_of(value),
                libc::IFA_BROADCAST => address.broadcast = ipv4_of(value),
                libc::IFA_LABEL => address.label = Some(string_of(value)),
                libc::IFA_FLAGS => flags = u32_of(value)?,
                libc::IFA_CACHEINFO => {
                    let valid = CacheInfo::parse(value).ok()?.ifa_valid;
                    address.valid =
                        (valid != FOREVER).then(|| Duration::from_secs(u64::from(valid)));
                }
                IFA_PROTO => address.protocol = *value.first()?,
                _ => {}
            }
        }
        // Without a peer both are the same and older kernels send just one of them.
        address.ip = local.or(peer)?;
        address.no_prefix_route = flags & AddressFlags::Noprefixroute.bits() != 0;
        address.deprecated = flags & AddressFlags::Deprecated.bits() != 0;
        Some(address)
    }

    fn message(&self) -> AddressMessage {
        let mut message = self.key();
        message.header.scope = self.scope.into();
        let attributes = &mut message.attributes;
        if let Some(broadcast) = self.broadcast {
            attributes.push(AddressAttribute::Broadcast(broadcast));
        }
        if let Some(label) = &self.label {
            attributes.push(AddressAttribute::Label(label.clone()));
        }
        if self.no_prefix_route {
            attributes.push(AddressAttribute::Flags(AddressFlags::Noprefixroute));
        }
        if self.protocol != 0 {
            attributes.push(AddressAttribute::Protocol(self.protocol.into()));
        }
        if self.valid.is_some() || self.deprecated {
            attributes.push(AddressAttribute::CacheInfo(self.lifetimes()));
        }
        message
    }

    /// What tells this address from all others.
    fn key(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = self.prefix_len;
        message.header.index = self.index.get();
        let ip = IpAddr::V4(self.ip);
        message.attributes = vec![AddressAttribute::Local(ip), AddressAttribute::Address(ip)];
        message
    }

    /// The kernel derives "deprecated" from a preferred lifetime of 0.
    fn lifetimes(&self) -> CacheInfo {
        let seconds = |valid: Duration| u32::try_from(valid.as_secs()).unwrap_or(FOREVER);
        let mut info = CacheInfo::default();
        info.ifa_valid = self.valid.map_or(FOREVER, seconds);
        info.ifa_preferred = if self.deprecated { 0 } else { info.ifa_valid };
        info
    }
}

impl Rtnl {
    /// The IPv4 addresses of all interfaces.
    pub fn addresses(&mut self) -> Result<Vec<Address>> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        let request = RouteNetlinkMessage::GetAddress(message);
        self.list(request, libc::RTM_NEWADDR, Address::decode)
            .map_err(|error| Error::new("list the addresses", error))
    }

    /// Adds an address, or renews it where the interface has it with the same prefix length.
    ///
    /// Renewing sets the lifetime, "deprecated" and the protocol; the kernel leaves the label,
    /// the scope, the broadcast address and the prefix route of an address as they were.
    pub fn add_address(&mut self, address: &Address) -> Result<()> {
        let request = RouteNetlinkMessage::NewAddress(address.message());
        match self.change(request, NLM_F_CREATE | NLM_F_REPLACE) {
            Ok(()) => Ok(()),
            Err(error) => {
                let Address { ip, prefix_len, index, .. } = address;
                Err(Error::new(format!("add {ip}/{prefix_len} to interface {index}"), error))
            }
        }
    }

    /// Removes an address by its interface, address and prefix length. `false` when it, or the
    /// interface, was not there.
    pub fn remove_address(&mut self, address: &Address) -> Result<bool> {
        let request = RouteNetlinkMessage::DelAddress(address.key());
        match self.change(request, 0) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENODEV)) =>
            {
                Ok(false)
            }
            Err(error) => {
                let Address { ip, prefix_len, index, .. } = address;
                Err(Error::new(format!("remove {ip}/{prefix_len} from interface {index}"), error))
            }
        }
    }
}
