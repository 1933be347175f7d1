//! The other end of a Unix socket: who it is, as the kernel knows it, and whether it is there.

use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt,
};

use crate::{Error, Result};

/// How many groups are asked for first. Hardly anybody is in more.
const GROUPS_USUAL: usize = 32;
/// How many groups a process can be in (NGROUPS_MAX).
const GROUPS_MAX: usize = 65_536;

/// The process that connected, as it was when it connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
    /// Its supplementary groups; none where the kernel does not tell (before Linux 4.13).
    pub groups: Vec<u32>,
}

impl Peer {
    /// The peer of a connected socket.
    pub fn of(socket: impl AsFd) -> Result<Self> {
        let fd = socket.as_fd();
        let failed = |errno| Error::new("learn who connected", errno);
        let credentials = getsockopt(&fd, sockopt::PeerCredentials).map_err(failed)?;
        let groups = match groups(fd.as_raw_fd(), GROUPS_USUAL) {
            Err(Errno::ERANGE) => groups(fd.as_raw_fd(), GROUPS_MAX),
            groups => groups,
        };
        let groups = match groups {
            Err(Errno::ENOPROTOOPT | Errno::ENODATA) => Vec::new(),
            groups => groups.map_err(failed)?,
        };
        Ok(Self { uid: credentials.uid(), gid: credentials.gid(), groups })
    }

    /// Whether it is in the group `gid`.
    #[must_use]
    pub fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}

/// Connects to the socket at `path` without waiting: EAGAIN says that somebody listens there and
/// has too many waiting already.
pub fn connect_now(path: &Path) -> Result<UnixStream> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let connected = UnixAddr::new(path).and_then(|address| {
        let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        connect(fd.as_raw_fd(), &address)?;
        Ok(fd.into())
    });
    connected.map_err(|errno| Error::new(format!("connect to {}", path.display()), errno))
}

/// Up to `room` supplementary groups; ERANGE where there are more.
fn groups(fd: i32, room: usize) -> nix::Result<Vec<u32>> {
    let mut groups: Vec<libc::gid_t> = vec![0; room];
    let bytes = size_of_val(groups.as_slice());
    let mut length = libc::socklen_t::try_from(bytes).map_err(|_| Errno::EINVAL)?;
    #[expect(unsafe_code, reason = "nix has no call for this option")]
    // SAFETY: the buffer is as long as `length` says, and the kernel writes whole group numbers
    // into it, of which any bytes make one, and no more than `length`.
    let result = unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    Errno::result(result)?;
    let count = usize::try_from(length).unwrap_or(0) / size_of::<libc::gid_t>();
    groups.truncate(count);
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_at_both_ends_this_process() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = Peer::of(&ours).unwrap();
        let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        assert_eq!((peer.uid, peer.gid), (uid, gid));
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
        let mut expected: Vec<u32> =
            line.split_whitespace().map(|group| group.parse().unwrap()).collect();
        let mut groups = peer.groups.clone();
        expected.sort_unstable();
        groups.sort_unstable();
        assert_eq!(groups, expected);
        assert!(peer.is_in(gid) && expected.iter().all(|&group| peer.is_in(group)));
        assert!(!peer.is_in(u32::MAX));
    }

    /// The second question is for those who are in more groups than usual.
    #[test]
    fn too_little_room_is_told() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let has_groups = !Peer::of(&ours).unwrap().groups.is_empty();
        let answer = groups(ours.as_raw_fd(), 0);
        let expected = if has_groups { Err(Errno::ERANGE) } else { Ok(Vec::new()) };
        assert_eq!(answer, expected);
    }

    #[test]
    fn what_is_no_socket_has_no_peer() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let error = Peer::of(&file).unwrap_err();
        assert!(error.to_string().starts_with("could not learn who connected"), "{error}");
    }
}
