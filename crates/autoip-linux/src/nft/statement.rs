//! What a rule is made of: tests that a packet has to pass, and what is done with it then.
//!
//! Each function is named after the words of nft. The kernel runs the statements of a rule one
//! after the other and leaves the rule at the first test that fails.

use std::marker::PhantomData;
use std::net::Ipv4Addr;

use autoip_wire::{ETHERTYPE_ARP, MacAddr};

use super::instruction::{Instructions, Source};
use super::{Key, Set, Value};
use crate::IfIndex;
use crate::netlink::Writer;

const ETHERTYPE_IPV4: u16 = 0x0800;
const NFPROTO_IPV4: u8 = 2;
const RTN_UNICAST: u32 = 1;
const PACKET_HOST: u8 = 0;
const ARP_REPLY: u16 = 2;

const VERDICT_DROP: u32 = 0;
const VERDICT_ACCEPT: u32 = 1;

/// One part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement(Instructions);

/// Something about a packet that a rule can test; `V` is what its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<V> {
    source: Source,
    value: PhantomData<V>,
}

/// Two fields that a rule looks up together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<K, L>(Field<K>, Field<L>);

/// The frame carries ARP (for tables of [`Family::Netdev`](super::Family::Netdev)).
#[must_use]
pub fn meta_protocol_arp() -> Statement {
    compare(Source::Protocol, ETHERTYPE_ARP.to_be_bytes())
}

/// The frame carries IPv4 (for tables of [`Family::Netdev`](super::Family::Netdev)).
#[must_use]
pub fn meta_protocol_ip() -> Statement {
    compare(Source::Protocol, ETHERTYPE_IPV4.to_be_bytes())
}

/// The packet is IPv4 (for tables of [`Family::Inet`](super::Family::Inet)).
#[must_use]
pub fn meta_nfproto_ipv4() -> Statement {
    compare(Source::Nfproto, [NFPROTO_IPV4])
}

/// The sender in the Ethernet header.
#[must_use]
pub fn ether_saddr() -> Field<MacAddr> {
    field(Source::LinkHeader { offset: 6, len: 6 })
}

/// The destination in the Ethernet header.
#[must_use]
pub fn ether_daddr() -> Field<MacAddr> {
    field(Source::LinkHeader { offset: 0, len: 6 })
}

/// The mark of the packet, such as its socket gave it.
#[must_use]
pub fn meta_mark() -> Field<u32> {
    field(Source::Mark)
}

/// The interface that the packet came in by.
#[must_use]
pub fn meta_iif() -> Field<IfIndex> {
    field(Source::Iif)
}

/// The interface that the packet leaves by.
#[must_use]
pub fn meta_oif() -> Field<IfIndex> {
    field(Source::Oif)
}

/// The ARP packet is a reply; after [`meta_protocol_arp`].
#[must_use]
pub fn arp_operation_reply() -> Statement {
    compare(network(6, 2), ARP_REPLY.to_be_bytes())
}

/// The sender hardware address of an ARP packet; after [`meta_protocol_arp`].
#[must_use]
pub fn arp_saddr_ether() -> Field<MacAddr> {
    field(network(8, 6))
}

/// The sender IP address of an ARP packet; after [`meta_protocol_arp`].
#[must_use]
pub fn arp_saddr_ip() -> Field<Ipv4Addr> {
    field(network(14, 4))
}

/// The target hardware address of an ARP packet; after [`meta_protocol_arp`].
#[must_use]
pub fn arp_daddr_ether() -> Field<MacAddr> {
    field(network(18, 6))
}

/// The source of an IPv4 packet; after [`meta_protocol_ip`] or [`meta_nfproto_ipv4`].
#[must_use]
pub fn ip_saddr() -> Field<Ipv4Addr> {
    field(network(12, 4))
}

/// The destination of an IPv4 packet; after [`meta_protocol_ip`] or [`meta_nfproto_ipv4`].
#[must_use]
pub fn ip_daddr() -> Field<Ipv4Addr> {
    field(network(16, 4))
}

/// Whom the packet is handed to: a router, or its destination itself where that is on the link.
#[must_use]
pub fn rt_ip_nexthop() -> Field<Ipv4Addr> {
    field(Source::NextHop)
}

