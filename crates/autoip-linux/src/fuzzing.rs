//! A door to the parsers of this crate that have no public one, for fuzzers alone. It must never
//! be used by a program.

use std::io;

use crate::netlink::messages;
use crate::nft::{Chain, Counter, Family, Hook, Table, rule_counters};
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

/// The sockets in a datagram.
#[must_use]
pub fn sockets(datagram: &[u8]) -> Vec<Socket> {
    messages(datagram).filter_map(|message| Socket::decode(message.body, Protocol::Tcp)).collect()
}
