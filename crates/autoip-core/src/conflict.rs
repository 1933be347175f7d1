//! What one ARP packet says about one address: the only place that decides what a conflict is.
//!
//! Two things can tell against an address, and nothing else does. Somebody uses it: a request or
//! reply with the address as *sender*. Or somebody is about to: a probe for it, which is a
//! *broadcast* request with an all-zero sender. An ordinary request for the address is neither;
//! nor are replies with a zero sender, unicast requests with a zero sender (switches that track
//! devices send them), or other operations, which the codec refuses.

use core::net::Ipv4Addr;

use autoip_wire::{ArpPacket, Ethernet, MacAddr, Operation};

/// What a packet means for an address, seen from an interface with its own MAC address.
///
/// Which MAC address counts as the packet's is the one inside the ARP packet; the Ethernet
/// source plays no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Says nothing about the address.
    Nothing,
    /// Another MAC address uses it.
    Used,
    /// Our own MAC address uses it: our own packet come back, or a clone of us.
    UsedByOwnMac,
    /// Another MAC address probes for it.
    Probed,
    /// Our own probe come back, from an access point or a hub that repeats.
    OwnProbe,
    /// A request with zero sender that was sent to us alone, so no probe.
    UnicastProbe,
}

/// What `packet` means for `addr` on an interface with the address `mac`.
//= ACD-1.2-02 every packet is asked whether its sender address is ours
pub(crate) fn meaning(
    mac: MacAddr,
    addr: Ipv4Addr,
    ethernet: Ethernet,
    packet: &ArpPacket,
) -> Meaning {
    let own = packet.sender_mac == mac;
    if packet.sender_ip == addr {
        return if own { Meaning::UsedByOwnMac } else { Meaning::Used };
    }
    let asks = packet.operation == Operation::Request
        && packet.sender_ip.is_unspecified()
        && packet.target_ip == addr;
    match (asks, own, ethernet.destination.is_broadcast()) {
        (false, _, _) => Meaning::Nothing,
        (true, true, _) => Meaning::OwnProbe,
        (true, false, true) => Meaning::Probed,
        (true, false, false) => Meaning::UnicastProbe,
    }
}

/// How somebody else's claim to an address showed itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// The candidate is in use: somebody sent ARP with it as sender while we were probing.
    InUse,
    /// Somebody else is probing for the same candidate.
    CompetingProbe,
    /// Somebody sent ARP with our address as sender after we had claimed it.
    Late,
}

/// What follows from a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The candidate was dropped before it was ever used.
    Dropped,
    /// A defence will be sent after a short random wait.
    Defending,
    /// The address was given up.
    Ceded,
    /// The address is kept for good, and the last defence is too recent for another one.
    Endured,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const OTHER: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
    const ADDR: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 7);
    const ELSE: Ipv4Addr = Ipv4Addr::new(169, 254, 9, 9);
    const ZERO: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

    /// The complete table: operation × sender × target × MAC × destination.
    //= test LL-2.2.1-07
    //= test LL-2.2.1-08
    //= test ACD-1.2-02
    #[test]
    fn every_combination_means_what_the_rules_say() {
        for operation in [Operation::Request, Operation::Reply] {
            for sender_ip in [ADDR, ELSE, ZERO, Ipv4Addr::new(10, 0, 0, 1)] {
                for target_ip in [ADDR, ELSE, ZERO] {
                    for sender_mac in [OWN, OTHER] {
                        for destination in [MacAddr::BROADCAST, OWN, MacAddr([1, 0, 0x5e, 0, 0, 1])]
                        {
                            let packet = ArpPacket {
                                operation,
                                sender_mac,
                                sender_ip,
                                target_mac: MacAddr::ZERO,
                                target_ip,
                            };
                            // The Ethernet source is a third MAC: it must not matter.
                            let ethernet =
                                Ethernet { destination, source: MacAddr([6, 6, 6, 6, 6, 6]) };
                            let own = sender_mac == OWN;
                            let probe = operation == Operation::Request
                                && sender_ip == ZERO
                                && target_ip == ADDR;
                            let expected = if sender_ip == ADDR && own {
                                Meaning::UsedByOwnMac
                            } else if sender_ip == ADDR {
                                Meaning::Used
                            } else if probe && own {
                                Meaning::OwnProbe
                            } else if probe && destination == MacAddr::BROADCAST {
                                Meaning::Probed
                            } else if probe {
                                Meaning::UnicastProbe
                            } else {
                                Meaning::Nothing
                            };
                            assert_eq!(
                                meaning(OWN, ADDR, ethernet, &packet),
                                expected,
                                "{packet:?} to {destination}"
                            );
                        }
                    }
                }
            }
        }
    }
}
