//! The daemon, as the commands reach it.

use std::path::PathBuf;
use std::time::Duration;

use autoip_control::service::GetInfo;
use autoip_control::{Client, Error, Method, Status, StatusReply};

use crate::exit::Failure;

/// Where the daemon is and how patient we are.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    pub(crate) socket: PathBuf,
    pub(crate) limit: Duration,
}

impl Daemon {
    pub(crate) fn connect(&self) -> Result<Client, Error> {
        Client::connect(&self.socket, self.limit)
    }

    /// A connection on which the daemon has answered: there may be nothing to say on it for long.
    pub(crate) fn awake(&self) -> Result<Client, Error> {
        let mut client = self.connect()?;
        client.call(&GetInfo {})?;
        Ok(client)
    }

    /// Calls one method.
    pub(crate) fn call<M: Method>(&self, method: &M) -> Result<M::Reply, Error> {
        self.connect()?.call(method)
    }

    /// Where everything stands, put together from as many replies as it takes.
    pub(crate) fn status(&self, interface: Option<String>) -> Result<StatusReply, Failure> {
        let mut replies = self.connect()?.call_more(&Status { interface })?;
        replies.set_limit(Some(self.limit));
        let mut whole: Option<StatusReply> = None;
        for reply in replies {
            let reply = reply?;
            match &mut whole {
                None => whole = Some(reply),
                Some(whole) => {
                    whole.interfaces.extend(reply.interfaces);
                    whole.watched.extend(reply.watched);
                }
            }
        }
        whole.ok_or_else(|| Error::Closed.into())
    }
}
