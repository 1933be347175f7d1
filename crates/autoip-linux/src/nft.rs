//! Packet filter rules of our own (nf_tables), without the `nft` program.
//!
//! A [`Batch`] collects changes and [`Nft::commit`] makes all of them, or none. Rules are made of
//! statements that are named after the words of nft and stand in the same order:
//!
//! ```
//! # use std::net::Ipv4Addr;
//! # use autoip_wire::MacAddr;
//! use autoip_linux::nft::{self, Batch, Chain, Family, Hook, Set, Table};
//!
//! let table = Table { family: Family::Netdev, name: "guard", owned: true };
//! let claimed: Set<'_> = Set::new(table, "claimed");
//! let hook = Hook::Egress { device: "eth0" };
//! let egress = Chain { table, name: "egress", hook, priority: 0 };
//!
//! let mut batch = Batch::new();
//! batch.add_table(&table).add_set(&claimed).add_chain(&egress);
//! // meta protocol arp arp saddr ip 169.254.0.0/16 arp saddr ip != @claimed counter drop
//! batch.add_rule(&egress, [
//!     nft::meta_protocol_arp(),
//!     nft::arp_saddr_ip().starts_with([169, 254]),
//!     nft::arp_saddr_ip().is_not_in(&claimed),
//!     nft::counter(),
//!     nft::drop(),
//! ]);
//! ```

mod batch;
mod instruction;
mod listing;
mod object;
mod statement;
mod value;

use std::io;

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;

pub use batch::Batch;
pub use object::{Chain, Family, Hook, Set, Table};
pub use statement::{
    Field, Pair, Statement, accept, arp_daddr_ether, arp_operation_reply, arp_saddr_ether,
    arp_saddr_ip, counter, drop, ether_daddr, ether_daddr_set, ether_saddr, fib_daddr_type_unicast,
    ip_daddr, ip_saddr, meta_iif, meta_mark, meta_nfproto_ipv4, meta_oif, meta_pkttype_set_host,
    meta_protocol_arp, meta_protocol_ip, rt_ip_nexthop,
};
pub use value::{Key, Value};

use crate::netlink::{Connection, NLMSG_ERROR, attributes, messages};
use crate::packet::enlarge_receive_buffer;
use crate::{Error, Result};

/// Room for the refusals of a thousand changes that are made together.
const RECEIVE_BUFFER_BYTES: usize = 1 << 20;

/// What every message of nf_tables begins with: the family, a version and a number.
const HEADER_LEN: usize = 4;

/// The type of a message: the subsystem and the message's number in it.
const fn kind(message: u16) -> u16 {
    const SUBSYSTEM: u16 = 10;
    SUBSYSTEM << 8 | message
}

const GET_RULE: u16 = kind(7);
const NEW_RULE: u16 = kind(6);

const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;
const RULE_EXPRESSIONS: u16 = 4;
const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const COUNTER_BYTES: u16 = 1;
const COUNTER_PACKETS: u16 = 2;

/// A connection to nf_tables in one network namespace.
///
/// It is the owner of the tables that are added over it as [owned](Table::owned): the kernel
/// removes those when it is dropped, however that comes about.
#[derive(Debug)]
pub struct Nft {
    connection: Connection,
}

/// What passed one `counter` of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// How many packets.
    pub packets: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

impl Nft {
    /// Connects to nf_tables in the network namespace of this thread.
    ///
    /// EPROTONOSUPPORT means that the kernel has no netfilter at all.
    pub fn open() -> Result<Self> {
        let connection = Connection::open(SockProtocol::NetlinkNetFilter)
            .and_then(|connection| {
                enlarge_receive_buffer(connection.fd(), RECEIVE_BUFFER_BYTES)?;
                Ok(connection)
            })
            .map_err(|errno| Error::new("connect to nf_tables", errno))?;
        Ok(Self { connection })
    }

    /// Makes all changes of a batch, or none of them.
    ///
    /// The error names the first change that the kernel refused, with [these
    /// numbers](Error::errno):
    ///
    /// - about the whole batch ("could not change nf_tables"): EPERM without CAP_NET_ADMIN;
    ///   EOPNOTSUPP or EINVAL from a kernel without nf_tables; EMSGSIZE when it has more than
    ///   about two thousand changes; ENOBUFS when its answers were lost, so that the changes may
    ///   have been made or not: drop the connection, and its tables with it, to begin again from
    ///   a known state;
    /// - about a table: EEXIST when the name is taken; EPERM when it is taken by an owner; EINVAL
    ///   or EOPNOTSUPP when the kernel does not know owners (before Linux 5.12) or the family;
    /// - about a chain: EOPNOTSUPP, ENOENT or EINVAL when the kernel lacks the hook (egress came
    ///   with Linux 5.16 and is an option of its build); ENOENT also when there is no such device,
    ///   which recent kernels allow: they attach the chain once the device appears;
    /// - about a rule: ENOENT or EOPNOTSUPP when the kernel lacks one of its statements;
    /// - about elements: ENOENT when one that is removed was not there.
    pub fn commit(&mut self, batch: &Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let count = u32::try_from(batch.len()).expect("a batch fits into memory");
        // One number each for its begin and its end as well.
        let begin = self.connection.take_sequences(count.saturating_add(2));
        self.connection
            .send(&batch.datagram(begin))
            .map_err(|errno| Error::new(batch.to_op(None), errno))?;
        match self.outcome(begin, count) {
            Ok(()) => Ok(()),
            Err((place, error)) => Err(Error::new(batch.to_op(place), error)),
        }
    }

