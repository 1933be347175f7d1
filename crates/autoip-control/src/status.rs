//! Where everything stands: the reply to Status.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::conflict::{Conflict, Defend};

/// The five states of RISC OS's ZeroConf module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No address is wanted, or there is no link.
    Idle,
    /// Looking for an address.
    Probing,
    /// An address is in use and still being announced.
    Announcing,
    /// An address is in use.
    Configured,
    /// An address is in use, and another host claimed it within the last ten seconds.
    Defending,
}

impl State {
    /// The number of the state, 0 to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for State {
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

/// The finer state of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No address is wanted, or there is no link.
    Stopped,
    /// The next candidate waits for the rate limit.
    BackingOff,
    /// The random wait before the first probe.
    Waiting,
    /// Between the first and the last probe.
    Probing,
    /// After the last probe.
    Listening,
    /// Free, and on its way onto the interface.
    Installing,
    /// In use; announcements are still to come.
    Announcing,
    /// In use; the second round of probes of a fast profile runs.
    Verifying,
    /// In use.
    Bound,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::BackingOff => "backing off",
            Self::Waiting => "waiting",
            Self::Probing => "probing",
            Self::Listening => "listening",
            Self::Installing => "installing",
            Self::Announcing => "announcing",
            Self::Verifying => "verifying",
            Self::Bound => "bound",
        })
    }
}

/// When an interface has a link-local address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// While it has no routable one.
    Fallback,
    /// Always.
    Always,
    /// Never: it has routes alone.
    Route,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fallback => "fallback",
            Self::Always => "always",
            Self::Route => "route",
        })
    }
}

/// A timing profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// RFC 3927.
    Rfc3927,
    /// Draft 07 of it.
    #[serde(rename = "draft_07")]
    Draft07,
    /// 0.2 s, and a second round of probes while in use.
    Fast,
    /// Single numbers were changed.
    Custom,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc3927 => "rfc3927",
            Self::Draft07 => "draft-07",
            Self::Fast => "fast",
            Self::Custom => "custom",
        })
    }
}

/// The counts and waits of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the numbers have the names of RFC 3927 section 9")]
pub struct Timing {
    pub profile: Profile,
    /// Whether the numbers are those of RFC 3927.
    pub is_rfc3927: bool,
    pub probe_wait_ms: u32,
    pub probe_count: u32,
    pub probe_min_ms: u32,
    pub probe_max_ms: u32,
    pub announce_wait_ms: u32,
    pub announce_count: u32,
    pub announce_interval_ms: u32,
    pub second_round: bool,
}

/// What keeps the kernel from breaking the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardTier {
    /// Nothing.
    Off,
    /// Settings of interfaces, and routing rules.
    Sysctl,
    /// A packet filter as well.
    Nft,
}

impl fmt::Display for GuardTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Sysctl => "sysctl",
            Self::Nft => "nft",
        })
    }
}

/// The guard, and what it leaves unmet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// What is in force.
    pub tier: GuardTier,
    /// The requirements that it leaves unmet, by their numbers, such as `LL-2.5-09`.
    pub unmet: Vec<String>,
}

/// What was counted on an interface, or about one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it, and the interface description says more")]
pub struct Counters {
    pub probes: u32,
    pub announcements: u32,
    pub defences: u32,
    pub conflicts_in_use: u32,
    pub conflicts_competing: u32,
    pub conflicts_late: u32,
    pub ceded: u32,
    pub echoes: u32,
    pub unicast_probes: u32,
    pub frames_refused: u32,
    pub transmit_failures: u32,
}

/// One managed interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name at present, or the one that is waited for.
    pub interface: String,
    /// The kernel's number; none while there is no such interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Its MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Whether there is a link.
    pub carrier: bool,
    /// One of the five states.
    pub state: State,
    /// Its number.
    pub state_number: u8,
    /// The same, finer.
    pub stage: Stage,
    /// The candidate, or the address in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<Ipv4Addr>,
    /// Whether that is announced and in use.
    pub in_use: bool,
    /// The name under which the address is on the interface, such as `eth0:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Since when the state is what it is, in milliseconds since 1970.
    pub since: i64,
    /// When something happens next without anybody's doing, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<i64>,
    /// Why there is no address, where nothing else says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it has a link-local address.
    pub mode: Mode,
    /// What is done about conflicts.
    pub defend: Defend,
    /// The routable address that new traffic comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routable: Option<Ipv4Addr>,
    /// The timing in force.
    pub timing: Timing,
    /// The guard that is in force on it.
    pub guard: GuardTier,
    /// The address that is tried first after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<Ipv4Addr>,
    /// How many conflicts count towards the rate limit.
    pub conflict_count: u32,
    /// A MAC address that denied several candidates in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denier: Option<String>,
    /// What was counted.
    pub counters: Counters,
    /// The last conflicts, the latest first.
    pub conflicts: Vec<Conflict>,
}

/// An address that somebody keeps watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// On which interface.
    pub interface: String,
    /// The address.
    pub addr: Ipv4Addr,
    /// What is done about conflicts.
    pub defend: Defend,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// What was counted.
    pub counters: Counters,
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    /// The moment, in milliseconds since 1970.
    pub now: i64,
    /// The version of the daemon.
    pub version: String,
    /// The guard.
    pub guard: Guard,
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// The addresses that somebody keeps watched.
    pub watched: Vec<Watched>,
}
