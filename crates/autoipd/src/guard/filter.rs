//! The packet filter of the guard, in nf_tables.
//!
//! Two tables, both ours alone. In `netdev autoip` every frame of an interface passes its own
//! chains: on the way out the gate, which holds back senders that are not claimed, and the
//! rewrite of every link-local ARP packet to a broadcast; on the way in the mark that lets this
//! host confirm neighbours by broadcast replies. In `inet autoip` nothing link-local is forwarded
//! or handed to a router; its chains are there once, for all interfaces in its sets.

use std::fmt;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::process;

use autoip_core::MacAddr;
use autoip_linux::nft::{self, Batch, Chain, Family, Hook, Nft, Set, Statement, Table};
use autoip_linux::{Error, IfIndex, Result};
use tracing::info;

use crate::marks;

/// 169.254.0.0/16.
const LINK_LOCAL: [u8; 2] = [169, 254];
/// Before anything else is decided about a packet, connection tracking included.
const PRIORITY_FIRST: i32 = -300;
/// Before the filters of administrators.
const PRIORITY_FORWARD: i32 = -150;

/// An interface that is always there.
const LOOPBACK: &str = "lo";

/// Our tables, and the connection that owns them.
pub(super) struct Filter {
    nft: Nft,
    table: String,
}

/// A filter that was taken away. Dropping it waits some ten milliseconds, until the kernel has
/// freed what nobody uses any longer.
pub(crate) struct Ended {
    _nft: Nft,
}

/// The names of what belongs to one interface.
struct Names {
    claimed: String,
    egress: String,
    ingress: String,
}

impl Names {
    fn of(owner: impl fmt::Display) -> Self {
        let name = |what| format!("{what}_{owner}");
        Self { claimed: name("claimed"), egress: name("egress"), ingress: name("ingress") }
    }
}

impl Filter {
    /// Makes the tables. Where another daemon has their name already, ours have the number of
    /// this process in it.
    pub(super) fn open(exempt: &[Ipv4Addr]) -> Result<Self> {
        let named = |table: String| -> Result<Self> {
            let mut filter = Self { nft: Nft::open()?, table };
            filter.begin(exempt)?;
            Ok(filter)
        };
        let first = named("autoip".to_owned());
        let Err(taken) = &first else { return first };
        if !(taken.is_permission() || taken.io().kind() == ErrorKind::AlreadyExists) {
            return first;
        }
        let other = format!("autoip_{}", process::id());
        named(other.clone()).inspect(|_| {
            info!("{taken}: somebody has it, most likely another autoipd; ours are called {other}");
        })
    }

    fn begin(&mut self, exempt: &[Ipv4Addr]) -> Result<()> {
        let mut batch = Batch::new();
        batch.add_table(&self.link()).add_table(&self.host());
        for set in [self.exempt(), self.exempt_from_gate()] {
            batch.add_set(&set).add_elements(&set, exempt);
        }
        batch.add_set(&self.managed()).add_set(&self.own()).add_set(&self.loops());
        batch.add_set(&self.gateways());
        self.add_no_forwarding(&mut batch);
        self.add_no_router(&mut batch);
        // What no interface could have must be known now, and not at the first of them.
        let names = Names::of("trial");
        self.add_chains(&mut batch, &names, LOOPBACK, MacAddr::ZERO);
        self.remove_chains(&mut batch, &names);
        self.nft.commit(&batch)
    }

    /// Guards an interface that lets these addresses out. Where it cannot have chains of its own,
    /// everything else is in force, and the reason is returned.
    pub(super) fn protect(
        &mut self,
        index: IfIndex,
        device: &str,
        mac: MacAddr,
        admitted: &[Ipv4Addr],
    ) -> Result<Option<Error>> {
        let names = Names::of(index);
        let mut all = Batch::new();
        self.add_member(&mut all, index, mac);
        self.add_chains(&mut all, &names, device, mac);
        all.add_elements(&self.claimed(&names), admitted);
        match self.nft.commit(&all) {
            Err(error) if !error.is_lost() => {
                let mut batch = Batch::new();
                self.add_member(&mut batch, index, mac);
                self.nft.commit(&batch)?;
                Ok(Some(error))
            }
            outcome => outcome.map(|()| None),
        }
    }

    pub(super) fn admit(
        &mut self,
        index: IfIndex,
        more: &[Ipv4Addr],
        fewer: &[Ipv4Addr],
    ) -> Result<()> {
        let names = Names::of(index);
        let claimed = self.claimed(&names);
        let mut batch = Batch::new();
        if !more.is_empty() {
            batch.add_elements(&claimed, more);
        }
        if !fewer.is_empty() {
            batch.remove_elements(&claimed, fewer);
        }
        self.nft.commit(&batch)
    }

    /// Hands nothing link-local to these routers.
    pub(super) fn add_gateways(&mut self, gateways: &[Ipv4Addr]) -> Result<()> {
        let mut batch = Batch::new();
        batch.add_elements(&self.gateways(), gateways);
        self.nft.commit(&batch)
    }

