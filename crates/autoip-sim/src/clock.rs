//! Simulated time: the true one, and what a host's own clock makes of it.
//!
//! Used by everything in this crate. Must never look at a real clock.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Sub};
use std::time::Duration;

use autoip_core::Instant;

/// A point in true time, in nanoseconds since the start of the run. No host can see it.
///
/// Zero reads as one nanosecond, so that an optional time costs no extra space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimTime(NonZeroU64);

impl SimTime {
    /// The start of the run.
    pub const START: Self = Self(NonZeroU64::MIN);

    /// The point `nanos` nanoseconds into the run.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        match NonZeroU64::new(nanos) {
            Some(nanos) => Self(nanos),
            None => Self::START,
        }
    }

    /// The point `millis` milliseconds into the run.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_nanos(millis * 1_000_000)
    }

    /// The point `secs` seconds into the run.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_nanos(secs * 1_000_000_000)
    }

    /// Nanoseconds since the start of the run.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0.get()
    }

    /// Seconds since the start of the run.
    #[must_use]
    pub fn secs_f64(self) -> f64 {
        Duration::from_nanos(self.nanos()).as_secs_f64()
    }
}

impl Default for SimTime {
    fn default() -> Self {
        Self::START
    }
}

impl Add<Duration> for SimTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self::from_nanos(self.nanos().saturating_add(nanos))
    }
}

impl Sub for SimTime {
    type Output = Duration;

    /// The time since `earlier`; zero when that is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos().saturating_sub(earlier.nanos()))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.nanos() / 1_000_000_000, self.nanos() % 1_000_000_000)
    }
}

const MILLION: u64 = 1_000_000;

/// A host's clock: it began at some time of its own and runs a little too fast or too slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    offset: u64,
    /// Its microseconds in a true second.
    rate: u32,
}

impl Clock {
    /// A clock that showed `offset` at the start of the run and gains `ppm` microseconds a second.
    pub(crate) fn new(offset: Duration, ppm: i32) -> Self {
        let rate = 1_000_000_u32.saturating_add_signed(ppm);
        let offset = u64::try_from(offset.as_nanos()).unwrap_or(u64::MAX / 2);
        Self { offset, rate: rate.max(1) }
    }

    /// What the clock shows at `at`.
    pub(crate) fn local(&self, at: SimTime) -> Instant {
        let (rate, at) = (u64::from(self.rate), at.nanos());
        // Whole and odd parts apart, so that nothing overflows and nothing needs 128 bits.
        let elapsed = at / MILLION * rate + at % MILLION * rate / MILLION;
        Instant::from_nanos(self.offset + elapsed)
    }

    /// The first point in time at which the clock shows `local` or more.
    pub(crate) fn when(&self, local: Instant) -> SimTime {
        let elapsed = local.as_nanos().saturating_sub(self.offset);
        let rate = u64::from(self.rate);
        SimTime::from_nanos(elapsed / rate * MILLION + (elapsed % rate * MILLION).div_ceil(rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reaches_an_instant_exactly_when_it_says() {
        for ppm in [-500, -1, 0, 1, 37, 500] {
            let clock = Clock::new(Duration::from_secs(17), ppm);
            for nanos in [1, 999_999, 1_000_000, 1_234_567_891, 86_400_000_000_123] {
                let local = Instant::from_nanos(17_000_000_000 + nanos);
                let at = clock.when(local);
                assert!(clock.local(at) >= local, "{ppm} {nanos}");
                let before = SimTime::from_nanos(at.nanos() - 1);
                assert!(clock.local(before) < local || at == SimTime::START, "{ppm} {nanos}");
            }
        }
    }

    #[test]
    fn a_fast_clock_shows_more() {
        let fast = Clock::new(Duration::ZERO, 100);
        assert_eq!(fast.local(SimTime::from_secs(10)).as_nanos(), 10_001_000_000);
    }
}
