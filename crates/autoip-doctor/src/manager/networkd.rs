//! systemd-networkd: claims where the file of an interface says `LinkLocalAddressing=ipv4`.

use autoip_linux::Running;

use super::{Manager, Port, base_name};
use crate::command::word;
use crate::gather::Files;

const PROGRAM: &str = "systemd-networkd";

pub(super) fn judge(program: &Running, ports: &[Port], files: &mut Files) -> Vec<Manager> {
    ports.iter().filter_map(|port| claim(program, port, files)).collect()
}

fn claim(program: &Running, port: &Port, files: &mut Files) -> Option<Manager> {
    let state = files.text(&format!("run/systemd/netif/links/{}", port.index))?;
    if assigned(&state, "ADMIN_STATE").is_some_and(|state| state == "unmanaged") {
        return None;
    }
    let file = assigned(&state, "NETWORK_FILE").filter(|file| !file.is_empty())?;
    let drop_ins = files.list(&format!("{file}.d"));
    let own_drop_ins = files.list(&format!("etc/systemd/network/{}.d", base_name(file)));
    let mut wanted = None;
    for path in [file].into_iter().chain(drop_ins.iter().chain(&own_drop_ins).map(String::as_str)) {
        let text = files.text(path).unwrap_or_default();
        wanted = link_local_addressing(&text).or(wanted);
    }
    let wanted = wanted.filter(|value| is_ipv4(value))?;
    let (name, own) = (&port.name, base_name(file));
    let directory = format!("/etc/systemd/network/{own}.d");
    Some(Manager {
        program: PROGRAM,
        pid: program.pid,
        index: port.index,
        because: format!("has LinkLocalAddressing={wanted} for {name} in {file}"),
        remedy: format!("Say LinkLocalAddressing=ipv6 for {name}, in a drop-in of {own}."),
        command: Some(format!(
            "mkdir -p {0} && printf '[Network]\\nLinkLocalAddressing=ipv6\\n' > {0}/zz-autoip.conf \
             && networkctl reload",
            word(&directory)
        )),
    })
}

/// The value of `KEY=value`.
fn assigned<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

/// The last value in the section `[Network]`.
fn link_local_addressing(text: &str) -> Option<String> {
    let mut section = "";
    let mut value = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if let Some((key, said)) = line.split_once('=')
            && (section, key.trim()) == ("[Network]", "LinkLocalAddressing")
        {
            value = Some(said.trim().to_owned());
        }
    }
    value
}

fn is_ipv4(value: &str) -> bool {
    let yes = ["ipv4", "fallback", "ipv4-fallback", "yes", "true", "on", "1", "y", "t"];
    yes.iter().any(|word| word.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::{claimed, running};

    const STATE: &str = "run/systemd/netif/links/16";
    const FILE: &str = "etc/systemd/network/10-lan.network";
    const NAMES_FILE: &str =
        "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-lan.network\n";

    fn with_files(files: &[(&str, &str)]) -> Vec<u32> {
        let program = running("systemd-network", &["/lib/systemd/systemd-networkd"]);
        claimed(&program, &mut Files::made_up(files))
    }

    #[test]
    fn the_file_of_the_interface_decides() {
        let network = |value| format!("[Match]\nName=eth*\n[Network]\nLinkLocalAddressing={value}");
        for (value, claims) in [("ipv4", 1), ("yes", 1), ("ipv6", 0), ("no", 0)] {
            let text = network(value);
            let files = [(STATE, NAMES_FILE), (FILE, text.as_str())];
            assert_eq!(with_files(&files).len(), claims, "{value}");
        }
        let elsewhere = "[Match]\nLinkLocalAddressing=ipv4\n[Network]\nDHCP=yes\n";
        assert_eq!(with_files(&[(STATE, NAMES_FILE), (FILE, elsewhere)]), [0; 0]);
    }

    #[test]
    fn a_drop_in_has_the_last_word() {
        let drop_in = format!("{FILE}.d/zz-autoip.conf");
        let files = [
            (STATE, NAMES_FILE),
            (FILE, "[Network]\nLinkLocalAddressing=ipv4\n"),
            (drop_in.as_str(), "[Network]\nLinkLocalAddressing=ipv6\n"),
        ];
        assert_eq!(with_files(&files), [0; 0]);
    }

    #[test]
    fn what_it_does_not_manage_it_does_not_claim() {
        let unmanaged = NAMES_FILE.replace("configured", "unmanaged");
        let network = (FILE, "[Network]\nLinkLocalAddressing=ipv4\n");
        assert_eq!(with_files(&[(STATE, &unmanaged), network]), [0; 0]);
        assert_eq!(with_files(&[network]), [0; 0]);
    }
}