    /// Takes away all that is there of an interface.
    pub(super) fn release(&mut self, index: IfIndex, mac: MacAddr) -> Result<()> {
        let mut batch = Batch::new();
        self.remove_chains(&mut batch, &Names::of(index));
        batch.remove_elements(&self.managed(), &[index]);
        batch.remove_elements(&self.own(), &[(index, mac)]);
        batch.remove_elements(&self.loops(), &[(index, index)]);
        self.nft.clear(&batch)
    }

    /// Takes everything away. The kernel would do so by itself, but have us wait for it.
    pub(super) fn end(mut self) -> (Ended, Result<()>) {
        let mut batch = Batch::new();
        batch.remove_table(&self.link()).remove_table(&self.host());
        let outcome = self.nft.commit(&batch);
        (Ended { _nft: self.nft }, outcome)
    }

    fn add_member(&self, batch: &mut Batch, index: IfIndex, mac: MacAddr) {
        batch.add_elements(&self.managed(), &[index]);
        batch.add_elements(&self.own(), &[(index, mac)]);
        batch.add_elements(&self.loops(), &[(index, index)]);
    }

    /// What an interface has of its own.
    fn add_chains(&self, batch: &mut Batch, names: &Names, device: &str, mac: MacAddr) {
        self.add_gate(batch, names, device, mac);
        self.add_confirmation(batch, names, device, mac);
    }

    fn remove_chains(&self, batch: &mut Batch, names: &Names) {
        for name in [&names.egress, &names.ingress] {
            // Only the names count when a chain is removed.
            let (table, hook) = (self.link(), Hook::Forward);
            batch.remove_chain(&Chain { table, name, hook, priority: 0 });
        }
        batch.remove_set(&self.claimed(names));
    }

    /// The gate, and behind it the rewrite.
    //= LL-2.2-02 no frame leaves with a link-local sender that is not claimed
    //= LL-2.5-09 every ARP reply with a link-local sender is a broadcast
    //= LL-2.5-10 every ARP request with a link-local sender is a broadcast
    //= LL-2.5-11 other ARP is left alone
    //= LL-2.7-04 nobody answers for addresses that are not claimed
    //= LL-2.8-03 routable addresses are left alone
    //= LL-4-02 owners of one address hear of each other when links join
    //= ACD-2.6-01 ordinary replies stay as they are
    //= ACD-2.6-02 ordinary replies stay as they are
    //= ACD-2.6-03 RFC 3927 asks for broadcast replies
    //= DNA-2.1.1-01 nobody hears of an address by ARP before it is claimed
    //= BASE-05 no datagram leaves with a link-local source that is not ours
    fn add_gate(&self, batch: &mut Batch, names: &Names, device: &str, mac: MacAddr) {
        let claimed = self.claimed(names);
        let hook = Hook::Egress { device };
        let egress = Chain { table: self.link(), name: &names.egress, hook, priority: 0 };
        batch.add_set(&claimed).add_chain(&egress);
        batch.add_rule(
            &egress,
            [
                // Virtual interfaces on top of this one have addresses of their own.
                nft::ether_saddr().is(mac),
                nft::meta_protocol_arp(),
                nft::arp_saddr_ip().starts_with(LINK_LOCAL),
                nft::arp_saddr_ip().is_not_in(&claimed),
                // The first announcement goes through the gate while it is still closed.
                nft::meta_mark().is_not(marks::PACKET),
                nft::counter(),
                nft::drop(),
            ],
        );
        batch.add_rule(
            &egress,
            [
                nft::ether_saddr().is(mac),
                nft::meta_protocol_ip(),
                nft::ip_saddr().starts_with(LINK_LOCAL),
                nft::ip_saddr().is_not_in(&claimed),
                nft::ip_saddr().is_not_in(&self.exempt_from_gate()),
                nft::counter(),
                nft::drop(),
            ],
        );
        batch.add_rule(
            &egress,
            [
                nft::ether_saddr().is(mac),
                nft::meta_protocol_arp(),
                nft::arp_saddr_ip().starts_with(LINK_LOCAL),
                nft::counter(),
                nft::ether_daddr_set(MacAddr::BROADCAST),
            ],
        );
    }

    /// Linux does not take a broadcast reply as proof that a neighbour is there, and asks again
    /// every few seconds. A reply to this host counts as if it had been sent to it alone.
    //= ACD-1.2.1-01 receivers can deal with broadcast replies
    fn add_confirmation(&self, batch: &mut Batch, names: &Names, device: &str, mac: MacAddr) {
        let hook = Hook::Ingress { device };
        let ingress = Chain { table: self.link(), name: &names.ingress, hook, priority: 0 };
        batch.add_chain(&ingress).add_rule(
            &ingress,
            [
                nft::meta_protocol_arp(),
                nft::arp_operation_reply(),
                nft::arp_saddr_ip().starts_with(LINK_LOCAL),
                nft::arp_daddr_ether().is(mac),
                nft::counter(),
                nft::meta_pkttype_set_host(),
            ],
        );
    }

