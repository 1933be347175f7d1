//! The interfaces under management: each found by its token, by the name that the operator gave,
//! and by the number of its device. Interfaces come and go while the daemon runs.
//!
//! Every input to an interface goes through [`Roster::touch`], which keeps the indexes in step.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use autoip_core::Instant;
use autoip_linux::IfIndex;

use crate::Failure;
use crate::device::Device;
use crate::edge::Edge;
use crate::interface::Interface;
use crate::settings::InterfaceSettings;

/// How many sockets one thread closes at the end.
const CLOSED_BY_ONE: usize = 16;

/// All interfaces of the daemon.
pub(crate) struct Roster {
    entries: BTreeMap<u64, Entry>,
    names: BTreeMap<String, u64>,
    devices: BTreeMap<IfIndex, u64>,
    /// When which interface has something to do.
    due: BTreeSet<(Instant, u64)>,
    /// Never given twice: what the poller still reports for an interface that is gone must not
    /// be taken for another one's.
    next_token: u64,
}

struct Entry {
    interface: Interface,
    /// What the indexes hold for it.
    device: Option<IfIndex>,
    due_at: Option<Instant>,
}

impl Roster {
    /// A roster of no interfaces, whose tokens begin with `first_token`.
    pub(crate) fn new(first_token: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            names: BTreeMap::new(),
            devices: BTreeMap::new(),
            due: BTreeSet::new(),
            next_token: first_token,
        }
    }

    /// Begins to manage the interface `name`, or to wait for it where there is none. Returns
    /// whether it is there.
    ///
    /// # Errors
    ///
    /// A sentence that says why not: managed already, not suitable, managed by somebody else.
    pub(crate) fn add(
        &mut self,
        edge: &mut Edge,
        name: &str,
        settings: InterfaceSettings,
    ) -> Result<bool, Failure> {
        if self.find(edge, name).is_some() {
            return Err(Failure::Refused(format!("interface {name} is managed already")));
        }
        let token = self.next_token;
        self.next_token += 1;
        let interface = Interface::new(name.to_owned(), settings);
        self.entries.insert(token, Entry { interface, device: None, due_at: None });
        self.names.insert(name.to_owned(), token);
        match self.sync(edge, token) {
            Ok(()) => Ok(self.entries[&token].device.is_some()),
            Err(failure) => {
                self.take(token);
                Err(failure)
            }
        }
    }

    /// Stops managing the interface `name` and takes everything of ours off it.
    ///
    /// # Errors
    ///
    /// A sentence when it is not managed.
    pub(crate) fn remove(&mut self, edge: &mut Edge, name: &str) -> Result<(), Failure> {
        let Some(token) = self.find(edge, name) else {
            return Err(Failure::Refused(format!("interface {name} is not managed")));
        };
        self.touch(edge, token, |interface, edge| interface.release(edge));
        self.take(token);
        Ok(())
    }

    /// The interface that the operator called `name`, or whose device is called so now.
    fn find(&self, edge: &Edge, name: &str) -> Option<u64> {
        let by_name = self.names.get(name);
        let by_device = || self.devices.get(&edge.host.link_named(name)?.index);
        by_name.or_else(by_device).copied()
    }

    /// When something is due next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Lets everybody do what is due at `now`.
    pub(crate) fn on_timer(&mut self, edge: &mut Edge, now: Instant) {
        let due: Vec<_> =
            self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, token)| *token).collect();
        for token in due {
            self.touch(edge, token, Interface::on_timer);
        }
    }

    /// The descriptor with this token became readable.
    pub(crate) fn on_readable(&mut self, edge: &mut Edge, token: u64) {
        self.touch(edge, token, Interface::on_frames);
    }

    /// Something about the device `index` changed.
    ///
    /// # Errors
    ///
    /// Why an interface that was waited for cannot be managed.
    pub(crate) fn on_change(&mut self, edge: &mut Edge, index: IfIndex) -> Result<(), Failure> {
        let waiting = || self.names.get(&edge.host.link(index)?.name);
        match self.devices.get(&index).or_else(waiting).copied() {
            Some(token) => self.sync(edge, token),
            None => Ok(()),
        }
    }

    /// Brings one interface in step with the kernel. One whose device went may find another one
    /// of its name, unless that is under management already, renamed.
    fn sync(&mut self, edge: &mut Edge, token: u64) -> Result<(), Failure> {
        let Some(Entry { interface, device, .. }) = self.entries.get(&token) else { return Ok(()) };
        let named = edge.host.link_named(interface.name()).map(|link| link.index);
        let holder = named.and_then(|index| self.devices.get(&index));
        if device.is_none() && holder.is_some_and(|holder| *holder != token) {
            return Ok(());
        }
        self.touch(edge, token, |interface, edge| interface.sync(edge, token)).unwrap_or(Ok(()))
    }

    /// Brings every interface in step with the kernel. Returns what cannot be managed, and why.
    pub(crate) fn sync_all(&mut self, edge: &mut Edge) -> Vec<Failure> {
        self.tokens().into_iter().filter_map(|token| self.sync(edge, token).err()).collect()
    }

    /// Does something to each interface.
    pub(crate) fn for_each(&mut self, edge: &mut Edge, f: impl Fn(&mut Interface, &mut Edge)) {
        for token in self.tokens() {
            self.touch(edge, token, &f);
        }
    }

    /// Does something to the device `index`, where it is managed.
    pub(crate) fn with_device(
        &mut self,
        edge: &mut Edge,
        index: IfIndex,
        f: impl FnOnce(&mut Device, &mut Edge),
    ) {
        let Some(&token) = self.devices.get(&index) else { return };
        self.touch(edge, token, |interface, edge| {
            if let Some(device) = interface.device() {
                f(device, edge);
            }
        });
    }

    /// Does something to each device that is there.
    pub(crate) fn for_each_device(&mut self, edge: &mut Edge, f: impl Fn(&mut Device, &mut Edge)) {
        self.for_each(edge, |interface, edge| {
            if let Some(device) = interface.device() {
                f(device, edge);
            }
        });
    }

    fn tokens(&self) -> Vec<u64> {
        self.entries.keys().copied().collect()
    }

    /// Gives one interface an input, and notes what became of its device and its deadline.
    fn touch<T>(
        &mut self,
        edge: &mut Edge,
        token: u64,
        input: impl FnOnce(&mut Interface, &mut Edge) -> T,
    ) -> Option<T> {
        let entry = self.entries.get_mut(&token)?;
        let result = input(&mut entry.interface, edge);
        let (device, due_at) = (entry.interface.index(), entry.interface.deadline());
        if device != entry.device {
            if let Some(gone) = entry.device {
                self.devices.remove(&gone);
            }
            if let Some(device) = device {
                self.devices.insert(device, token);
            }
            entry.device = device;
        }
        if due_at != entry.due_at {
            if let Some(at) = entry.due_at {
                self.due.remove(&(at, token));
            }
            if let Some(at) = due_at {
                self.due.insert((at, token));
            }
            entry.due_at = due_at;
        }
        Some(result)
    }

    /// Takes an interface out of all indexes.
    fn take(&mut self, token: u64) -> Option<Interface> {
        let entry = self.entries.remove(&token)?;
        self.names.remove(entry.interface.name());
        if let Some(device) = entry.device {
            self.devices.remove(&device);
        }
        if let Some(at) = entry.due_at {
            self.due.remove(&(at, token));
        }
        Some(entry.interface)
    }

    /// Closes all sockets, at the daemon's end.
    pub(crate) fn close(self) {
        close(self.entries.into_values().map(|entry| entry.interface).collect());
    }
}

/// Closes the sockets of these interfaces. Each close of a packet socket waits some ten
/// milliseconds for the kernel; on several threads they wait together.
fn close(mut interfaces: Vec<Interface>) {
    thread::scope(|scope| {
        while !interfaces.is_empty() {
            let rest = interfaces.split_off(interfaces.len().min(CLOSED_BY_ONE));
            let some = std::mem::replace(&mut interfaces, rest);
            scope.spawn(move || drop(some));
        }
    });
}
