//! A thread that reads a descriptor for as long as its handle lives.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use autoip_linux::{PacketSocket, Received};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;

/// Longer than any frame of an interface with the usual MTU.
const FRAME_MAX: usize = 2048;

/// The running thread. Dropping this ends it.
#[derive(Debug)]
pub(crate) struct Reader {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Calls `work` whenever `source` is readable.
    pub(crate) fn start(source: OwnedFd, mut work: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(EventFd::new().expect("a descriptor can be had"));
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                while readable_before_stop(&source, &stop) {
                    work();
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Blocks until there is something to read (true) or the thread is to end (false).
fn readable_before_stop(source: &OwnedFd, stop: &EventFd) -> bool {
    let mut fds = [source.as_fd(), stop.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    loop {
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => return fds[1].any() != Some(true),
            Err(Errno::EINTR) => {}
            Err(errno) => panic!("poll(2) on open descriptors cannot fail: {errno}"),
        }
    }
}

/// A second descriptor of the same thing, to wait for what the first one reads.
pub(crate) fn copy(fd: impl AsFd) -> OwnedFd {
    fd.as_fd().try_clone_to_owned().expect("a descriptor can be had")
}

/// Passes every frame that waits on `socket` to `take`, without blocking.
pub(crate) fn drain(socket: &PacketSocket, mut take: impl FnMut(&Received<'_>)) {
    let mut buffer = [0; FRAME_MAX];
    // An error tells that the interface is gone or down: no more frames, then.
    while let Ok(Some(received)) = socket.receive(&mut buffer) {
        take(&received);
    }
}
