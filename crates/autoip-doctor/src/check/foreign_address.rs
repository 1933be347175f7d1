//! Link-local addresses that nobody claimed.

use autoip_linux::rtnl::Address;
use autoip_wire::LinkLocalAddr;

use crate::command::delete_address;
use crate::facts::{Facts, Interface};
use crate::{Finding, Id, Severity};

/// The metric of the route that systemd-networkd adds with a link-local address.
const NETWORKD_METRIC: u32 = 2048;
/// Valid everywhere (RT_SCOPE_UNIVERSE).
const SCOPE_GLOBAL: u8 = 0;

/// Addresses that neither autoipd nor another manager of the interface can answer for.
pub(super) fn foreign_address(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for interface in facts.examined() {
        if facts.managers.iter().any(|manager| manager.index == interface.index()) {
            continue;
        }
        let foreign = interface.link_local().filter(|address| !interface.is_ours(address));
        found.extend(foreign.map(|address| finding(facts, interface, address)));
    }
    found
}

fn finding(facts: &Facts, interface: &Interface, address: &Address) -> Finding {
    let (name, ip) = (interface.name(), address.ip);
    let is_reserved = LinkLocalAddr::new(ip).is_err();
    let severity = if is_reserved { Severity::Problem } else { Severity::Warning };
    let (origin, hint) = origin(facts, address);
    let reserved = if is_reserved { ", from the part that is reserved" } else { "" };
    Finding {
        id: Id::ForeignAddress,
        severity,
        interface: Some(name.to_owned()),
        what: format!("{name} has {ip}/{}{reserved}: {origin}.", address.prefix_len),
        why: "Nobody probed for it, and nobody defends it: another host may have it too, and \
              neither will know."
            .to_owned(),
        rfc: Some(if is_reserved { "RFC 3927 §2.1" } else { "RFC 3927 §1.6" }),
        remedy: format!(
            "Remove it; autoipd claims one in its place, this one where it is free (\"-s \
             {ip}\").{hint}"
        ),
        command: Some(delete_address(address, name)),
    }
}

/// Where an address seems to come from, and what to do about that.
fn origin(facts: &Facts, address: &Address) -> (&'static str, &'static str) {
    let metric = facts.on_link_route(address.index).map(|route| route.metric);
    let is_labelled = address.label.as_deref().is_some_and(|label| label.ends_with(":avahi"));
    if is_labelled {
        ("left behind by avahi-autoipd, which does not run here", "")
    } else if address.valid.is_some() {
        (
            "given for a limited time, as DHCP does",
            " Have the DHCP server give out addresses of another network.",
        )
    } else if metric == Some(NETWORKD_METRIC) {
        ("left behind, by its route, by systemd-networkd, which does not claim it now", "")
    } else if address.no_prefix_route && address.scope == SCOPE_GLOBAL {
        ("set as dhcpcd and NetworkManager do it, neither of which claims it now", "")
    } else {
        ("set by hand or by a program that does not watch over it", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{LINK_LOCAL, address, brief, host, interface, managed};
    use crate::manager::Manager;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn found(address: Address) -> Vec<Finding> {
        foreign_address(&host([Interface { addresses: vec![address], ..interface(1) }]))
    }

    #[test]
    fn autoipds_own_is_none() {
        assert_eq!(foreign_address(&host([managed(1)])), []);
        let mut old_kernel = managed(1);
        old_kernel.addresses[0].protocol = 0;
        assert_eq!(foreign_address(&host([old_kernel.clone()])), []);
        old_kernel.managed = false;
        assert_eq!(foreign_address(&host([old_kernel])).len(), 1);
    }

    #[test]
    fn its_origin_is_told() {
        let plain = address(1, LINK_LOCAL, 16);
        let leased = Address { valid: Some(Duration::from_secs(600)), ..plain.clone() };
        let avahi = Address { label: Some("eth1:avahi".to_owned()), ..plain.clone() };
        let dhcpcd = Address { no_prefix_route: true, ..plain.clone() };
        let by_word = [
            (plain.clone(), "by hand"),
            (leased, "DHCP"),
            (avahi, "avahi-autoipd"),
            (dhcpcd, "dhcpcd"),
        ];
        for (address, word) in by_word {
            let found = found(address);
            assert_eq!(brief(&found), [(Id::ForeignAddress, Severity::Warning, Some("eth1"))]);
            assert!(found[0].what.contains(word), "{}", found[0].what);
        }
        let mut facts = host([Interface { addresses: vec![plain], ..interface(1) }]);
        facts.routes[0].metric = NETWORKD_METRIC;
        let found_there = foreign_address(&facts);
        assert!(found_there[0].what.contains("systemd-networkd"), "{found_there:?}");
        let routable = address(1, Ipv4Addr::new(10, 0, 0, 1), 16);
        assert_eq!(found(routable), []);
    }

    #[test]
    fn a_reserved_one_is_a_problem() {
        let found = found(address(1, Ipv4Addr::new(169, 254, 0, 9), 16));
        assert_eq!(found[0].severity, Severity::Problem);
    }

    #[test]
    fn a_managers_own_is_the_managers_matter() {
        let addresses = vec![address(1, LINK_LOCAL, 16)];
        let mut facts = host([Interface { addresses, ..interface(1) }]);
        facts.managers.push(Manager {
            program: "zcip",
            pid: 1,
            index: facts.interfaces[0].index(),
            because: String::new(),
            remedy: String::new(),
            command: None,
        });
        assert_eq!(foreign_address(&facts), []);
    }
}
