//! Finds out which interfaces of this host are on one link: what one of them sends comes in on
//! another one.
//!
//! They have distinct addresses all the same, and do not fight. But traffic for the link may leave
//! by either of them, so whoever plugged two ports into one switch should know.

use std::collections::{BTreeMap, BTreeSet};

use autoip_core::MacAddr;
use autoip_linux::{IfIndex, Poller, Port, SiblingSocket};
use tracing::{debug, warn};

use crate::host::Host;

/// How many frames are looked at before others get their turn. One of them tells everything.
const FRAMES_PER_TURN: u32 = 16;

/// The managed interfaces, and which of them share a link.
#[derive(Debug, Default)]
pub(crate) struct Siblings {
    ports: BTreeMap<IfIndex, MacAddr>,
    /// Whether the filter is for other ports than these.
    stale: bool,
    /// Opened when there are two ports for the first time.
    socket: Option<SiblingSocket>,
    /// Pairs on one link, the lower number first; each was said once.
    found: BTreeSet<(IfIndex, IfIndex)>,
}

impl Siblings {
    /// An interface is managed from now on, or has another MAC address.
    pub(crate) fn join(&mut self, index: IfIndex, mac: MacAddr) {
        if self.ports.insert(index, mac) != Some(mac) {
            self.stale = true;
            self.part(index);
        }
    }

    /// An interface is managed no longer.
    pub(crate) fn leave(&mut self, index: IfIndex) {
        self.stale |= self.ports.remove(&index).is_some();
        self.part(index);
    }

    /// An interface may be on another link now.
    pub(crate) fn part(&mut self, index: IfIndex) {
        self.found.retain(|&(a, b)| a != index && b != index);
    }

    /// Listens for what the interfaces send that are there now; `token` is what the poller says
    /// when something came in.
    pub(crate) fn settle(&mut self, poller: &Poller, token: u64) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let ports = distinct(&self.ports);
        if let Err(error) = self.listen(&ports, poller, token) {
            debug!("{error}; nobody learns of interfaces on one link");
        }
    }

    fn listen(&mut self, ports: &[Port], poller: &Poller, token: u64) -> autoip_linux::Result<()> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            None if ports.len() < 2 => return Ok(()),
            none @ None => {
                let socket = SiblingSocket::open()?;
                poller.add(&socket, token)?;
                none.insert(socket)
            }
        };
        let count = socket.set_ports(ports)?;
        if count < ports.len() {
            debug!("only {count} of {} interfaces are told from their siblings", ports.len());
        }
        Ok(())
    }

    /// Frames may have come in.
    pub(crate) fn on_readable(&mut self, host: &Host) {
        let Some(socket) = &self.socket else { return };
        for _ in 0..FRAMES_PER_TURN {
            match socket.receive() {
                Ok(Some((heard_by, mac))) => {
                    if let Some(pair) = pair(&self.ports, heard_by, mac)
                        && self.found.insert(pair)
                    {
                        say(pair, host);
                    }
                }
                Ok(None) => return,
                Err(error) => return debug!("{error}"),
            }
        }
    }
}

/// The interfaces that can be told from each other by their MAC addresses.
fn distinct(ports: &BTreeMap<IfIndex, MacAddr>) -> Vec<Port> {
    let mut counts = BTreeMap::new();
    for mac in ports.values() {
        *counts.entry(*mac).or_insert(0) += 1;
    }
    let unique = ports.iter().filter(|(_, mac)| counts.get(mac) == Some(&1));
    unique.map(|(&index, &mac)| Port { index, mac }).collect()
}

/// Who shares a link with `heard_by`, which heard `mac`.
fn pair(
    ports: &BTreeMap<IfIndex, MacAddr>,
    heard_by: IfIndex,
    mac: MacAddr,
) -> Option<(IfIndex, IfIndex)> {
    ports.get(&heard_by)?;
    let mut senders = ports.iter().filter(|(_, port)| **port == mac).map(|(&index, _)| index);
    let (sender, None) = (senders.next()?, senders.next()) else { return None };
    (sender != heard_by).then(|| (sender.min(heard_by), sender.max(heard_by)))
}

fn say((a, b): (IfIndex, IfIndex), host: &Host) {
    let name = |index| host.link(index).map_or_else(|| format!("#{index}"), |it| it.name.clone());
    let (a, b) = (name(a), name(b));
    warn!(
        "{a} and {b} are on one link: each has an address of its own, but traffic for the link may \
         leave by either; manage one of them, or make one of both with a bond"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const B: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

    fn index(number: u32) -> IfIndex {
        IfIndex::new(number).unwrap()
    }

    #[test]
    fn interfaces_with_one_mac_address_cannot_be_told_apart() {
        let ports = BTreeMap::from([(index(2), A), (index(3), B), (index(4), A)]);
        assert_eq!(distinct(&ports), [Port { index: index(3), mac: B }]);
        assert_eq!(pair(&ports, index(3), A), None);
        assert_eq!(pair(&ports, index(2), B), Some((index(2), index(3))));
    }

    #[test]
    fn strangers_and_echoes_are_no_siblings() {
        let ports = BTreeMap::from([(index(2), A), (index(3), B)]);
        assert_eq!(pair(&ports, index(2), A), None, "an echo");
        assert_eq!(pair(&ports, index(9), A), None, "not managed");
        assert_eq!(pair(&ports, index(2), MacAddr([9; 6])), None);
        assert_eq!(pair(&ports, index(3), A), Some((index(2), index(3))));
    }

    #[test]
    fn a_pair_is_forgotten_when_one_of_it_may_be_elsewhere() {
        let pair = (index(2), index(3));
        for change in [
            |siblings: &mut Siblings| siblings.leave(index(2)),
            |siblings: &mut Siblings| siblings.part(index(3)),
            |siblings: &mut Siblings| siblings.join(index(3), A),
        ] {
            let mut siblings = Siblings::default();
            siblings.join(index(2), A);
            siblings.join(index(3), B);
            siblings.found.insert(pair);
            siblings.join(index(3), B);
            assert!(siblings.found.contains(&pair), "nothing has changed");
            change(&mut siblings);
            assert!(siblings.found.is_empty());
        }
    }
}
