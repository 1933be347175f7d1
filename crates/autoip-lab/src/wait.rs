//! Waiting for a file descriptor, with a limit.

use std::os::fd::AsFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until `fd` can be read without blocking; `false` when `deadline` passes first.
pub(crate) fn readable(fd: impl AsFd, deadline: Instant) -> bool {
    loop {
        let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: a limit that is cut short would end in a busy loop.
        let timeout = PollTimeout::try_from(left.as_micros().div_ceil(1000));
        match poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX)) {
            Ok(0) if Instant::now() >= deadline => return false,
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return true,
            Err(errno) => panic!("poll(2) on an open descriptor cannot fail: {errno}"),
        }
    }
}