    /// Nothing link-local is passed on from or to a managed interface: already before routing, so
    /// that no ICMP error tells of it, and again for multicast in the forward hook.
    ///
    /// What passes a bridge is no business of a router, but br_netfilter shows it to both hooks
    /// as if it were. It bears the destination of some other host, and it seems to leave by the
    /// interface that it came from: by that it is told from what is to be routed.
    //= LL-2.7-03 nothing with a link-local address is forwarded, whatever its TTL
    //= LL-2.7-06 nor is multicast with a link-local source
    //= LL-7-01 routes make no difference to that
    //= LL-7-02 nor does it go back to where it came from
    //= LL-2.10-01 link-local addresses are not seen beyond their link
    //= BASE-12 169.254.0.0/16 is not forwarded
    fn add_no_forwarding(&self, batch: &mut Batch) {
        let table = self.host();
        let exempt = self.exempt();
        let (hook, priority) = (Hook::Prerouting, PRIORITY_FIRST);
        let prerouting = Chain { table, name: "prerouting", hook, priority };
        let (hook, priority) = (Hook::Forward, PRIORITY_FORWARD);
        let forward = Chain { table, name: "forward", hook, priority };
        batch.add_chain(&prerouting).add_chain(&forward);
        let stop = [nft::counter(), nft::drop()];
        for field in [nft::ip_saddr(), nft::ip_daddr()] {
            let link_local = [
                nft::meta_nfproto_ipv4(),
                field.starts_with(LINK_LOCAL),
                nft::ip_saddr().is_not_in(&exempt),
                nft::ip_daddr().is_not_in(&exempt),
            ];
            let to_router = [
                nft::meta_iif().with(nft::ether_daddr()).is_in(&self.own()),
                nft::fib_daddr_type_unicast(),
            ];
            batch.add_rule(&prerouting, rule([&link_local, &to_router, &stop]));
            for way in [nft::meta_iif(), nft::meta_oif()] {
                let routed = [
                    way.is_in(&self.managed()),
                    nft::meta_iif().with(nft::meta_oif()).is_not_in(&self.loops()),
                ];
                batch.add_rule(&forward, rule([&link_local, &routed, &stop]));
            }
        }
    }

    /// No packet with a link-local destination is handed to a router, and none with a link-local
    /// source, should the routing rule that keeps it on the link be missing.
    //= LL-2.6.2-04 packets to link-local destinations are not handed to a router
    //= LL-2.6.2-07 packets from our address never go to a router
    //= LL-2.7-02 packets with a link-local address are handed to no router
    fn add_no_router(&self, batch: &mut Batch) {
        let (table, hook) = (self.host(), Hook::Postrouting);
        let (exempt, gateways) = (self.exempt(), self.gateways());
        let postrouting = Chain { table, name: "postrouting", hook, priority: 0 };
        let leaves = [nft::meta_oif().is_in(&self.managed()), nft::meta_nfproto_ipv4()];
        let stop = [nft::counter(), nft::drop()];
        let to_link_local = [
            nft::ip_daddr().starts_with(LINK_LOCAL),
            nft::ip_daddr().is_not_in(&exempt),
            nft::rt_ip_nexthop().starts_not_with(LINK_LOCAL),
        ];
        let to_gateway = [
            nft::ip_saddr().starts_with(LINK_LOCAL),
            nft::ip_saddr().is_not_in(&exempt),
            // Routers are hosts as well.
            nft::ip_daddr().is_not_in(&gateways),
            nft::rt_ip_nexthop().is_in(&gateways),
        ];
        batch.add_chain(&postrouting);
        batch.add_rule(&postrouting, rule([&leaves, &to_link_local, &stop]));
        batch.add_rule(&postrouting, rule([&leaves, &to_gateway, &stop]));
    }

    fn link(&self) -> Table<'_> {
        Table { family: Family::Netdev, name: &self.table, owned: true }
    }

    fn host(&self) -> Table<'_> {
        Table { family: Family::Inet, name: &self.table, owned: true }
    }

    /// The same addresses again: a set belongs to one table.
    fn exempt_from_gate(&self) -> Set<'_> {
        Set::new(self.link(), "exempt")
    }

    fn exempt(&self) -> Set<'_> {
        Set::new(self.host(), "exempt")
    }

    /// The addresses that may leave an interface.
    fn claimed<'a>(&'a self, names: &'a Names) -> Set<'a> {
        Set::new(self.link(), &names.claimed)
    }

    /// The interfaces that are guarded.
    fn managed(&self) -> Set<'_, IfIndex> {
        Set::new(self.host(), "managed")
    }

    /// Where frames come in, and whom they are for when they are for this host.
    fn own(&self) -> Set<'_, (IfIndex, MacAddr)> {
        Set::new(self.host(), "own")
    }

    /// The ways out to where something came in.
    fn loops(&self) -> Set<'_, (IfIndex, IfIndex)> {
        Set::new(self.host(), "loops")
    }

    /// The routers that routes of this host lead to.
    fn gateways(&self) -> Set<'_> {
        Set::new(self.host(), "gateways")
    }
}

fn rule<const N: usize>(parts: [&[Statement]; N]) -> Vec<Statement> {
    parts.concat()
}
