//! The interfaces under management: which there are, found by the number of the device and by the
//! token of its sockets. They come and go while the daemon runs.
//!
//! [`Roster::on_change`] compares what is with what the [`Selection`] wants, for one device, and
//! does the difference: it is all that ever adds an interface, gives it other settings or lets it
//! go. Every input to an interface goes through [`Roster::touch`], which keeps deadlines in order.

use std::collections::{BTreeMap, BTreeSet};

use autoip_core::{Instant, LinkLocalAddr};
use autoip_linux::{IfIndex, boottime};
use tracing::{info, warn};

use crate::Failure;
use crate::aside::{self, drop_aside};
use crate::choice::Choices;
use crate::device::Device;
use crate::edge::Edge;
use crate::interface::Interface;
use crate::selection::{Choice, Selection};

pub(crate) mod view;

/// How many sockets one thread closes.
const CLOSED_BY_ONE: usize = 16;

/// All interfaces of the daemon.
pub(crate) struct Roster {
    pub(crate) selection: Selection,
    entries: BTreeMap<u64, Entry>,
    devices: BTreeMap<IfIndex, u64>,
    /// When which interface has something to do.
    due: BTreeSet<(Instant, u64)>,
    /// The address held or tried last, by device, and by name where the name is what is wanted:
    /// another device may come under it.
    last_of_device: BTreeMap<IfIndex, LinkLocalAddr>,
    last_of_name: BTreeMap<String, LinkLocalAddr>,
    /// When the device went that had the name.
    gone_at: BTreeMap<String, Instant>,
    since: Instant,
    /// Let go, and not closed yet.
    released: Vec<Interface>,
    /// Never given twice: what the poller still reports for an interface that is gone must not
    /// be taken for another one's.
    next_token: u64,
}

struct Entry {
    interface: Interface,
    /// What `due` holds for it.
    due_at: Option<Instant>,
}

impl Roster {
    /// A roster of no interfaces, whose tokens begin with `first_token`.
    pub(crate) fn new(selection: Selection, first_token: u64) -> Self {
        Self {
            selection,
            entries: BTreeMap::new(),
            devices: BTreeMap::new(),
            due: BTreeSet::new(),
            last_of_device: BTreeMap::new(),
            last_of_name: BTreeMap::new(),
            gone_at: BTreeMap::new(),
            since: boottime(),
            released: Vec::new(),
            next_token: first_token,
        }
    }

    /// Begins to manage what is wanted.
    ///
    /// # Errors
    ///
    /// Why an interface that the daemon must not start without cannot be managed.
    pub(crate) fn start(&mut self, edge: &mut Edge) -> Result<(), Failure> {
        for index in edge.host.indexes() {
            let Err(failure) = self.on_change(edge, index) else { continue };
            let token = self.devices.get(&index);
            let entry = token.and_then(|token| self.entries.get(token));
            if entry.is_some_and(|entry| entry.interface.choice().required) {
                return Err(failure);
            }
            warn!("{failure}");
        }
        for name in self.selection.exact_names() {
            if edge.host.link_named(name).is_none() {
                info!(interface = name, "there is no such interface; waiting for it");
            }
        }
        if self.entries.is_empty() && self.selection.exact_names().next().is_none() {
            info!("there is no interface to manage; waiting for one{}", self.passed_over(edge));
        }
        Ok(())
    }

    /// An example of what is there and left alone, for whoever wonders.
    fn passed_over(&self, edge: &Edge) -> String {
        let links = edge.host.indexes().into_iter().filter_map(|index| edge.host.link(index));
        let mut passed_over = links.filter(|link| self.selection.passes_over(link, &edge.host));
        let Some(link) = passed_over.next() else { return String::new() };
        let kind = link.kind.as_deref().unwrap_or_default();
        format!(" ({} is a {kind}, which has to be named: by itself, or by its kind)", link.name)
    }

