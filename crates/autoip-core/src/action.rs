//! What an engine asks its driver to do, and the short queue in which it waits.

use autoip_wire::{ArpPacket, Frame, LinkLocalAddr, MacAddr};

use crate::acd::Contest;

/// Something for the driver to do. The order in which actions come out is the order in which
/// they must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// From now on only these frames matter; a kernel filter may drop the others.
    Listen(Interest),
    /// Send this frame. Where that fails, call [`crate::Engine::transmit_failed`] afterwards.
    Transmit(Frame),
    /// Put this address on the interface, then call [`crate::Engine::installed`] or
    /// [`crate::Engine::install_failed`].
    Install(LinkLocalAddr),
    /// Take this address off the interface at once: it is no longer ours.
    Remove(LinkLocalAddr, Loss),
    /// Tell whoever wants to know.
    Report(Event),
}

/// The frames that an engine wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// None.
    Nothing,
    /// ARP with this address as sender, or with a zero sender and this address as target.
    Candidate(LinkLocalAddr),
    /// ARP with this address as sender.
    Claimed(LinkLocalAddr),
}

/// Why an address goes from the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Another host claims it.
    Conflict,
    /// The link is gone, so nobody can tell who uses the address meanwhile.
    Carrier,
    /// The interface has another MAC address now.
    MacChanged,
    /// It is not wanted at present, for example beside a routable address.
    Retired,
    /// The driver ends.
    Stopped,
    /// Others deleted it too often.
    Deleted,
    /// It does not lie in the range to choose from any longer.
    OutOfRange,
    /// The operator gave it up.
    Released,
}

/// Something worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Probing for this candidate begins.
    Candidate(LinkLocalAddr),
    /// The address is announced and in use.
    Acquired(LinkLocalAddr),
    /// The address had been deleted by others and is back, announced again.
    Restored(LinkLocalAddr),
    /// Somebody else claims the address.
    Contested(LinkLocalAddr, Contest),
    /// The address was defended with an announcement.
    Defended(LinkLocalAddr),
    /// This MAC address denied several candidates in a row: a proxy or a broken access point.
    Denier(MacAddr),
    /// The next candidate waits for the rate limit; [`crate::Engine::poll_timeout`] tells when.
    BackedOff,
}

/// An [`Action`] while it waits; a frame is built when it comes out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queued {
    Listen(Interest),
    Probe(LinkLocalAddr),
    Announcement(LinkLocalAddr),
    Install(LinkLocalAddr),
    Remove(LinkLocalAddr, Loss),
    Report(Event),
}

impl Queued {
    pub(crate) fn into_action(self, mac: MacAddr) -> Action {
        match self {
            Self::Listen(interest) => Action::Listen(interest),
            //= ACD-2.1.1-01 probes go to everybody on the link
            Self::Probe(addr) => Action::Transmit(ArpPacket::probe(mac, addr.ip()).to_broadcast()),
            Self::Announcement(addr) => {
                Action::Transmit(ArpPacket::announcement(mac, addr.ip()).to_broadcast())
            }
            Self::Install(addr) => Action::Install(addr),
            Self::Remove(addr, loss) => Action::Remove(addr, loss),
            Self::Report(event) => Action::Report(event),
        }
    }
}

/// The most actions that one input can cause.
const LEN: usize = 5;

/// The actions caused by one input, first in, first out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Queue {
    items: [Option<Queued>; LEN],
}

impl Queue {
    pub(crate) fn push(&mut self, item: Queued) {
        let free = self.items.iter_mut().find(|slot| slot.is_none());
        *free.expect("one input causes at most five actions") = Some(item);
    }

    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let first = self.items[0].take();
        self.items.rotate_left(1);
        first
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items[0].is_none()
    }
}
