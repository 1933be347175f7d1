//! The reverse-path filter, which drops packets whose sender the host would answer elsewhere.

use autoip_linux::rtnl::Conf;

use crate::command::sysctl;
use crate::facts::{Facts, Interface, Setting};
use crate::{Finding, Id, Severity, numbers};

const STRICT: i32 = 1;
const LOOSE: i32 = 2;

/// Interfaces on which it drops what belongs to the link.
pub(super) fn rp_filter(facts: &Facts) -> Vec<Finding> {
    let taking_part = facts.examined().filter(|interface| interface.takes_part());
    taking_part.filter_map(|interface| judge(facts, interface)).collect()
}

fn judge(facts: &Facts, interface: &Interface) -> Option<Finding> {
    let setting = interface.setting(Conf::RpFilter)?;
    match setting.effective() {
        STRICT => drops_its_link(facts, interface)
            .or_else(|| drops_routable_neighbours(facts, interface, setting)),
        LOOSE => drops_routable_neighbours(facts, interface, setting),
        _ => None,
    }
}

/// With 169.254.0.0/16 on several links, the strict filter takes it to be on the preferred one
/// only. The rule of autoipd helps packets to its address, not broadcast and multicast.
fn drops_its_link(facts: &Facts, interface: &Interface) -> Option<Finding> {
    let own = facts.on_link_route(interface.index())?.metric;
    let preferred = facts
        .interfaces
        .iter()
        .filter(|other| other.index() != interface.index())
        .find(|other| facts.on_link_route(other.index()).is_some_and(|r| r.metric <= own))?;
    let (name, other) = (interface.name(), preferred.name());
    Some(Finding {
        id: Id::RpFilter,
        severity: Severity::Problem,
        interface: Some(name.to_owned()),
        what: format!(
            "The strict reverse-path filter of {name} drops packets of link-local hosts, because \
             169.254.0.0/16 is on the link of {other} as well."
        ),
        why: "Broadcast and multicast from the link, mDNS among it, do not arrive, nor does \
              anything else without autoipd's rule."
            .to_owned(),
        rfc: Some("RFC 3927 §3.2"),
        remedy: "Make the filter loose.".to_owned(),
        command: Some(sysctl(&[(name, Conf::RpFilter, LOOSE)])),
    })
}

/// A neighbour with a routable address only: with the filter on, a host that has no way back to
/// it does not hear it. The rule of autoipd is such a way.
fn drops_routable_neighbours(
    facts: &Facts,
    interface: &Interface,
    setting: Setting,
) -> Option<Finding> {
    let own_table = Some(numbers::table(interface.index()));
    let has_rule = facts.rules.iter().any(|rule| rule.table == own_table && rule.from.is_some());
    let strict = setting.effective() == STRICT;
    let mut ways = facts.default_routes();
    let has_way = ways.any(|route| !strict || route.index == interface.index());
    if has_rule || has_way || interface.link_local().next().is_none() {
        return None;
    }
    let name = interface.name();
    let all = (setting.all > 0).then_some(("all", Conf::RpFilter, 0));
    let own = (setting.own > 0).then_some((name, Conf::RpFilter, 0));
    let settings: Vec<_> = all.into_iter().chain(own).collect();
    Some(Finding {
        id: Id::RpFilter,
        severity: Severity::Warning,
        interface: Some(name.to_owned()),
        what: format!(
            "The reverse-path filter of {name} drops packets of neighbours that have routable \
             addresses only."
        ),
        why: "Hosts of one link can talk to each other, whichever kind of address each of them \
              has."
            .to_owned(),
        rfc: Some("RFC 3927 §1.8"),
        remedy: "Switch the filter off, or run autoipd with its guard, whose rule leads back."
            .to_owned(),
        command: Some(sysctl(&settings)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{LINK_LOCAL, brief, default_via, host, managed};
    use autoip_linux::rtnl::Rule;

    fn with_filter(number: u32, own: i32) -> Interface {
        let mut interface = managed(number);
        interface.set(Conf::RpFilter, own);
        interface
    }

    fn own_rule(interface: &Interface) -> Rule {
        Rule {
            priority: numbers::RULE_PRIORITY,
            from: Some((LINK_LOCAL, 32)),
            to: None,
            iif: None,
            oif: None,
            table: Some(numbers::table(interface.index())),
            protocol: numbers::PROTOCOL,
        }
    }

    #[test]
    fn strict_on_the_second_of_two_links_is_a_problem() {
        let mut facts = host([managed(1), with_filter(2, STRICT)]);
        facts.rules = vec![own_rule(&facts.interfaces[1])];
        let found = rp_filter(&facts);
        assert_eq!(brief(&found), [(Id::RpFilter, Severity::Problem, Some("eth2"))]);
        assert_eq!(found[0].command.as_deref(), Some("sysctl -w net.ipv4.conf.eth2.rp_filter=2"));
        facts.interfaces[1].set(Conf::RpFilter, LOOSE);
        assert_eq!(rp_filter(&facts), []);
    }

    #[test]
    fn strict_on_the_preferred_one_is_none() {
        let mut facts = host([with_filter(1, STRICT), managed(2)]);
        facts.rules = vec![own_rule(&facts.interfaces[0])];
        assert_eq!(rp_filter(&facts), []);
    }

    #[test]
    fn without_a_way_back_routable_neighbours_are_not_heard() {
        for filter in [STRICT, LOOSE] {
            let mut facts = host([with_filter(1, filter)]);
            let found = rp_filter(&facts);
            assert_eq!(brief(&found), [(Id::RpFilter, Severity::Warning, Some("eth1"))]);
            facts.rules = vec![own_rule(&facts.interfaces[0])];
            assert_eq!(rp_filter(&facts), [], "the rule is a way");
            facts.rules.clear();
            facts.routes.push(default_via(1, 100));
            assert_eq!(rp_filter(&facts), [], "so is a default route");
        }
        let mut facts = host([with_filter(1, LOOSE)]);
        facts.interfaces[0].settings.iter_mut().for_each(|setting| setting.all = 1);
        let command = rp_filter(&facts)[0].command.clone();
        let wanted = "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0";
        assert_eq!(command.as_deref(), Some(wanted));
        assert_eq!(rp_filter(&host([managed(1)])), []);
    }
}
