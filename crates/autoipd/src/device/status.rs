//! What a device has to tell about itself.

use std::net::Ipv4Addr;

use autoip_control as control;
use autoip_core::{Contest, LinkLocalAddr};

use super::Device;
use crate::control::translation::{self, Clock};
use crate::history::Record;
use crate::marks;

impl Device {
    /// The address held or tried.
    pub(crate) fn addr(&self) -> Option<LinkLocalAddr> {
        self.engine.addr()
    }

    /// The conflicts that are remembered, the latest first.
    pub(crate) fn conflicts(&self, clock: &Clock) -> Vec<control::Conflict> {
        let told = |record: &Record| {
            let Record { at, addr, contest, frame } = record;
            translation::conflict(clock.ms(*at), &self.name, *addr, *contest, frame)
        };
        self.history.iter().map(told).collect()
    }

    /// The frame of the latest conflict that was like this one.
    pub(crate) fn frame_of(&self, addr: Ipv4Addr, contest: Contest) -> Vec<u8> {
        let mut records = self.history.iter();
        let same = records.find(|record| (record.addr, record.contest) == (addr, contest));
        same.map(|record| record.frame.clone()).unwrap_or_default()
    }

    /// Fills in all that a device knows.
    pub(crate) fn describe(&self, status: &mut control::Interface, clock: &Clock) {
        let snapshot = self.engine.snapshot(clock.at());
        status.interface.clone_from(&self.name);
        status.mac = Some(self.mac.to_string());
        status.carrier = self.carrier;
        status.state = translation::state(snapshot.state);
        status.state_number = snapshot.state.number();
        status.stage = translation::stage(snapshot.stage);
        status.addr = snapshot.addr.map(Into::into);
        status.in_use = self.in_use().is_some();
        status.alias = marks::label(&self.name, self.alias).filter(|_| snapshot.addr.is_some());
        status.since = clock.ms(self.since);
        status.deadline = snapshot.deadline.map(|at| clock.ms(at));
        status.routable = self.routable;
        status.timing = translation::timing(&snapshot.timing);
        status.remembered = self.remembered.map(Into::into);
        status.conflict_count = snapshot.conflicts.into();
        status.denier = snapshot.denier.map(|mac| mac.to_string());
        status.counters = translation::counters(self.engine.counters());
    }
}
