//! Commands that can be pasted into a shell as root.

use autoip_linux::rtnl::{Address, Conf, Route};

/// A word of a shell command: quoted where the shell would see more in it than letters.
///
/// The kernel lets interfaces be called nearly anything, and who can name one must not be able
/// to have root run something.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/@=+,%".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Sets settings: `("eth0", Conf::RpFilter, 0)` is one of an interface, "all" means all of them.
pub(crate) fn sysctl(settings: &[(&str, Conf, i32)]) -> String {
    let mut command = "sysctl -w".to_owned();
    for (interface, conf, value) in settings {
        // A dot in a name would divide it, unless slashes do.
        let separator = if interface.contains('.') { '/' } else { '.' };
        let key = ["net", "ipv4", "conf", interface, conf.name()].join(&separator.to_string());
        command.push(' ');
        command.push_str(&word(&format!("{key}={value}")));
    }
    command
}

/// Removes a route.
pub(crate) fn delete_route(route: &Route, interface: &str) -> String {
    let mut command = format!("ip route del {} dev {}", destination(route), word(interface));
    if let Some(gateway) = route.gateway {
        command.push_str(&format!(" via {gateway}"));
    }
    if route.metric != 0 {
        command.push_str(&format!(" metric {}", route.metric));
    }
    command
}

/// Removes an address.
pub(crate) fn delete_address(address: &Address, interface: &str) -> String {
    format!("ip address del {}/{} dev {}", address.ip, address.prefix_len, word(interface))
}

/// A route's destination as `ip` writes it.
pub(crate) fn destination(route: &Route) -> String {
    match route.prefix_len {
        0 => "default".to_owned(),
        len => format!("{}/{len}", route.destination),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_word() {
        assert_eq!(word("eth0.5"), "eth0.5");
        assert_eq!(word("$(reboot)"), "'$(reboot)'");
        assert_eq!(word("a'b;c"), r"'a'\''b;c'");
        assert_eq!(word("-f"), "'-f'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn settings_are_named_as_sysctl_wants_it() {
        let settings = [("all", Conf::RpFilter, 0), ("eth0", Conf::RpFilter, 2)];
        assert_eq!(
            sysctl(&settings),
            "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=2"
        );
        let dotted = sysctl(&[("eth0.5", Conf::ArpIgnore, 1)]);
        assert_eq!(dotted, "sysctl -w net/ipv4/conf/eth0.5/arp_ignore=1");
        let hostile = sysctl(&[("a;b", Conf::ArpIgnore, 1)]);
        assert_eq!(hostile, "sysctl -w 'net.ipv4.conf.a;b.arp_ignore=1'");
    }
}
