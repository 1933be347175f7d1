//! Every number of RFC 3927 §9 and RFC 5227 §1.1 under its own name, and the timing profiles
//! built from them.
//!
//! The constants stand here and nowhere else. What an operator may change is a [`Timing`] value;
//! one that differs from [`Timing::RFC3927`] says so through [`Timing::is_rfc3927`].

use core::num::NonZeroU8;
use core::time::Duration;

/// Longest random wait before the first probe (RFC 3927 §9).
//= LL-9-01 PROBE_WAIT is 1 s
pub const PROBE_WAIT: Duration = Duration::from_secs(1);
/// Number of probes in a claim (RFC 3927 §9).
//= LL-9-02 PROBE_NUM is 3
pub const PROBE_NUM: u8 = 3;
/// Shortest time from one probe to the next (RFC 3927 §9).
//= LL-9-03 PROBE_MIN is 1 s
pub const PROBE_MIN: Duration = Duration::from_secs(1);
/// Longest time from one probe to the next (RFC 3927 §9).
//= LL-9-04 PROBE_MAX is 2 s
pub const PROBE_MAX: Duration = Duration::from_secs(2);
/// Time to listen after the last probe (RFC 3927 §9).
//= LL-9-05 ANNOUNCE_WAIT is 2 s
pub const ANNOUNCE_WAIT: Duration = Duration::from_secs(2);
/// Number of announcements after a clean probe (RFC 3927 §9).
//= LL-9-06 ANNOUNCE_NUM is 2
pub const ANNOUNCE_NUM: u8 = 2;
/// Time between announcements (RFC 3927 §9).
//= LL-9-07 ANNOUNCE_INTERVAL is 2 s
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
/// Number of conflicts from which on new candidates are rate limited. RFC 3927 limits past ten,
/// RFC 5227 §2.1.1 at ten; the stricter one holds here.
//= LL-9-08 MAX_CONFLICTS is 10
pub const MAX_CONFLICTS: u8 = 10;
/// Shortest time from one new candidate to the next under the limit (RFC 3927 §9).
//= LL-9-09 RATE_LIMIT_INTERVAL is 60 s
pub const RATE_LIMIT_INTERVAL: Duration = Duration::from_secs(60);
/// A second conflict within this time of the first ends the claim (RFC 3927 §9).
//= LL-9-10 DEFEND_INTERVAL is 10 s
pub const DEFEND_INTERVAL: Duration = Duration::from_secs(10);

/// Longest random wait before a defence. No RFC asks for it: it keeps two owners that discover
/// each other in the same instant from evicting each other with their defences.
pub const DEFEND_DELAY: Duration = Duration::from_millis(100);
/// Conflicts are forgotten after this time without a new one; never because an address was bound.
pub const CONFLICT_MEMORY: Duration = Duration::from_secs(600);
/// Claims started by link changes are at least this far apart (RFC 4436 §2).
//= DNA-2-01 link changes start at most one claim a second
pub const RESTART_INTERVAL: Duration = Duration::from_secs(1);
/// An address that others delete is put back this many times without a pause of
/// [`RESTORE_WINDOW`], so at most so often within that time.
pub const RESTORE_MAX: u8 = 5;
/// The pause after which [`RESTORE_MAX`] counts anew.
pub const RESTORE_WINDOW: Duration = Duration::from_secs(60);
/// A frame that could not be sent is tried again after this time.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The counts and waits of a claim. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Longest random wait before the first probe.
    pub probe_wait_ms: u16,
    /// Number of probes.
    pub probe_count: NonZeroU8,
    /// Shortest time between probes.
    pub probe_min_ms: u16,
    /// Longest time between probes; the shortest holds where this is smaller.
    pub probe_max_ms: u16,
    /// Time to listen after the last probe.
    pub announce_wait_ms: u16,
    /// Number of announcements.
    pub announce_count: NonZeroU8,
    /// Time between announcements.
    pub announce_interval_ms: u16,
    /// Whether a full RFC 3927 round of probes follows while the address is already in use.
    pub second_round: bool,
}