/// The destination is somewhere else than on this host, and not a group of hosts.
#[must_use]
pub fn fib_daddr_type_unicast() -> Statement {
    compare(Source::DestinationType, RTN_UNICAST.to_ne_bytes())
}

/// Counts the packets that get this far; see [`Nft::counters`](super::Nft::counters).
#[must_use]
pub fn counter() -> Statement {
    Statement(Instructions::Counter)
}

/// Lets the packet go on, past the rest of its chain.
#[must_use]
pub fn accept() -> Statement {
    Statement(Instructions::Verdict(VERDICT_ACCEPT))
}

/// Drops the packet.
#[must_use]
pub fn drop() -> Statement {
    Statement(Instructions::Verdict(VERDICT_DROP))
}

/// Writes another destination into the Ethernet header, where there is one.
#[must_use]
pub fn ether_daddr_set(mac: MacAddr) -> Statement {
    Statement(Instructions::SetEtherDaddr(mac))
}

/// Has the kernel treat the frame as one that was addressed to this host alone.
#[must_use]
pub fn meta_pkttype_set_host() -> Statement {
    Statement(Instructions::SetPkttype(PACKET_HOST))
}

impl<V: Value> Field<V> {
    /// The field is `value`.
    #[must_use]
    pub fn is(self, value: V) -> Statement {
        Statement(Instructions::Compare {
            source: self.source,
            equal: true,
            value: value.to_bytes(),
        })
    }

    /// The field is anything but `value`.
    #[must_use]
    pub fn is_not(self, value: V) -> Statement {
        Statement(Instructions::Compare {
            source: self.source,
            equal: false,
            value: value.to_bytes(),
        })
    }
}

impl Field<Ipv4Addr> {
    /// The address begins with some octets: `[169, 254]` for 169.254.0.0/16.
    #[must_use]
    pub fn starts_with<const N: usize>(self, octets: [u8; N]) -> Statement {
        const { assert!(N >= 1 && N <= 4, "an address has four octets") };
        Statement(Instructions::Compare {
            source: self.source,
            equal: true,
            value: octets.to_vec(),
        })
    }

    /// The address begins otherwise.
    #[must_use]
    pub fn starts_not_with<const N: usize>(self, octets: [u8; N]) -> Statement {
        const { assert!(N >= 1 && N <= 4, "an address has four octets") };
        Statement(Instructions::Compare {
            source: self.source,
            equal: false,
            value: octets.to_vec(),
        })
    }
}

impl<K: Key> Field<K> {
    /// The field is in a set of the same table.
    #[must_use]
    pub fn is_in(self, set: &Set<'_, K>) -> Statement {
        lookup(vec![self.source], set, false)
    }

    /// The field is not in a set of the same table.
    #[must_use]
    pub fn is_not_in(self, set: &Set<'_, K>) -> Statement {
        lookup(vec![self.source], set, true)
    }

    /// This field and another one, to be looked up together (nft writes a dot between them).
    #[must_use]
    pub fn with<L: Key>(self, other: Field<L>) -> Pair<K, L> {
        Pair(self, other)
    }
}

impl<K: Key, L: Key> Pair<K, L> {
    /// Both are in a set of the same table, together.
    #[must_use]
    pub fn is_in(self, set: &Set<'_, (K, L)>) -> Statement {
        lookup(vec![self.0.source, self.1.source], set, false)
    }

    /// Both are not in a set of the same table, or not together.
    #[must_use]
    pub fn is_not_in(self, set: &Set<'_, (K, L)>) -> Statement {
        lookup(vec![self.0.source, self.1.source], set, true)
    }
}

fn lookup<K>(sources: Vec<Source>, set: &Set<'_, K>, inverted: bool) -> Statement {
    Statement(Instructions::Lookup { sources, set: set.name.to_owned(), inverted })
}

const fn field<V>(source: Source) -> Field<V> {
    Field { source, value: PhantomData }
}

/// Bytes of the ARP or IPv4 header.
const fn network(offset: u32, len: u32) -> Source {
    Source::NetworkHeader { offset, len }
}

fn compare<const N: usize>(source: Source, value: [u8; N]) -> Statement {
    Statement(Instructions::Compare { source, equal: true, value: value.to_vec() })
}

impl Statement {
    /// Writes the instructions of the statement as elements of a list.
    pub(super) fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }
}
