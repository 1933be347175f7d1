//! Which interfaces have a daemon, as everybody may know.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{UnixAddr, connect, getsockopt, sockopt};

use super::{Acquire, InterfaceLock, NAME_PREFIX, judge, stream};
use crate::{Error, IfIndex, Result};

/// Every Unix socket of the network namespace of this thread, a line each.
const SOCKETS: &str = "/proc/thread-self/net/unix";

impl InterfaceLock {
    /// The interfaces of this network namespace whose lock is held, by whomever: any program can
    /// take the name, so this is a hint and no proof.
    pub fn held() -> Result<BTreeSet<IfIndex>> {
        match fs::read(SOCKETS) {
            Ok(text) => Ok(held_in(&String::from_utf8_lossy(&text))),
            Err(error) => Err(Error::new(format!("read {SOCKETS}"), error)),
        }
    }
}

impl InterfaceLock {
    /// The process that holds the lock of an interface, where it can be seen from here and is
    /// root's or our own user's: others are not believed.
    pub fn holder(index: IfIndex) -> Result<Option<i32>> {
        match ask(index) {
            Ok(Acquire::Taken { by, .. }) => Ok(by),
            Ok(Acquire::Held(_) | Acquire::Untrusted { .. }) => Ok(None),
            // Nobody listens, or too many ask at once.
            Err(Errno::ECONNREFUSED | Errno::EAGAIN) => Ok(None),
            Err(errno) => {
                Err(Error::new(format!("ask who holds the lock of interface {index}"), errno))
            }
        }
    }
}

/// Connects to the holder, which takes note of it and says nothing; the kernel tells who it is.
fn ask(index: IfIndex) -> nix::Result<Acquire> {
    let name = UnixAddr::new_abstract(format!("{NAME_PREFIX}{index}").as_bytes())?;
    let fd = stream()?;
    connect(fd.as_raw_fd(), &name)?;
    Ok(judge(getsockopt(&fd, sockopt::PeerCredentials)?))
}

fn held_in(sockets: &str) -> BTreeSet<IfIndex> {
    let names = sockets.lines().filter_map(|line| line.split_whitespace().nth(7));
    names
        .filter_map(|name| name.strip_prefix('@')?.strip_prefix(NAME_PREFIX)?.parse().ok())
        .filter_map(IfIndex::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_a_socket_with_the_number_in_its_name() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2741 @autoip/3\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2742 @autoip/x\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2743 /autoip/5\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2744\n\
                    0000000000000000: 00000003 00000000 00000000 0001 03 2745 @autoip/3\n";
        assert_eq!(held_in(text), BTreeSet::from([IfIndex::new(3).unwrap()]));
        assert_eq!(held_in(""), BTreeSet::new());
    }
}
