//! A station whose daemon has a control socket, and calls to it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoip_control::{
    Client, Error, Event, Interface, Loss, Method, Monitor, Refusal, Replies, Status, StatusReply,
};
use autoip_lab::{Process, Switch};

use crate::station::{QUICK, Station, X, eventually, s};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = s(30);

/// A station whose daemon has a control socket.
pub(crate) struct Controlled {
    pub(crate) station: Station,
    pub(crate) daemon: Process,
    pub(crate) path: PathBuf,
}

impl Controlled {
    /// One with these options.
    pub(crate) fn new(switch: &Switch, options: &str) -> Self {
        let station = Station::new(switch);
        let path = station.memory.dir().join("control");
        let daemon = station.start(&format!("{options} --control {}", path.display()));
        await_socket(&path);
        Self { station, daemon, path }
    }

    /// One that has claimed `X`.
    pub(crate) fn with_address(switch: &Switch) -> Self {
        let mut controlled = Self::new(switch, QUICK);
        controlled.station.expect_announcement(X);
        controlled.station.await_route(X);
        controlled
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.path, PATIENCE).unwrap()
    }

    pub(crate) fn call<M: Method>(&self, method: &M) -> Result<M::Reply, Error> {
        self.connect().call(method)
    }

    /// A call that must be refused.
    #[track_caller]
    pub(crate) fn refusal<M: Method>(&self, method: &M) -> Refusal {
        match self.call(method) {
            Err(Error::Refused(refusal)) => refusal,
            Err(other) => panic!("{}: {other}", M::NAME),
            Ok(_) => panic!("{} is not refused", M::NAME),
        }
    }

    pub(crate) fn monitor(&self, interface: Option<&str>) -> Replies<Monitor> {
        let method = Monitor { interface: interface.map(str::to_owned) };
        let mut replies = self.connect().call_more(&method).unwrap();
        replies.set_limit(Some(PATIENCE));
        replies
    }

    pub(crate) fn status(&self) -> StatusReply {
        self.call(&Status { interface: None }).unwrap()
    }

    /// The status of one interface.
    #[track_caller]
    pub(crate) fn status_of(&self, name: &str) -> Interface {
        let status = self.call(&Status { interface: Some(name.to_owned()) }).unwrap();
        let [interface] = <[Interface; 1]>::try_from(status.interfaces).unwrap();
        interface
    }
}

/// Waits until somebody listens at `path`.
#[track_caller]
pub(crate) fn await_socket(path: &Path) {
    eventually("a control socket", PATIENCE, || Client::connect(path, PATIENCE).is_ok());
}

/// What a refusal says, which has nothing but a reason.
#[track_caller]
pub(crate) fn reason(refusal: &Refusal) -> &str {
    let (Refusal::Refused { reason }
    | Refusal::BadConfiguration { reason }
    | Refusal::Unsuitable { reason, .. }) = refusal
    else {
        panic!("{refusal:?}");
    };
    reason
}

/// The next loss of an address among the events.
#[track_caller]
pub(crate) fn next_loss(events: &mut Replies<Monitor>) -> (Ipv4Addr, Loss) {
    let lost = events.find_map(|event| {
        let Event::AddressLost(lost) = event.unwrap() else { return None };
        Some((lost.addr, lost.loss))
    });
    lost.expect("an address is lost")
}

pub(crate) fn eth(number: u32) -> String {
    format!("eth{number}")
}
