//! Signals as an input of the loop.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{self, SigSet};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::{Error, Result};

/// What the system or its operator asks of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// SIGHUP.
    Hangup,
}

/// SIGTERM, SIGINT and SIGHUP as a file descriptor that is readable when one of them waits.
///
/// Child processes inherit the blocked signals; whoever starts one unblocks them there.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks the three signals in this thread and collects them instead.
    ///
    /// Must be called before any other thread is started: threads inherit the block, and a
    /// thread without it would still be ended by the signal.
    pub fn new() -> Result<Self> {
        let mut set = SigSet::empty();
        set.add(signal::SIGTERM);
        set.add(signal::SIGINT);
        set.add(signal::SIGHUP);
        let open = || {
            set.thread_block()?;
            SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        };
        open().map(|fd| Self { fd }).map_err(|errno| Error::new("collect signals", errno))
    }

    /// Takes the next signal, or `None` when none waits.
    pub fn next(&self) -> Result<Option<Signal>> {
        loop {
            let info = match self.fd.read_signal() {
                Ok(Some(info)) => info,
                Ok(None) => return Ok(None),
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(Error::new("read a signal", errno)),
            };
            match i32::try_from(info.ssi_signo) {
                Ok(libc::SIGTERM) => return Ok(Some(Signal::Terminate)),
                Ok(libc::SIGINT) => return Ok(Some(Signal::Interrupt)),
                Ok(libc::SIGHUP) => return Ok(Some(Signal::Hangup)),
                Ok(_) | Err(_) => {}
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_collected() {
        // Signals sent to this thread stay in it: `raise` is thread-directed.
        let signals = Signals::new().unwrap();
        assert_eq!(signals.next().unwrap(), None);
        for (sent, got) in [
            (signal::SIGHUP, Signal::Hangup),
            (signal::SIGTERM, Signal::Terminate),
            (signal::SIGINT, Signal::Interrupt),
        ] {
            signal::raise(sent).unwrap();
            assert_eq!(signals.next().unwrap(), Some(got));
        }
        assert_eq!(signals.next().unwrap(), None);
    }
}
