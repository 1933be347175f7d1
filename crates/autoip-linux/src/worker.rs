//! A second process of the same program, for work that must not hold the first one up.
//!
//! The two talk in whole messages over a pair of sockets. When one of them ends, however it ends,
//! the other reads that from its socket.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::{fs, io};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, Shutdown, SockFlag, SockType, recv, sendmsg, shutdown,
    socketpair,
};
use nix::unistd::{ForkResult, Pid, setsid};

use crate::{Error, Result};

/// The exit status of a worker whose work panicked, as that of a program that did.
const PANICKED: i32 = 101;

/// One end of the line between a program and its worker.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
}

/// What was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// So many bytes. What did not fit into the buffer is lost.
    Bytes(usize),
    /// Nothing, for now.
    Nothing,
    /// The other side has ended.
    End,
}

impl Channel {
    /// Two ends of one line.
    pub fn pair() -> Result<(Self, Self)> {
        let kind = SockType::SeqPacket;
        let (one, other) = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)
            .map_err(|errno| Error::new("open a pair of sockets", errno))?;
        Ok((Self { socket: one }, Self { socket: other }))
    }

    /// Sends a message, whether or not the other side is ready for it; `false` where there is no
    /// room for it now. Never waits.
    pub fn send(&self, message: &[u8]) -> Result<bool> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let parts = [IoSlice::new(message)];
        let none: &[ControlMessage<'_>] = &[];
        loop {
            match sendmsg::<()>(self.socket.as_raw_fd(), &parts, none, flags, None) {
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::new("send to the other process", errno)),
            }
        }
    }

    /// Takes a message that is there already.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Result<Message> {
        self.take(buffer, MsgFlags::MSG_DONTWAIT)
    }

    /// Waits for a message.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Message> {
        self.take(buffer, MsgFlags::empty())
    }

    /// Says nothing more: the other side reads the end, and may still send.
    pub fn finish(&self) {
        // Where the other side has gone already, there is nobody to tell.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
    }

    fn take(&self, buffer: &mut [u8], flags: MsgFlags) -> Result<Message> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, flags) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(Message::End),
                Ok(len) => return Ok(Message::Bytes(len)),
                Err(Errno::EAGAIN) => return Ok(Message::Nothing),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::new("hear from the other process", errno)),
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A process of our own making that has not been waited for.
#[derive(Debug)]
pub struct Worker {
    pid: Pid,
}

impl Worker {
    /// Makes a copy of this process, in a session of its own, that does `work` and ends with its
    /// result as exit status.
    ///
    /// Must be called while the process has one thread: locks that another thread holds would
    /// stay locked in the copy for ever. The copy has everything that is open here; what it should
    /// not have is opened later.
    ///
    /// # Errors
    ///
    /// More than one thread is running, or the system refuses.
    pub fn start(work: impl FnOnce(Channel) -> i32) -> Result<(Self, Channel)> {
        let op = "start a second process";
        refuse_threads(op)?;
        let (near, far) = Channel::pair()?;
        #[expect(unsafe_code, reason = "nix leaves it to its callers to know about threads")]
        // SAFETY: no other thread runs that could hold a lock, as was checked, so the copy may do
        // whatever this process may. It never returns from here and so never drops what the
        // callers of this function own.
        match unsafe { nix::unistd::fork() } {
            Ok(ForkResult::Parent { child }) => Ok((Self { pid: child }, near)),
            Ok(ForkResult::Child) => {
                drop(near);
                // A terminal's signals are for the first process. Fails for a leader alone, which
                // a copy never is.
                let _ = setsid();
                let status = catch_unwind(AssertUnwindSafe(|| work(far)));
                // SAFETY: ends the process without running anything of the original's.
                unsafe { libc::_exit(status.unwrap_or(PANICKED)) }
            }
            Err(errno) => Err(Error::new(op, errno)),
        }
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Ends it at once.
    pub fn kill(&self) {
        // It has not been waited for, so the number is still its own.
        let _ = kill(self.pid, Signal::SIGKILL);
    }

    /// Waits for its end.
    #[must_use]
    pub fn wait(self) -> Option<ExitStatus> {
        let mut status = 0;
        loop {
            #[expect(unsafe_code, reason = "nix translates the status, and std wants the number")]
            // SAFETY: the kernel writes an int to where the pointer leads, which is one.
            let waited = unsafe { libc::waitpid(self.pid.as_raw(), &raw mut status, 0) };
            match Errno::result(waited) {
                Ok(_) => return Some(ExitStatus::from_raw(status)),
                Err(Errno::EINTR) => {}
                Err(_) => return None,
            }
        }
    }
}

/// A process may be copied only while it has one thread.
pub(crate) fn refuse_threads(op: &str) -> Result<()> {
    match fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() > 1) {
        true => Err(Error::new(op, io::Error::other("threads are running already"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_and_the_end_is_told() {
        let (one, other) = Channel::pair().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(one.try_receive(&mut buffer).unwrap(), Message::Nothing);
        assert!(other.send(b"first").unwrap() && other.send(b"2").unwrap());
        assert_eq!(one.receive(&mut buffer).unwrap(), Message::Bytes(5));
        assert_eq!(&buffer[..5], b"first");
        assert_eq!(one.try_receive(&mut buffer).unwrap(), Message::Bytes(1));
        drop(other);
        assert_eq!(one.receive(&mut buffer).unwrap(), Message::End);
        assert!(one.send(b"nobody").is_err());
    }

    #[test]
    fn a_line_that_is_full_holds_nobody_up() {
        let (one, _other) = Channel::pair().unwrap();
        let sent = (0..100_000).take_while(|_| one.send(&[0; 1000]).unwrap()).count();
        assert!((1..100_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_worker_is_refused_beside_other_threads() {
        // Tests run on threads of their own.
        let refused = Worker::start(|_| 0).unwrap_err().to_string();
        assert!(refused.contains("threads are running"), "{refused}");
    }
}
