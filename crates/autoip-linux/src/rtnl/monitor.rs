//! Notifications of links, addresses, routes and rules.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockFlag, SockProtocol};

use super::{Address, Link, Route, Rule};
use crate::netlink::{Message, NLMSG_OVERRUN, connect, messages, receive};
use crate::packet::enlarge_receive_buffer;
use crate::{Error, IfIndex, Result};

const GROUPS: i32 =
    libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV4_ROUTE | libc::RTMGRP_IPV4_RULE;

/// Room for the messages of a thousand interfaces that appear together.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// More datagrams than the buffer holds: a flood that does not end must not keep us here.
const DISCARDED_MAX: usize = RECEIVE_BUFFER_BYTES / 64;

/// A change of the network configuration, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An interface appeared, or something about it changed.
    LinkChanged(Link),
    /// An interface is gone from this namespace.
    LinkRemoved(IfIndex),
    /// An IPv4 address appeared, or something about it changed.
    AddressAdded(Address),
    /// An IPv4 address is gone.
    AddressRemoved(Address),
    /// An IPv4 route appeared, in whatever table.
    RouteAdded(Route),
    /// An IPv4 route is gone. The kernel says nothing of routes that fall with their interface or
    /// with their source address.
    RouteRemoved(Route),
    /// An IPv4 policy rule appeared.
    RuleAdded(Rule),
    /// An IPv4 policy rule is gone.
    RuleRemoved(Rule),
    /// Messages were lost, and those that were waiting thrown away: everything must be read again.
    Overrun,
}

/// A connection that receives notifications; its file descriptor is readable when there are any.
///
/// Open it before the lists are read with [`Rtnl`](super::Rtnl), so that no change falls between.
#[derive(Debug)]
pub struct Monitor {
    fd: OwnedFd,
    events: VecDeque<Event>,
}

impl Monitor {
    /// Watches the network namespace of this thread.
    pub fn open() -> Result<Self> {
        let fd =
            connect(SockProtocol::NetlinkRoute, SockFlag::SOCK_NONBLOCK, GROUPS.cast_unsigned())
                .and_then(|fd| enlarge_receive_buffer(&fd, RECEIVE_BUFFER_BYTES).map(|()| fd))
                .map_err(|errno| Error::new("watch rtnetlink", errno))?;
        Ok(Self { fd, events: VecDeque::new() })
    }

    /// Takes the next event, or `None` when there is none.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where this pauses")]
    pub fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match receive(&self.fd, MsgFlags::empty(), decode) {
                Ok(events) => self.events.extend(events),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::ENOBUFS | Errno::EMSGSIZE) => {
                    self.discard();
                    return Ok(Some(Event::Overrun));
                }
                Err(errno) => return Err(Error::new("read from rtnetlink", errno)),
            }
        }
    }
}

impl Monitor {
    /// Throws away what is waiting. After a loss it is older than what the caller reads next, and
    /// would undo it.
    fn discard(&mut self) {
        self.events.clear();
        for _ in 0..DISCARDED_MAX {
            if let Err(Errno::EAGAIN) = receive(&self.fd, MsgFlags::empty(), |_| ()) {
                return;
            }
        }
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The events in a datagram of notifications. Whatever is malformed or of no interest is left out.
#[must_use]
pub fn decode(datagram: &[u8]) -> Vec<Event> {
    messages(datagram).filter_map(event).collect()
}

fn event(message: Message<'_>) -> Option<Event> {
    let body = message.body;
    match message.kind {
        libc::RTM_NEWLINK => Link::decode(body).map(Event::LinkChanged),
        libc::RTM_DELLINK => Link::decode_removed(body).map(Event::LinkRemoved),
        libc::RTM_NEWADDR => Address::decode(body).map(Event::AddressAdded),
        libc::RTM_DELADDR => Address::decode(body).map(Event::AddressRemoved),
        libc::RTM_NEWROUTE => Route::decode(body).map(Event::RouteAdded),
        libc::RTM_DELROUTE => Route::decode(body).map(Event::RouteRemoved),
        libc::RTM_NEWRULE => Rule::decode(body).map(Event::RuleAdded),
        libc::RTM_DELRULE => Rule::decode(body).map(Event::RuleRemoved),
        NLMSG_OVERRUN => Some(Event::Overrun),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
