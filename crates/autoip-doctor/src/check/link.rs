//! What is odd about a link: several of our interfaces are on it, or somebody answers for all.

use std::collections::BTreeSet;

use autoip_linux::IfIndex;
use autoip_linux::rtnl::{Conf, Neighbour};

use crate::command::sysctl;
use crate::facts::{Facts, Proxy};
use crate::{Finding, Id, Severity};

/// What keeps interfaces on one link apart.
const APART: [(Conf, i32); 2] = [(Conf::ArpIgnore, 1), (Conf::ArpAnnounce, 2)];

/// Pairs of interfaces on one link: where a probe shows it, or where both know the same neighbour.
pub(super) fn one_link(facts: &Facts) -> Vec<Finding> {
    let sorted = |(a, b): (IfIndex, IfIndex)| if a < b { (a, b) } else { (b, a) };
    let shown: BTreeSet<_> = facts.probed.joined.iter().copied().map(sorted).collect();
    let guessed: BTreeSet<_> = by_neighbours(facts).map(sorted).collect();
    let guessed = guessed.difference(&shown).map(|&pair| (pair, false));
    // Between routable addresses alone it is a common thing, and not this doctor's matter.
    let takes_part = |index| facts.examined().any(|i| i.index() == index && i.takes_part());
    let pairs = shown.iter().map(|&pair| (pair, true)).chain(guessed);
    let concerned = pairs.filter(|((a, b), _)| takes_part(*a) || takes_part(*b));
    concerned.map(|(pair, is_sure)| joined(facts, pair, is_sure)).collect()
}

/// Examined interfaces with one and the same neighbour, by address and hardware address.
fn by_neighbours(facts: &Facts) -> impl Iterator<Item = (IfIndex, IfIndex)> {
    let is_examined = |index| facts.examined().any(|interface| interface.index() == index);
    facts.neighbours.iter().flat_map(move |one| {
        let same = facts
            .neighbours
            .iter()
            .filter(|other| other.index > one.index && (other.ip, other.mac) == (one.ip, one.mac));
        same.map(|other| (one.index, other.index))
            .filter(move |(a, b)| is_examined(*a) && is_examined(*b))
    })
}

fn joined(facts: &Facts, pair: (IfIndex, IfIndex), is_sure: bool) -> Finding {
    let (one, other) = (facts.name(pair.0), facts.name(pair.1));
    let here = facts.examined().filter(|i| i.index() == pair.0 || i.index() == pair.1);
    let mut settings = Vec::new();
    for interface in here {
        for (conf, wanted) in APART {
            if interface.setting(conf).is_some_and(|setting| setting.effective() < wanted) {
                settings.push((interface.name(), conf, wanted));
            }
        }
    }
    let (are, severity) = match (is_sure, settings.is_empty()) {
        (_, true) => ("are", Severity::Note),
        (true, false) => ("are", Severity::Problem),
        (false, false) => ("seem to be", Severity::Warning),
    };
    let (why, remedy) = if settings.is_empty() {
        (
            "Each has an address of its own and answers for it alone, as two hosts would.",
            "Nothing, unless the two cables were meant to be one: a bond or a bridge makes them \
             that.",
        )
    } else {
        (
            "Each answers for the address of the other; to the link that is a conflict, and both \
             addresses may be lost.",
            "Keep them apart, as autoipd's guard does; or make one interface of them, with a bond \
             or a bridge.",
        )
    };
    Finding {
        id: Id::OneLink,
        severity,
        interface: None,
        what: format!("{one} and {other} {are} on the same link."),
        why: why.to_owned(),
        rfc: Some("RFC 3927 §3.4"),
        remedy: remedy.to_owned(),
        command: (!settings.is_empty()).then(|| sysctl(&settings)),
    }
}

/// Addresses of this host that somebody else on the link has too.
pub(super) fn address_conflict(facts: &Facts) -> Vec<Finding> {
    let finding = |rival: &Neighbour| {
        let (ip, mac, name) = (rival.ip, rival.mac, facts.name(rival.index));
        Finding {
            id: Id::AddressConflict,
            severity: Severity::Problem,
            what: format!("{mac} on the link of {name} has {ip} as well, which is ours."),
            why: "Packets for the one go to the other, as it happens.".to_owned(),
            rfc: Some("RFC 3927 §2.5"),
            remedy: format!(
                "Where both claim their addresses, one gives it up by itself by now; examine \
                 again. Else find the device with the hardware address {mac}, and the program or \
                 person that set {ip} without probing."
            ),
            command: None,
            interface: Some(name),
        }
    };
    facts.probed.rivals.iter().map(finding).collect()
}

