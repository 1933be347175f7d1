//! zcip of busybox: one process for each interface, named in its arguments.

use autoip_linux::Running;

use super::{Manager, Port, base_name, operands};
use crate::gather::Files;

pub(super) fn judge(program: &Running, ports: &[Port], _files: &mut Files) -> Vec<Manager> {
    let Some(name) = interface(&program.arguments) else { return Vec::new() };
    let named = ports.iter().filter(|port| port.name == name);
    named
        .map(|port| Manager {
            program: "zcip",
            pid: program.pid,
            index: port.index,
            because: format!("was started for {}", port.name),
            remedy: "Stop it, and have nothing start it again.".to_owned(),
            command: Some(format!("kill {}", program.pid)),
        })
        .collect()
}

/// Whether busybox runs as zcip: `busybox zcip …`, or under that name.
pub(super) fn is_applet(program: &Running) -> bool {
    let first_two = program.arguments.iter().take(2).map(|argument| base_name(argument));
    program.name == "busybox"
        && (first_two.clone().next() == Some("zcip") || first_two.eq(["busybox", "zcip"]))
}

/// `zcip [options] INTERFACE SCRIPT`.
fn interface(arguments: &[String]) -> Option<&str> {
    let own_names = if base_name(arguments.first()?) == "busybox" { 2 } else { 1 };
    operands(arguments.get(own_names..)?, "rl").first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::{claimed, running};

    #[test]
    fn the_interface_is_the_first_operand() {
        let files = &mut Files::default();
        let plain = running("zcip", &["zcip", "-q", "-r", "169.254.1.1", "eth16", "/etc/zcip"]);
        assert_eq!(claimed(&plain, files), [16]);
        let applet = running("busybox", &["busybox", "zcip", "-f", "eth17", "/etc/zcip"]);
        assert_eq!(claimed(&applet, files), [17]);
        let linked = running("busybox", &["/sbin/zcip", "eth17", "/etc/zcip"]);
        assert_eq!(claimed(&linked, files), [17]);
        assert_eq!(claimed(&running("zcip", &["zcip"]), files), [0; 0]);
    }
}
