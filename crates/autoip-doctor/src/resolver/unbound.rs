//! unbound: keeps such questions, unless it is told not to.

use autoip_linux::Running;

use super::Fate;
use crate::gather::Files;

const CONF: &str = "etc/unbound/unbound.conf";
const DIRECTORIES: [&str; 2] = ["etc/unbound/unbound.conf.d", "etc/unbound/conf.d"];

pub(super) fn judge(_program: &Running, files: &mut Files) -> Fate {
    let mut paths = vec![CONF.to_owned()];
    for directory in DIRECTORIES {
        paths.extend(files.list(directory));
    }
    let opened = paths.iter().find_map(|path| {
        let line = opening(&files.text(path)?)?;
        Some((path.clone(), line))
    });
    match opened {
        None => Fate::Kept,
        Some((path, line)) => Fate::PassedOn {
            because: format!("is unbound, and {path} says \"{line}\""),
            remedy: format!(
                "Take that line out of /{path}; unbound answers for 254.169.in-addr.arpa by itself."
            ),
            command: None,
        },
    }
}

/// The line that has it pass questions about link-local addresses on.
fn opening(text: &str) -> Option<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let found = lines.into_iter().find(|line| {
        let Some((key, value)) = line.split_once(':') else { return false };
        let value = value.replace('"', " ").to_lowercase();
        let mut words = value.split_whitespace();
        match key.trim() {
            "unblock-lan-zones" => words.next() == Some("yes"),
            "local-zone" => {
                let zone = words.next().unwrap_or_default().trim_end_matches('.');
                let passes = ["nodefault", "transparent", "typetransparent"];
                zone == "254.169.in-addr.arpa" && words.next().is_some_and(|w| passes.contains(&w))
            }
            _ => false,
        }
    });
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::running;

    #[test]
    fn it_has_to_be_told_otherwise() {
        let kept = |text: &str| {
            let mut files = Files::made_up(&[("etc/unbound/unbound.conf.d/a.conf", text)]);
            judge(&running("unbound", &["unbound", "-d"]), &mut files) == Fate::Kept
        };
        assert!(kept("server:\n  interface: 127.0.0.1\n"));
        assert!(kept("server:\n  local-zone: \"10.in-addr.arpa.\" nodefault\n"));
        assert!(kept("server:\n  local-zone: \"254.169.in-addr.arpa.\" static\n"));
        assert!(kept("# unblock-lan-zones: yes\n"));
        assert!(!kept("server:\n  local-zone: \"254.169.in-addr.arpa.\" nodefault # why\n"));
        assert!(!kept("server:\n  unblock-lan-zones: yes\n"));
    }
}
