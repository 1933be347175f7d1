//! Points in time, as nanoseconds since an origin that only the caller knows.
//!
//! The caller decides which clock it is: the daemon uses CLOCK_BOOTTIME, the simulator a counter.

use core::fmt;
use core::num::NonZeroU64;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time on the caller's clock. The clock must count through suspend and never be set.
///
/// Its resolution is a nanosecond and its range 584 years. The origin itself is not a value: it
/// reads as one nanosecond later, so that an optional instant costs no extra space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(NonZeroU64);

impl Instant {
    /// The point `nanos` nanoseconds after the clock's origin (zero counts as one).
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        match NonZeroU64::new(nanos) {
            Some(nanos) => Self(nanos),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0.get()
    }

    /// The time from `earlier` to this point; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.as_nanos().saturating_sub(earlier.as_nanos()))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self::from_nanos(self.as_nanos().saturating_add(nanos))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.as_nanos();
        write!(f, "{}.{:09}s", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn differences_never_go_below_zero_and_sums_never_wrap() {
        let early = Instant::from_nanos(5);
        let late = early + Duration::from_secs(1);
        assert_eq!(late - early, Duration::from_secs(1));
        assert_eq!(early - late, Duration::ZERO);
        assert_eq!((late + Duration::MAX).as_nanos(), u64::MAX);
        assert_eq!(Instant::from_nanos(0).as_nanos(), 1);
    }

    #[test]
    fn prints_as_seconds() {
        let at = Instant::from_nanos(1_000_000_007);
        assert_eq!(std::format!("{at:?}"), "1.000000007s");
    }

    #[test]
    fn an_optional_instant_is_no_larger_than_an_instant() {
        assert_eq!(size_of::<Option<Instant>>(), 8);
    }
}
