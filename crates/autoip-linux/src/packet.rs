//! Raw Ethernet frames of one interface.
//!
//! What a packet socket costs lies in how it is opened: with protocol 0 and bound afterwards it
//! takes microseconds, and there is no moment in which frames of other interfaces, or frames that
//! no filter has seen, are queued. With a protocol from the start, the bind would wait for the
//! kernel's readers (milliseconds).

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use autoip_core::Instant;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockType, cmsg_space,
    recvmsg, send, setsockopt, socket, sockopt,
};

use crate::clock::{boottime, realtime};
use crate::filter::{ArpFilter, program};
use crate::packet::option::{attach_filter, bind, drop_count, ignore_outgoing};
use crate::{Error, IfIndex, Result};

mod option;
pub(crate) mod sibling;

/// Room for thousands of ARP frames between two turns of the loop.
//= LL-2.5-03 a conflict is not lost among other frames
const RECEIVE_BUFFER_BYTES: usize = 1 << 20;

/// How many pending errors of the network one call consumes: more than can happen to a link
/// between two turns of the loop.
const PENDING_ERRORS_MAX: usize = 4;

/// A receive stamp older than this is the trace of a clock that was set, not of a slow reader.
const STAMP_AGE_MAX: Duration = Duration::from_secs(5);

/// A raw socket on one interface; frames begin with their Ethernet header.
///
/// It never blocks; its file descriptor is readable when a frame waits. Its errors do not name the
/// interface, which may have another name by now: whoever shows them does.
#[derive(Debug)]
pub struct PacketSocket {
    fd: OwnedFd,
}

/// One frame, and when and how it passed the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'b> {
    /// The frame from its Ethernet header on, cut to the length of the caller's buffer.
    pub frame: &'b [u8],
    /// When the kernel took the frame in, on CLOCK_BOOTTIME; when it was read instead, for the
    /// first frames after the socket was opened: the kernel is slow to switch stamps on.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
}

/// Which way a frame passed the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It came from the link.
    In,
    /// This host sent it.
    Out,
}

impl PacketSocket {
    /// Opens a socket for the ARP frames that others send on one interface.
    ///
    /// It receives nothing until [`set_filter`](Self::set_filter) is called for the first time.
    pub fn arp(index: IfIndex) -> Result<Self> {
        Self::open(|fd| {
            attach_filter(fd, &program(ArpFilter::Nothing))?;
            // Before Linux 4.20 there is no such option. Nothing is lost: the kernel shows
            // outgoing frames only to sockets of every protocol.
            match ignore_outgoing(fd) {
                Err(Errno::ENOPROTOOPT) | Ok(()) => {}
                Err(errno) => return Err(errno),
            }
            bind(fd, Some(index), libc::ETH_P_ARP)
        })
    }

    /// Opens a socket for every frame that passes one interface in either direction, unfiltered:
    /// for captures.
    pub fn tap(index: IfIndex) -> Result<Self> {
        Self::open(|fd| bind(fd, Some(index), libc::ETH_P_ALL))
    }

