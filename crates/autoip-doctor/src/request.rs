//! What the doctor is asked to look at.

use std::fmt;
use std::path::PathBuf;

/// What to examine, and how thoroughly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The interfaces; where there are none, all that ARP can run on, that are up and that are
    /// not a port of a bridge or bond.
    pub interfaces: Vec<String>,
    /// Whether to send ARP probes out of each interface, for three random addresses and its own:
    /// they show whether something answers for every address, or for ours, and which interfaces
    /// are on one link.
    pub probe: bool,
    /// Whether to ask the configured name servers for the name of a link-local address: the
    /// answer shows whether they pass such questions on.
    pub ask_resolver: bool,
    /// What the daemon on this host says of itself, where somebody asked it. Without it the
    /// doctor goes by the traces that a daemon leaves.
    pub daemon: Option<Daemon>,
    /// The directory in place of `/` for the configuration and state of other programs.
    pub root: PathBuf,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            probe: false,
            ask_resolver: false,
            daemon: None,
            root: PathBuf::from("/"),
        }
    }
}

/// What autoipd says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// The interfaces that it manages.
    pub interfaces: Vec<String>,
    /// How much of its guard is in force.
    pub tier: Tier,
}

/// How much of autoipd's guard is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// All of it.
    Nft,
    /// What needs no packet filter.
    Sysctl,
    /// Nothing.
    Off,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nft => "nft",
            Self::Sysctl => "sysctl",
            Self::Off => "off",
        })
    }
}

/// Why nothing was examined, as a sentence.
#[derive(Debug)]
pub enum Error {
    /// There is no interface of that name.
    NoSuchInterface {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The kernel does not even list its interfaces.
    Kernel(autoip_linux::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface { name, known } => write!(
                f,
                "there is no interface \"{}\"; name one of: {}",
                name.escape_debug(),
                known.join(", ")
            ),
            Self::Kernel(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for Error {}