    /// Makes the removals of a batch, except of what is not there: a kernel before Linux 6.16
    /// takes chains away itself together with their interface.
    pub fn clear(&mut self, batch: &Batch) -> Result<()> {
        let is_absent = |error: &Error| error.errno() == Some(libc::ENOENT);
        match self.commit(batch) {
            Err(error) if is_absent(&error) => {}
            outcome => return outcome,
        }
        // One that is refused undoes the whole batch, so each has to come alone.
        for single in batch.singles() {
            match self.commit(&single) {
                Err(error) if is_absent(&error) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Reads the answers to a batch, all of which are there once it is sent.
    ///
    /// A refusal comes with the place of what was refused: 0 for the first change of the batch,
    /// none for the batch itself.
    fn outcome(&mut self, begin: u32, count: u32) -> Outcome {
        let mut refused: Option<(u32, io::Error)> = None;
        let mut acknowledged = false;
        loop {
            let received = self.connection.receive_now(|datagram| {
                for message in messages(datagram).filter(|message| message.kind == NLMSG_ERROR) {
                    let number = message.sequence.wrapping_sub(begin);
                    if number > count.saturating_add(1) {
                        continue;
                    }
                    let is_first = refused.as_ref().is_none_or(|(first, _)| number < *first);
                    match message.error() {
                        None => acknowledged = true,
                        Some(error) if is_first => refused = Some((number, error)),
                        Some(_) => {}
                    }
                }
            });
            match received {
                // What did not fit is missing, and the acknowledgement comes last.
                Ok(Some(())) | Err(Errno::ENOBUFS) => {}
                Ok(None) => break,
                Err(errno) => return Err((None, errno.into())),
            }
        }
        match refused {
            Some((number, error)) => Err((place(number, count), error)),
            None if !acknowledged => Err((None, Errno::ENOBUFS.into())),
            None => Ok(()),
        }
    }

    /// The counters in the rules of a chain, from the first rule on. Empty when the chain is not
    /// there.
    pub fn counters(&mut self, chain: &Chain<'_>) -> Result<Vec<Counter>> {
        let body = chain.rules();
        let decode = |kind, body: &[u8]| {
            if kind == NEW_RULE { rule_counters(body, chain) } else { None }
        };
        match self.connection.dump(GET_RULE, &body, decode) {
            Ok(rules) => Ok(rules.into_iter().flatten().collect()),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(Vec::new()),
            Err(error) => Err(Error::new(format!("read the counters of {chain}"), error)),
        }
    }
}

type Outcome = std::result::Result<(), (Option<usize>, io::Error)>;

/// The place in its batch of the change with a number; the batch's begin and end have none.
fn place(number: u32, count: u32) -> Option<usize> {
    (1..=count).contains(&number).then(|| usize::try_from(number - 1).ok()).flatten()
}

/// The counters in the description of a rule; `None` where it is one of another chain.
pub(crate) fn rule_counters(message: &[u8], chain: &Chain<'_>) -> Option<Vec<Counter>> {
    let mut counters = Vec::new();
    for (kind, value) in attributes(message, HEADER_LEN) {
        match kind {
            RULE_TABLE if !is_name(value, chain.table.name) => return None,
            RULE_CHAIN if !is_name(value, chain.name) => return None,
            RULE_EXPRESSIONS => {
                let elements = attributes(value, 0).filter(|(kind, _)| *kind == LIST_ELEMENT);
                counters.extend(elements.filter_map(|(_, expression)| counter_of(expression)));
            }
            _ => {}
        }
    }
    Some(counters)
}

fn counter_of(expression: &[u8]) -> Option<Counter> {
    let mut is_counter = false;
    let mut counter = Counter::default();
    for (kind, value) in attributes(expression, 0) {
        match kind {
            EXPRESSION_NAME => is_counter = is_name(value, "counter"),
            EXPRESSION_DATA => {
                for (kind, value) in attributes(value, 0) {
                    let number = value.try_into().map_or(0, u64::from_be_bytes);
                    match kind {
                        COUNTER_BYTES => counter.bytes = number,
                        COUNTER_PACKETS => counter.packets = number,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    is_counter.then_some(counter)
}

/// Whether text of the kernel, which ends with a zero byte, is a name.
fn is_name(value: &[u8], name: &str) -> bool {
    value.strip_suffix(&[0]).unwrap_or(value) == name.as_bytes()
}

#[cfg(test)]
mod tests;
