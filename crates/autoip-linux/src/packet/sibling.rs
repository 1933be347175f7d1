//! One socket for all interfaces that hears what one interface of this host sends on another.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use autoip_wire::{ArpPacket, MacAddr};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, recvmsg, setsockopt, socket, sockopt,
};

use crate::filter::sibling::{Port, SIBLINGS_MAX, program};
use crate::filter::{ArpFilter, program as arp_program};
use crate::packet::option::{attach_filter, bind, ignore_outgoing};
use crate::{Error, IfIndex, Result};

/// Room for a few frames: a single one tells everything.
const RECEIVE_BUFFER_BYTES: usize = 8 << 10;

/// An Ethernet header and an ARP packet.
const FRAME_LEN: usize = 42;

/// A packet socket for the probes and announcements that pass from one port to another.
///
/// It never blocks; its file descriptor is readable when a frame waits.
#[derive(Debug)]
pub struct SiblingSocket {
    fd: OwnedFd,
}

impl SiblingSocket {
    /// Opens a socket that receives nothing until [`set_ports`](Self::set_ports) is called.
    pub fn open() -> Result<Self> {
        open()
            .map(|fd| Self { fd })
            .map_err(|errno| Error::new("open a packet socket on all interfaces", errno))
    }

    /// Chooses between which ports frames are looked for. Returns how many of them, from the
    /// first on, the kernel had room for.
    pub fn set_ports(&self, ports: &[Port]) -> Result<usize> {
        let attach = |program: &[_]| attach_filter(self.fd.as_fd(), program);
        // The old filter counts against the socket's limit until it is gone.
        let emptied = attach(&arp_program(ArpFilter::Nothing));
        let mut count = ports.len().min(SIBLINGS_MAX);
        let result = emptied.and_then(|()| {
            loop {
                match attach(&program(ports.get(..count).unwrap_or_default())) {
                    Err(Errno::ENOMEM) if count > 1 => count /= 2,
                    result => return result,
                }
            }
        });
        match result {
            Ok(()) => Ok(count),
            Err(errno) => Err(Error::new("set the packet filter of all interfaces", errno)),
        }
    }

    /// Takes the next frame: the interface that it came in by, and the MAC address that sent it.
    /// `None` when no frame waits.
    pub fn receive(&self) -> Result<Option<(IfIndex, MacAddr)>> {
        loop {
            match self.receive_once() {
                Err(Errno::EINTR) => {}
                Ok(some) => return Ok(some),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(errno) => {
                    return Err(Error::new("receive from all interfaces", errno));
                }
            }
        }
    }

    fn receive_once(&self) -> nix::Result<Option<(IfIndex, MacAddr)>> {
        let mut frame = [0; FRAME_LEN];
        let mut slices = [IoSliceMut::new(&mut frame)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<LinkAddr>(self.fd.as_raw_fd(), &mut slices, None, flags)?;
        let index = message
            .address
            .and_then(|address| u32::try_from(address.ifindex()).ok().and_then(IfIndex::new));
        let length = message.bytes;
        let packet = frame.get(..length).and_then(|frame| ArpPacket::parse(frame).ok());
        Ok(index.zip(packet.map(|(_, packet)| packet.sender_mac)))
    }
}

impl AsFd for SiblingSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
    setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES)?;
    attach_filter(fd.as_fd(), &arp_program(ArpFilter::Nothing))?;
    match ignore_outgoing(fd.as_fd()) {
        // As for the sockets of one interface: nothing is lost without the option.
        Err(Errno::ENOPROTOOPT) | Ok(()) => {}
        Err(errno) => return Err(errno),
    }
    bind(fd.as_fd(), None, libc::ETH_P_ARP)?;
    Ok(fd)
}
