//! The programs that can be measured, and how each is started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::options::in_root;

/// The first argument that makes the bench a daemon.
pub(crate) const REEXECUTED: &str = "autoipd";

/// The waits of a claim. A peer knows those of the RFC only, whatever is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timing {
    /// As RFC 3927 says: 4 to 7 s to the first announcement.
    Rfc3927,
    /// One probe, one announcement: 1 to 2 s, for what is about something else.
    Short,
    /// Three probes 1 ms apart after a random wait of up to 1 ms, 1 s of listening.
    Fixed,
}

impl Timing {
    fn arguments(self, interfaces: &[String]) -> Vec<String> {
        let (numbers, letter, list) = match self {
            Self::Rfc3927 => ("", "-i", ""),
            Self::Short => ("-p 1 -a 1 -w 1", "-i", ""),
            Self::Fixed => ("-a 1 -w 1", "-o", "delay=1,if="),
        };
        let mut arguments: Vec<_> = numbers.split_whitespace().map(str::to_owned).collect();
        for interface in interfaces {
            arguments.extend([letter.to_owned(), format!("{list}{interface}")]);
        }
        arguments
    }
}

/// A daemon that gives interfaces link-local addresses.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// The daemon inside this program.
    Reexecuted,
    /// The daemon as it is installed.
    Autoipd(PathBuf),
    /// That of Avahi.
    AvahiAutoipd(PathBuf),
    /// A DHCP client with link-local addresses, without DHCP.
    Dhcpcd(PathBuf),
}

impl Program {
    /// Reads `NAME=PATH`.
    pub(crate) fn parse_peer(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("avahi-autoipd", path)) => Ok(Self::AvahiAutoipd(in_root(Path::new(path)))),
            Some(("dhcpcd", path)) => Ok(Self::Dhcpcd(in_root(Path::new(path)))),
            Some(_) | None => {
                Err(format!("{text:?} is no peer: give avahi-autoipd=PATH or dhcpcd=PATH"))
            }
        }
    }

    /// What is measured, for the report.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Reexecuted => {
                "autoipd inside this bench: its memory is that of the bench's code, \
                                 see --daemon"
                    .to_owned()
            }
            Self::Autoipd(path) | Self::AvahiAutoipd(path) | Self::Dhcpcd(path) => {
                path.canonicalize().as_ref().unwrap_or(path).display().to_string()
            }
        }
    }

    /// Whether it is our daemon, not one to compare it with.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Reexecuted | Self::Autoipd(_))
    }

    /// The command that manages `interfaces`.
    pub(crate) fn command(
        &self,
        timing: Timing,
        interfaces: &[String],
        state_dir: &Path,
    ) -> Command {
        match self {
            Self::Reexecuted | Self::Autoipd(_) => {
                let mut command = self.bare();
                command.args(["--config", "/dev/null", "--hooks", "none", "--control", "none"]);
                command.arg("--state-dir").arg(state_dir);
                command.args(timing.arguments(interfaces));
                command
            }
            Self::AvahiAutoipd(path) => {
                let mut command = Command::new(path);
                command.args(["--no-drop-root", "--no-chroot"]).args(interfaces);
                command
            }
            Self::Dhcpcd(path) => {
                let mut command = Command::new(path);
                command.args(["-B", "-4", "--nodhcp", "-f", "/dev/null"]).args(interfaces);
                command
            }
        }
    }

    /// The program without any options.
    pub(crate) fn bare(&self) -> Command {
        match self {
            Self::Reexecuted => {
                let mut command = Command::new("/proc/self/exe");
                command.arg(REEXECUTED);
                command
            }
            Self::Autoipd(path) | Self::AvahiAutoipd(path) | Self::Dhcpcd(path) => {
                Command::new(path)
            }
        }
    }

    /// How long after its first announcement it has no more to announce.
    pub(crate) fn settle_time(&self) -> Duration {
        match self {
            // With one announcement there is nothing to wait for.
            Self::Reexecuted | Self::Autoipd(_) => Duration::from_millis(100),
            Self::AvahiAutoipd(_) | Self::Dhcpcd(_) => Duration::from_millis(2500),
        }
    }
}
