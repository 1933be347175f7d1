//! A virtual host.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use autoip_linux::rtnl::{Address, Link, Monitor, Route};
use autoip_wire::MacAddr;

use crate::cable::Cable;
use crate::change::Change;
use crate::device::End;
use crate::namespace::Namespace;
use crate::process::Process;
use crate::recording::Recording;
use crate::switch::Switch;
use crate::wait::readable;

/// A host with a network of its own: a namespace with loopback and whatever is connected to it.
///
/// It shares files, users and process ids with the machine. It goes when it, its cables, its
/// sockets and its processes are dropped.
#[derive(Debug)]
pub struct Host {
    namespace: Namespace,
}

impl Host {
    /// A host without cables. The name appears in failures only.
    ///
    /// # Panics
    ///
    /// When the kernel refuses; not after [`crate::enter`] succeeded, short of memory.
    #[must_use]
    #[track_caller]
    pub fn new(name: &str) -> Self {
        Self { namespace: Namespace::new(name) }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.namespace.name()
    }

    /// Runs `work` inside the host, on a thread of its own; sockets opened there stay there.
    ///
    /// Programs are started with [`spawn`](Self::spawn): one that is started here would lose its
    /// parent at once.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.run(work)
    }

    /// Starts a program inside the host. Its output goes to [`Process::log`].
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn spawn(&self, command: Command) -> Process {
        Process::start(&self.namespace, command)
    }

    /// Connects the host to a switch by a new interface `name`, which is up, and has a random
    /// hardware address.
    #[track_caller]
    pub fn connect(&self, switch: &Switch, name: &str) -> Cable {
        Cable::new(switch, End::new(&self.namespace, name), None)
    }

    /// The same with a hardware address of one's own choice.
    #[track_caller]
    pub fn connect_with_mac(&self, switch: &Switch, name: &str, mac: MacAddr) -> Cable {
        Cable::new(switch, End::new(&self.namespace, name), Some(mac))
    }

    /// The interface called `name`, as the kernel describes it; `None` if there is none.
    #[must_use]
    #[track_caller]
    pub fn link(&self, name: &str) -> Option<Link> {
        self.namespace.link(name)
    }

    /// The hardware address of the interface.
    #[must_use]
    #[track_caller]
    pub fn mac(&self, name: &str) -> MacAddr {
        let mac = self.link(name).and_then(|link| link.mac);
        mac.unwrap_or_else(|| panic!("{} has no Ethernet interface {name}", self.name()))
    }

    /// Sets the interface up or down, as an administrator does.
    #[track_caller]
    pub fn set_up(&self, name: &str, up: bool) {
        self.namespace.set_up(name, up);
    }

    /// Gives the interface another hardware address.
    #[track_caller]
    pub fn set_mac(&self, name: &str, mac: MacAddr) {
        self.namespace.set_mac(name, mac);
    }

    /// Gives the interface another name. The handle of its cable does not follow.
    #[track_caller]
    pub fn rename(&self, name: &str, new: &str) {
        self.namespace.rename(name, new);
    }

    /// Removes the interface and its cable; [`connect`](Self::connect) makes it again.
    #[track_caller]
    pub fn delete(&self, name: &str) {
        self.namespace.delete(name);
    }

    /// The IPv4 addresses of the interface; none if there is no such interface.
    #[must_use]
    #[track_caller]
    pub fn addresses(&self, name: &str) -> Vec<Address> {
        let Some(link) = self.link(name) else { return Vec::new() };
        let mut addresses = self.sure(self.namespace.rtnl().addresses());
        addresses.retain(|address| address.index == link.index);
        addresses
    }

    /// Adds an address with the defaults of an administrator: global scope, with a route for its
    /// network.
    #[track_caller]
    pub fn add_address(&self, name: &str, ip: Ipv4Addr, prefix_len: u8) {
        let address = Address {
            index: self.namespace.index(name),
            ip,
            prefix_len,
            broadcast: None,
            label: None,
            scope: 0,
            no_prefix_route: false,
            deprecated: false,
            protocol: 0,
            valid: None,
        };
        self.sure(self.namespace.rtnl().add_address(&address));
    }

    /// Removes an address, whoever added it.
    ///
    /// # Panics
    ///
    /// When the interface does not have it.
    #[track_caller]
    pub fn remove_address(&self, name: &str, ip: Ipv4Addr) {
        let address = self.addresses(name).into_iter().find(|address| address.ip == ip);
        let Some(address) = address else { panic!("{} has no {ip} on {name}", self.name()) };
        self.sure(self.namespace.rtnl().remove_address(&address));
    }

    /// The IPv4 routes of all tables.
    #[must_use]
    #[track_caller]
    pub fn routes(&self) -> Vec<Route> {
        self.sure(self.namespace.rtnl().routes())
    }

    /// Waits until `look` finds something, and looks again whenever the links, addresses or
    /// routes of the host change.
    ///
    /// # Panics
    ///
    /// When it has found nothing after `timeout`; `what` names it then.
    #[track_caller]
    pub fn expect<T>(
        &self,
        what: &str,
        timeout: Duration,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + timeout;
        let mut monitor = self.monitor();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(
                readable(&monitor, deadline),
                "no {what} on {} within {timeout:?}",
                self.name()
            );
            while let Ok(Some(_)) = monitor.next() {}
        }
    }

    /// Starts to record the changes of links, addresses and routes.
    #[must_use]
    #[track_caller]
    pub fn changes(&self) -> Recording<Change> {
        Recording::of_host(self.name(), self.monitor())
    }

    /// Reports changes of links, addresses and routes from here on.
    #[must_use]
    #[track_caller]
    pub fn monitor(&self) -> Monitor {
        self.sure(self.run(Monitor::open))
    }

    /// Sets a variable of the host's network: `set_variable("ipv4/conf/all/rp_filter", "1")`.
    #[track_caller]
    pub fn set_variable(&self, name: &str, value: &str) {
        let path = format!("/proc/sys/net/{name}");
        let written = self.run(|| fs::write(&path, value));
        written.unwrap_or_else(|error| panic!("{}: {path}: {error}", self.name()));
    }

    #[track_caller]
    fn sure<T>(&self, result: autoip_linux::Result<T>) -> T {
        result.unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }
}
