//! Where an engine stands, as data for status output.

use core::fmt;

use autoip_wire::{LinkLocalAddr, MacAddr};

use crate::acd::Phase;
use crate::time::Instant;
use crate::timing::Timing;

/// The five states of RISC OS's ZeroConf module, by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ZeroConfState {
    /// No address is wanted, or there is no link.
    Idle = 0,
    /// Looking for an address, pauses of the rate limit included.
    Probing = 1,
    /// An address is in use and still being announced.
    Announcing = 2,
    /// An address is in use.
    Configured = 3,
    /// An address is in use, and another host claimed it within the last ten seconds.
    Defending = 4,
}

impl ZeroConfState {
    /// The number of the state.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn of(stage: Stage, contested: bool) -> Self {
        match stage {
            Stage::Stopped | Stage::Claim(Phase::Idle) => Self::Idle,
            Stage::BackingOff
            | Stage::Claim(
                Phase::Waiting | Phase::Probing | Phase::Listening | Phase::Installing,
            ) => Self::Probing,
            Stage::Claim(Phase::Announcing | Phase::Verifying | Phase::Bound) if contested => {
                Self::Defending
            }
            Stage::Claim(Phase::Announcing) => Self::Announcing,
            Stage::Claim(Phase::Verifying | Phase::Bound) => Self::Configured,
        }
    }
}

impl fmt::Display for ZeroConfState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Probing => "probing",
            Self::Announcing => "announcing",
            Self::Configured => "configured",
            Self::Defending => "defending",
        })
    }
}

/// The finer state of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// No address is wanted, or there is no link.
    Stopped,
    /// The next candidate waits for the rate limit.
    BackingOff,
    /// A candidate is being probed, or an address is in use.
    Claim(Phase),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped | Self::Claim(Phase::Idle) => "stopped",
            Self::BackingOff => "backing off",
            Self::Claim(Phase::Waiting) => "waiting",
            Self::Claim(Phase::Probing) => "probing",
            Self::Claim(Phase::Listening) => "listening",
            Self::Claim(Phase::Installing) => "installing",
            Self::Claim(Phase::Announcing) => "announcing",
            Self::Claim(Phase::Verifying) => "verifying",
            Self::Claim(Phase::Bound) => "bound",
        })
    }
}

/// Where an engine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// One of the five states of RISC OS.
    pub state: ZeroConfState,
    /// The same, finer.
    pub stage: Stage,
    /// The candidate, or the address in use.
    pub addr: Option<LinkLocalAddr>,
    /// When the engine does something next of its own.
    pub deadline: Option<Instant>,
    /// Conflicts that count towards the rate limit.
    pub conflicts: u8,
    /// A MAC address that denied several candidates in a row.
    pub denier: Option<MacAddr>,
    /// The timing in force; [`Timing::is_rfc3927`] tells whether it is the RFC's.
    pub timing: Timing,
}
