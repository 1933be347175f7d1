//! Where 169.254.0.0/16 is sought: on the link, on which link, or wrongly behind a router.

use autoip_linux::rtnl::Route;
use autoip_wire::is_link_local;

use crate::command::{delete_route, destination, word};
use crate::facts::{Facts, HOST_PREFIX, Interface, LINK_LOCAL_PREFIX};
use crate::{Finding, Id, Severity, numbers};

/// Interfaces without 169.254.0.0/16 on their link.
pub(super) fn no_on_link_route(facts: &Facts) -> Vec<Finding> {
    let able = |interface: &&Interface| {
        interface.is_usable()
            && interface.link.has_carrier()
            && !interface.addresses.is_empty()
            && !is_on_link(facts, interface)
    };
    let taking_part = facts.examined().filter(able).filter(|interface| interface.takes_part());
    let mut found: Vec<_> = taking_part.map(|interface| missing(facts, interface, true)).collect();
    // A host with routable addresses alone needs the route once.
    let nowhere = !facts.interfaces.iter().any(|interface| is_on_link(facts, interface));
    if found.is_empty() && nowhere {
        let best = facts.default_route().map(|best| best.index);
        let mut others: Vec<_> = facts.examined().filter(able).collect();
        others.sort_by_key(|interface| Some(interface.index()) != best);
        found.extend(others.first().map(|interface| missing(facts, interface, false)));
    }
    found
}

/// Whether packets for link-local hosts find the link of this interface: by a route of their own,
/// or because the default route has everything on that link.
fn is_on_link(facts: &Facts, interface: &Interface) -> bool {
    let by_default = |route: &Route| route.gateway.is_none() && route.index == interface.index();
    facts.on_link_route(interface.index()).is_some()
        || (interface.is_usable() && facts.default_route().is_some_and(by_default))
}

fn missing(facts: &Facts, interface: &Interface, takes_part: bool) -> Finding {
    let name = interface.name();
    let becomes = match facts.default_route().map(|route| (route.gateway, route.index)) {
        Some((Some(gateway), _)) => {
            format!("packets for link-local hosts go to the router {gateway}")
        }
        Some((None, index)) => {
            let over = facts.name(index);
            format!("packets for link-local hosts go where the default route over {over} leads")
        }
        None => "the kernel knows no way to link-local hosts".to_owned(),
    };
    // The source is a routable address where there is one.
    let source = interface.routable().chain(interface.link_local()).next();
    let source = source.map_or_else(String::new, |address| format!(" src {}", address.ip));
    let metric = numbers::metric(interface.index());
    let (severity, hint) = if takes_part {
        (Severity::Problem, "")
    } else {
        (
            Severity::Warning,
            " Not on a machine in a cloud that asks a router for 169.254.169.254: its metadata \
             would be out of reach.",
        )
    };
    Finding {
        id: Id::NoOnLinkRoute,
        severity,
        interface: Some(name.to_owned()),
        what: format!("169.254.0.0/16 is not on the link of {name}: {becomes}."),
        why: "Every host reaches link-local addresses directly, whatever addresses it has itself, \
              and never by a router."
            .to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: format!(
            "Add the route, or have autoipd do it (\"--mode route\" needs no address).{hint}"
        ),
        command: Some(format!(
            "ip route add 169.254.0.0/16 dev {} scope link{source} metric {metric}",
            word(name)
        )),
    }
}

/// Routes that have a router asked for link-local hosts. One for a single address is somebody's
/// purpose, as in clouds.
pub(super) fn router_for_link_local(facts: &Facts) -> Vec<Finding> {
    let wrong = facts.main_routes().filter(|route| {
        is_link_local(route.destination)
            && (LINK_LOCAL_PREFIX..HOST_PREFIX).contains(&route.prefix_len)
    });
    wrong.filter_map(|route| by_router(facts, route)).collect()
}

fn by_router(facts: &Facts, route: &Route) -> Option<Finding> {
    let (gateway, name) = (route.gateway?, facts.name(route.index));
    Some(Finding {
        id: Id::RouterForLinkLocal,
        severity: Severity::Problem,
        what: format!("{} is sent to the router {gateway}, over {name}.", destination(route)),
        why: "A router must not pass on what is link-local; hosts on the link are not reached."
            .to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: "Remove the route, and whatever adds it.".to_owned(),
        command: Some(delete_route(route, &name)),
        interface: Some(name),
    })
}

