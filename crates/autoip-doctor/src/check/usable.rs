//! Whether an interface can carry a link-local address at all.

use crate::command::word;
use crate::facts::{Facts, Interface};
use crate::{Finding, Id, Severity};

/// Interfaces that somebody wants to use and that cannot be used as they are.
pub(super) fn unusable_interface(facts: &Facts) -> Vec<Finding> {
    let wanted = facts.examined().filter(|interface| interface.asked || interface.managed);
    wanted.filter_map(|interface| judge(facts, interface)).collect()
}

fn judge(facts: &Facts, interface: &Interface) -> Option<Finding> {
    let (link, name) = (&interface.link, interface.name());
    let (severity, what, why, remedy, command) = if let Some(master) = link.master {
        let master = facts.name(master);
        (
            Severity::Problem,
            format!("{name} is a port of {master}."),
            "What comes in by a port goes to the bridge or bond; an address on the port itself \
             is not heard.",
            format!("Use {master} for the address, or take {name} out of it."),
            None,
        )
    } else if link.no_arp && !link.loopback {
        (
            Severity::Problem,
            format!("{name} has ARP switched off."),
            "Without ARP no address can be probed for, announced or found.",
            "Switch it on.".to_owned(),
            Some(format!("ip link set dev {} arp on", word(name))),
        )
    } else if let Some(why_not) = link.unsuitable() {
        (
            Severity::Problem,
            format!("{name} {why_not}."),
            "Link-local addresses are claimed with ARP over Ethernet.",
            "Examine, and use, an Ethernet or Wi-Fi interface.".to_owned(),
            None,
        )
    } else if !link.up {
        (
            Severity::Problem,
            format!("{name} is set down."),
            "Nothing is sent or received by an interface that is down.",
            "Set it up.".to_owned(),
            Some(format!("ip link set dev {} up", word(name))),
        )
    } else if !link.has_carrier() {
        (
            Severity::Warning,
            format!("{name} has no carrier."),
            "Addresses are claimed when the link comes up; there is none now.",
            "Look at the cable, at the other end, and whether that end is switched on.".to_owned(),
            None,
        )
    } else {
        return None;
    };
    Some(Finding {
        id: Id::UnusableInterface,
        severity,
        interface: Some(name.to_owned()),
        what,
        why: why.to_owned(),
        rfc: Some("RFC 3927 §1.3"),
        remedy,
        command,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{brief, host, index, interface, managed};

    fn found(change: impl FnOnce(&mut Interface)) -> Vec<Finding> {
        let mut one = Interface { asked: true, ..interface(1) };
        change(&mut one);
        unusable_interface(&host([one]))
    }

    #[test]
    fn a_usable_interface_is_none_of_these() {
        assert_eq!(found(|_| {}), []);
        let mut idle = interface(1);
        idle.link.up = false;
        assert_eq!(unusable_interface(&host([idle])), [], "nobody wants it");
    }

    #[test]
    fn each_obstacle_is_told() {
        let severity = |findings: &[Finding]| brief(findings).first().map(|found| found.1);
        assert_eq!(severity(&found(|one| one.link.up = false)), Some(Severity::Problem));
        assert_eq!(severity(&found(|one| one.link.lower_up = false)), Some(Severity::Warning));
        assert_eq!(severity(&found(|one| one.link.no_arp = true)), Some(Severity::Problem));
        assert_eq!(severity(&found(|one| one.link.hardware = 65534)), Some(Severity::Problem));
        let port = found(|one| one.link.master = Some(index(9)));
        assert!(port[0].what.contains("a port of interface 9"), "{port:?}");
        let mut down = managed(1);
        down.link.up = false;
        let found = unusable_interface(&host([down]));
        assert_eq!(found[0].command.as_deref(), Some("ip link set dev eth1 up"));
    }
}
