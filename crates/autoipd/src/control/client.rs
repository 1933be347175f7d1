//! One client: its connection, what it has sent and what it has not fetched yet.
//!
//! Must never wait for it, nor keep more for it than the limits here allow. What ends a client is
//! a `Gone`; there is nothing to be said to it then.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use autoip_control::{Call, Inbox, Reply};
use autoip_core::Instant;
use autoip_linux::{Peer, Readiness};

use super::Task;

/// The longest call, in bytes; the longest that makes sense has some 200.
const CALL_MAX: usize = 8192;
/// How much is read in one turn.
const CHUNK: usize = 4096;
/// How much may wait for a client that does not read; one whole reply may be longer.
const UNSENT_MAX: usize = 256 * 1024;
/// A call must be whole, and some of a reply be fetched, within this time.
const STALL_MAX: Duration = Duration::from_secs(5);
/// A client that wants nothing for this long makes room for others.
const IDLE_MAX: Duration = Duration::from_secs(120);

/// The connection has ended, or has to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// One client.
pub(super) struct Client {
    stream: UnixStream,
    pub(super) uid: u32,
    /// Whether it may change things.
    pub(super) may_change: bool,
    inbox: Inbox,
    /// Whether a whole call may be in there.
    unread: bool,
    /// When the first byte came of the call that is not whole.
    began_at: Instant,
    /// The client has said all that it will say.
    ended: bool,
    /// Replies that are not on their way yet, from `sent` on.
    unsent: Vec<u8>,
    sent: usize,
    /// What it is being told.
    pub(super) task: Task,
    /// Whether it wants replies at all.
    oneway: bool,
    /// When something last came of it.
    moved_at: Instant,
    readiness: Readiness,
}

impl Client {
    pub(super) fn new(stream: UnixStream, peer: &Peer, may_change: bool, now: Instant) -> Self {
        Self {
            stream,
            uid: peer.uid,
            may_change,
            inbox: Inbox::new(CALL_MAX),
            unread: false,
            began_at: now,
            ended: false,
            unsent: Vec::new(),
            sent: 0,
            task: Task::Nothing,
            oneway: false,
            moved_at: now,
            readiness: Readiness { read: true, write: false },
        }
    }

    /// The descriptor became ready: sends what waits and takes in a bit.
    pub(super) fn on_ready(&mut self, now: Instant) -> Result<(), Gone> {
        if self.readiness == Readiness::default() {
            // Nothing was asked for, so this is the end.
            return Err(Gone);
        }
        self.send(now)?;
        if !self.may_read() {
            return Ok(());
        }
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.ended = true,
            Ok(length) => {
                if self.inbox.is_empty() {
                    self.began_at = now;
                }
                self.inbox.push(chunk.get(..length).unwrap_or_default());
                (self.unread, self.moved_at) = (true, now);
            }
            Err(error) if is_passing(&error) => {}
            Err(_) => return Err(Gone),
        }
        Ok(())
    }

    /// Whether more is to be taken in: not before what is there is dealt with.
    fn may_read(&self) -> bool {
        !self.ended && !self.unread
    }

    fn is_at_rest(&self) -> bool {
        matches!(self.task, Task::Nothing)
    }

    /// The next call, once the last one has been answered.
    pub(super) fn next_call(&mut self, now: Instant) -> Result<Option<Call>, Gone> {
        if !self.is_at_rest() || !self.unsent.is_empty() {
            return Ok(None);
        }
        let Some(message) = self.inbox.next_message().map_err(|_| Gone)? else {
            self.unread = false;
            return if self.ended { Err(Gone) } else { Ok(None) };
        };
        self.unread = !self.inbox.is_empty();
        self.began_at = now;
        let call = Call::parse(&message).map_err(|_| Gone)?;
        self.oneway = call.oneway;
        Ok(Some(call))
    }

    /// Whether there may be a call that has come in already, or there will be none.
    pub(super) fn has_more(&self) -> bool {
        self.is_at_rest() && self.unsent.is_empty() && (self.unread || self.ended)
    }

    /// Whether the next part of a long answer can be made.
    pub(super) fn wants_part(&self) -> bool {
        self.task.has_parts() && self.unsent.is_empty()
    }

    /// Whether it has not fetched all that it was told.
    pub(super) fn is_behind(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Tells it something.
    pub(super) fn tell(&mut self, reply: &Reply, now: Instant) -> Result<(), Gone> {
        if self.oneway {
            return Ok(());
        }
        if self.unsent.len() - self.sent > UNSENT_MAX {
            return Err(Gone);
        }
        if self.unsent.is_empty() {
            // The time to fetch it begins with the first byte that is there to be fetched.
            self.moved_at = now;
        }
        self.unsent.extend_from_slice(&reply.to_bytes());
        self.send(now)
    }

    fn send(&mut self, now: Instant) -> Result<(), Gone> {
        while let Some(rest) = self.unsent.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(length) => {
                    self.sent += length;
                    self.moved_at = now;
                }
                Err(error) if is_passing(&error) => return Ok(()),
                Err(_) => return Err(Gone),
            }
        }
        // Gives the memory back.
        (self.unsent, self.sent) = (Vec::new(), 0);
        Ok(())
    }

    /// When it has had its time; `None` while it waits for us.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if !self.unsent.is_empty() {
            Some(self.moved_at + STALL_MAX)
        } else if !self.is_at_rest() {
            None
        } else if self.inbox.is_empty() {
            Some(self.moved_at + IDLE_MAX)
        } else {
            Some(self.began_at + STALL_MAX)
        }
    }

    /// What the descriptor is to be watched for from here on, where that has changed.
    pub(super) fn new_readiness(&mut self) -> Option<Readiness> {
        let wanted = Readiness { read: self.may_read(), write: !self.unsent.is_empty() };
        let known = std::mem::replace(&mut self.readiness, wanted);
        (known != wanted).then_some(wanted)
    }
}

/// Whether it is worth another try when the descriptor is ready again.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