/// Link-local hosts could be behind several interfaces.
pub(super) fn which_interface(facts: &Facts) -> Vec<Finding> {
    let on_link = facts.examined().filter_map(|i| Some((facts.on_link_route(i.index())?, i)));
    let mut on_link: Vec<_> = on_link.collect();
    on_link.sort_by_key(|(route, interface)| (route.metric, interface.index()));
    let [(_, first), others @ ..] = on_link.as_slice() else { return Vec::new() };
    if others.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = others.iter().map(|(_, interface)| interface.name()).collect();
    let name = first.name();
    vec![Finding {
        id: Id::WhichInterface,
        severity: Severity::Note,
        interface: None,
        what: format!("169.254.0.0/16 is on the link of {name} and of {}.", names.join(", ")),
        why: format!(
            "An address does not tell behind which of them a host is. Programs that name no \
             interface use {name}, and do not find hosts behind the others."
        ),
        rfc: Some("RFC 3927 §3.2"),
        remedy: "Have programs name the interface (SO_BINDTODEVICE, `ping -I`), or bind to its \
                 own address where autoipd's guard is in force. For all others the route with \
                 the lowest metric decides."
            .to_owned(),
        command: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{
        LINK_LOCAL, ROUTABLE, ROUTER, address, brief, default_via, host, interface, managed, route,
    };
    use std::slice::from_ref;

    fn routable(number: u32) -> Interface {
        Interface { addresses: vec![address(number, ROUTABLE, 24)], ..interface(number) }
    }

    #[test]
    fn the_preferred_default_route_says_where_packets_go() {
        let said = |routes: &[Route]| {
            let facts = Facts { routes: routes.to_vec(), ..host([routable(1), routable(2)]) };
            no_on_link_route(&facts)[0].what.clone()
        };
        let by_router = default_via(1, 100);
        let onto_tunnel = Route { gateway: None, ..default_via(3, 100) };
        let farther = |route: &Route| Route { metric: route.metric + 1, ..route.clone() };
        assert!(said(&[]).contains("knows no way"));
        let text = said(&[farther(&onto_tunnel), by_router.clone()]);
        assert!(text.contains("go to the router"), "{text}");
        let text = said(&[farther(&by_router), onto_tunnel]);
        assert!(text.contains("where the default route over interface 3 leads"), "{text}");
    }

    #[test]
    fn a_default_route_onto_the_link_will_do() {
        let onto_link = Route { gateway: None, ..default_via(2, 100) };
        let mut facts = Facts { routes: vec![onto_link], ..host([routable(1), routable(2)]) };
        assert_eq!(no_on_link_route(&facts), []);
        facts.routes.push(default_via(1, 50));
        assert_eq!(no_on_link_route(&facts).len(), 1, "it is not the one that decides");
    }

    #[test]
    fn an_interface_that_takes_part_needs_the_route() {
        let one = Interface { addresses: vec![address(1, LINK_LOCAL, 16)], ..interface(1) };
        let mut facts = host([one]);
        assert_eq!(no_on_link_route(&facts), []);
        facts.routes.clear();
        let found = no_on_link_route(&facts);
        assert_eq!(brief(&found), [(Id::NoOnLinkRoute, Severity::Problem, Some("eth1"))]);
        assert_eq!(
            found[0].command.as_deref(),
            Some("ip route add 169.254.0.0/16 dev eth1 scope link src 169.254.7.9 metric 1001")
        );
        facts.interfaces[0].link.lower_up = false;
        assert_eq!(no_on_link_route(&facts), [], "without a carrier there are no routes");
    }

    #[test]
    fn one_such_route_is_enough_for_routable_interfaces() {
        let mut facts = host([routable(1), routable(2)]);
        facts.routes = vec![default_via(2, 100)];
        let found = no_on_link_route(&facts);
        assert_eq!(brief(&found), [(Id::NoOnLinkRoute, Severity::Warning, Some("eth2"))]);
        assert!(found[0].what.contains("the router 192.168.1.1"), "{}", found[0].what);
        facts.routes.push(route(1, [169, 254, 0, 0], 16, 1000));
        assert_eq!(no_on_link_route(&facts), []);
        assert_eq!(no_on_link_route(&host([interface(1)])), []);
        let mut bare = host([interface(1)]);
        bare.routes.clear();
        assert_eq!(no_on_link_route(&bare), [], "no address yet");
    }

    #[test]
    fn another_network_or_a_router_is_no_substitute() {
        let one = Interface { addresses: vec![address(1, LINK_LOCAL, 16)], ..interface(1) };
        let mut facts = host([one]);
        facts.routes = vec![route(1, [169, 254, 0, 0], 17, 0)];
        assert_eq!(no_on_link_route(&facts).len(), 1);
        facts.routes = vec![Route { gateway: Some(ROUTER), ..route(1, [169, 254, 0, 0], 16, 0) }];
        assert_eq!(no_on_link_route(&facts).len(), 1);
    }

    #[test]
    fn a_router_is_not_asked_for_the_link() {
        let mut facts = host([routable(1)]);
        assert_eq!(router_for_link_local(&facts), []);
        let by_router =
            |prefix| Route { gateway: Some(ROUTER), ..route(1, [169, 254, 0, 0], prefix, 0) };
        facts.routes.push(by_router(16));
        let found = router_for_link_local(&facts);
        assert_eq!(brief(&found), [(Id::RouterForLinkLocal, Severity::Problem, Some("eth1"))]);
        let command = found[0].command.as_deref();
        assert_eq!(command, Some("ip route del 169.254.0.0/16 dev eth1 via 192.168.1.1"));
        facts.routes = vec![by_router(32)];
        assert_eq!(router_for_link_local(&facts), [], "a cloud's metadata");
        facts.routes = from_ref(&default_via(1, 0)).to_vec();
        assert_eq!(router_for_link_local(&facts), []);
    }

    #[test]
    fn several_links_are_worth_a_note() {
        assert_eq!(which_interface(&host([managed(1)])), []);
        let found = which_interface(&host([managed(2), managed(1)]));
        assert_eq!(brief(&found), [(Id::WhichInterface, Severity::Note, None)]);
        assert!(found[0].why.contains("use eth1"), "the lower metric: {}", found[0].why);
    }
}