    /// Begins to manage an interface that somebody names, as the configuration says where nothing
    /// is chosen. A first address that is chosen is tried before the one held last.
    ///
    /// # Errors
    ///
    /// A sentence that says why not: it is not there, managed already, not suitable, or managed
    /// by somebody else.
    pub(crate) fn add(
        &mut self,
        edge: &mut Edge,
        name: &str,
        choices: &Choices,
    ) -> Result<(), Failure> {
        let Some(link) = edge.host.link_named(name) else {
            return Err(Failure::Refused(format!("there is no interface {name}")));
        };
        let index = link.index;
        if self.interface(index).is_some_and(Interface::is_managed) {
            return Err(Failure::Refused(format!("interface {name} is managed already")));
        }
        let Some(settings) = self.selection.settings_if_named(link, &edge.host) else {
            return Err(Failure::Refused(format!("interface {name} has no settings")));
        };
        let settings = choices.amend(settings).map_err(Failure::Refused)?;
        self.selection.add(name, settings);
        let result = self.bring_in_step(edge, index, choices.start);
        let refusal = match self.interface(index) {
            Some(interface) if interface.is_managed() => {
                if choices.start.is_some() {
                    self.forget_last(index, name);
                }
                return Ok(());
            }
            Some(interface) => interface.refusal().map(str::to_owned),
            None => None,
        };
        self.selection.forget(name);
        // What the rules want of it holds again.
        let _ = self.on_change(edge, index);
        result?;
        Err(Failure::Refused(refusal.unwrap_or(format!("interface {name} cannot be managed"))))
    }

    /// Whoever asks for an address does not mean the one of before.
    fn forget_last(&mut self, index: IfIndex, name: &str) {
        self.last_of_device.remove(&index);
        self.last_of_name.remove(name);
        let entry = self.devices.get(&index).and_then(|token| self.entries.get_mut(token));
        if let Some(entry) = entry {
            entry.interface.forget_last();
        }
    }

    /// Stops managing the interface that somebody names, and takes everything of ours off it. It
    /// stays so until it is added.
    ///
    /// # Errors
    ///
    /// A sentence when it is not managed.
    pub(crate) fn remove(&mut self, edge: &mut Edge, name: &str) -> Result<(), Failure> {
        let named = edge.host.link_named(name).map(|link| link.index);
        let by_device = named.filter(|index| self.devices.contains_key(index));
        let wanted = |entry: &&Entry| entry.interface.choice().wanted_as.as_deref() == Some(name);
        let by_wish = || Some(self.entries.values().find(wanted)?.interface.index());
        let Some(index) = by_device.or_else(by_wish) else {
            if !self.selection.names(name) {
                return Err(Failure::Refused(format!("interface {name} is not managed")));
            }
            self.selection.remove(name);
            return Ok(());
        };
        let wanted_as = self.interface(index).and_then(|it| it.choice().wanted_as.clone());
        for name in wanted_as.iter().map(String::as_str).chain([name]) {
            self.selection.remove(name);
        }
        self.on_change(edge, index)
    }

