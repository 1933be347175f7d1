//! Default routes onto a link, where everything is sought by ARP.

use autoip_linux::rtnl::Route;
use autoip_wire::is_link_local;

use crate::command::delete_route;
use crate::facts::{Facts, Interface};
use crate::{Finding, Id, Severity, numbers};

/// One that is preferred to a router's takes the router's traffic. One without a rival has the
/// whole Internet asked for on the link, which some want.
pub(super) fn default_route(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for interface in facts.examined() {
        let here = facts.default_routes().filter(|route| route.index == interface.index());
        for route in here.filter(|route| is_of_link_local(interface, route)) {
            let router = facts
                .default_routes()
                .filter(|other| other.gateway.is_some() && other.metric >= route.metric)
                .min_by_key(|other| other.metric);
            let any_router = facts.default_routes().any(|other| other.gateway.is_some());
            match router {
                Some(router) => found.push(swallows(facts, interface, route, router)),
                // Behind a router's it is never asked, and autoipd's own was wished for.
                None if any_router || route.protocol == numbers::PROTOCOL => {}
                None => found.push(alone(interface, route)),
            }
        }
    }
    found
}

/// Whether a default route is there for the sake of a link-local address.
fn is_of_link_local(interface: &Interface, route: &Route) -> bool {
    route.gateway.is_none()
        && interface.is_usable()
        && match route.source {
            Some(source) => is_link_local(source),
            None => interface.takes_part(),
        }
}

fn swallows(facts: &Facts, interface: &Interface, route: &Route, router: &Route) -> Finding {
    let (name, behind) = (interface.name(), facts.name(router.index));
    let gateway = router.gateway.map_or_else(String::new, |gateway| gateway.to_string());
    Finding {
        id: Id::DefaultRoute,
        severity: Severity::Problem,
        interface: Some(name.to_owned()),
        what: format!(
            "The default route onto the link of {name} (metric {}) is preferred to the one by \
             {gateway} over {behind} (metric {}).",
            route.metric, router.metric
        ),
        why: "What is meant for the rest of the world is sought by ARP on this link, where it is \
              not: the host seems offline, and the link is full of requests."
            .to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: "Remove the route, or add it again with a metric above all others.".to_owned(),
        command: Some(delete_route(route, name)),
    }
}

fn alone(interface: &Interface, route: &Route) -> Finding {
    let name = interface.name();
    Finding {
        id: Id::DefaultRoute,
        severity: Severity::Note,
        interface: Some(name.to_owned()),
        what: format!("Everything that no other route leads to is sought on the link of {name}."),
        why: "It reaches hosts of the link that have routable addresses only; every attempt to \
              reach the Internet becomes a series of ARP broadcasts."
            .to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: "Leave it if you want that, else remove the route.".to_owned(),
        command: Some(delete_route(route, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{
        LINK_LOCAL, ROUTABLE, address, brief, default_via, host, interface, managed, route,
    };

    fn facts(routes: &[Route]) -> Facts {
        let lan = Interface { addresses: vec![address(2, ROUTABLE, 24)], ..interface(2) };
        let mut facts = host([managed(1), lan]);
        facts.routes.extend_from_slice(routes);
        facts
    }

    fn onto_link(metric: u32) -> Route {
        Route { source: Some(LINK_LOCAL), ..route(1, [0; 4], 0, metric) }
    }

    #[test]
    fn one_before_a_router_swallows_its_traffic() {
        assert_eq!(default_route(&facts(&[default_via(2, 100)])), []);
        let found = default_route(&facts(&[default_via(2, 100), onto_link(50)]));
        assert_eq!(brief(&found), [(Id::DefaultRoute, Severity::Problem, Some("eth1"))]);
        assert_eq!(found[0].command.as_deref(), Some("ip route del default dev eth1 metric 50"));
        assert_eq!(default_route(&facts(&[default_via(2, 100), onto_link(1_000_001)])), []);
    }

    #[test]
    fn one_without_a_rival_is_worth_a_note_unless_it_is_autoipds() {
        let found = default_route(&facts(&[onto_link(0)]));
        assert_eq!(brief(&found), [(Id::DefaultRoute, Severity::Note, Some("eth1"))]);
        let ours = Route { protocol: numbers::PROTOCOL, ..onto_link(2_000_000_001) };
        assert_eq!(default_route(&facts(&[ours])), []);
    }

    #[test]
    fn one_for_a_routable_address_is_somebody_elses_matter() {
        let routed = Route { source: Some(ROUTABLE), ..route(2, [0; 4], 0, 0) };
        assert_eq!(default_route(&facts(&[routed, default_via(2, 100)])), []);
        assert_eq!(default_route(&facts(&[route(2, [0; 4], 0, 0), default_via(2, 100)])), []);
    }
}
