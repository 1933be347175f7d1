//! Requests to rtnetlink, and their answers.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    ParseableParametrized,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use super::Link;
use super::message::{NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, messages};
use crate::{Error, Result};

/// The kernel never sends a longer datagram to a reader with a buffer of this size.
pub(super) const DATAGRAM_BYTES: usize = 32 * 1024;

/// The kernel answers before the request returns; this is a safety net.
const ANSWER_TIMEOUT_S: i64 = 2;

/// How often a list is read that changes while it is read.
const DUMP_TRIES_MAX: u32 = 10;

/// Distinguishes the messages that ask (RTM_GET*) from those that change.
const GET: u16 = 2;

/// A connection for requests. It receives no notifications; see [`Monitor`](super::Monitor).
#[derive(Debug)]
pub struct Rtnl {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Rtnl {
    /// Opens a connection to the network namespace of this thread.
    pub fn open() -> Result<Self> {
        let timeout = TimeVal::seconds(ANSWER_TIMEOUT_S);
        let fd = connect(SockFlag::empty(), 0)
            .and_then(|fd| setsockopt(&fd, sockopt::ReceiveTimeout, &timeout).map(|()| fd))
            .map_err(|errno| Error::new("connect to rtnetlink", errno))?;
        Ok(Self { fd, sequence: 0, buffer: vec![0; DATAGRAM_BYTES] })
    }

    /// Makes one request and returns the answers; parts of an answer that cannot be decoded are
    /// left out.
    ///
    /// `flags` are added to NLM_F_REQUEST. With NLM_F_DUMP all parts of the list are returned,
    /// else what comes before the acknowledgement.
    pub fn request(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.exchange(message, flags, |kind, body| {
            RouteNetlinkMessage::parse_with_param(body, kind).ok()
        })
    }

    /// All interfaces.
    pub fn links(&mut self) -> Result<Vec<Link>> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        self.list(request, libc::RTM_NEWLINK, Link::decode)
            .map_err(|error| Error::new("list the interfaces", error))
    }

    /// Reads a list whose entries come as messages of type `kind`.
    pub(super) fn list<T>(
        &mut self,
        request: RouteNetlinkMessage,
        kind: u16,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        self.exchange(
            request,
            NLM_F_DUMP,
            |answer, body| {
                if answer == kind { decode(body) } else { None }
            },
        )
    }

    /// Makes a request whose only answer is an acknowledgement.
    pub(super) fn change(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.exchange(request, flags, |_, _| None::<()>).map(drop)
    }

    fn exchange<T>(
        &mut self,
        request: RouteNetlinkMessage,
        flags: u16,
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        let mut message =
            NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(request));
        let dump = flags & NLM_F_DUMP != 0 && message.payload.message_type() & 3 == GET;
        message.header.flags = NLM_F_REQUEST | flags | if dump { 0 } else { NLM_F_ACK };
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        for _ in 0..DUMP_TRIES_MAX {
            self.sequence = self.sequence.wrapping_add(1);
            message.header.sequence_number = self.sequence;
            message.serialize(&mut bytes);
            sendto(self.fd.as_raw_fd(), &bytes, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
            if let Some(answers) = self.collect(&decode)? {
                return Ok(answers);
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Reads the answers to the last request; `None` when the list changed meanwhile, so that
    /// entries may be missing.
    fn collect<T>(
        &mut self,
        decode: &impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Option<Vec<T>>> {
        let mut answers = Vec::new();
        let mut interrupted = false;
        loop {
            let datagram = receive(&self.fd, &mut self.buffer)?;
            for message in messages(datagram) {
                // A late answer to a request that timed out has an older number.
                if message.sequence != self.sequence {
                    continue;
                }
                interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
                match message.kind {
                    NLMSG_NOOP => {}
                    NLMSG_ERROR | NLMSG_DONE => {
                        return match message.code() {
                            0 => Ok((!interrupted).then_some(answers)),
                            code => Err(io::Error::from_raw_os_error(code.saturating_neg())),
                        };
                    }
                    kind => answers.extend(decode(kind, message.body)),
                }
            }
        }
    }
}

/// Opens a netlink socket that receives the notifications of some groups (RTMGRP_*).
pub(super) fn connect(flags: SockFlag, groups: u32) -> nix::Result<OwnedFd> {
    let protocol = SockProtocol::NetlinkRoute;
    let flags = flags | SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(fd)
}

/// Receives one datagram.
pub(super) fn receive<'b>(fd: &OwnedFd, buffer: &'b mut [u8]) -> nix::Result<&'b [u8]> {
    let length = loop {
        match recv(fd.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
            Err(Errno::EINTR) => {}
            received => break received?,
        }
    };
    // With MSG_TRUNC the length is the datagram's, whether it fits or not.
    buffer.get(..length).ok_or(Errno::EMSGSIZE)
}
