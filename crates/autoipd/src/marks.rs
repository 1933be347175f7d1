//! The numbers by which our addresses and routes are told from everybody else's.
//!
//! Nothing that does not bear them is ever changed or removed.

use autoip_core::LinkLocalAddr;
use autoip_linux::IfIndex;
use autoip_linux::rtnl::Address;
use std::net::Ipv4Addr;

/// The protocol number of our addresses (IFA_PROTO, from Linux 5.18 on) and routes (RTPROT_*).
/// Nobody has registered it.
//= LL-2.11-02 leases and other people's addresses do not bear it
pub(crate) const PROTOCOL: u8 = 169;
/// The mark (SO_MARK) of the frames that the daemon itself sends: the guard's gate lets them
/// through before it opens for the kernel's.
pub(crate) const PACKET: u32 = 0x0169_0254;
/// Valid on the link only (RT_SCOPE_LINK): routable addresses are preferred as sources.
const SCOPE_LINK: u8 = 253;
/// 169.254.0.0/16 is never divided (RFC 3927 §2.8).
pub(crate) const PREFIX_LEN: u8 = 16;
pub(crate) const NETMASK: Ipv4Addr = Ipv4Addr::new(255, 255, 0, 0);
pub(crate) const NETWORK: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 0);
pub(crate) const BROADCAST: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);
/// The longest label that the kernel takes, in bytes.
const LABEL_MAX: usize = 15;

/// `addr` as it goes onto the interface: without a route, which follows once it is announced.
//= LL-2.8-02 169.254.0.0/16 is never subnetted
//= LL-2.6.1-01 the address has link scope, so routable ones are preferred as sources
//= LL-2.6.2-05 a routable source is preferred for other destinations
pub(crate) fn address(
    index: IfIndex,
    name: &str,
    alias: Option<u16>,
    addr: LinkLocalAddr,
) -> Address {
    Address {
        index,
        ip: addr.ip(),
        prefix_len: PREFIX_LEN,
        broadcast: Some(BROADCAST),
        label: label(name, alias),
        scope: SCOPE_LINK,
        no_prefix_route: true,
        deprecated: false,
        protocol: PROTOCOL,
        valid: None,
    }
}

/// `eth0:9`, left out where it would be too long for the kernel.
pub(crate) fn label(name: &str, alias: Option<u16>) -> Option<String> {
    alias.map(|alias| format!("{name}:{alias}")).filter(|label| label.len() <= LABEL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_go_without_a_label() {
        assert_eq!(label("eth0", Some(9)).as_deref(), Some("eth0:9"));
        assert_eq!(label("enx0011223344", Some(9)).as_deref(), Some("enx0011223344:9"));
        assert_eq!(label("enx001122334455", Some(9)), None);
        assert_eq!(label("eth0", None), None);
    }
}
