//! Requests to rtnetlink, and their answers.

use std::io;

use netlink_packet_core::{NLM_F_DUMP, NetlinkSerializable, ParseableParametrized};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use nix::sys::socket::SockProtocol;

use super::Link;
use crate::netlink::Connection;
use crate::{Error, Result};

/// Distinguishes the messages that ask (RTM_GET*) from those that change.
const GET: u16 = 2;

/// A connection for requests. It receives no notifications; see [`Monitor`](super::Monitor).
#[derive(Debug)]
pub struct Rtnl {
    connection: Connection,
}

impl Rtnl {
    /// Opens a connection to the network namespace of this thread.
    pub fn open() -> Result<Self> {
        let connection = Connection::open(SockProtocol::NetlinkRoute)
            .map_err(|errno| Error::new("connect to rtnetlink", errno))?;
        Ok(Self { connection })
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
        self.exchange(&message, flags, |kind, body| {
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
            &request,
            NLM_F_DUMP,
            |answer, body| {
                if answer == kind { decode(body) } else { None }
            },
        )
    }

    /// Makes a request and returns what comes before its acknowledgement.
    pub(super) fn ask<T>(
        &mut self,
        request: RouteNetlinkMessage,
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        self.exchange(&request, 0, decode)
    }

    /// Makes a request whose only answer is an acknowledgement.
    pub(super) fn change(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.exchange(&request, flags, |_, _| None::<()>).map(drop)
    }

    /// Reads a list that the library for messages is not needed for.
    pub(super) fn list_raw<T>(
        &mut self,
        kind: u16,
        body: &[u8],
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        self.connection.dump(kind, body, decode)
    }

    /// Makes a change that the library for messages is not needed for.
    pub(super) fn change_raw(&mut self, kind: u16, body: &[u8]) -> io::Result<()> {
        self.connection.ask(kind, 0, body, |_, _| None::<()>).map(drop)
    }

    fn exchange<T>(
        &mut self,
        request: &RouteNetlinkMessage,
        flags: u16,
        decode: impl Fn(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        let kind = request.message_type();
        let mut body = vec![0; request.buffer_len()];
        request.serialize(&mut body);
        // The bits of NLM_F_DUMP mean something else in a request that changes.
        if flags & NLM_F_DUMP != 0 && kind & 3 == GET {
            self.connection.dump(kind, &body, decode)
        } else {
            self.connection.ask(kind, flags, &body, decode)
        }
    }
}
