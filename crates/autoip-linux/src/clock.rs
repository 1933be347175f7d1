//! The clocks, and what shows that the machine slept or that somebody set the time.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use autoip_core::Instant;
use nix::errno::Errno;
use nix::sys::timerfd::{
    ClockId as TimerClock, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags,
};
use nix::time::{ClockId, clock_gettime};

use crate::timer::{drain, timespec};
use crate::{Error, Result};

/// The growth of the suspended time that counts as a suspend: the two clocks are not read in the
/// same moment, and shorter sleeps change nothing on a link.
const SUSPEND_MIN: Duration = Duration::from_secs(1);

/// The time since boot, suspend included.
#[must_use]
pub fn boottime() -> Instant {
    let now = read(ClockId::CLOCK_BOOTTIME);
    Instant::from_nanos(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

/// The wall clock, as the time since 1970.
#[must_use]
pub fn realtime() -> Duration {
    read(ClockId::CLOCK_REALTIME)
}

fn read(clock: ClockId) -> Duration {
    // A wall clock before 1970 has negative seconds, which a duration cannot hold.
    let time = clock_gettime(clock).expect("Linux has these clocks since 2.6.39");
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec()).unwrap_or(0);
    Duration::new(seconds, nanos)
}

/// Notices that the machine was suspended.
///
/// CLOCK_BOOTTIME counts through a suspend and CLOCK_MONOTONIC does not, so their difference is
/// the time spent asleep.
#[derive(Debug)]
pub struct SuspendWatch {
    asleep: Duration,
}

impl SuspendWatch {
    /// A watch for suspends from this moment on.
    #[must_use]
    pub fn new() -> Self {
        Self { asleep: time_asleep() }
    }

    /// How long the machine slept since the last call, if it did for more than a second.
    pub fn observe(&mut self) -> Option<Duration> {
        self.observe_at(time_asleep())
    }

    fn observe_at(&mut self, asleep: Duration) -> Option<Duration> {
        let slept = asleep.saturating_sub(self.asleep);
        if slept <= SUSPEND_MIN {
            // The base stays, so that many short sleeps add up.
            return None;
        }
        self.asleep = asleep;
        Some(slept)
    }
}

impl Default for SuspendWatch {
    fn default() -> Self {
        Self::new()
    }
}

fn time_asleep() -> Duration {
    // In this order a pause between the two reads makes the result smaller, never larger.
    let boottime = read(ClockId::CLOCK_BOOTTIME);
    boottime.saturating_sub(read(ClockId::CLOCK_MONOTONIC))
}

/// Wakes the loop when the wall clock jumps, which it also does when the machine resumes.
///
/// Its file descriptor is readable after a jump, until [`clear`](Self::clear).
#[derive(Debug)]
pub struct ClockJump {
    timer: TimerFd,
}

impl ClockJump {
    /// A watch for jumps from this moment on.
    pub fn new() -> Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(TimerClock::CLOCK_REALTIME, flags)
            .map_err(|errno| Error::new("open a timer on the wall clock", errno))?;
        let jump = Self { timer };
        jump.arm()?;
        Ok(jump)
    }

    /// Takes note of a jump and watches for the next one.
    pub fn clear(&self) -> Result<()> {
        drain(&self.timer)
            .map_err(|errno| Error::new("read the timer on the wall clock", errno))?;
        self.arm()
    }

    fn arm(&self) -> Result<()> {
        // The kernel reports a jump only to a timer that is armed. This one never expires.
        let never = timespec(Duration::MAX);
        let flags =
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        match self.timer.set(Expiration::OneShot(never), flags) {
            // The clock jumped since the last call; the timer is armed all the same.
            Ok(()) | Err(Errno::ECANCELED) => Ok(()),
            Err(errno) => Err(Error::new("watch the wall clock", errno)),
        }
    }
}

impl AsFd for ClockJump {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> SuspendWatch {
        SuspendWatch { asleep: Duration::from_secs(100) }
    }

    #[test]
    fn a_suspend_is_seen_once() {
        let mut watch = watch();
        assert_eq!(watch.observe_at(Duration::from_secs(160)), Some(Duration::from_secs(60)));
        assert_eq!(watch.observe_at(Duration::from_secs(160)), None);
    }

    #[test]
    fn jitter_between_the_clocks_is_no_suspend() {
        let mut watch = watch();
        for asleep_ms in [99_999, 100_000, 100_001, 101_000] {
            assert_eq!(watch.observe_at(Duration::from_millis(asleep_ms)), None);
        }
    }

    #[test]
    fn short_sleeps_add_up() {
        let mut watch = watch();
        assert_eq!(watch.observe_at(Duration::from_millis(100_900)), None);
        let slept = watch.observe_at(Duration::from_millis(101_800));
        assert_eq!(slept, Some(Duration::from_millis(1800)));
    }

    #[test]
    fn nothing_is_seen_while_awake() {
        assert_eq!(SuspendWatch::new().observe(), None);
        assert!(boottime() > Instant::from_nanos(0));
    }

    #[test]
    fn a_clock_that_is_not_set_wakes_nobody() {
        let jump = ClockJump::new().unwrap();
        jump.clear().unwrap();
        assert_eq!(nix::unistd::read(&jump, &mut [0; 8]), Err(Errno::EAGAIN));
    }
}
