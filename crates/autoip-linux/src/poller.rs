//! Waiting for the first of many file descriptors.

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::{Error, Result};

/// How many ready descriptors one wait reports; the others come with the next.
const EVENTS_MAX: usize = 64;

/// A set of file descriptors, each with a token by which the caller knows it.
#[derive(Debug)]
pub struct Poller {
    epoll: Epoll,
}

impl Poller {
    /// An empty set.
    pub fn new() -> Result<Self> {
        Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)
            .map(|epoll| Self { epoll })
            .map_err(|errno| Error::new("open an event queue", errno))
    }

    /// Watches a descriptor until it is removed or closed.
    pub fn add(&self, fd: impl AsFd, token: u64) -> Result<()> {
        self.epoll
            .add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token))
            .map_err(|errno| Error::new("watch a file descriptor", errno))
    }

    /// Watches a descriptor no more. Must come before its close where it has been duplicated.
    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        self.epoll.delete(fd).map_err(|errno| Error::new("stop watching a file descriptor", errno))
    }

    /// Waits, without a time limit, until a descriptor is readable or in error, and puts the
    /// tokens of those into `tokens`, which is emptied first. A signal may leave it empty.
    pub fn wait(&self, tokens: &mut Vec<u64>) -> Result<()> {
        tokens.clear();
        let mut events = [EpollEvent::empty(); EVENTS_MAX];
        let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(Error::new("wait for events", errno)),
        };
        tokens.extend(events.iter().take(count).map(EpollEvent::data));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timer;
    use autoip_core::Instant;

    #[test]
    fn reports_the_ready_ones_by_token() {
        let poller = Poller::new().unwrap();
        let timers = [(); 3].map(|()| Timer::new().unwrap());
        for (timer, token) in timers.iter().zip([10, 11, u64::MAX]) {
            poller.add(timer, token).unwrap();
        }
        let past = Some(Instant::from_nanos(1));
        timers[0].set(past).unwrap();
        timers[2].set(past).unwrap();
        let mut tokens = vec![7];
        poller.wait(&mut tokens).unwrap();
        tokens.sort_unstable();
        assert_eq!(tokens, [10, u64::MAX]);

        poller.remove(&timers[2]).unwrap();
        poller.wait(&mut tokens).unwrap();
        assert_eq!(tokens, [10]);
    }
}
