//! dnsmasq: keeps such questions with `bogus-priv`, which it has to be told.

use autoip_linux::Running;

use super::Fate;
use crate::gather::Files;

const CONF: &str = "etc/dnsmasq.conf";
const DIRECTORY: &str = "etc/dnsmasq.d";
const OPTION: &str = "bogus-priv";

pub(super) fn judge(program: &Running, files: &mut Files) -> Fate {
    let as_argument = program.arguments.iter().any(|argument| {
        let letters = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        letters == Some("b") || argument == "--bogus-priv"
    });
    let mut paths = vec![CONF.to_owned()];
    paths.extend(files.list(DIRECTORY));
    let in_file = paths.iter().any(|path| files.text(path).is_some_and(|text| is_set(&text)));
    if as_argument || in_file {
        return Fate::Kept;
    }
    Fate::PassedOn {
        because: "is dnsmasq, and \"bogus-priv\" is not in its configuration".to_owned(),
        remedy: "Put \"bogus-priv\" into /etc/dnsmasq.conf and start dnsmasq again.".to_owned(),
        command: Some(format!("echo {OPTION} >> /{CONF} && systemctl restart dnsmasq")),
    }
}

fn is_set(text: &str) -> bool {
    text.lines().any(|line| line.split('#').next().unwrap_or_default().trim() == OPTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::running;

    #[test]
    fn it_has_to_be_told() {
        let fate = |arguments: &[&str], files: &[(&str, &str)]| {
            judge(&running("dnsmasq", arguments), &mut Files::made_up(files))
        };
        let plain = &["/usr/sbin/dnsmasq", "-x", "/run/dnsmasq.pid"];
        assert!(matches!(fate(plain, &[]), Fate::PassedOn { .. }));
        assert!(matches!(fate(plain, &[(CONF, "#bogus-priv\n")]), Fate::PassedOn { .. }));
        assert_eq!(fate(plain, &[(CONF, "port=53\n bogus-priv # yes\n")]), Fate::Kept);
        assert_eq!(fate(plain, &[("etc/dnsmasq.d/a.conf", "bogus-priv")]), Fate::Kept);
        assert_eq!(fate(&["dnsmasq", "--bogus-priv"], &[]), Fate::Kept);
        assert_eq!(fate(&["dnsmasq", "-b"], &[]), Fate::Kept);
    }
}
