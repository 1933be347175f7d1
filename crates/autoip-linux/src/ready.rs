//! Waiting for a few descriptors for a limited time, outside the daemon's loop.

use std::os::fd::BorrowedFd;

use autoip_core::Instant;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::{Error, Result, boottime};

/// Waits until one of the descriptors can be read, or has ended, or `until` is there: for each
/// whether it is ready.
pub fn wait_ready<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    until: Option<Instant>,
) -> Result<[bool; N]> {
    let mut waited = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let timeout = match until {
        None => PollTimeout::NONE,
        Some(at) => {
            // A millisecond too late rather than one too early, which would be a busy loop.
            let left_ms = at.since(boottime()).as_millis().saturating_add(1);
            PollTimeout::try_from(left_ms).unwrap_or(PollTimeout::MAX)
        }
    };
    match poll(&mut waited, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(Error::new("wait for another process", errno)),
    }
    // Errors and hang-ups are for the reader to find out.
    Ok(waited.map(|fd| fd.revents().is_some_and(|events| !events.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channel;
    use std::os::fd::AsFd;
    use std::time::Duration;

    #[test]
    fn says_which_one_is_ready_and_when_time_is_up() {
        let (one, other) = Channel::pair().unwrap();
        let soon = boottime() + Duration::from_millis(5);
        assert_eq!(wait_ready([one.as_fd(), other.as_fd()], Some(soon)).unwrap(), [false; 2]);
        assert!(boottime() >= soon);
        other.send(b"x").unwrap();
        assert_eq!(wait_ready([one.as_fd(), other.as_fd()], None).unwrap(), [true, false]);
    }
}
