//! The programs that run in this network namespace and that matter to link-local addresses.

use autoip_linux::{IfIndex, Running, running};

use super::{Files, refused};
use crate::facts::{Interface, Unseen};
use crate::manager::{self, Manager, Port};
use crate::resolver;

const FIRST_PROCESS: u32 = 1;

/// Programs that manage addresses or answer for names.
pub(super) fn of_interest(unseen: &mut Vec<Unseen>) -> Vec<Running> {
    let programs = running().unwrap_or_else(|error| {
        unseen.push(refused(None, "which programs run", &error));
        Vec::new()
    });
    if !programs.is_empty() && !programs.iter().any(|program| program.pid == FIRST_PROCESS) {
        unseen.push(Unseen {
            interface: None,
            what: "the programs of other users".to_owned(),
            why: "/proc hides them (mount option hidepid)".to_owned(),
            remedy: "Run the doctor as root.".to_owned(),
        });
    }
    let wanted = |program: &Running| {
        program.here != Some(false) && (manager::is_known(program) || resolver::is_known(program))
    };
    programs.into_iter().filter(wanted).collect()
}

/// Who claims link-local addresses on these interfaces, each program once for each interface.
///
/// A program of which the system does not tell whether it is here counts where it left a trace: an
/// address on the very interface that it serves. Elsewhere it is a gap.
pub(super) fn managers(
    programs: &[Running],
    interfaces: &[Interface],
    files: &mut Files,
    unseen: &mut Vec<Unseen>,
) -> Vec<Manager> {
    let examined = interfaces.iter().filter(|interface| interface.examined);
    let ports: Vec<_> = examined
        .map(|interface| Port { index: interface.index(), name: interface.name().to_owned() })
        .collect();
    // Autoipd goes by the names of those that it stands in for, and has a helper.
    let daemons: Vec<u32> = interfaces.iter().filter_map(|interface| interface.daemon).collect();
    let is_ours =
        |program: &Running| daemons.contains(&program.pid) || daemons.contains(&program.parent);
    let mut managers: Vec<Manager> = Vec::new();
    for program in programs.iter().filter(|p| manager::is_known(p) && !is_ours(p)) {
        let mut claims = manager::claims(program, &ports, files);
        if program.here.is_none() {
            claims.retain(|claim| has_foreign_address(interfaces, claim.index));
            if claims.is_empty() {
                unseen.push(hidden(program));
            }
        }
        for claim in claims {
            let known =
                |other: &Manager| (other.program, other.index) == (claim.program, claim.index);
            if !managers.iter().any(known) {
                managers.push(claim);
            }
        }
    }
    managers
}

fn has_foreign_address(interfaces: &[Interface], index: IfIndex) -> bool {
    let here = interfaces.iter().filter(|interface| interface.index() == index);
    here.flat_map(|here| here.link_local().filter(|address| !here.is_ours(address))).count() > 0
}

fn hidden(program: &Running) -> Unseen {
    let Running { name, pid, .. } = program;
    Unseen {
        interface: None,
        what: format!("whether {name} (process {pid}) is in this network namespace"),
        why: "it belongs to another user".to_owned(),
        remedy: "Run the doctor as root.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{LINK_LOCAL, address, interface, managed};
    use crate::manager::tests::{PARENT, running};

    fn look(here: Option<bool>, interface: Interface) -> (usize, usize) {
        let program =
            Running { here, ..running("avahi-autoipd", &["avahi-autoipd: [eth1] bound x"]) };
        let mut unseen = Vec::new();
        let found = managers(&[program], &[interface], &mut Files::default(), &mut unseen);
        (found.len(), unseen.len())
    }

    #[test]
    fn a_program_that_may_be_elsewhere_counts_by_its_traces() {
        let with_trace = Interface { addresses: vec![address(1, LINK_LOCAL, 16)], ..interface(1) };
        assert_eq!(look(Some(true), interface(1)), (1, 0));
        assert_eq!(look(None, with_trace), (1, 0));
        assert_eq!(look(None, interface(1)), (0, 1));
        assert_eq!(look(None, managed(1)), (0, 1), "the address is autoipd's");
    }

    #[test]
    fn autoipd_is_no_rival_of_itself_under_another_name() {
        let pid = running("avahi-autoipd", &[""]).pid;
        let under = |daemon| Interface { daemon: Some(daemon), ..managed(1) };
        assert_eq!(look(Some(true), under(pid)), (0, 0));
        assert_eq!(look(Some(true), under(PARENT)), (0, 0), "its helper");
        assert_eq!(look(Some(true), under(pid + 1)), (1, 0), "somebody else");
    }
}
