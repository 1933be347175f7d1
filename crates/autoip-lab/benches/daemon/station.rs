//! A virtual host for one daemon, on a switch of its own, and somebody to disturb it.

use std::net::Ipv4Addr;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use autoip_lab::{Cable, Change, Host, Peer, Process, Recording, Seen, Switch};
use autoip_linux::rtnl::Event;
use autoip_wire::is_link_local;

use crate::program::{Program, Timing};
use crate::state_dir::StateDir;

/// Longer than any claim takes.
const CLAIM_LIMIT: Duration = Duration::from_secs(15);

/// A host with one interface, whose name no other station has: peers keep files by that name.
pub(crate) struct Station {
    pub(crate) interface: String,
    pub(crate) cable: Cable,
    pub(crate) host: Host,
    pub(crate) peer: Peer,
    state_dir: StateDir,
    _switch: Switch,
}

impl Station {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let interface = format!("eth{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let switch = Switch::new();
        let host = Host::new(&interface);
        let cable = host.connect(&switch, &interface);
        let peer = Peer::new(&switch);
        Self { interface, cable, host, peer, state_dir: StateDir::new(), _switch: switch }
    }

    pub(crate) fn several(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new()).collect()
    }

    /// Starts the daemon.
    pub(crate) fn start(&self, program: &Program, timing: Timing) -> Process {
        let interfaces = std::slice::from_ref(&self.interface);
        self.host.spawn(program.command(timing, interfaces, self.state_dir.path()))
    }

    /// Starts the daemon and waits until it has claimed an address and announced it to the end.
    pub(crate) fn bind(&self, program: &Program, timing: Timing) -> Option<(Process, Ipv4Addr)> {
        let mut wire = self.cable.capture();
        let daemon = self.start(program, timing);
        let addr = announced(&mut wire)?;
        thread::sleep(program.settle_time());
        Some((daemon, addr))
    }

    /// The link-local address of the interface.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        let addresses = self.host.addresses(&self.interface);
        addresses.iter().map(|address| address.ip).find(|&ip| is_link_local(ip))
    }
}

/// Waits for the next announcement of the host: the address.
pub(crate) fn announced(wire: &mut Recording<Seen>) -> Option<Ipv4Addr> {
    let announcement = |seen: &Seen| seen.is_from_host() && seen.is_announcement();
    wire.wait(CLAIM_LIMIT, announcement).map(|seen| seen.arp.sender_ip)
}

/// Whether a link-local address was put on an interface.
pub(crate) fn is_claim(change: &Change) -> bool {
    matches!(&change.event, Event::AddressAdded(address) if is_link_local(address.ip))
}

/// Does the same on many stations at the same time, each on a thread.
///
/// The caller builds all stations beforehand and keeps them until all is measured: whoever changes
/// an interface anywhere has to wait while the kernel makes or removes another one.
pub(crate) fn in_parallel<T: Send>(
    stations: &[Station],
    work: impl Fn(&Station) -> T + Sync,
) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let start = |station| scope.spawn(move || work(station));
        let threads: Vec<_> = stations.iter().map(start).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}
