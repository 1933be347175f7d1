//! The one deadline of a loop.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use autoip_core::Instant;
use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::read;

use crate::{Error, Result};

/// A timer on CLOCK_BOOTTIME, so that a deadline that passed in a suspend fires on resume.
///
/// Its file descriptor is readable once the deadline is reached, until [`clear`](Self::clear) or
/// the next [`set`](Self::set).
#[derive(Debug)]
pub struct Timer {
    fd: TimerFd,
}

impl Timer {
    /// A timer without a deadline.
    pub fn new() -> Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let fd = TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)
            .map_err(|errno| Error::new("open a timer", errno))?;
        Ok(Self { fd })
    }

    /// Sets or takes away the deadline. One in the past fires at once.
    pub fn set(&self, deadline: Option<Instant>) -> Result<()> {
        let result = match deadline {
            None => self.fd.unset(),
            Some(deadline) => self.fd.set(
                Expiration::OneShot(expiration(deadline)),
                TimerSetTimeFlags::TFD_TIMER_ABSTIME,
            ),
        };
        result.map_err(|errno| Error::new("set the timer", errno))
    }

    /// Takes note that the deadline was reached. Harmless when it was not.
    pub fn clear(&self) -> Result<()> {
        drain(&self.fd).map_err(|errno| Error::new("read the timer", errno))
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The deadline in the kernel's form, in which 0 would mean "no deadline".
fn expiration(deadline: Instant) -> TimeSpec {
    timespec(Duration::from_nanos(deadline.as_nanos().max(1)))
}

/// A time in the kernel's form; one that this does not reach becomes the last one that it does
/// (68 years on 32-bit machines).
pub(crate) fn timespec(time: Duration) -> TimeSpec {
    const MAX: Duration = Duration::from_secs(isize::MAX.cast_unsigned() as u64);
    TimeSpec::from_duration(time.min(MAX))
}

/// Empties a non-blocking timer. A timer that did not fire, or that was cancelled because the
/// wall clock was set, is empty afterwards as well.
pub(crate) fn drain(timer: &TimerFd) -> nix::Result<()> {
    loop {
        match read(timer, &mut [0; 8]) {
            Ok(_) | Err(Errno::EAGAIN | Errno::ECANCELED) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boottime;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    fn fires_within(timer: &Timer, timeout: impl Into<PollTimeout>) -> bool {
        let mut fds = [PollFd::new(timer.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, timeout.into()).unwrap() == 1
    }

    #[test]
    fn fires_at_its_deadline_and_not_before() {
        let timer = Timer::new().unwrap();
        let deadline = boottime() + Duration::from_millis(20);
        timer.set(Some(deadline)).unwrap();
        assert!(fires_within(&timer, PollTimeout::NONE));
        assert!(boottime() >= deadline);
        timer.clear().unwrap();
        assert!(!fires_within(&timer, 0u8));
    }

    #[test]
    fn a_deadline_in_the_past_fires_at_once() {
        let timer = Timer::new().unwrap();
        for deadline in [Instant::from_nanos(0), Instant::from_nanos(1), boottime()] {
            timer.set(Some(deadline)).unwrap();
            assert!(fires_within(&timer, 1000u16), "{deadline:?}");
            timer.clear().unwrap();
        }
    }

    #[test]
    fn without_a_deadline_it_is_silent() {
        let timer = Timer::new().unwrap();
        timer.clear().unwrap();
        timer.set(Some(boottime())).unwrap();
        timer.set(None).unwrap();
        assert!(!fires_within(&timer, 0u8));
        timer.set(Some(Instant::from_nanos(u64::MAX))).unwrap();
        assert!(!fires_within(&timer, 0u8));
    }
}
