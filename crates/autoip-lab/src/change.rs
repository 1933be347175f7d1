//! Changes of a host's network, as a recording holds them.

use std::fmt;
use std::net::Ipv4Addr;

use autoip_core::Instant;
use autoip_linux::rtnl::{Event, Monitor};

use crate::reader::copy;
use crate::recording::Recording;

/// Something that changed about the links, addresses or routes of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it was reported, shortly after it happened.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

impl Change {
    /// Whether `addr` was added to an interface.
    #[must_use]
    pub fn is_added(&self, addr: Ipv4Addr) -> bool {
        matches!(&self.event, Event::AddressAdded(address) if address.ip == addr)
    }

    /// Whether `addr` was removed from an interface.
    #[must_use]
    pub fn is_removed(&self, addr: Ipv4Addr) -> bool {
        matches!(&self.event, Event::AddressRemoved(address) if address.ip == addr)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.at, self.event)
    }
}

impl Recording<Change> {
    /// Records what `monitor` reports.
    pub(crate) fn of_host(name: &str, mut monitor: Monitor) -> Self {
        Self::start(name.to_owned(), copy(&monitor), move |changes| {
            while let Ok(Some(event)) = monitor.next() {
                changes.push(Change { at: autoip_linux::boottime(), event });
            }
        })
    }
}
