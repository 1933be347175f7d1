//! The numbers of autoipd in the kernel: what bears them, and what gets in their way.

use std::net::Ipv4Addr;

use autoip_linux::rtnl::{LOCAL_TABLE, Rule};
use autoip_wire::{LINK_LOCAL_NET, is_link_local};

use crate::command::{delete_address, destination, word};
use crate::facts::{Facts, Interface, LINK_LOCAL_PREFIX};
use crate::{Finding, Id, Severity, numbers};

/// Behind autoipd's rules.
const LATER: u32 = numbers::RULE_PRIORITY + 1000;

/// What is autoipd's, what it left behind, and what only looks like its own.
pub(super) fn numbers(facts: &Facts) -> Vec<Finding> {
    let mut found = taken(facts);
    let (mut own, mut left, mut commands) = (Vec::new(), Vec::new(), Vec::new());
    for interface in &facts.interfaces {
        let marked = marked(facts, interface);
        let into = if interface.managed { &mut own } else { &mut left };
        into.extend(marked.iter().map(|(what, _)| what.clone()));
        if interface.gate == Some(true) {
            // It goes with its daemon, so that it is never left over.
            own.push(format!("packet filter (nf_tables \"autoip\") for {}", interface.name()));
        }
        if !interface.managed {
            commands.extend(marked.into_iter().map(|(_, command)| command));
        }
    }
    for rule in facts.rules.iter().filter(|rule| rule.protocol == numbers::PROTOCOL) {
        let mut managed = facts.interfaces.iter().filter(|interface| interface.managed);
        // One of an address has a table, one that keeps back what came in has an interface.
        let is_kept = managed.any(|interface| {
            rule.table == Some(numbers::table(interface.index()))
                || rule.iif.as_deref() == Some(interface.name())
        });
        let into = if is_kept { &mut own } else { &mut left };
        into.push(format!("rule {} {}", rule.priority, selector(rule)));
        if !is_kept {
            commands.push(format!("ip rule del priority {} {}", rule.priority, selector(rule)));
        }
    }
    if !left.is_empty() {
        found.push(left_over(&left, &commands));
    }
    if !own.is_empty() {
        found.push(listing(&own));
    }
    found
}

/// What bears autoipd's mark on an interface, each with the command that removes it.
fn marked(facts: &Facts, interface: &Interface) -> Vec<(String, String)> {
    let name = interface.name();
    let addresses = interface.addresses.iter().filter(|a| a.protocol == numbers::PROTOCOL);
    let addresses = addresses.map(|address| {
        let what = format!("address {}/{} on {name}", address.ip, address.prefix_len);
        (what, delete_address(address, name))
    });
    let routes = facts
        .routes
        .iter()
        .filter(|route| route.index == interface.index() && route.protocol == numbers::PROTOCOL);
    let routes = routes.map(|route| {
        let (to, table) = (destination(route), route.table);
        let what = format!("route to {to} over {name} in table {table}");
        let key = format!("{to} dev {} table {table} proto {}", word(name), numbers::PROTOCOL);
        (what, format!("ip route del {key}"))
    });
    // Routes first: some go together with their address.
    routes.chain(addresses).collect()
}

fn listing(own: &[String]) -> Finding {
    Finding {
        id: Id::OwnNumbers,
        severity: Severity::Note,
        interface: None,
        what: format!(
            "Autoipd has put into the kernel, with protocol number {}: {}.",
            numbers::PROTOCOL,
            own.join("; ")
        ),
        why: "They have all traffic of an address leave by its own interface.".to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: "Leave them alone; they go when autoipd ends.".to_owned(),
        command: None,
    }
}

fn left_over(left: &[String], commands: &[String]) -> Finding {
    Finding {
        id: Id::LeftOver,
        severity: Severity::Warning,
        interface: None,
        what: format!("Autoipd does not run there, but left behind: {}.", left.join("; ")),
        why: "It was killed. Nobody watches over an address that it left, and a rule of its own \
              leads nowhere."
            .to_owned(),
        rfc: None,
        remedy: "Start autoipd on that interface again, which cleans up; or remove them."
            .to_owned(),
        command: Some(commands.join("; ")),
    }
}

