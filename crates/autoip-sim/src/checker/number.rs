//! The numbers that the checkers go by, written down once more: taken from the engine they would
//! be wrong where it is.

use std::time::Duration;

use crate::options::{Options, Profile};

/// From so many conflicts on claims are limited (RFC 5227 §2.1.1).
pub(super) const CONFLICTS: u8 = 10;
/// So far apart they are then (RFC 3927 §9, RATE_LIMIT_INTERVAL).
pub(super) const BETWEEN_CLAIMS: Duration = Duration::from_secs(60);
/// So far apart are defences, and within that a second conflict ends a claim (DEFEND_INTERVAL).
pub(super) const BETWEEN_DEFENCES: Duration = Duration::from_secs(10);
/// So far apart are announcements (ANNOUNCE_INTERVAL).
pub(super) const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_secs(2);
/// So many there are (ANNOUNCE_NUM).
pub(super) const ANNOUNCEMENTS: u8 = 2;
/// Conflicts count for so long: no RFC says, ours do for ten minutes.
pub(super) const MEMORY: Duration = Duration::from_secs(600);
/// A defence comes within this time: no RFC says.
pub(super) const DEFENCE_WITHIN: Duration = Duration::from_millis(100);
/// What could not be sent is tried again after this time: no RFC says.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// The numbers in which timing profiles differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// The longest wait before the first probe.
    pub(super) first_wait: Duration,
    pub(super) probes: u8,
    pub(super) shortest_gap: Duration,
    pub(super) longest_gap: Duration,
    /// The time to listen after the last probe.
    pub(super) listen: Duration,
    /// Probes while the address is already in use.
    pub(super) second_probes: u8,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Numbers {
    pub(super) fn of(options: &Options) -> Self {
        let rfc = Self {
            first_wait: ms(1000),
            probes: 3,
            shortest_gap: ms(1000),
            longest_gap: ms(2000),
            listen: ms(2000),
            second_probes: 0,
        };
        let numbers = match options.profile {
            Profile::Rfc => rfc,
            Profile::Draft => {
                Self { first_wait: ms(2000), probes: 4, shortest_gap: ms(2000), ..rfc }
            }
            Profile::Fast => Self {
                first_wait: ms(30),
                shortest_gap: ms(30),
                longest_gap: ms(55),
                listen: ms(60),
                second_probes: 3,
                ..rfc
            },
        };
        let probes = if options.probes == 0 { numbers.probes } else { options.probes };
        Self { probes, ..numbers }
    }
}