impl Timing {
    /// The timing of RFC 3927 §9 and RFC 5227 §1.1: usable after 4 to 7 s.
    pub const RFC3927: Self = Self {
        probe_wait_ms: ms(PROBE_WAIT),
        probe_count: count(PROBE_NUM),
        probe_min_ms: ms(PROBE_MIN),
        probe_max_ms: ms(PROBE_MAX),
        announce_wait_ms: ms(ANNOUNCE_WAIT),
        announce_count: count(ANNOUNCE_NUM),
        announce_interval_ms: ms(ANNOUNCE_INTERVAL),
        second_round: false,
    };

    /// The timing of draft-ietf-zeroconf-ipv4-linklocal-07, for links with devices of its time:
    /// four probes exactly 2 s apart after a wait of up to 2 s; usable after 8 to 10 s.
    pub const DRAFT_07: Self = Self {
        probe_wait_ms: 2000,
        probe_count: count(4),
        probe_min_ms: 2000,
        probe_max_ms: 2000,
        ..Self::RFC3927
    };

    /// Usable within 200 ms, then a full round of RFC 3927 probes while in use, so that an owner
    /// who answers late is still found. For known point-to-point links; not RFC 3927.
    pub const FAST: Self = Self {
        probe_wait_ms: 30,
        probe_min_ms: 30,
        probe_max_ms: 55,
        announce_wait_ms: 60,
        second_round: true,
        ..Self::RFC3927
    };

    /// Whether these are exactly the numbers of RFC 3927 §9.
    #[must_use]
    pub fn is_rfc3927(&self) -> bool {
        *self == Self::RFC3927
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::RFC3927
    }
}

const fn count(n: u8) -> NonZeroU8 {
    match NonZeroU8::new(n) {
        Some(n) => n,
        None => NonZeroU8::MIN,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "evaluated on the constants above only")]
const fn ms(duration: Duration) -> u16 {
    assert!(duration.as_millis() <= u16::MAX as u128);
    duration.as_millis() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest and the shortest time to the first announcement, in milliseconds.
    fn bounds(timing: &Timing) -> (u32, u32) {
        let gaps = u32::from(timing.probe_count.get()) - 1;
        let wait = u32::from(timing.announce_wait_ms);
        (
            gaps * u32::from(timing.probe_min_ms) + wait,
            u32::from(timing.probe_wait_ms) + gaps * u32::from(timing.probe_max_ms) + wait,
        )
    }

    //= test LL-2.3-01
    #[test]
    fn profiles_take_the_time_that_they_promise() {
        assert_eq!(bounds(&Timing::RFC3927), (4000, 7000));
        assert_eq!(bounds(&Timing::DRAFT_07), (8000, 10_000));
        assert!(bounds(&Timing::FAST).1 <= 200);
    }

    //= test LL-9-01
    //= test LL-9-02
    //= test LL-9-03
    //= test LL-9-04
    //= test LL-9-05
    //= test LL-9-06
    //= test LL-9-07
    //= test LL-9-08
    //= test LL-9-09
    //= test LL-9-10
    #[test]
    fn constants_are_those_of_the_rfc() {
        let seconds = [PROBE_WAIT, PROBE_MIN, PROBE_MAX, ANNOUNCE_WAIT, ANNOUNCE_INTERVAL];
        assert_eq!(seconds.map(|d| d.as_secs()), [1, 1, 2, 2, 2]);
        assert_eq!((RATE_LIMIT_INTERVAL.as_secs(), DEFEND_INTERVAL.as_secs()), (60, 10));
        assert_eq!((PROBE_NUM, ANNOUNCE_NUM, MAX_CONFLICTS), (3, 2, 10));
        assert_eq!(Timing::default(), Timing::RFC3927);
    }

    #[test]
    fn every_other_profile_says_that_it_is_not_the_rfc() {
        assert!(Timing::RFC3927.is_rfc3927());
        assert!(!Timing::DRAFT_07.is_rfc3927());
        assert!(!Timing::FAST.is_rfc3927());
        assert!(!Timing { probe_count: count(4), ..Timing::RFC3927 }.is_rfc3927());
    }
}