    fn open(set_up: impl FnOnce(BorrowedFd<'_>) -> nix::Result<()>) -> Result<Self> {
        unbound()
            .and_then(|fd| set_up(fd.as_fd()).map(|()| Self { fd }))
            .map_err(|errno| Error::new("open a packet socket", errno))
    }

    /// Chooses which frames are received from here on.
    ///
    /// Frames that an earlier filter passed may still be queued; the engine checks every frame
    /// itself, so they do no harm.
    pub fn set_filter(&self, filter: ArpFilter) -> Result<()> {
        attach_filter(self.fd.as_fd(), &program(filter))
            .map_err(|errno| Error::new("set the packet filter", errno))
    }

    /// Gives the frames that are sent from here on a mark (SO_MARK), by which rules of
    /// [`nft`](crate::nft) can tell them from all others.
    pub fn set_mark(&self, mark: u32) -> Result<()> {
        setsockopt(&self.fd, sockopt::Mark, &mark)
            .map_err(|errno| Error::new(format!("set the mark {mark:#x} of frames"), errno))
    }

    /// Sends a frame, Ethernet header included, to the destination that stands in its header.
    ///
    /// The kernel says ENOBUFS when a rule of its egress hook dropped the frame.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        match send(self.fd.as_raw_fd(), frame, MsgFlags::empty()) {
            Ok(_) => Ok(()),
            Err(errno) => Err(Error::new("send a frame", errno)),
        }
    }

    /// Takes the next frame, or `None` when no frame waits.
    ///
    /// Trouble of the link that is pending on the socket, such as ENETDOWN when the interface
    /// went down, is consumed: notifications of the [`Monitor`](crate::rtnl::Monitor) tell it
    /// better. The socket works again when the interface is up again.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<Received<'b>>> {
        let mut errors_left = PENDING_ERRORS_MAX;
        loop {
            match self.receive_once(buffer) {
                Ok((length, at, direction)) => {
                    let frame = buffer.get(..length).unwrap_or_default();
                    return Ok(Some(Received { frame, at, direction }));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(Errno::ENETDOWN | Errno::ENODEV | Errno::ENXIO | Errno::ENETUNREACH)
                    if errors_left > 0 =>
                {
                    errors_left -= 1;
                }
                Err(errno) => return Err(Error::new("receive a frame", errno)),
            }
        }
    }

    fn receive_once(&self, buffer: &mut [u8]) -> nix::Result<(usize, Instant, Direction)> {
        let mut control = [0; cmsg_space::<libc::timespec>()];
        let mut slices = [IoSliceMut::new(buffer)];
        let message = recvmsg::<LinkAddr>(
            self.fd.as_raw_fd(),
            &mut slices,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let mut stamp = None;
        for part in message.cmsgs()? {
            if let ControlMessageOwned::ScmTimestampns(time) = part {
                stamp = Some(Duration::from(time));
            }
        }
        let outgoing =
            message.address.is_some_and(|address| address.pkttype() == libc::PACKET_OUTGOING);
        let direction = if outgoing { Direction::Out } else { Direction::In };
        Ok((message.bytes, arrival(stamp, realtime(), boottime()), direction))
    }

    /// How many frames that passed the filter were lost since the last call, because nobody read
    /// them in time.
    pub fn dropped(&self) -> Result<u32> {
        drop_count(self.fd.as_fd())
            .map_err(|errno| Error::new("read the statistics of frames", errno))
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn unbound() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
    enlarge_receive_buffer(&fd, RECEIVE_BUFFER_BYTES)?;
    setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
    Ok(fd)
}

/// Asks for a receive buffer beyond the system's limit, or else for as much as the limit allows.
pub(crate) fn enlarge_receive_buffer(fd: &OwnedFd, bytes: usize) -> nix::Result<()> {
    setsockopt(fd, sockopt::RcvBufForce, &bytes)
        .or_else(|_| setsockopt(fd, sockopt::RcvBuf, &bytes))
}

/// A receive stamp, which is on CLOCK_REALTIME, as a point on CLOCK_BOOTTIME.
///
/// `realtime` and `boottime` are the same moment on both clocks. A stamp that lies ahead or far
/// back shows that the wall clock was set meanwhile, and means nothing then.
fn arrival(stamp: Option<Duration>, realtime: Duration, boottime: Instant) -> Instant {
    let age = stamp.and_then(|stamp| realtime.checked_sub(stamp));
    match age {
        Some(age) if age <= STAMP_AGE_MAX => {
            let age = u64::try_from(age.as_nanos()).unwrap_or(0);
            Instant::from_nanos(boottime.as_nanos().saturating_sub(age))
        }
        Some(_) | None => boottime,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: Instant = Instant::from_nanos(1_000_000_000_000);
    const REAL: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn stamps_move_to_the_boot_clock() {
        let age = Duration::from_micros(1500);
        let at = arrival(Some(REAL.checked_sub(age).unwrap()), REAL, BOOT);
        assert_eq!(BOOT - at, age);
    }

    #[test]
    fn stamps_of_a_clock_that_was_set_mean_now() {
        let ahead = REAL + Duration::from_nanos(1);
        let long_ago = REAL.checked_sub(STAMP_AGE_MAX + Duration::from_nanos(1)).unwrap();
        for stamp in [None, Some(ahead), Some(long_ago), Some(Duration::ZERO)] {
            assert_eq!(arrival(stamp, REAL, BOOT), BOOT, "{stamp:?}");
        }
    }

    #[test]
    fn a_stamp_from_before_boot_is_clamped() {
        let at = arrival(Some(REAL - STAMP_AGE_MAX), REAL, Instant::from_nanos(7));
        assert_eq!(at, Instant::from_nanos(0));
    }
}
