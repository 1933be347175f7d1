//! The instructions that the kernel runs for a statement, as attributes of netlink.
//!
//! A test is two of them: one loads a field into a register, the next one compares it.

use autoip_wire::MacAddr;

use super::{EXPRESSION_DATA, EXPRESSION_NAME, LIST_ELEMENT};
use crate::netlink::Writer;

/// The only register in use: what a statement puts there, it uses up itself.
const REGISTER: u32 = 1;
/// That register has 16 bytes, and its quarters have numbers of their own, from this one on: the
/// second half of a pair goes into the first quarter that the first half leaves free.
const QUARTERS: u32 = 8;
const QUARTER_LEN: u32 = 4;
const VERDICT_REGISTER: u32 = 0;

const META_TO_REGISTER: u16 = 1;
const META_KEY: u16 = 2;
const META_FROM_REGISTER: u16 = 3;

const PAYLOAD_TO_REGISTER: u16 = 1;
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LEN: u16 = 4;
const PAYLOAD_FROM_REGISTER: u16 = 5;
const LINK_HEADER: u32 = 0;
const NETWORK_HEADER: u32 = 1;

const ROUTE_TO_REGISTER: u16 = 1;
const ROUTE_KEY: u16 = 2;
const KEY_NEXTHOP4: u32 = 1;

const FIB_TO_REGISTER: u16 = 1;
const FIB_RESULT: u16 = 2;
const FIB_FLAGS: u16 = 3;
const RESULT_ADDRTYPE: u32 = 3;
const OF_DESTINATION: u32 = 2;

const COMPARE_REGISTER: u16 = 1;
const COMPARE_OPERATION: u16 = 2;
const COMPARE_DATA: u16 = 3;

const LOOKUP_SET: u16 = 1;
const LOOKUP_REGISTER: u16 = 2;
const LOOKUP_FLAGS: u16 = 5;

const IMMEDIATE_REGISTER: u16 = 1;
const IMMEDIATE_DATA: u16 = 2;

const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;

// What the kernel knows of a packet beside its bytes.
const META_PROTOCOL: u32 = 1;
const META_MARK: u32 = 3;
const META_IIF: u32 = 4;
const META_OIF: u32 = 5;
const META_IIFTYPE: u32 = 8;
const META_NFPROTO: u32 = 15;
const META_PKTTYPE: u32 = 19;

/// The instructions of one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instructions {
    Compare { source: Source, equal: bool, value: Vec<u8> },
    Lookup { sources: Vec<Source>, set: String, inverted: bool },
    SetEtherDaddr(MacAddr),
    SetPkttype(u8),
    Counter,
    Verdict(u32),
}

/// Where the kernel finds a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Protocol,
    Nfproto,
    Mark,
    Iif,
    Oif,
    /// The hardware type of the interface that the packet came in by; to the egress hook, the
    /// interface that it leaves by.
    Iiftype,
    /// Bytes of the Ethernet header.
    LinkHeader {
        offset: u32,
        len: u32,
    },
    /// Bytes of the ARP or IPv4 header.
    NetworkHeader {
        offset: u32,
        len: u32,
    },
    NextHop,
    DestinationType,
}

impl Instructions {
    /// Writes them as elements of a list.
    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            Self::Compare { source, equal, value } => compare(out, *source, *equal, value),
            Self::Lookup { sources, set, inverted } => {
                let mut register = REGISTER;
                let mut used = 0;
                for source in sources {
                    source.write_to(out, register);
                    used += source.len().div_ceil(QUARTER_LEN);
                    register = QUARTERS + used;
                }
                instruction(out, "lookup", |data| {
                    text(data, LOOKUP_SET, set);
                    number(data, LOOKUP_REGISTER, REGISTER);
                    number(data, LOOKUP_FLAGS, u32::from(*inverted));
                });
            }
            Self::SetEtherDaddr(mac) => {
                compare(out, Source::Iiftype, true, &libc::ARPHRD_ETHER.to_ne_bytes());
                load(out, &mac.octets());
                instruction(out, "payload", |data| {
                    number(data, PAYLOAD_FROM_REGISTER, REGISTER);
                    number(data, PAYLOAD_BASE, LINK_HEADER);
                    number(data, PAYLOAD_OFFSET, 0);
                    number(data, PAYLOAD_LEN, 6);
                });
            }
            Self::SetPkttype(pkttype) => {
                load(out, &[*pkttype]);
                instruction(out, "meta", |data| {
                    number(data, META_KEY, META_PKTTYPE);
                    number(data, META_FROM_REGISTER, REGISTER);
                });
            }
            Self::Counter => instruction(out, "counter", |_| {}),
            Self::Verdict(verdict) => instruction(out, "immediate", |data| {
                number(data, IMMEDIATE_REGISTER, VERDICT_REGISTER);
                data.nested(IMMEDIATE_DATA, |data| {
                    data.nested(DATA_VERDICT, |inner| number(inner, VERDICT_CODE, *verdict));
                });
            }),
        }
    }
}

