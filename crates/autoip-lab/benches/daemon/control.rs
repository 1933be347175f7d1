//! What the kernel itself makes everybody wait who changes an interface.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use autoip_lab::Host;
use autoip_linux::boottime;

use crate::figure::{Figure, ms_between};

const INTERVAL: Duration = Duration::from_millis(5);

/// Changes nothing about an interface of a host that has nothing to do with the others, every few
/// milliseconds, and measures how long that takes.
///
/// The kernel makes all changes of all interfaces, in whatever namespace, one after the other. So
/// this is what a daemon has to wait for that is not its own doing: others who make and remove
/// interfaces on the same machine.
pub(crate) struct Control {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Option<f64>>>,
}

impl Control {
    pub(crate) fn start() -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let host = Host::new("control");
            let mut delays = Vec::new();
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let at = boottime();
                host.set_up("lo", true);
                delays.push(Some(ms_between(at, boottime())));
            }
            delays
        });
        Self { stop, thread }
    }

    pub(crate) fn end(self) -> Figure {
        drop(self.stop);
        let delays = self.thread.join().unwrap_or_default();
        Figure::times("meanwhile: a change of an unrelated interface", delays)
    }
}
