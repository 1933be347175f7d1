//! How much of the guard is in force, and what it leaves to the kernel's own ways.

use std::fmt;

/// How much of the guard is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Nothing.
    Off,
    /// What needs no packet filter.
    Sysctl,
    /// Everything.
    Filter,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Sysctl => "sysctl",
            Self::Filter => "nft",
        })
    }
}