impl Source {
    /// How many bytes the field has.
    const fn len(self) -> u32 {
        match self {
            Self::Nfproto => 1,
            Self::Protocol | Self::Iiftype => 2,
            Self::Mark | Self::Iif | Self::Oif | Self::NextHop | Self::DestinationType => 4,
            Self::LinkHeader { len, .. } | Self::NetworkHeader { len, .. } => len,
        }
    }

    /// Writes the instruction that loads the field.
    fn write(self, out: &mut Writer) {
        self.write_to(out, REGISTER);
    }

    fn write_to(self, out: &mut Writer, register: u32) {
        let meta = |out: &mut Writer, key| {
            instruction(out, "meta", |data| {
                number(data, META_TO_REGISTER, register);
                number(data, META_KEY, key);
            });
        };
        let payload = |out: &mut Writer, base, offset, len| {
            instruction(out, "payload", |data| {
                number(data, PAYLOAD_TO_REGISTER, register);
                number(data, PAYLOAD_BASE, base);
                number(data, PAYLOAD_OFFSET, offset);
                number(data, PAYLOAD_LEN, len);
            });
        };
        match self {
            Self::Protocol => meta(out, META_PROTOCOL),
            Self::Nfproto => meta(out, META_NFPROTO),
            Self::Mark => meta(out, META_MARK),
            Self::Iif => meta(out, META_IIF),
            Self::Oif => meta(out, META_OIF),
            Self::Iiftype => meta(out, META_IIFTYPE),
            Self::LinkHeader { offset, len } => payload(out, LINK_HEADER, offset, len),
            Self::NetworkHeader { offset, len } => payload(out, NETWORK_HEADER, offset, len),
            Self::NextHop => instruction(out, "rt", |data| {
                number(data, ROUTE_TO_REGISTER, register);
                number(data, ROUTE_KEY, KEY_NEXTHOP4);
            }),
            Self::DestinationType => instruction(out, "fib", |data| {
                number(data, FIB_TO_REGISTER, register);
                number(data, FIB_RESULT, RESULT_ADDRTYPE);
                number(data, FIB_FLAGS, OF_DESTINATION);
            }),
        }
    }
}

/// Writes the instructions that compare a field with the first bytes of what it has to be.
fn compare(out: &mut Writer, source: Source, equal: bool, value: &[u8]) {
    source.write(out);
    instruction(out, "cmp", |data| {
        number(data, COMPARE_REGISTER, REGISTER);
        number(data, COMPARE_OPERATION, u32::from(!equal));
        data.nested(COMPARE_DATA, |inner| inner.attribute(DATA_VALUE, value));
    });
}

/// Writes the instruction that loads a constant.
fn load(out: &mut Writer, value: &[u8]) {
    instruction(out, "immediate", |data| {
        number(data, IMMEDIATE_REGISTER, REGISTER);
        data.nested(IMMEDIATE_DATA, |inner| inner.attribute(DATA_VALUE, value));
    });
}

fn instruction(out: &mut Writer, name: &str, fill: impl FnOnce(&mut Writer)) {
    out.nested(LIST_ELEMENT, |element| {
        text(element, EXPRESSION_NAME, name);
        element.nested(EXPRESSION_DATA, fill);
    });
}

/// Writes a number; all numbers in attributes of nf_tables are in network byte order.
pub(super) fn number(out: &mut Writer, kind: u16, value: u32) {
    out.attribute(kind, &value.to_be_bytes());
}

/// Writes text with the zero byte that ends it.
pub(super) fn text(out: &mut Writer, kind: u16, text: &str) {
    out.attribute(kind, &[text.as_bytes(), &[0]].concat());
}
