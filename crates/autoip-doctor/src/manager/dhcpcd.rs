//! dhcpcd: claims a link-local address wherever DHCP gives none, unless it is told not to.

use autoip_linux::Running;

use super::{Manager, Port, operands};
use crate::gather::Files;

const PROGRAM: &str = "dhcpcd";
const CONF: &str = "etc/dhcpcd.conf";
/// The short options that have a value.
const WITH_VALUE: &str = "cefhijlmorstuvyzCFIOQSWXZ";

pub(super) fn judge(program: &Running, ports: &[Port], files: &mut Files) -> Vec<Manager> {
    let arguments = program.arguments.get(1..).unwrap_or_default();
    if arguments.iter().any(|argument| argument == "-L" || argument == "--noipv4ll") {
        return Vec::new();
    }
    let conf = Conf::parse(&files.text(CONF).unwrap_or_default());
    let served = ports.iter().filter(|port| serves(program, &port.name));
    served
        .filter(|port| conf.claims(&port.name))
        .map(|port| Manager {
            program: PROGRAM,
            pid: program.pid,
            index: port.index,
            because: format!(
                "serves {}, and \"noipv4ll\" does not stand in /etc/dhcpcd.conf",
                port.name
            ),
            remedy: "Put \"noipv4ll\" first into /etc/dhcpcd.conf and have it read again.".into(),
            command: Some("sed -i '1i noipv4ll' /etc/dhcpcd.conf && dhcpcd --rebind".to_owned()),
        })
        .collect()
}

/// Whether this process serves the interface: the one that its title or its arguments name, or
/// all of them.
fn serves(program: &Running, name: &str) -> bool {
    let Some((title, rest)) = program.arguments.split_first() else { return false };
    match title.strip_prefix("dhcpcd: ") {
        // "[manager] [ip4] [ip6]" or "eth0 [ip4]"; helpers have other titles.
        Some(title) => {
            let served = title.split_whitespace().next().unwrap_or_default();
            served == name || served == "[manager]" || served == "[master]"
        }
        None => {
            let named = operands(rest, WITH_VALUE);
            named.is_empty() || named.contains(&name)
        }
    }
}

/// What the configuration says about link-local addresses.
#[derive(Debug, Default)]
struct Conf {
    /// For each interface that has a section, and "" for all: whether they are switched off.
    off: Vec<(String, bool)>,
    allowed: Option<Vec<String>>,
    denied: Vec<String>,
}

impl Conf {
    fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        let mut section = Some(String::new());
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let (key, value) = line.trim().split_once(char::is_whitespace).unwrap_or((line, ""));
            let words = || value.split_whitespace().map(str::to_owned);
            match key.trim() {
                "interface" => section = Some(value.trim().to_owned()),
                // Sections for networks and profiles: they hold now or never, who knows.
                "ssid" | "profile" => section = None,
                "allowinterfaces" => conf.allowed.get_or_insert_default().extend(words()),
                "denyinterfaces" => conf.denied.extend(words()),
                key @ ("noipv4ll" | "ipv4ll") => {
                    let off = key == "noipv4ll";
                    conf.off.extend(section.clone().map(|section| (section, off)));
                }
                _ => {}
            }
        }
        conf
    }

    fn claims(&self, name: &str) -> bool {
        let matches = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, name));
        if matches(&self.denied) || self.allowed.as_ref().is_some_and(|list| !matches(list)) {
            return false;
        }
        let said = |section: &str| self.off.iter().rev().find(|(of, _)| of == section);
        !said(name).or_else(|| said("")).is_some_and(|(_, off)| *off)
    }
}

/// Whether a name fits a pattern with `*` and `?`.
fn glob(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let mut left = name.chars();
    match first {
        '*' => name.char_indices().any(|(at, _)| glob(rest, &name[at..])) || glob(rest, ""),
        '?' => left.next().is_some() && glob(rest, left.as_str()),
        _ => left.next() == Some(first) && glob(rest, left.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::{claimed, running};

    fn with_conf(text: &str, arguments: &[&str]) -> Vec<u32> {
        claimed(&running(PROGRAM, arguments), &mut Files::made_up(&[(CONF, text)]))
    }

    #[test]
    fn it_claims_unless_told_not_to() {
        let manager = &["dhcpcd: [manager] [ip4] [ip6]"];
        assert_eq!(with_conf("", manager), [16, 17]);
        assert_eq!(with_conf("hostname\nnoipv4ll\n", manager), [0; 0]);
        assert_eq!(with_conf("#noipv4ll\n", manager), [16, 17]);
        assert_eq!(with_conf("interface eth16\n\tnoipv4ll # here\n", manager), [17]);
        assert_eq!(with_conf("noipv4ll\ninterface eth17\nipv4ll\n", manager), [17]);
        assert_eq!(with_conf("denyinterfaces veth* eth?7", manager), [16]);
        assert_eq!(with_conf("allowinterfaces eth17 wlan*", manager), [17]);
        assert_eq!(with_conf("", &["dhcpcd", "--noipv4ll"]), [0; 0]);
        assert_eq!(with_conf("", &["dhcpcd", "-L", "eth16"]), [0; 0]);
    }

    #[test]
    fn a_process_serves_what_it_names() {
        assert_eq!(with_conf("", &["dhcpcd: eth16 [ip4]"]), [16]);
        assert_eq!(with_conf("", &["dhcpcd: [privileged proxy] eth16"]), [0; 0]);
        assert_eq!(with_conf("", &["/sbin/dhcpcd", "-t", "2", "eth17"]), [17]);
        assert_eq!(with_conf("", &["/sbin/dhcpcd", "-B"]), [16, 17]);
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        assert!(glob("veth*", "veth12ab") && glob("*", "") && glob("e?h*0", "eth10"));
        assert!(!glob("veth*", "eth0") && !glob("eth?", "eth") && !glob("", "x"));
    }
}
