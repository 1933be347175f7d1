//! The programs that run in this network namespace and that matter to link-local addresses.

use autoip_linux::{Running, running};

use super::{Files, refused};
use crate::facts::Unseen;
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
    // A name server that might be here is taken to be: it is asked on this host in any case.
    let wanted = |program: &Running| match program.here {
        Some(here) => here && (manager::is_known(program) || resolver::is_known(program)),
        None => resolver::is_known(program),
    };
    let hidden = |program: &&Running| program.here.is_none() && manager::is_known(program);
    unseen.extend(programs.iter().filter(hidden).map(|program| Unseen {
        interface: None,
        what: format!(
            "whether {} (process {}) is in this network namespace",
            program.name, program.pid
        ),
        why: "it belongs to another user".to_owned(),
        remedy: "Run the doctor as root.".to_owned(),
    }));
    programs.into_iter().filter(wanted).collect()
}

/// Who claims link-local addresses on these interfaces, each program once for each interface.
pub(super) fn managers(programs: &[Running], ports: &[Port], files: &mut Files) -> Vec<Manager> {
    let mut managers: Vec<Manager> = Vec::new();
    for program in programs {
        for claim in manager::claims(program, ports, files) {
            let known =
                |other: &Manager| (other.program, other.index) == (claim.program, claim.index);
            if !managers.iter().any(known) {
                managers.push(claim);
            }
        }
    }
    managers
}