/// Rules and routes of others under autoipd's numbers.
fn taken(facts: &Facts) -> Vec<Finding> {
    let ours = |protocol| protocol == numbers::PROTOCOL;
    let rules = facts
        .rules
        .iter()
        .filter(|rule| rule.priority == numbers::RULE_PRIORITY && !ours(rule.protocol));
    let rules = rules.map(|rule| {
        let key = format!("{} {}", rule.priority, selector(rule));
        let what = format!("The rule {key} has the priority of autoipd's rules");
        (what, format!("ip rule del priority {key}"))
    });
    let in_own_tables = facts.interfaces.iter().flat_map(|interface| {
        let table = numbers::table(interface.index());
        facts.routes.iter().filter(move |route| route.table == table && !ours(route.protocol))
    });
    let routes = in_own_tables.map(|route| {
        let (to, table, name) = (destination(route), route.table, facts.name(route.index));
        let what = format!("The route to {to} over {name} is in autoipd's table {table}");
        (what, format!("ip route del {to} dev {} table {table}", word(&name)))
    });
    let finding = |(what, command): (String, String)| Finding {
        id: Id::NumbersTaken,
        severity: Severity::Warning,
        interface: None,
        what: format!("{what}, but is not autoipd's."),
        why: "Traffic of link-local addresses may take it, and leave by another interface."
            .to_owned(),
        rfc: None,
        remedy: "Have whoever adds it use another number.".to_owned(),
        command: Some(command),
    };
    rules.chain(routes).map(finding).collect()
}

/// Rules that are asked before autoipd's and may decide about traffic of link-local addresses.
pub(super) fn earlier_rule(facts: &Facts) -> Vec<Finding> {
    if !facts.interfaces.iter().any(Interface::takes_part) {
        return Vec::new();
    }
    let earlier = facts.rules.iter().filter(|rule| {
        rule.priority < numbers::RULE_PRIORITY
            && rule.protocol != numbers::PROTOCOL
            && rule.table != Some(LOCAL_TABLE)
            && rule.iif.is_none()
            && rule.from.is_none_or(covers_link_local)
            && rule.to.is_none_or(covers_link_local)
    });
    earlier.map(earlier_than_ours).collect()
}

fn earlier_than_ours(rule: &Rule) -> Finding {
    let (priority, selector) = (rule.priority, selector(rule));
    Finding {
        id: Id::EarlierRule,
        severity: Severity::Warning,
        interface: None,
        what: format!(
            "The rule {priority} {selector} is asked before autoipd's own (priority {}).",
            numbers::RULE_PRIORITY
        ),
        why: match rule.table {
            Some(_) => {
                "Where its table knows a way, traffic of link-local addresses takes it: into a \
                 tunnel, or to a router."
            }
            None => "It drops traffic of link-local addresses.",
        }
        .to_owned(),
        rfc: Some("RFC 3927 §2.6.2"),
        remedy: format!("Give it a priority above {}.", numbers::RULE_PRIORITY),
        command: Some(format!(
            "ip rule add priority {LATER} {selector} && ip rule del priority {priority} {selector}"
        )),
    }
}

/// Whether a network has addresses in common with 169.254.0.0/16.
fn covers_link_local((network, len): (Ipv4Addr, u8)) -> bool {
    if len >= LINK_LOCAL_PREFIX {
        return is_link_local(network);
    }
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    network.to_bits() & mask == LINK_LOCAL_NET.to_bits() & mask
}