    fn interface(&self, index: IfIndex) -> Option<&Interface> {
        let token = self.devices.get(&index)?;
        self.entries.get(token).map(|entry| &entry.interface)
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
            let done = self.touch(edge, token, |interface, edge| interface.on_timer(edge, token));
            if let Some(Err(failure)) = done {
                warn!("{failure}");
            }
        }
    }

    /// The descriptor with this token became readable.
    pub(crate) fn on_readable(&mut self, edge: &mut Edge, token: u64) {
        self.touch(edge, token, Interface::on_frames);
    }

    /// Something about the device `index` changed, or about what is wanted of it.
    ///
    /// # Errors
    ///
    /// Why it cannot be managed although it is wanted. Said once for each reason.
    pub(crate) fn on_change(&mut self, edge: &mut Edge, index: IfIndex) -> Result<(), Failure> {
        let result = self.bring_in_step(edge, index, None);
        close(std::mem::take(&mut self.released));
        result
    }

    /// The same for all devices. Returns what cannot be managed, and why.
    pub(crate) fn on_change_of_all(&mut self, edge: &mut Edge) -> Vec<Failure> {
        let gone = self.devices.keys().copied().filter(|index| edge.host.link(*index).is_none());
        let indexes: Vec<_> = gone.chain(edge.host.indexes()).collect();
        let sync = |index| self.bring_in_step(edge, index, None).err();
        let failures = indexes.into_iter().filter_map(sync).collect();
        close(std::mem::take(&mut self.released));
        failures
    }

    /// Does to one device what is wanted of it. `first` is tried first if it is taken now.
    fn bring_in_step(
        &mut self,
        edge: &mut Edge,
        index: IfIndex,
        first: Option<LinkLocalAddr>,
    ) -> Result<(), Failure> {
        let token = self.devices.get(&index).copied();
        let wanted_as = self.interface(index).and_then(|it| it.choice().wanted_as.as_deref());
        let link = edge.host.link(index);
        let choice = link.and_then(|link| self.selection.choose(link, wanted_as, &edge.host));
        let is_gone = link.is_none();
        let (token, choice) = match (token, choice) {
            (None, None) => (None, None),
            (None, Some(choice)) => (Some(self.insert(index, choice)), None),
            (Some(token), Some(choice)) => (Some(token), Some(choice)),
            (Some(token), None) => {
                self.let_go(edge, token, is_gone);
                (None, None)
            }
        };
        if is_gone {
            self.last_of_device.remove(&index);
        }
        let Some(token) = token else { return Ok(()) };
        let done = self.touch(edge, token, |interface, edge| {
            if let Some(choice) = choice {
                interface.change(edge, choice);
            }
            interface.sync(edge, token, first)
        });
        done.unwrap_or(Ok(()))
    }

    fn insert(&mut self, index: IfIndex, choice: Choice) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        let by_name = choice.wanted_as.as_ref().and_then(|name| self.last_of_name.get(name));
        let last = self.last_of_device.get(&index).or(by_name).copied();
        let interface = Interface::new(index, choice, last);
        self.entries.insert(token, Entry { interface, due_at: None });
        self.devices.insert(index, token);
        token
    }

    /// Takes everything of ours off an interface and forgets it, all but its last address.
    fn let_go(&mut self, edge: &mut Edge, token: u64, is_gone: bool) {
        self.touch(edge, token, |interface, edge| {
            let name = interface.name().map(str::to_owned);
            interface.release(edge);
            let Some(name) = name else { return };
            match (is_gone, interface.choice().wanted_as.is_some()) {
                (true, true) => info!(interface = name, "the interface is gone; waiting for it"),
                (true, false) => info!(interface = name, "the interface is gone"),
                (false, _) => info!(interface = name, "no longer managed"),
            }
        });
        let Some(Entry { interface, due_at }) = self.entries.remove(&token) else { return };
        self.devices.remove(&interface.index());
        if let Some(at) = due_at {
            self.due.remove(&(at, token));
        }
        if let Some(name) = &interface.choice().wanted_as {
            self.gone_at.insert(name.clone(), boottime());
        }
        if let Some(last) = interface.last() {
            self.last_of_device.insert(interface.index(), last);
            if let Some(name) = &interface.choice().wanted_as {
                self.last_of_name.insert(name.clone(), last);
            }
        }
        self.released.push(interface);
    }

    /// Does something to each interface.
    pub(crate) fn for_each(&mut self, edge: &mut Edge, f: impl Fn(&mut Interface, &mut Edge)) {
        let tokens: Vec<_> = self.entries.keys().copied().collect();
        for token in tokens {
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

    /// Does something to each device that is managed.
    pub(crate) fn for_each_device(&mut self, edge: &mut Edge, f: impl Fn(&mut Device, &mut Edge)) {
        self.for_each(edge, |interface, edge| {
            if let Some(device) = interface.device() {
                f(device, edge);
            }
        });
    }

    /// Gives one interface an input, and notes what became of its deadline.
    fn touch<T>(
        &mut self,
        edge: &mut Edge,
        token: u64,
        input: impl FnOnce(&mut Interface, &mut Edge) -> T,
    ) -> Option<T> {
        let entry = self.entries.get_mut(&token)?;
        let result = input(&mut entry.interface, edge);
        let due_at = entry.interface.deadline();
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

    /// Closes all sockets, at the daemon's end.
    pub(crate) fn close(self) {
        close(self.entries.into_values().map(|entry| entry.interface).collect());
    }
}

/// Closes the sockets of these interfaces, some on each thread.
fn close(mut interfaces: Vec<Interface>) {
    if interfaces.len() <= 1 {
        return;
    }
    let mut threads = Vec::new();
    while !interfaces.is_empty() {
        let rest = interfaces.split_off(interfaces.len().min(CLOSED_BY_ONE));
        threads.push(drop_aside(std::mem::replace(&mut interfaces, rest)));
    }
    aside::join(threads);
}

#[cfg(test)]
mod tests;
