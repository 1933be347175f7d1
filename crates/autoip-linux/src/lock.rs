//! One daemon for each interface of a network namespace.
//!
//! The lock is the abstract Unix socket `autoip/<ifindex>`: the kernel keeps such names apart by
//! network namespace, as it does interfaces, and frees them when their holder ends, however it
//! ends. The socket listens, so that whoever finds the name taken can connect and learn from the
//! kernel who holds it; nothing is ever said.

mod holders;

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, UnixCredentials, accept4, bind, connect,
    getsockopt, listen, socket, sockopt,
};
use nix::unistd::geteuid;

use crate::{Error, IfIndex, Result, capability};

/// What the names begin with; the number of the interface follows.
const NAME_PREFIX: &str = "autoip/";

/// How many askers may wait to be turned away.
const BACKLOG: i32 = 8;

/// How often a name is tried whose holder does not answer: it is just beginning or ending.
const TRIES_MAX: u32 = 20;
/// The time between tries.
const TRY_INTERVAL: Duration = Duration::from_millis(1);

/// The right to run on an interface, until it is dropped.
#[derive(Debug)]
pub struct InterfaceLock {
    name: OwnedFd,
}

/// What came of the wish to run on an interface.
#[derive(Debug)]
pub enum Acquire {
    /// It is granted.
    Held(InterfaceLock),
    /// Another daemon runs there.
    Taken {
        /// Its process number, where it can be seen from here.
        by: Option<i32>,
        /// Its command name.
        command: Option<String>,
    },
    /// Somebody who is not one of us sits on the name, which means nothing: the caller goes on
    /// without a lock.
    Untrusted {
        /// The user, where the kernel says.
        uid: Option<u32>,
    },
}

impl InterfaceLock {
    /// Asks for the right to run on an interface of this network namespace.
    pub fn acquire(index: IfIndex) -> Result<Acquire> {
        acquire(index).map_err(|errno| Error::new(format!("lock interface {index}"), errno))
    }
}

impl InterfaceLock {
    /// Turns away everybody who has asked: the kernel has told them what they wanted to know.
    pub fn turn_away(&self) {
        while let Ok(asker) = accept4(self.name.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
            let _ = nix::unistd::close(asker);
        }
    }
}

impl AsFd for InterfaceLock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.name.as_fd()
    }
}

fn acquire(index: IfIndex) -> nix::Result<Acquire> {
    let name = UnixAddr::new_abstract(format!("{NAME_PREFIX}{index}").as_bytes())?;
    for _ in 0..TRIES_MAX {
        let fd = stream()?;
        match bind(fd.as_raw_fd(), &name) {
            Ok(()) => {
                listen(&fd, Backlog::new(BACKLOG)?)?;
                return Ok(Acquire::Held(InterfaceLock { name: fd }));
            }
            Err(Errno::EADDRINUSE) => {}
            Err(errno) => return Err(errno),
        }
        match connect(fd.as_raw_fd(), &name) {
            Ok(()) => return Ok(judge(getsockopt(&fd, sockopt::PeerCredentials)?)),
            // Nobody turns askers away, or not yet; or nobody listens.
            Err(Errno::EAGAIN | Errno::ECONNREFUSED) => thread::sleep(TRY_INTERVAL),
            Err(errno) => return Err(errno),
        }
    }
    // A daemon listens, and turns askers away.
    Ok(Acquire::Untrusted { uid: None })
}

fn stream() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket(AddressFamily::Unix, SockType::Stream, flags, None)
}

/// Root is believed, and so is whoever may do what a daemon does: a service manager starts daemons
/// as users of no rights but that.
fn judge(holder: UnixCredentials) -> Acquire {
    let ours = holder.uid() == 0 || holder.uid() == geteuid().as_raw();
    if !ours && !capability::may_configure_networks(holder.pid()) {
        return Acquire::Untrusted { uid: Some(holder.uid()) };
    }
    // The number is 0 for a process of a namespace that cannot be seen from here.
    let by = Some(holder.pid()).filter(|&pid| pid > 0);
    let command = by.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    Acquire::Taken { by, command: command.map(|command| command.trim_end().to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: i32, uid: u32) -> UnixCredentials {
        libc::ucred { pid, uid, gid: 0 }.into()
    }

    #[test]
    fn only_root_and_ourselves_and_daemons_are_believed() {
        let ours = geteuid().as_raw();
        assert!(matches!(judge(holder(1, 0)), Acquire::Taken { by: Some(1), .. }));
        assert!(matches!(judge(holder(1, ours)), Acquire::Taken { by: Some(1), .. }));
        let stranger = ours + 1;
        for pid in [0, i32::MAX] {
            let judged = judge(holder(pid, stranger));
            assert!(matches!(judged, Acquire::Untrusted { uid } if uid == Some(stranger)));
        }
    }

    #[test]
    fn a_holder_out_of_sight_has_no_number() {
        assert!(matches!(judge(holder(0, 0)), Acquire::Taken { by: None, command: None }));
    }
}
