//! The numbers by which our addresses and routes are told from everybody else's.
//!
//! Nothing that does not bear them is ever changed or removed.

use autoip_core::LinkLocalAddr;
use autoip_linux::IfIndex;
use autoip_linux::rtnl::{Address, MAIN_TABLE, Route, RouteKind, Rule};
use autoip_wire::LINK_LOCAL_NET;
use std::net::Ipv4Addr;

/// The protocol number of our addresses (IFA_PROTO, from Linux 5.18 on) and routes (RTPROT_*).
/// Nobody has registered it.
//= LL-2.11-02 leases and other people's addresses do not bear it
pub(crate) const PROTOCOL: u8 = 169;
/// The metric of an on-link route is this and the interface's number, so that the routes of
/// several interfaces can stand side by side and the order between them is settled.
const METRIC_BASE: u32 = 1000;
/// The mark (SO_MARK) of the frames that the daemon itself sends: the guard's gate lets them
/// through before it opens for the kernel's.
pub(crate) const PACKET: u32 = 0x0169_0254;
/// The routing table of an interface is this and the interface's number.
const TABLE_BASE: u32 = 39_270_000;
/// Asked before the tables of everybody else.
const RULE_PRIORITY: u32 = 3927;
/// Valid on the link only (RT_SCOPE_LINK): routable addresses are preferred as sources.
const SCOPE_LINK: u8 = 253;
/// The prefix of a single address.
const HOST_PREFIX: u8 = 32;
/// 169.254.0.0/16 is never divided (RFC 3927 §2.8).
const PREFIX_LEN: u8 = 16;
const BROADCAST: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);
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

/// The on-link route of an interface. New traffic that takes it comes from `source`.
//= LL-2.6.2-01 destinations in 169.254.0.0/16 are reached directly
//= LL-2.8-01 all of 169.254.0.0/16 is on the link
pub(crate) fn route(index: IfIndex, source: Ipv4Addr) -> Route {
    Route {
        kind: RouteKind::Unicast,
        index,
        destination: LINK_LOCAL_NET,
        prefix_len: PREFIX_LEN,
        scope: SCOPE_LINK,
        metric: METRIC_BASE.saturating_add(index.get()),
        // The kernel takes the route away together with this address, even after a crash.
        source: Some(source),
        protocol: PROTOCOL,
        gateway: None,
        table: MAIN_TABLE,
    }
}

/// The route by which everything leaves that is sent from `addr`: straight to its destination.
//= LL-2.6.2-06 from a link-local source every destination is reached directly
pub(crate) fn own_route(index: IfIndex, addr: LinkLocalAddr) -> Route {
    Route {
        destination: Ipv4Addr::UNSPECIFIED,
        prefix_len: 0,
        metric: 0,
        table: table(index),
        ..route(index, addr.ip())
    }
}

/// The rule that has packets from `addr` leave by its own interface.
//= LL-2.6.2-07 packets from a link-local source never go to a router
//= BASE-06 an address leaves by its own interface only
pub(crate) fn rule(index: IfIndex, addr: LinkLocalAddr) -> Rule {
    Rule {
        priority: RULE_PRIORITY,
        from: Some((addr.ip(), HOST_PREFIX)),
        to: None,
        iif: None,
        oif: None,
        table: table(index),
        protocol: PROTOCOL,
    }
}

/// The routing table of an interface.
pub(crate) fn table(index: IfIndex) -> u32 {
    TABLE_BASE.saturating_add(index.get())
}

/// `eth0:9`, left out where it would be too long for the kernel.
fn label(name: &str, alias: Option<u16>) -> Option<String> {
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
