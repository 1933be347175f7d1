//! Waiting for the first of many file descriptors.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::{Error, Result};

/// How many ready descriptors one wait reports; the others come with the next.
const EVENTS_MAX: usize = 64;

/// What a descriptor is watched for. Errors, and that the other side is gone, are always reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// There is something to read.
    pub read: bool,
    /// There is room to write.
    pub write: bool,
}

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

    /// Watches a descriptor that was added for something else from here on.
    pub fn change(&self, fd: impl AsFd, token: u64, readiness: Readiness) -> Result<()> {
        let mut flags = EpollFlags::empty();
        flags.set(EpollFlags::EPOLLIN, readiness.read);
        flags.set(EpollFlags::EPOLLOUT, readiness.write);
        self.epoll
            .modify(fd, &mut EpollEvent::new(flags, token))
            .map_err(|errno| Error::new("watch a file descriptor for something else", errno))
    }

    /// Watches a descriptor no more. Must come before its close where it has been duplicated.
    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        self.epoll.delete(fd).map_err(|errno| Error::new("stop watching a file descriptor", errno))
    }

    /// The tokens of the descriptors that are ready at this moment, as many as fit.
    pub fn ready(&self, tokens: &mut Vec<u64>) -> Result<()> {
        self.wait_for(EpollTimeout::ZERO, tokens)
    }

    /// Waits, without a time limit, until a descriptor is readable or in error, and puts the
    /// tokens of those into `tokens`, which is emptied first. A signal may leave it empty.
    pub fn wait(&self, tokens: &mut Vec<u64>) -> Result<()> {
        self.wait_for(EpollTimeout::NONE, tokens)
    }

    fn wait_for(&self, timeout: EpollTimeout, tokens: &mut Vec<u64>) -> Result<()> {
        tokens.clear();
        let mut events = [EpollEvent::empty(); EVENTS_MAX];
        let count = match self.epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(Error::new("wait for events", errno)),
        };
        tokens.extend(events.iter().take(count).map(EpollEvent::data));
        Ok(())
    }
}

/// A set is readable itself as soon as one of its descriptors is ready.
impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timer;
    use autoip_core::Instant;
    use std::os::unix::net::UnixStream;

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

    #[test]
    fn a_set_within_a_set_is_ready_with_its_members() {
        let (outer, inner) = (Poller::new().unwrap(), Poller::new().unwrap());
        outer.add(&inner, 7).unwrap();
        let timer = Timer::new().unwrap();
        inner.add(&timer, 8).unwrap();
        let mut tokens = vec![1];
        outer.ready(&mut tokens).unwrap();
        assert_eq!(tokens, [0; 0]);
        timer.set(Some(Instant::from_nanos(1))).unwrap();
        outer.wait(&mut tokens).unwrap();
        assert_eq!(tokens, [7]);
        inner.ready(&mut tokens).unwrap();
        assert_eq!(tokens, [8]);
        outer.change(&inner, 7, Readiness::default()).unwrap();
        outer.ready(&mut tokens).unwrap();
        assert_eq!(tokens, [0; 0], "nobody asks for it at present");
    }

    #[test]
    fn reports_what_it_is_asked_for_and_always_the_end() {
        let poller = Poller::new().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        poller.add(&ours, 1).unwrap();
        let timer = Timer::new().unwrap();
        timer.set(Some(Instant::from_nanos(1))).unwrap();
        poller.add(&timer, 2).unwrap();
        let reported = || {
            let mut tokens = Vec::new();
            poller.wait(&mut tokens).unwrap();
            tokens.sort_unstable();
            tokens
        };
        assert_eq!(reported(), [2]);
        poller.change(&ours, 1, Readiness { read: false, write: true }).unwrap();
        assert_eq!(reported(), [1, 2]);
        poller.change(&ours, 1, Readiness::default()).unwrap();
        assert_eq!(reported(), [2]);
        drop(theirs);
        assert_eq!(reported(), [1, 2]);
    }
}
