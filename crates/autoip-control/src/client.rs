//! A client that waits for its replies, for programs that have nothing else to do meanwhile.
//!
//! Every wait has a limit, unless the caller wants none. Must never trust the daemon further than
//! a message of [`REPLY_MAX`] bytes.

use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fmt, thread};

use serde_json::Value;

use crate::inbox::Inbox;
use crate::message::{Call, Reply, to_object};
use crate::method::Method;
use crate::refusal::Refusal;

/// The longest reply that is taken in, in bytes.
const REPLY_MAX: usize = 4 << 20;
/// How much is read at a time.
const CHUNK: usize = 4096;

/// Why there is no reply.
#[derive(Debug)]
pub enum Error {
    /// Nobody listens there, or may not be spoken to.
    Unreachable {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The connection broke.
    Broken(io::Error),
    /// The other side closed the connection.
    Closed,
    /// The limit of time is over.
    TimedOut(Duration),
    /// What came is not of this protocol.
    Garbled(String),
    /// The daemon refuses.
    Refused(Refusal),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { path, source } => {
                let path = path.display();
                write!(f, "no daemon can be reached at {path}: {source}; is autoipd running?")
            }
            Self::Broken(source) => write!(f, "the connection to the daemon broke: {source}"),
            Self::Closed => f.write_str("the daemon closed the connection"),
            Self::TimedOut(limit) => {
                write!(f, "the daemon did not answer within {} s", limit.as_secs_f64())
            }
            Self::Garbled(what) => write!(f, "the daemon's reply cannot be understood: {what}"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn from_io(error: io::Error, limit: Option<Duration>) -> Self {
        match (error.kind(), limit) {
            (io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut, Some(limit)) => {
                Self::TimedOut(limit)
            }
            (io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset, _) => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

/// A connection to a daemon.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    inbox: Inbox,
    limit: Duration,
}

impl Client {
    /// Connects to the daemon that listens at `path`. `limit` is how long it may take, now and
    /// for every call.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::TimedOut`].
    pub fn connect(path: &Path, limit: Duration) -> Result<Self, Error> {
        let (report, connected) = mpsc::channel();
        let target = path.to_owned();
        // A connect waits while a daemon that hangs has its queue full.
        thread::spawn(move || report.send(UnixStream::connect(target)));
        match connected.recv_timeout(limit) {
            Ok(Ok(stream)) => Ok(Self { stream, inbox: Inbox::new(REPLY_MAX), limit }),
            Ok(Err(source)) => Err(Error::Unreachable { path: path.to_owned(), source }),
            Err(_) => Err(Error::TimedOut(limit)),
        }
    }

    /// Calls a method and waits for its one reply.
    ///
    /// # Errors
    ///
    /// What the daemon refused, or why there is no reply.
    pub fn call<M: Method>(&mut self, method: &M) -> Result<M::Reply, Error> {
        let limit = self.limit;
        self.call_within(limit, method)
    }

    /// Calls a method that may take longer than others.
    ///
    /// # Errors
    ///
    /// What the daemon refused, or why there is no reply.
    pub fn call_within<M: Method>(
        &mut self,
        limit: Duration,
        method: &M,
    ) -> Result<M::Reply, Error> {
        self.send(method, false)?;
        let reply = self.receive(Some(limit))?;
        parameters::<M>(reply)
    }

    /// Calls a method that has any number of replies. The next one is waited for without a limit
    /// until [`Replies::set_limit`].
    ///
    /// # Errors
    ///
    /// Why the call cannot be sent. What the daemon refuses comes as its first reply.
    pub fn call_more<M: Method>(mut self, method: &M) -> Result<Replies<M>, Error> {
        self.send(method, true)?;
        Ok(Replies { client: self, limit: None, ended: false, method: PhantomData })
    }

    fn send<M: Method>(&mut self, method: &M, more: bool) -> Result<(), Error> {
        let call = Call {
            method: M::NAME.to_owned(),
            parameters: Some(to_object(method)),
            more,
            oneway: false,
            upgrade: false,
        };
        let limit = Some(self.limit);
        let sent = self.stream.set_write_timeout(limit).and_then(|()| {
            let bytes = call.to_bytes();
            self.stream.write_all(&bytes)
        });
        match sent {
            // Who is turned away is told why before the connection ends.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent.map_err(|error| Error::from_io(error, limit)),
        }
    }

    /// Waits for the next reply of any kind.
    fn receive(&mut self, limit: Option<Duration>) -> Result<Reply, Error> {
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            match self.inbox.next_message() {
                Ok(Some(message)) => return Reply::parse(&message).map_err(Error::Garbled),
                Ok(None) => {}
                Err(too_long) => return Err(Error::Garbled(too_long.to_string())),
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Error::TimedOut(limit.unwrap_or_default()));
            }
            let mut chunk = [0; CHUNK];
            let read =
                self.stream.set_read_timeout(left).and_then(|()| self.stream.read(&mut chunk));
            match read {
                Ok(0) => return Err(Error::Closed),
                Ok(length) => self.inbox.push(chunk.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from_io(error, limit)),
            }
        }
    }
}

/// The replies to one call, as they come. Ends after the last one, or after an error.
#[derive(Debug)]
pub struct Replies<M> {
    client: Client,
    limit: Option<Duration>,
    ended: bool,
    method: PhantomData<M>,
}

impl<M> Replies<M> {
    /// How long each following reply is waited for; `None` for as long as it takes.
    pub fn set_limit(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }
}

impl<M: Method> Iterator for Replies<M> {
    type Item = Result<M::Reply, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let reply = self.client.receive(self.limit);
        // A reply that did not come in time may still come; after all else there is no more.
        self.ended = match &reply {
            Ok(reply) => !reply.continues,
            Err(error) => !matches!(error, Error::TimedOut(_)),
        };
        Some(reply.and_then(parameters::<M>))
    }
}

fn parameters<M: Method>(reply: Reply) -> Result<M::Reply, Error> {
    if let Some(error) = reply.error {
        return Err(Error::Refused(Refusal::from_error(&error, reply.parameters)));
    }
    let parameters = Value::Object(reply.parameters.unwrap_or_default());
    serde_json::from_value(parameters).map_err(|error| Error::Garbled(error.to_string()))
}
