//! Requests to the kernel, and their answers.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use super::Writer;
use super::message::{NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, messages};

/// The kernel never sends a longer datagram to a reader with a buffer of this size.
const DATAGRAM_BYTES: usize = 32 * 1024;

thread_local! {
    /// What a datagram is received in. One does for all connections of a thread, since each is read
    /// to its end before the next one is received; several would keep memory for nothing.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The kernel answers before the request returns; this is a safety net.
const ANSWER_TIMEOUT_S: i64 = 2;

/// How often a list is read that changes while it is read.
const DUMP_TRIES_MAX: u32 = 10;

/// A connection for requests. It receives no notifications.
#[derive(Debug)]
pub(crate) struct Connection {
    fd: OwnedFd,
    sequence: u32,
}

impl Connection {
    /// Opens a connection to the network namespace of this thread.
    pub(crate) fn open(protocol: SockProtocol) -> nix::Result<Self> {
        let fd = connect(protocol, SockFlag::empty(), 0)?;
        setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER_TIMEOUT_S))?;
        Ok(Self { fd, sequence: 0 })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Makes one request and returns what comes before its acknowledgement, as far as `decode`
    /// understands it; that is given the type and the body of a message.
    pub(crate) fn ask<T>(
        &mut self,
        kind: u16,
        flags: u16,
        body: &[u8],
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        self.exchange(kind, NLM_F_ACK | flags, body, decode)
    }

    /// Asks for a list and returns all parts of it that `decode` understands.
    pub(crate) fn dump<T>(
        &mut self,
        kind: u16,
        body: &[u8],
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        self.exchange(kind, NLM_F_DUMP, body, decode)
    }

    fn exchange<T>(
        &mut self,
        kind: u16,
        flags: u16,
        body: &[u8],
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        for _ in 0..DUMP_TRIES_MAX {
            let sequence = self.take_sequences(1);
            let mut request = Writer::default();
            request.message(kind, NLM_F_REQUEST | flags, sequence, |request| request.raw(body));
            self.send(&request.into_bytes())?;
            if let Some(answers) = self.collect(sequence, &decode)? {
                return Ok(answers);
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Reads the answers to one request; `None` when the list changed meanwhile, so that entries
    /// may be missing.
    fn collect<T>(
        &self,
        sequence: u32,
        decode: &impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Option<Vec<T>>> {
        let mut answers = Vec::new();
        let mut interrupted = false;
        // The last message ends it, with an error or without.
        let mut end: Option<Option<io::Error>> = None;
        while end.is_none() {
            receive(&self.fd, MsgFlags::empty(), |datagram| {
                // A late answer to a request that timed out has an older number.
                for message in messages(datagram).filter(|it| it.sequence == sequence) {
                    interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
                    match message.kind {
                        NLMSG_NOOP => {}
                        NLMSG_ERROR | NLMSG_DONE => {
                            end = Some(message.error());
                            return;
                        }
                        kind => answers.extend(decode(kind, message.body)),
                    }
                }
            })?;
        }
        match end.flatten() {
            None => Ok((!interrupted).then_some(answers)),
            Some(error) => Err(error),
        }
    }

    /// Reserves numbers for requests and returns the first.
    pub(crate) fn take_sequences(&mut self, count: u32) -> u32 {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        first
    }

    /// Sends one datagram of requests.
    pub(crate) fn send(&self, datagram: &[u8]) -> nix::Result<()> {
        let kernel = NetlinkAddr::new(0, 0);
        sendto(self.fd.as_raw_fd(), datagram, &kernel, MsgFlags::empty()).map(drop)
    }

    /// Reads an answer that is already there; `None` when there is none.
    pub(crate) fn receive_now<T>(&self, read: impl FnOnce(&[u8]) -> T) -> nix::Result<Option<T>> {
        match receive(&self.fd, MsgFlags::MSG_DONTWAIT, read) {
            Ok(answer) => Ok(Some(answer)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

/// Opens a netlink socket that receives the notifications of some groups (a bit for each).
pub(crate) fn connect(
    protocol: SockProtocol,
    flags: SockFlag,
    groups: u32,
) -> nix::Result<OwnedFd> {
    let flags = flags | SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(fd)
}

/// Receives one datagram and has it read.
pub(crate) fn receive<T>(
    fd: &OwnedFd,
    flags: MsgFlags,
    read: impl FnOnce(&[u8]) -> T,
) -> nix::Result<T> {
    let mut buffer = BUFFER.take();
    if buffer.is_empty() {
        // Memory that nothing has been written to yet costs nothing.
        buffer = vec![0; DATAGRAM_BYTES];
    }
    let received = loop {
        match recv(fd.as_raw_fd(), &mut buffer, MsgFlags::MSG_TRUNC | flags) {
            Err(Errno::EINTR) => {}
            received => break received,
        }
    };
    // With MSG_TRUNC the length is the datagram's, whether it fits or not.
    let datagram = received.and_then(|length| buffer.get(..length).ok_or(Errno::EMSGSIZE));
    let result = datagram.map(read);
    BUFFER.set(buffer);
    result
}
