//! Other programs that claim link-local addresses.

use crate::facts::{Facts, Interface};
use crate::manager::Manager;
use crate::{Finding, Id, Severity};

/// One manager beside autoipd, or two beside each other, are a problem; a single one is worth
/// knowing.
pub(super) fn other_manager(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for interface in facts.examined() {
        let here = facts.managers.iter().filter(|manager| manager.index == interface.index());
        for manager in here.clone() {
            let others = here.clone().filter(|other| other.program != manager.program);
            let mut rivals: Vec<&str> = others.map(|other| other.program).collect();
            if interface.managed {
                rivals.push("autoipd");
            }
            found.push(finding(interface, manager, &rivals));
        }
    }
    found
}

fn finding(interface: &Interface, manager: &Manager, rivals: &[&str]) -> Finding {
    let Manager { program, pid, because, .. } = manager;
    let name = interface.name();
    let (severity, what, why) = if rivals.is_empty() {
        (
            Severity::Note,
            format!(
                "{program} (process {pid}) claims link-local addresses on {name}: it {because}."
            ),
            "An interface has one manager of link-local addresses; autoipd would be a second one \
             here.",
        )
    } else {
        (
            Severity::Problem,
            format!(
                "{program} (process {pid}) claims link-local addresses on {name}, and so does {}: \
                 it {because}.",
                rivals.join(" and ")
            ),
            "Each chooses an address and routes of its own, and takes those of the other away or \
             answers for them; which one is used changes from moment to moment.",
        )
    };
    Finding {
        id: Id::OtherManager,
        severity,
        interface: Some(name.to_owned()),
        what,
        why: why.to_owned(),
        rfc: Some("RFC 3927 §2.1"),
        remedy: manager.remedy.clone(),
        command: manager.command.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{brief, host, index, interface, managed};

    fn manager(program: &'static str, number: u32) -> Manager {
        Manager {
            program,
            pid: 812,
            index: index(number),
            because: "was started for it".to_owned(),
            remedy: "Stop it.".to_owned(),
            command: Some("kill 812".to_owned()),
        }
    }

    fn found(interface: Interface, managers: &[Manager]) -> Vec<Severity> {
        let facts = Facts { managers: managers.to_vec(), ..host([interface]) };
        brief(&other_manager(&facts)).iter().map(|found| found.1).collect()
    }

    #[test]
    fn two_on_one_interface_are_a_problem() {
        assert_eq!(found(managed(1), &[]), []);
        assert_eq!(found(managed(1), &[manager("dhcpcd", 1)]), [Severity::Problem]);
        assert_eq!(found(interface(1), &[manager("dhcpcd", 1)]), [Severity::Note]);
        let both = [manager("dhcpcd", 1), manager("zcip", 1)];
        assert_eq!(found(interface(1), &both), [Severity::Problem; 2]);
        assert_eq!(found(managed(1), &[manager("dhcpcd", 2)]), [], "on another interface");
    }
}
