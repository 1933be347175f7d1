//! The ends of child processes as something to wait for.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{self, SigSet};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::{Error, Result};

/// Readable when a child of this process has ended, until it is cleared.
#[derive(Debug)]
pub struct ChildEnds {
    fd: SignalFd,
}

impl ChildEnds {
    /// Collects the signals of children from now on, for a process with one thread. Signals that
    /// ask for the process's own end are held back for good, since its master tells it when to
    /// end: a terminal and a service manager send them to everybody.
    pub fn collect() -> Result<Self> {
        let held = SigSet::from_iter([
            signal::SIGTERM,
            signal::SIGINT,
            signal::SIGHUP,
            signal::SIGQUIT,
            signal::SIGCHLD,
        ]);
        let ends = SigSet::from_iter([signal::SIGCHLD]);
        let open = || {
            held.thread_block()?;
            SignalFd::with_flags(&ends, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        };
        open().map(|fd| Self { fd }).map_err(|errno| Error::new("collect signals", errno))
    }

    /// Makes it unreadable until the next child ends.
    pub fn clear(&self) {
        while matches!(self.fd.read_signal(), Ok(Some(_))) {}
    }
}

impl AsFd for ChildEnds {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
