//! Other programs that claim link-local addresses, and how each of them shows it.
//!
//! What a program does is concluded from its arguments and its configuration; each function here
//! is given those and looks at nothing else.

mod avahi;
mod dhcpcd;
mod network_manager;
mod networkd;
mod zcip;

use autoip_linux::{IfIndex, Running};

use crate::gather::Files;

/// A program that claims link-local addresses on one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    /// What everybody calls it.
    pub(crate) program: &'static str,
    pub(crate) pid: u32,
    pub(crate) index: IfIndex,
    /// How one knows: the end of a sentence that begins with the program.
    pub(crate) because: String,
    /// How to have it leave the interface alone, as a sentence.
    pub(crate) remedy: String,
    pub(crate) command: Option<String>,
}

/// An interface by both of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) index: IfIndex,
    pub(crate) name: String,
}

/// What a program does on these interfaces, judged by itself and by its files.
type Judge = fn(&Running, &[Port], &mut Files) -> Vec<Manager>;

/// The programs, by the name that the kernel has for them (at most 15 bytes).
const KNOWN: [(&str, Judge); 5] = [
    ("avahi-autoipd", avahi::judge),
    ("dhcpcd", dhcpcd::judge),
    ("NetworkManager", network_manager::judge),
    ("systemd-network", networkd::judge),
    ("zcip", zcip::judge),
];

/// Whether a running program is one that may claim addresses.
pub(crate) fn is_known(program: &Running) -> bool {
    judge(program).is_some()
}

/// What a program claims on these interfaces.
pub(crate) fn claims(program: &Running, ports: &[Port], files: &mut Files) -> Vec<Manager> {
    judge(program).map_or_else(Vec::new, |judge| judge(program, ports, files))
}

fn judge(program: &Running) -> Option<Judge> {
    // Busybox is one program for many names; what it is this time stands in its arguments.
    let applet = zcip::is_applet(program).then_some("zcip");
    let name = applet.unwrap_or(&program.name);
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, judge)| *judge)
}

/// The word after the last slash.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The arguments that are no options and no values of options. `with_value` are the letters of
/// the short options that have one.
fn operands<'a>(arguments: &'a [String], with_value: &str) -> Vec<&'a str> {
    let mut operands = Vec::new();
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            operands.extend(arguments.by_ref());
        } else if argument.starts_with("--") {
            // A long option has its value behind "="; those without it are switches to us.
        } else if let Some(letters) = argument.strip_prefix('-') {
            // The value is the rest of the word, or the next word.
            if letters.find(|c| with_value.contains(c)).is_some_and(|at| at + 1 == letters.len()) {
                arguments.next();
            }
        } else {
            operands.push(argument);
        }
    }
    operands
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const PARENT: u32 = 800;

    pub(crate) fn running(name: &str, arguments: &[&str]) -> Running {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Running { pid: 812, parent: PARENT, name: name.to_owned(), arguments, here: Some(true) }
    }

    pub(crate) fn ports() -> Vec<Port> {
        let port = |number: u32| Port {
            index: IfIndex::new(number).unwrap(),
            name: format!("eth{number}"),
        };
        vec![port(0x10), port(0x11)]
    }

    /// The numbers of the interfaces that a program claims addresses on.
    pub(crate) fn claimed(program: &Running, files: &mut Files) -> Vec<u32> {
        claims(program, &ports(), files).iter().map(|manager| manager.index.get()).collect()
    }

    #[test]
    fn operands_are_told_from_options() {
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let read = |text: &str| operands(&words(text), "rl").join(" ");
        assert_eq!(read("-fq eth0 script"), "eth0 script");
        assert_eq!(read("-r 169.254.1.1 eth0 script"), "eth0 script");
        assert_eq!(read("-fr 169.254.1.1 eth0"), "eth0");
        assert_eq!(read("-r169.254.1.1 eth0"), "eth0");
        assert_eq!(read("--wait -- -odd"), "-odd");
        assert_eq!(read("-r"), "");
    }

    #[test]
    fn strangers_are_left_alone() {
        assert!(!is_known(&running("sleep", &["sleep", "60"])));
        assert!(!is_known(&running("busybox", &["busybox", "httpd"])));
        assert!(is_known(&running("busybox", &["/bin/busybox", "zcip", "eth0", "x"])));
    }
}
