//! A door to the parsers of this crate that have no public one, for fuzzers alone. It must never
//! be used by a program.

use std::io;
use std::net::Ipv4Addr;

use crate::IfIndex;
use crate::netlink::messages;
use crate::nft::{Chain, Counter, Family, Hook, Table, rule_counters};
use crate::rtnl::arp_table;
use crate::rtnl::conf::{self, Conf};
use crate::rtnl::neighbour;
use crate::rtnl::neighbour_setting::{self, NeighbourSetting};
use crate::sock_diag::{Protocol, Socket};

/// The error in each message of a datagram that acknowledges something, and the counters in the
/// rules that it lists.
#[must_use]
pub fn nft_answers(datagram: &[u8]) -> (Vec<io::Error>, Vec<Counter>) {
    let table = Table { family: Family::Netdev, name: "autoip", owned: true };
    let hook = Hook::Egress { device: "eth0" };
    let chain = Chain { table, name: "egress", hook, priority: 0 };
    let errors = messages(datagram).filter_map(|message| message.error());
    let counters = messages(datagram).filter_map(|message| rule_counters(message.body, &chain));
    (errors.collect(), counters.flatten().collect())
}

/// The neighbours and the settings of an interface in a datagram.
#[must_use]
pub fn lists(datagram: &[u8], index: IfIndex) -> (Vec<Ipv4Addr>, Vec<i64>) {
    let bodies = || messages(datagram).map(|message| message.body);
    let whole = bodies().filter_map(arp_table::decode).map(|neighbour| neighbour.ip);
    let known = bodies().filter_map(|body| neighbour::decode(body, index));
    let neighbours = known.chain(whole).collect();
    let confs = [Conf::PromoteSecondaries, Conf::ArpIgnore, Conf::ArpAnnounce];
    let conf = |body| confs.map(|conf| conf::decode(body, index, conf).map(i64::from));
    let solicits = [NeighbourSetting::UnicastProbes, NeighbourSetting::BroadcastReprobes];
    let solicit = |body| solicits.map(|one| neighbour_setting::decode(body, index, one));
    let solicits = bodies().flat_map(solicit).flatten().map(i64::from);
    (neighbours, bodies().flat_map(conf).flatten().chain(solicits).collect())
}

/// The sockets in a datagram.
#[must_use]
pub fn sockets(datagram: &[u8]) -> Vec<Socket> {
    messages(datagram).filter_map(|message| Socket::decode(message.body, Protocol::Tcp)).collect()
}