/// Hardware addresses that answer for random addresses.
pub(super) fn answers_for_all(facts: &Facts) -> Vec<Finding> {
    facts.probed.proxies.iter().map(|proxy| denies(facts, proxy)).collect()
}

fn denies(facts: &Facts, proxy: &Proxy) -> Finding {
    let Proxy { mac, answered, asked, .. } = proxy;
    let name = facts.name(proxy.index);
    Finding {
        id: Id::AnswersForAll,
        severity: Severity::Problem,
        what: format!(
            "{mac} on the link of {name} answered for {} of {asked} random addresses.",
            answered.len()
        ),
        why: "It seems to have every address there is, so that nobody can claim one.".to_owned(),
        rfc: Some("RFC 3927 §2.7"),
        remedy: format!(
            "Find the device with the hardware address {mac} (a router, an access point, a \
             firewall, a virtual machine's host) and switch proxy ARP off there."
        ),
        command: None,
        interface: Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Probed;
    use crate::facts::tests::{LINK_LOCAL, brief, host, index, interface, managed};
    use autoip_wire::MacAddr;

    fn lax() -> Facts {
        let mut facts = host([managed(1), managed(2)]);
        facts.interfaces[1].set(Conf::ArpIgnore, 0);
        facts
    }

    fn neighbour(number: u32, last: u8) -> Neighbour {
        Neighbour { index: index(number), ip: LINK_LOCAL, mac: MacAddr([2, 0, 0, 0, 0, last]) }
    }

    #[test]
    fn interfaces_that_hear_each_other_are_on_one_link() {
        let joined = vec![(index(2), index(1)), (index(1), index(2))];
        let probed = Probed { joined, ..Probed::default() };
        let found = one_link(&Facts { probed: probed.clone(), ..lax() });
        assert_eq!(brief(&found), [(Id::OneLink, Severity::Problem, None)]);
        assert_eq!(found[0].command.as_deref(), Some("sysctl -w net.ipv4.conf.eth2.arp_ignore=1"));
        let found = one_link(&Facts { probed, ..host([managed(1), managed(2)]) });
        assert_eq!(brief(&found), [(Id::OneLink, Severity::Note, None)]);
        assert_eq!(found[0].command, None);
        assert_eq!(one_link(&lax()), []);
    }

    #[test]
    fn a_common_neighbour_makes_it_likely() {
        let with = |neighbours: &[Neighbour]| {
            one_link(&Facts { neighbours: neighbours.to_vec(), ..lax() })
        };
        let found = with(&[neighbour(1, 9), neighbour(2, 9)]);
        assert_eq!(brief(&found), [(Id::OneLink, Severity::Warning, None)]);
        assert_eq!(with(&[neighbour(1, 9), neighbour(2, 8)]), [], "another host");
        assert_eq!(with(&[neighbour(1, 9), neighbour(1, 9)]), []);
        assert_eq!(with(&[neighbour(1, 9), neighbour(7, 9)]), [], "not examined");
        let neighbours = vec![neighbour(1, 9), neighbour(2, 9)];
        let routable = Facts { neighbours, ..host([interface(1), interface(2)]) };
        assert_eq!(one_link(&routable), [], "nothing link-local there");
    }

    #[test]
    fn whoever_has_our_address_is_named() {
        let rivals = vec![neighbour(1, 9)];
        let found =
            address_conflict(&Facts { probed: Probed { rivals, ..Probed::default() }, ..lax() });
        assert_eq!(brief(&found), [(Id::AddressConflict, Severity::Problem, Some("eth1"))]);
        assert!(found[0].what.contains("02:00:00:00:00:09"), "{}", found[0].what);
        assert_eq!(address_conflict(&lax()), []);
    }

    #[test]
    fn whoever_answers_for_all_is_named() {
        let mac = MacAddr([2, 0, 0, 0, 0, 7]);
        let proxy = Proxy { index: index(1), mac, answered: vec![LINK_LOCAL; 3], asked: 3 };
        let probed = Probed { proxies: vec![proxy], ..Probed::default() };
        let found = answers_for_all(&Facts { probed, ..lax() });
        assert_eq!(brief(&found), [(Id::AnswersForAll, Severity::Problem, Some("eth1"))]);
        assert!(found[0].what.starts_with("02:00:00:00:00:07 "), "{}", found[0].what);
        assert_eq!(answers_for_all(&lax()), []);
    }
}
