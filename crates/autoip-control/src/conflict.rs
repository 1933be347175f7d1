//! Another host's claim to an address, and what is done about it.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// What is done about another host that claims an address in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defend {
    /// The address is given up at once.
    Never,
    /// It is defended once in ten seconds.
    Once,
    /// It is kept for good.
    Always,
}

/// How another host's claim showed itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// The candidate was in use.
    InUse,
    /// The other host probed for it as well.
    CompetingProbe,
    /// The address had been claimed here before.
    Late,
}

/// What followed from a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The candidate was dropped.
    Dropped,
    /// The address is defended.
    Defending,
    /// The address was given up.
    Ceded,
    /// The address is kept, and the last defence was too recent for another one.
    Endured,
}

/// Another host's claim to an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// When its packet came, in milliseconds since 1970.
    pub time: i64,
    /// On which interface.
    pub interface: String,
    /// The address.
    pub addr: Ipv4Addr,
    /// Who claims it.
    pub mac: String,
    /// How that showed itself.
    pub kind: ConflictKind,
    /// What followed.
    pub outcome: Outcome,
    /// The ARP frame in hexadecimal digits, from the Ethernet header on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<String>,
}

impl fmt::Display for ConflictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "in use",
            Self::CompetingProbe => "competing probe",
            Self::Late => "late",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dropped => "candidate dropped",
            Self::Defending => "defended",
            Self::Ceded => "address given up",
            Self::Endured => "kept without a defence",
        })
    }
}
