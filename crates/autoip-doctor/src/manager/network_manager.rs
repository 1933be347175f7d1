//! NetworkManager: claims where the active connection of an interface asks for it.

use autoip_linux::Running;

use super::{Manager, Port};
use crate::command::word;
use crate::gather::Files;

const PROGRAM: &str = "NetworkManager";
const CONNECTIONS: [&str; 3] = [
    "etc/NetworkManager/system-connections",
    "run/NetworkManager/system-connections",
    "usr/lib/NetworkManager/system-connections",
];

pub(super) fn judge(program: &Running, ports: &[Port], files: &mut Files) -> Vec<Manager> {
    ports.iter().filter_map(|port| claim(program, port, files)).collect()
}

fn claim(program: &Running, port: &Port, files: &mut Files) -> Option<Manager> {
    let state = files.text(&format!("run/NetworkManager/devices/{}", port.index))?;
    if value(&state, "device", "managed").is_some_and(|managed| managed == "false") {
        return None;
    }
    let uuid = value(&state, "device", "connection-uuid")?;
    let connection = connection(uuid, files)?;
    let name = &port.name;
    let method = value(&connection, "ipv4", "method").unwrap_or("auto");
    let link_local = value(&connection, "ipv4", "link-local").unwrap_or_default();
    let (because, remedy, command) = if method == "link-local" {
        (
            format!("has ipv4.method link-local for {name}"),
            format!("Have it leave {name} alone."),
            format!("nmcli device set {} managed no", word(name)),
        )
    } else if is_on(link_local) {
        (
            format!("has ipv4.link-local switched on for {name}"),
            format!("Switch ipv4.link-local off for the connection of {name}."),
            format!(
                "nmcli connection modify {} ipv4.link-local disabled && nmcli device reapply {}",
                word(uuid),
                word(name)
            ),
        )
    } else {
        return None;
    };
    let (pid, index) = (program.pid, port.index);
    Some(Manager { program: PROGRAM, pid, index, because, remedy, command: Some(command) })
}

/// The text of the connection with this number.
fn connection(uuid: &str, files: &mut Files) -> Option<String> {
    let paths: Vec<_> = CONNECTIONS.iter().flat_map(|directory| files.list(directory)).collect();
    paths.iter().find_map(|path| {
        files.text(path).filter(|text| value(text, "connection", "uuid") == Some(uuid))
    })
}

/// The values 3 and 4 of the property are "enabled" and "fallback".
fn is_on(link_local: &str) -> bool {
    ["3", "4", "enabled", "fallback"].contains(&link_local)
}

/// The value of a key in a section of a key file.
fn value<'t>(text: &'t str, section: &str, key: &str) -> Option<&'t str> {
    let mut in_section = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            in_section = name.strip_suffix(']') == Some(section);
        } else if let Some((found, value)) = line.split_once('=')
            && in_section
            && found.trim() == key
        {
            return Some(value.trim());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::{claimed, running};

    const STATE: &str = "run/NetworkManager/devices/16";
    const FILE: &str = "etc/NetworkManager/system-connections/lan.nmconnection";

    fn claims(state: &str, ipv4: &str) -> bool {
        let connection = format!("[connection]\nid=lan\nuuid=77-a\n\n[ipv4]\n{ipv4}\n[ipv6]\n");
        let mut files = Files::made_up(&[(STATE, state), (FILE, &connection)]);
        let program = running("NetworkManager", &["/usr/sbin/NetworkManager", "--no-daemon"]);
        claimed(&program, &mut files) == [16]
    }

    #[test]
    fn the_active_connection_decides() {
        let state = "[device]\nmanaged=true\nconnection-uuid=77-a\n";
        assert!(claims(state, "method=link-local"));
        assert!(claims(state, "link-local=4\nmethod=auto"));
        assert!(claims(state, "method=manual\nlink-local=3"));
        assert!(!claims(state, "method=auto"));
        assert!(!claims(state, "method=auto\nlink-local=2"));
        assert!(!claims("[device]\nmanaged=false\nconnection-uuid=77-a\n", "method=link-local"));
        assert!(!claims("[device]\nconnection-uuid=another\n", "method=link-local"));
    }
}
