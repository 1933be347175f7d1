//! The interfaces as clients see them: found by name, told one by one.

use autoip_control as control;
use autoip_core::LinkLocalAddr;
use autoip_linux::IfIndex;

use super::Roster;
use crate::control::translation::Clock;
use crate::device::Device;
use crate::edge::Edge;
use crate::interface::Interface;
use crate::interface::status::blank;

/// One that a client can ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An interface that is there.
    Present(u64),
    /// A name that is waited for.
    Awaited(String),
}

impl Roster {
    /// All that a client can ask about, or the one of this name.
    pub(crate) fn subjects(&self, edge: &Edge, name: Option<&str>) -> Vec<Subject> {
        let present = self.entries.keys().copied();
        let awaited = self.selection.exact_names().filter(|name| self.is_awaited(edge, name));
        match name {
            None => {
                let awaited = awaited.map(|name| Subject::Awaited(name.to_owned()));
                present.map(Subject::Present).chain(awaited).collect()
            }
            Some(wanted) => {
                let present = self.token_of(edge, wanted).map(Subject::Present);
                let awaited = || self.selection.names(wanted).then(|| wanted.to_owned());
                present.or_else(|| awaited().map(Subject::Awaited)).into_iter().collect()
            }
        }
    }

    /// Where one stands, with or without the conflicts; `None` when it is gone.
    pub(crate) fn status(
        &self,
        edge: &Edge,
        subject: &Subject,
        with_conflicts: bool,
        clock: &Clock,
    ) -> Option<control::Interface> {
        match subject {
            Subject::Present(token) => {
                let interface = &self.entries.get(token)?.interface;
                let mut status = interface.status(edge, clock);
                if with_conflicts {
                    status.conflicts = interface.conflicts(clock);
                }
                Some(status)
            }
            Subject::Awaited(name) => {
                if !self.is_awaited(edge, name) {
                    return None;
                }
                let settings = self.selection.settings_of(name)?;
                let since = self.gone_at.get(name).copied().unwrap_or(self.since);
                Some(blank(name, settings, since, clock))
            }
        }
    }

    /// Whether a name is waited for and nobody has it.
    fn is_awaited(&self, edge: &Edge, name: &str) -> bool {
        let wanted_as = |it: &Interface| it.choice().wanted_as.as_deref() == Some(name);
        self.selection.names(name)
            && edge.host.link_named(name).is_none()
            && !self.entries.values().any(|entry| wanted_as(&entry.interface))
    }

    /// The interface that is called `name` now, or was when somebody wanted it.
    fn token_of(&self, edge: &Edge, name: &str) -> Option<u64> {
        let named = edge.host.link_named(name).and_then(|link| self.devices.get(&link.index));
        let wanted_as =
            |it: &Interface| it.choice().wanted_as.as_deref() == Some(name) && it.is_managed();
        let by_wish = || self.entries.iter().find(|(_, entry)| wanted_as(&entry.interface));
        named.copied().or_else(|| by_wish().map(|(token, _)| *token))
    }

    /// Whether the device `index` is managed.
    pub(crate) fn is_managed(&self, index: IfIndex) -> bool {
        self.interface(index).is_some_and(Interface::is_managed)
    }

    /// Claims an address on the interface `name`; `None` where it is not managed.
    pub(crate) fn claim(
        &mut self,
        edge: &mut Edge,
        name: &str,
        addr: Option<LinkLocalAddr>,
    ) -> Option<Result<(), String>> {
        let token = self.token_of(edge, name)?;
        self.touch(edge, token, |interface, edge| interface.claim(edge, addr))
    }

    /// Gives the address of the interface `name` up; `None` where it is not managed.
    pub(crate) fn give_up(&mut self, edge: &mut Edge, name: &str) -> Option<()> {
        let token = self.token_of(edge, name)?;
        self.touch(edge, token, Interface::give_up)?
    }

    /// Does something to the device of the interface `name`; `None` where it has none.
    pub(crate) fn with_device_named<T>(
        &mut self,
        edge: &mut Edge,
        name: &str,
        f: impl FnOnce(&mut Device, &mut Edge) -> T,
    ) -> Option<T> {
        let token = self.token_of(edge, name)?;
        self.touch(edge, token, |interface, edge| interface.device().map(|it| f(it, edge)))?
    }
}
