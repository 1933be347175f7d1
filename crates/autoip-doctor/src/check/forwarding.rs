//! Whether link-local packets are kept from leaving their link by this host.

use autoip_linux::rtnl::Conf;

use crate::command::sysctl;
use crate::facts::{Facts, Interface};
use crate::{Finding, Id, Severity, numbers};

/// Interfaces that take part, and whose link-local packets this host passes on.
pub(super) fn forwarding(facts: &Facts) -> Vec<Finding> {
    let passing = facts.examined().filter(|interface| {
        interface.takes_part()
            && interface.setting(Conf::Forwarding).is_some_and(|s| s.own > 0)
            && !is_fenced(facts, interface)
    });
    passing.filter_map(forwards).collect()
}

/// Without its packet filter, autoipd has rules that drop what came in and would go further.
fn is_fenced(facts: &Facts, interface: &Interface) -> bool {
    facts.rules.iter().any(|rule| {
        rule.protocol == numbers::PROTOCOL
            && rule.table.is_none()
            && rule.iif.as_deref() == Some(interface.name())
    })
}

fn forwards(interface: &Interface) -> Option<Finding> {
    let severity = severity(interface)?;
    let name = interface.name();
    Some(Finding {
        id: Id::Forwarding,
        severity,
        interface: Some(name.to_owned()),
        what: format!(
            "Packets that come in by {name} are passed on, those with link-local addresses too."
        ),
        why: "Link-local addresses mean something on their own link alone; whoever gets such a \
              packet on another one answers to the wrong host."
            .to_owned(),
        rfc: Some("RFC 3927 §2.7"),
        remedy: format!(
            "Switch forwarding off if {name} needs none. A router or container host runs autoipd \
             with its guard, which keeps back what is link-local and nothing else."
        ),
        command: Some(sysctl(&[(name, Conf::Forwarding, 0)])),
    })
}

/// Interfaces that take part, and on which this host answers for addresses elsewhere.
pub(super) fn proxy_arp(facts: &Facts) -> Vec<Finding> {
    let answering = facts.examined().filter(|interface| {
        interface.takes_part()
            && interface.setting(Conf::ProxyArp).is_some_and(|setting| setting.effective() > 0)
    });
    answering.filter_map(answers).collect()
}

fn answers(interface: &Interface) -> Option<Finding> {
    let severity = severity(interface)?;
    let (name, setting) = (interface.name(), interface.setting(Conf::ProxyArp)?);
    let own = (setting.own > 0).then_some((name, Conf::ProxyArp, 0));
    let all = (setting.all > 0).then_some(("all", Conf::ProxyArp, 0));
    let settings: Vec<_> = own.into_iter().chain(all).collect();
    Some(Finding {
        id: Id::ProxyArp,
        severity,
        interface: Some(name.to_owned()),
        what: format!("This host answers ARP on {name} for addresses that it routes elsewhere."),
        why: "It answers for link-local addresses as well, and what is sent to their owners \
              arrives here."
            .to_owned(),
        rfc: Some("RFC 3927 §2.7"),
        remedy: "Switch proxy ARP off, or run autoipd with its guard, which keeps back answers \
                 for link-local addresses."
            .to_owned(),
        command: Some(sysctl(&settings)),
    })
}

/// The guard of autoipd stops both; where it could not be seen, it may.
fn severity(interface: &Interface) -> Option<Severity> {
    match interface.gate {
        Some(true) => None,
        Some(false) => Some(Severity::Problem),
        None => Some(Severity::Warning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{brief, host, interface, managed};
    use autoip_linux::rtnl::Rule;

    fn with(conf: Conf, gate: Option<bool>) -> Facts {
        let mut one = Interface { gate, ..managed(1) };
        one.set(conf, 1);
        host([one])
    }

    #[test]
    fn the_guard_makes_forwarding_harmless() {
        assert_eq!(forwarding(&with(Conf::Forwarding, Some(true))), []);
        let found = forwarding(&with(Conf::Forwarding, Some(false)));
        assert_eq!(brief(&found), [(Id::Forwarding, Severity::Problem, Some("eth1"))]);
        assert_eq!(found[0].command.as_deref(), Some("sysctl -w net.ipv4.conf.eth1.forwarding=0"));
        let unsure = forwarding(&with(Conf::Forwarding, None));
        assert_eq!(brief(&unsure), [(Id::Forwarding, Severity::Warning, Some("eth1"))]);
        let mut apart = interface(1);
        apart.set(Conf::Forwarding, 1);
        assert_eq!(forwarding(&host([apart])), [], "nothing link-local there");
    }

    #[test]
    fn rules_that_keep_back_make_it_harmless_too() {
        let mut facts = with(Conf::Forwarding, Some(false));
        facts.rules = vec![Rule {
            priority: 3926,
            from: Some(([169, 254, 0, 0].into(), 16)),
            to: None,
            iif: Some("eth1".to_owned()),
            oif: None,
            table: None,
            protocol: numbers::PROTOCOL,
        }];
        assert_eq!(forwarding(&facts), []);
        facts.rules[0].iif = Some("eth2".to_owned());
        assert_eq!(forwarding(&facts).len(), 1);
    }

    #[test]
    fn proxy_arp_needs_one_of_both_settings() {
        assert_eq!(proxy_arp(&with(Conf::ProxyArp, Some(true))), []);
        assert_eq!(proxy_arp(&with(Conf::ProxyArp, Some(false))).len(), 1);
        let mut facts = with(Conf::Forwarding, Some(false));
        for setting in &mut facts.interfaces[0].settings {
            setting.all = 1;
        }
        let found = proxy_arp(&facts);
        assert_eq!(found[0].command.as_deref(), Some("sysctl -w net.ipv4.conf.all.proxy_arp=0"));
    }
}
