//! Routes that have link-local packets dropped on this host.

use autoip_linux::rtnl::{MAIN_TABLE, Refusal};
use autoip_wire::is_link_local;

use crate::facts::{Facts, HOST_PREFIX, Interface, LINK_LOCAL_PREFIX};
use crate::{Finding, Id, Severity};

/// Those of the main table that come before every on-link route. One for a single address is
/// somebody's purpose, such as keeping a cloud's metadata from programs.
pub(super) fn refused_route(facts: &Facts) -> Vec<Finding> {
    let on_link = facts.interfaces.iter().filter_map(|i| facts.on_link_route(i.index()));
    let best = on_link.map(|route| route.metric).min();
    let counts = |refusal: &&Refusal| {
        let is_first = refusal.prefix_len > LINK_LOCAL_PREFIX
            || best.is_none_or(|best| refusal.metric <= best);
        refusal.table == MAIN_TABLE
            && is_link_local(refusal.destination)
            && (LINK_LOCAL_PREFIX..HOST_PREFIX).contains(&refusal.prefix_len)
            && is_first
    };
    let takes_part = facts.interfaces.iter().any(Interface::takes_part);
    let severity = if takes_part { Severity::Problem } else { Severity::Warning };
    facts.refusals.iter().filter(counts).map(|refusal| finding(refusal, severity)).collect()
}

fn finding(refusal: &Refusal, severity: Severity) -> Finding {
    let Refusal { kind, destination, prefix_len, metric, .. } = refusal;
    let mut command = format!("ip route del {kind} {destination}/{prefix_len}");
    if *metric != 0 {
        command.push_str(&format!(" metric {metric}"));
    }
    Finding {
        id: Id::RefusedRoute,
        severity,
        interface: None,
        what: format!(
            "A route of the kind \"{kind}\" has packets to {destination}/{prefix_len} dropped."
        ),
        why: "Nothing this host sends to link-local hosts leaves it.".to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: "Remove the route, or make it one for the single addresses that it was meant for."
            .to_owned(),
        command: Some(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{brief, host, interface, managed};

    fn found(facts: Facts, destination: [u8; 4], prefix_len: u8, metric: u32) -> Vec<Finding> {
        let (kind, table) = ("blackhole", MAIN_TABLE);
        let destination = destination.into();
        let refusal = Refusal { kind, destination, prefix_len, metric, table };
        refused_route(&Facts { refusals: vec![refusal], ..facts })
    }

    #[test]
    fn one_before_the_on_link_route_is_a_problem() {
        let whole = [169, 254, 0, 0];
        let before = found(host([managed(1)]), whole, 16, 5);
        assert_eq!(brief(&before), [(Id::RefusedRoute, Severity::Problem, None)]);
        let command = before[0].command.as_deref();
        assert_eq!(command, Some("ip route del blackhole 169.254.0.0/16 metric 5"));
        assert_eq!(found(host([managed(1)]), whole, 16, 5000), [], "behind it");
        assert_eq!(found(host([managed(1)]), [169, 254, 7, 0], 24, 5000).len(), 1, "a part");
        assert_eq!(found(host([managed(1)]), [169, 254, 169, 254], 32, 0), []);
        assert_eq!(found(host([managed(1)]), [10, 0, 0, 0], 16, 0), []);
    }

    #[test]
    fn without_link_local_addresses_it_is_a_warning() {
        let found = found(host([interface(1)]), [169, 254, 0, 0], 16, 0);
        assert_eq!(brief(&found), [(Id::RefusedRoute, Severity::Warning, None)]);
    }

    #[test]
    fn other_tables_are_other_matters() {
        let (kind, destination) = ("prohibit", [169, 254, 0, 0].into());
        let refusal = Refusal { kind, destination, prefix_len: 16, metric: 0, table: 500 };
        let facts = Facts { refusals: vec![refusal], ..host([managed(1)]) };
        assert_eq!(refused_route(&facts), []);
    }
}
