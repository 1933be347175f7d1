//! How the kernel answers, asks and announces with ARP.

use autoip_linux::rtnl::Conf;

use crate::command::sysctl;
use crate::facts::{Facts, Interface};
use crate::{Finding, Id, Severity};

/// Only for addresses of the interface itself.
const OWN_ONLY: i32 = 1;
/// Only for askers of the same network as well.
const SAME_NETWORK: i32 = 2;
/// From here on nobody is answered.
const NOBODY: i32 = 8;
/// The sender is the best address of the interface.
const BEST: i32 = 2;

/// Interfaces that answer for the addresses of others, or that do not answer.
pub(super) fn arp_ignore(facts: &Facts) -> Vec<Finding> {
    taking_part(facts).filter_map(|interface| ignore(facts, interface)).collect()
}

fn ignore(facts: &Facts, interface: &Interface) -> Option<Finding> {
    let (name, setting) = (interface.name(), interface.setting(Conf::ArpIgnore)?);
    let value = setting.effective();
    let (severity, what, why, rfc) = if value == 0 && has_others(facts, interface) {
        (
            Severity::Warning,
            format!("{name} answers ARP requests for the addresses of other interfaces."),
            "On a common link that is a conflict of this host with itself; on separate links, \
             hosts learn a way that does not exist.",
            "RFC 3927 §3.4",
        )
    } else if value == SAME_NETWORK {
        (
            Severity::Problem,
            format!("{name} does not answer hosts with routable addresses (arp_ignore is 2)."),
            "A host with a routable address reaches link-local ones on its link, and asks for \
             them with its own address.",
            "RFC 3927 §1.8",
        )
    } else if value >= NOBODY {
        (
            Severity::Problem,
            format!("{name} answers no ARP requests (arp_ignore is {value})."),
            "Nobody finds this host, and a host that probes for its address takes it.",
            "RFC 3927 §2.2.1",
        )
    } else {
        return None;
    };
    let all = (setting.all > OWN_ONLY).then_some(("all", Conf::ArpIgnore, OWN_ONLY));
    let settings: Vec<_> = all.into_iter().chain([(name, Conf::ArpIgnore, OWN_ONLY)]).collect();
    Some(Finding {
        id: Id::ArpIgnore,
        severity,
        interface: Some(name.to_owned()),
        what,
        why: why.to_owned(),
        rfc: Some(rfc),
        remedy: "Have it answer for its own addresses, and for everybody; autoipd's guard does \
                 that for the interfaces that it manages."
            .to_owned(),
        command: Some(sysctl(&settings)),
    })
}

/// Interfaces that ask with the addresses of others.
pub(super) fn arp_announce(facts: &Facts) -> Vec<Finding> {
    taking_part(facts).filter_map(|interface| announce(facts, interface)).collect()
}

fn announce(facts: &Facts, interface: &Interface) -> Option<Finding> {
    let (name, setting) = (interface.name(), interface.setting(Conf::ArpAnnounce)?);
    if setting.effective() >= BEST || !has_others(facts, interface) {
        return None;
    }
    Some(Finding {
        id: Id::ArpAnnounce,
        severity: Severity::Warning,
        interface: Some(name.to_owned()),
        what: format!("{name} sends ARP requests with the addresses of other interfaces."),
        why: "An address that was claimed on one link appears on another, where nobody probed \
              for it."
            .to_owned(),
        rfc: Some("RFC 3927 §3.4"),
        remedy: "Have it ask with its own addresses; autoipd's guard does that for the \
                 interfaces that it manages."
            .to_owned(),
        command: Some(sysctl(&[(name, Conf::ArpAnnounce, BEST)])),
    })
}

/// Interfaces whose addresses the kernel announces by itself, without a probe before.
pub(super) fn arp_notify(facts: &Facts) -> Vec<Finding> {
    taking_part(facts).filter_map(notify).collect()
}

