//! 169.254.0.0/16 cut into pieces.

use autoip_linux::rtnl::{Address, Route};
use autoip_wire::is_link_local;

use crate::command::{delete_address, delete_route, destination, word};
use crate::facts::{Facts, HOST_PREFIX, LINK_LOCAL_PREFIX};
use crate::{Finding, Id, Severity};

/// The kernel's own routes: they come and go with addresses (RTPROT_KERNEL).
const BY_KERNEL: u8 = 2;

/// Addresses and routes with another prefix than /16. A /32 is a single address and divides
/// nothing.
pub(super) fn narrow_subnet(facts: &Facts) -> Vec<Finding> {
    let is_part = |len: u8| len != LINK_LOCAL_PREFIX && len != HOST_PREFIX;
    let mut found = Vec::new();
    for interface in facts.examined() {
        let name = interface.name();
        let wrong = interface.link_local().filter(|address| is_part(address.prefix_len));
        found.extend(wrong.map(|address| of_address(name, address)));
        let routes = facts.main_routes().filter(|route| {
            route.index == interface.index()
                && route.gateway.is_none()
                && route.protocol != BY_KERNEL
                && is_link_local(route.destination)
                && is_part(route.prefix_len)
        });
        found.extend(routes.map(|route| of_route(name, route)));
    }
    found
}

fn of_address(name: &str, address: &Address) -> Finding {
    let Address { ip, prefix_len, .. } = address;
    finding(
        name,
        format!("{name} has {ip}/{prefix_len}, as if that were a network of its own."),
        "Give it the prefix /16.".to_owned(),
        format!(
            "{} && ip address add {ip}/16 brd 169.254.255.255 scope link dev {}",
            delete_address(address, name),
            word(name)
        ),
    )
}

fn of_route(name: &str, route: &Route) -> Finding {
    finding(
        name,
        format!("A route leads to {} alone, over {name}.", destination(route)),
        "Remove the route; the one for 169.254.0.0/16 leads there as well.".to_owned(),
        delete_route(route, name),
    )
}

fn finding(name: &str, what: String, remedy: String, command: String) -> Finding {
    Finding {
        id: Id::NarrowSubnet,
        severity: Severity::Problem,
        interface: Some(name.to_owned()),
        what,
        why: "169.254.0.0/16 is one network and not divided: hosts outside the piece are not \
              reached, and broadcasts do not reach everybody."
            .to_owned(),
        rfc: Some("RFC 3927 §2.8"),
        remedy,
        command: Some(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Interface;
    use crate::facts::tests::{LINK_LOCAL, address, brief, host, interface, managed, route};

    fn with_prefix(prefix_len: u8) -> Vec<Finding> {
        let addresses = vec![address(1, LINK_LOCAL, prefix_len)];
        narrow_subnet(&host([Interface { addresses, ..interface(1) }]))
    }

    #[test]
    fn an_address_has_the_whole_network() {
        assert_eq!(with_prefix(16), []);
        assert_eq!(with_prefix(32), []);
        let found = with_prefix(24);
        assert_eq!(brief(&found), [(Id::NarrowSubnet, Severity::Problem, Some("eth1"))]);
        assert_eq!(
            found[0].command.as_deref(),
            Some(
                "ip address del 169.254.7.9/24 dev eth1 && ip address add 169.254.7.9/16 brd \
                 169.254.255.255 scope link dev eth1"
            )
        );
        assert_eq!(with_prefix(8).len(), 1);
    }

    #[test]
    fn a_route_leads_to_the_whole_network() {
        let mut facts = host([managed(1)]);
        let narrow = route(1, [169, 254, 7, 0], 24, 5);
        facts.routes.push(Route { protocol: BY_KERNEL, ..narrow.clone() });
        assert_eq!(narrow_subnet(&facts), [], "it goes with its address");
        facts.routes.push(narrow);
        let found = narrow_subnet(&facts);
        let command = found[0].command.as_deref();
        assert_eq!(command, Some("ip route del 169.254.7.0/24 dev eth1 metric 5"));
        assert_eq!(found.len(), 1);
    }
}
