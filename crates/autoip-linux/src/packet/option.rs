//! The socket options and the address of packet sockets that `nix` has no safe call for.

use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, c_void, sock_filter, sock_fprog, sockaddr_ll, socklen_t, tpacket_stats};
use nix::errno::Errno;

use crate::IfIndex;

/// Replaces the socket's filter.
pub(super) fn attach_filter(fd: BorrowedFd<'_>, program: &[sock_filter]) -> nix::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let program = sock_fprog { len, filter: program.as_ptr().cast_mut() };
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Hides the frames that this host sends.
pub(super) fn ignore_outgoing(fd: BorrowedFd<'_>) -> nix::Result<()> {
    let on: c_int = 1;
    set(fd, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &on)
}

/// Binds to one interface, or to all of them, and one protocol (ETH_P_*, in host byte order).
pub(super) fn bind(fd: BorrowedFd<'_>, index: Option<IfIndex>, protocol: c_int) -> nix::Result<()> {
    let address = sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).map_err(|_| Errno::EINVAL)?,
        sll_protocol: u16::try_from(protocol).map_err(|_| Errno::EINVAL)?.to_be(),
        sll_ifindex: index.map_or(0, IfIndex::get).cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    #[expect(unsafe_code, reason = "nix builds no link-layer address")]
    // SAFETY: the pointer and the length describe `address`, which outlives the call and which
    // the kernel only reads.
    let result = unsafe {
        libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length_of::<sockaddr_ll>())
    };
    Errno::result(result).map(drop)
}

/// How many frames were lost since the last call.
pub(super) fn drop_count(fd: BorrowedFd<'_>) -> nix::Result<u32> {
    let mut statistics = tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = length_of::<tpacket_stats>();
    #[expect(unsafe_code, reason = "nix has no PACKET_STATISTICS")]
    // SAFETY: the kernel writes at most `length` bytes, the size of `statistics`, whose fields
    // are plain integers; both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast::<c_void>(),
            &raw mut length,
        )
    };
    Errno::result(result).map(|_| statistics.tp_drops)
}

fn set<T>(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> nix::Result<()> {
    #[expect(unsafe_code, reason = "nix lacks these options of packet sockets")]
    // SAFETY: the pointer and the length describe `value`, which outlives the call and which the
    // kernel only reads; so does the program that a `sock_fprog` points to, borrowed by the
    // caller of `attach_filter`.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast::<c_void>(),
            length_of::<T>(),
        )
    };
    Errno::result(result).map(drop)
}

#[expect(clippy::cast_possible_truncation, reason = "kernel structures are a few bytes long")]
const fn length_of<T>() -> socklen_t {
    size_of::<T>() as socklen_t
}