fn notify(interface: &Interface) -> Option<Finding> {
    let (name, setting) = (interface.name(), interface.setting(Conf::ArpNotify)?);
    // The gate of autoipd's guard holds such announcements back.
    if setting.effective() == 0 || interface.gate == Some(true) {
        return None;
    }
    let own = (setting.own > 0).then_some((name, Conf::ArpNotify, 0));
    let all = (setting.all > 0).then_some(("all", Conf::ArpNotify, 0));
    let settings: Vec<_> = own.into_iter().chain(all).collect();
    Some(Finding {
        id: Id::ArpNotify,
        severity: Severity::Warning,
        interface: Some(name.to_owned()),
        what: format!("The kernel announces the addresses of {name} when it comes up."),
        why: "An announcement without probes before takes the address away from whoever has got \
              it meanwhile."
            .to_owned(),
        rfc: Some("RFC 3927 §2.2"),
        remedy: "Switch it off; who claims an address announces it.".to_owned(),
        command: Some(sysctl(&settings)),
    })
}

fn taking_part(facts: &Facts) -> impl Iterator<Item = &Interface> {
    facts.examined().filter(|interface| interface.takes_part())
}

/// Whether there are other interfaces that it could be confused with.
fn has_others(facts: &Facts, interface: &Interface) -> bool {
    facts.others(interface.index()).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{ROUTABLE, address, brief, host, interface, managed};

    fn other() -> Interface {
        Interface { addresses: vec![address(2, ROUTABLE, 24)], ..interface(2) }
    }

    fn with(conf: Conf, value: i32) -> Interface {
        let mut one = managed(1);
        one.set(conf, value);
        one
    }

    #[test]
    fn two_interfaces_answer_each_for_itself() {
        assert_eq!(arp_ignore(&host([managed(1), other()])), []);
        let found = arp_ignore(&host([with(Conf::ArpIgnore, 0), other()]));
        assert_eq!(brief(&found), [(Id::ArpIgnore, Severity::Warning, Some("eth1"))]);
        assert_eq!(found[0].command.as_deref(), Some("sysctl -w net.ipv4.conf.eth1.arp_ignore=1"));
        assert_eq!(arp_ignore(&host([with(Conf::ArpIgnore, 0)])), [], "there is no other");
    }

    #[test]
    fn everybody_is_answered() {
        for value in [SAME_NETWORK, NOBODY] {
            let found = arp_ignore(&host([with(Conf::ArpIgnore, value)]));
            assert_eq!(brief(&found), [(Id::ArpIgnore, Severity::Problem, Some("eth1"))]);
        }
        let mut facts = host([with(Conf::ArpIgnore, 0)]);
        facts.interfaces[0].settings.iter_mut().for_each(|setting| setting.all = 8);
        let command = arp_ignore(&facts)[0].command.clone();
        let wanted = "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth1.arp_ignore=1";
        assert_eq!(command.as_deref(), Some(wanted));
    }

    #[test]
    fn two_interfaces_ask_each_for_itself() {
        assert_eq!(arp_announce(&host([managed(1), other()])), []);
        let found = arp_announce(&host([with(Conf::ArpAnnounce, 1), other()]));
        assert_eq!(brief(&found), [(Id::ArpAnnounce, Severity::Warning, Some("eth1"))]);
        assert_eq!(arp_announce(&host([with(Conf::ArpAnnounce, 0)])), []);
    }

    #[test]
    fn the_kernel_announces_nothing_by_itself() {
        let loud = with(Conf::ArpNotify, 1);
        assert_eq!(arp_notify(&host([loud.clone()])), [], "the gate is shut");
        let found = arp_notify(&host([Interface { gate: Some(false), ..loud }]));
        assert_eq!(brief(&found), [(Id::ArpNotify, Severity::Warning, Some("eth1"))]);
        assert_eq!(arp_notify(&host([Interface { gate: Some(false), ..managed(1) }])), []);
    }
}
