//! avahi-autoipd: one process for each interface, which it names in its title.

use autoip_linux::Running;

use super::{Manager, Port, operands};
use crate::command::word;
use crate::gather::Files;

const PROGRAM: &str = "avahi-autoipd";

pub(super) fn judge(program: &Running, ports: &[Port], _files: &mut Files) -> Vec<Manager> {
    let Some(name) = interface(&program.arguments) else { return Vec::new() };
    let named = ports.iter().filter(|port| port.name == name);
    named
        .map(|port| Manager {
            program: PROGRAM,
            pid: program.pid,
            index: port.index,
            because: format!("was started for {}", port.name),
            remedy: "Stop it, and remove the package avahi-autoipd or whatever starts it.".into(),
            command: Some(format!("avahi-autoipd --kill {}", word(&port.name))),
        })
        .collect()
}

/// The interface in the title that it gives itself, or in the arguments that it was started with.
fn interface(arguments: &[String]) -> Option<&str> {
    let (title, rest) = arguments.split_first()?;
    match title.strip_prefix("avahi-autoipd: [") {
        Some(title) => title.split(']').next(),
        None => operands(rest, "St").first().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::{claimed, running};

    #[test]
    fn the_interface_stands_in_title_or_arguments() {
        let files = &mut Files::default();
        let bound = running(PROGRAM, &["avahi-autoipd: [eth16] bound 169.254.1.9"]);
        assert_eq!(claimed(&bound, files), [16]);
        let started = running(PROGRAM, &["/usr/sbin/avahi-autoipd", "-D", "-S", "x", "eth17"]);
        assert_eq!(claimed(&started, files), [17]);
        let helper = running(PROGRAM, &["avahi-autoipd: [eth9] callout dispatcher"]);
        assert_eq!(claimed(&helper, files), [0; 0]);
    }
}