/// What a rule selects and does, as `ip rule` takes it.
fn selector(rule: &Rule) -> String {
    let network = |network: Option<(Ipv4Addr, u8)>| {
        network.map_or_else(|| "all".to_owned(), |(ip, len)| format!("{ip}/{len}"))
    };
    let mut text = format!("from {}", network(rule.from));
    if rule.to.is_some() {
        text.push_str(&format!(" to {}", network(rule.to)));
    }
    for (key, name) in [("iif", &rule.iif), ("oif", &rule.oif)] {
        if let Some(name) = name {
            text.push_str(&format!(" {key} {}", word(name)));
        }
    }
    match rule.table {
        Some(table) => text.push_str(&format!(" table {table}")),
        None => text.push_str(" blackhole"),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{LINK_LOCAL, ROUTABLE, brief, host, managed, on_link, route};
    use autoip_linux::rtnl::Route;

    const TABLE: u32 = 39_270_001;

    fn rule(priority: u32, protocol: u8) -> Rule {
        Rule {
            priority,
            from: Some((LINK_LOCAL, 32)),
            to: None,
            iif: None,
            oif: None,
            table: Some(TABLE),
            protocol,
        }
    }

    fn own() -> Facts {
        let mut facts = host([managed(1)]);
        let protocol = numbers::PROTOCOL;
        let own_table = Route { table: TABLE, protocol, ..route(1, [0; 4], 0, 0) };
        facts.routes = vec![Route { protocol, ..on_link(1, 1001) }, own_table];
        facts.rules = vec![rule(3927, protocol)];
        facts
    }

    #[test]
    fn what_is_ours_is_listed() {
        let found = numbers(&own());
        assert_eq!(brief(&found), [(Id::OwnNumbers, Severity::Note, None)]);
        for part in [
            "rule 3927 from 169.254.7.9/32 table 39270001",
            "route to default over eth1 in table 39270001",
            "route to 169.254.0.0/16 over eth1 in table 254",
            "address 169.254.7.9/16 on eth1",
            "packet filter (nf_tables \"autoip\") for eth1",
        ] {
            assert!(found[0].what.contains(part), "{}", found[0].what);
        }
    }

    #[test]
    fn what_nobody_keeps_is_left_over() {
        let mut facts = own();
        facts.interfaces[0].managed = false;
        facts.interfaces[0].gate = Some(false);
        let found = numbers(&facts);
        assert_eq!(brief(&found), [(Id::LeftOver, Severity::Warning, None)]);
        assert_eq!(
            found[0].command.as_deref(),
            Some(
                "ip route del 169.254.0.0/16 dev eth1 table 254 proto 169; \
                 ip route del default dev eth1 table 39270001 proto 169; \
                 ip address del 169.254.7.9/16 dev eth1; \
                 ip rule del priority 3927 from 169.254.7.9/32 table 39270001"
            )
        );
        facts.interfaces.clear();
        let found = numbers(&facts);
        assert_eq!(brief(&found), [(Id::LeftOver, Severity::Warning, None)], "its rule stays");
    }

    #[test]
    fn a_rule_that_keeps_back_is_kept_with_its_interface() {
        let mut facts = own();
        let (from, iif) = (Some(([169, 254, 0, 0].into(), 16)), Some("eth1".to_owned()));
        facts.rules = vec![Rule { from, iif, table: None, ..rule(3926, numbers::PROTOCOL) }];
        let found = numbers(&facts);
        assert_eq!(brief(&found), [(Id::OwnNumbers, Severity::Note, None)]);
        let text = "rule 3926 from 169.254.0.0/16 iif eth1 blackhole";
        assert!(found[0].what.contains(text), "{}", found[0].what);
        facts.interfaces[0].managed = false;
        facts.interfaces[0].gate = Some(false);
        let command = numbers(&facts)[0].command.clone().unwrap();
        let wanted = "ip rule del priority 3926 from 169.254.0.0/16 iif eth1 blackhole";
        assert!(command.ends_with(wanted), "{command}");
    }

    #[test]
    fn our_numbers_are_ours_alone() {
        let mut facts = own();
        facts.rules.push(rule(3927, 3));
        facts.routes.push(Route { protocol: 4, ..facts.routes[1].clone() });
        let found = taken(&facts);
        assert_eq!(brief(&found), [(Id::NumbersTaken, Severity::Warning, None); 2]);
        assert_eq!(
            found[0].command.as_deref(),
            Some("ip rule del priority 3927 from 169.254.7.9/32 table 39270001")
        );
        let command = found[1].command.as_deref();
        assert_eq!(command, Some("ip route del default dev eth1 table 39270001"));
    }

    #[test]
    fn an_earlier_rule_may_take_our_traffic() {
        let earlier = |change: fn(&mut Rule)| {
            let mut rule = Rule { from: None, table: Some(100), ..rule(500, 3) };
            change(&mut rule);
            earlier_rule(&Facts { rules: vec![rule], ..host([managed(1)]) })
        };
        let found = earlier(|_| {});
        assert_eq!(brief(&found), [(Id::EarlierRule, Severity::Warning, None)]);
        assert_eq!(
            found[0].command.as_deref(),
            Some(
                "ip rule add priority 4927 from all table 100 && ip rule del priority 500 from all \
                  table 100"
            )
        );
        assert_eq!(earlier(|rule| rule.from = Some(([169, 0, 0, 0].into(), 8))).len(), 1);
        assert_eq!(earlier(|rule| rule.from = Some((ROUTABLE, 32))), []);
        assert_eq!(earlier(|rule| rule.to = Some(([10, 0, 0, 0].into(), 8))), []);
        assert_eq!(earlier(|rule| rule.table = Some(LOCAL_TABLE)), []);
        assert_eq!(earlier(|rule| rule.priority = 32_766), []);
        assert_eq!(earlier(|rule| rule.iif = Some("wg0".to_owned())), []);
    }
}
