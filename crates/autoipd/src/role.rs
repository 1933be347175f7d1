//! What is different when the daemon stands in for another program: when it ends by itself, what
//! `ps` shows, and whom it tells that it is up. As `autoipd` it does none of this.

use std::cell::Cell;

use autoip_core::ZeroConfState;
use autoip_linux::{Launch, Title};

use crate::Failure;
use crate::edge::Edge;
use crate::notice::{Notice, What};
use crate::roster::Roster;

/// The part that the daemon plays.
#[derive(Debug, Default)]
pub(crate) struct Role {
    pub(crate) ends: Ends,
    /// What `ps` shows: the place for it, and what stands in front.
    pub(crate) title: Option<(Title, String)>,
    /// The process that waits for word of the daemon.
    pub(crate) launch: Option<Launch>,
    /// Why the daemon is to end.
    pub(crate) end: Option<End>,
}

/// When the daemon ends although nobody asked it to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Never.
    #[default]
    Never,
    /// When an interface is gone.
    WithInterface,
    /// When an interface is gone or set down.
    WhenDown,
    /// Then, or when an address is announced for the last time, which is left behind.
    WhenBound,
}

/// How the daemon ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Somebody asked it to.
    Asked,
    /// There is nothing more to do. Addresses stay.
    Left,
    /// It cannot go on.
    Failed(Failure),
}

impl Role {
    /// Takes in what happened.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        match notice.what {
            What::State(state) => {
                self.show(notice, state);
                if self.ends == Ends::WhenBound && state == ZeroConfState::Configured {
                    self.end.get_or_insert(End::Left);
                }
            }
            What::Stopped if self.ends != Ends::Never => {
                let why = format!("interface {} is gone; ending", notice.interface);
                self.end.get_or_insert(End::Failed(Failure::Refused(why)));
            }
            What::Acquired => self.report(),
            What::Restored
            | What::Lost(_)
            | What::Conflict(_)
            | What::Wanted
            | What::Unwanted(_)
            | What::Stopped => {}
        }
    }

    /// Lets whoever started the daemon go on: it is up.
    pub(crate) fn report(&mut self) {
        if let Some(launch) = self.launch.take() {
            launch.report(0);
        }
    }

    /// Whether the daemon is to end now, and how.
    pub(crate) fn end(&mut self, interfaces: &mut Roster, edge: &mut Edge) -> Option<End> {
        if self.launch.is_some() && any(interfaces, edge, |link| link.routable) {
            // No address is wanted, so none needs to be waited for.
            self.report();
        }
        let until_down = matches!(self.ends, Ends::WhenDown | Ends::WhenBound);
        if until_down && any(interfaces, edge, |link| !link.up) {
            let why = "the interface is down; ending".to_owned();
            self.end.get_or_insert(End::Failed(Failure::Refused(why)));
        }
        self.end.take()
    }

    fn show(&self, notice: &Notice, state: ZeroConfState) {
        let Some((title, prefix)) = &self.title else { return };
        let what = match state {
            ZeroConfState::Idle => return title.set(&format!("{prefix} sleeping")),
            ZeroConfState::Probing => "probing",
            ZeroConfState::Announcing => "announcing",
            ZeroConfState::Configured | ZeroConfState::Defending => "bound",
        };
        let addr = notice.addr.map(|addr| format!(" {addr}")).unwrap_or_default();
        title.set(&format!("{prefix} {what}{addr}"));
    }
}

/// What matters about the link of an interface here.
struct Link {
    up: bool,
    routable: bool,
}

/// Whether something is so of one of the interfaces.
fn any(interfaces: &mut Roster, edge: &mut Edge, is_so: impl Fn(Link) -> bool) -> bool {
    let found = Cell::new(false);
    interfaces.for_each_device(edge, |device, edge| {
        let up = edge.host.link(device.index).is_some_and(|link| link.up);
        let routable = edge.host.routable(device.index).is_some();
        found.set(found.get() || is_so(Link { up, routable }));
    });
    found.get()
}
