//! Whether autoipd's guard is wholly in force.

use crate::facts::{Facts, Interface};
use crate::{Finding, Id, Severity, Tier};

/// Managed interfaces without the packet filter.
pub(super) fn guard(facts: &Facts) -> Vec<Finding> {
    let open = facts.examined().filter(|i| i.managed && i.gate == Some(false));
    open.map(|interface| finding(facts, interface)).collect()
}

fn finding(facts: &Facts, interface: &Interface) -> Finding {
    let name = interface.name();
    let state = match facts.tier {
        Some(tier @ (Tier::Sysctl | Tier::Off)) => format!("is at \"{tier}\" on {name}"),
        Some(Tier::Nft) | None => format!("has no packet filter on {name}"),
    };
    Finding {
        id: Id::Guard,
        severity: Severity::Warning,
        interface: Some(name.to_owned()),
        what: format!("The guard of autoipd {state}."),
        why: "The kernel answers ARP from link-local addresses to the asker alone, so that \
              owners of one address do not hear of each other, and hands what is link-local to \
              routers."
            .to_owned(),
        rfc: Some("RFC 3927 §2.5"),
        remedy: "Start autoipd without \"--guard sysctl\" and \"--guard off\", on a kernel of \
                 5.16 or later with nf_tables and its egress hook (CONFIG_NETFILTER_EGRESS). Its \
                 log says what it could not have."
            .to_owned(),
        command: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{brief, host, interface, managed};

    #[test]
    fn a_managed_interface_has_its_filter() {
        assert_eq!(guard(&host([managed(1)])), []);
        assert_eq!(guard(&host([interface(1)])), [], "nobody manages it");
        assert_eq!(guard(&host([Interface { gate: None, ..managed(1) }])), [], "not known");
        let open = host([Interface { gate: Some(false), ..managed(1) }]);
        assert_eq!(brief(&guard(&open)), [(Id::Guard, Severity::Warning, Some("eth1"))]);
        let said = guard(&Facts { tier: Some(Tier::Sysctl), ..open });
        assert!(said[0].what.contains("\"sysctl\""), "{}", said[0].what);
    }
}
