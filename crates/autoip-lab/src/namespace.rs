//! One private network namespace: the ground that a host or a switch stands on.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use autoip_linux::rtnl::Rtnl;
use nix::sched::{CloneFlags, setns, unshare};

use crate::device;

/// A network namespace. It exists as long as this handle, a copy of it, a socket inside it or a
/// process inside it does; the kernel removes it and its interfaces after that.
#[derive(Clone, Debug)]
pub(crate) struct Namespace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    file: File,
    rtnl: Mutex<Rtnl>,
}

impl Namespace {
    /// A new namespace with nothing in it but a loopback interface, which is up.
    ///
    /// # Panics
    ///
    /// When the kernel refuses it; [`crate::enter`] says beforehand whether it would.
    #[track_caller]
    pub(crate) fn new(name: &str) -> Self {
        // A thread of its own, because the calling thread must stay where it is.
        let made = thread::scope(|scope| {
            scope.spawn(make).join().expect("making a namespace does not panic")
        });
        let (file, rtnl) =
            made.unwrap_or_else(|error| panic!("no network namespace for {name}: {error}"));
        let namespace = Self(Arc::new(Inner { name: name.to_owned(), file, rtnl }));
        namespace.set_up("lo", true);
        namespace
    }

    /// What the host or switch is called.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The connection for requests. Like every socket it stays in the namespace that it was
    /// opened in, whichever thread uses it.
    pub(crate) fn rtnl(&self) -> MutexGuard<'_, Rtnl> {
        self.0.rtnl.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor that stands for the namespace in requests.
    pub(crate) fn fd(&self) -> RawFd {
        self.0.file.as_raw_fd()
    }

    /// Moves the calling thread into the namespace, for the rest of its life.
    pub(crate) fn enter(&self) {
        setns(&self.0.file, CloneFlags::CLONE_NEWNET)
            .expect("whoever made a namespace may enter it");
    }

    /// Runs `work` on a thread inside the namespace. A panic of `work` goes on in the caller.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            self.enter();
            work()
        };
        let result = thread::scope(|scope| {
            thread::Builder::new()
                .name(self.name().to_owned())
                .spawn_scoped(scope, inside)
                .expect("a thread can be started")
                .join()
        });
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn make() -> io::Result<(File, Mutex<Rtnl>)> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let file = File::open("/proc/thread-self/ns/net")?;
    let rtnl = Rtnl::open().map_err(io::Error::other)?;
    quieten();
    Ok((file, Mutex::new(rtnl)))
}

/// Turns IPv6 off, so that nothing but IPv4 is on the cables, and undoes the reverse-path filter
/// that distributions turn on and a new namespace inherits.
fn quieten() {
    for (name, value) in [
        ("ipv6/conf/all/disable_ipv6", "1"),
        ("ipv6/conf/default/disable_ipv6", "1"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
    ] {
        // A kernel without IPv6 lacks the files, and in a container they may be read-only. The
        // lab works then too.
        let _ = fs::write(format!("/proc/sys/net/{name}"), value);
    }
}

/// Finds out whether virtual interfaces can be made in the namespace of this thread.
pub(crate) fn try_devices() -> io::Result<()> {
    let mut rtnl = Rtnl::open().map_err(io::Error::other)?;
    device::try_out(&mut rtnl)
}
