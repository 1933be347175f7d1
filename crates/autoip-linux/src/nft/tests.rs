//! Batches as bytes, and that no answer of the kernel can do harm.

use std::net::Ipv4Addr;

use autoip_wire::MacAddr;
use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::IfIndex;
use crate::netlink::Writer;

const TABLE: Table<'_> = Table { family: Family::Inet, name: "guard", owned: true };
const CHAIN: Chain<'_> =
    Chain { table: TABLE, name: "forward", hook: Hook::Forward, priority: -150 };
const SET: Set<'_> = Set::new(TABLE, "claimed");

fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0xa9fe_0000 + u32::try_from(host).unwrap())
}

#[test]
fn a_batch_is_numbered_from_its_begin_to_its_end() {
    let mut batch = Batch::new();
    batch.add_table(&TABLE).add_chain(&CHAIN).add_rule(&CHAIN, [counter(), drop()]);
    let datagram = batch.datagram(u32::MAX);
    let read: Vec<_> = messages(&datagram).map(|m| (m.kind, m.sequence)).collect();
    assert_eq!(read, [(0x10, u32::MAX), (0xa00, 0), (0xa03, 1), (0xa06, 2), (0x11, 3)]);
    for message in messages(&datagram) {
        let is_change = message.kind >= 0xa00;
        let is_last = message.kind == 0xa06;
        assert_eq!(message.flags & NLM_F_ACK != 0, is_last, "{message:?}");
        assert_eq!(message.flags & NLM_F_REQUEST, NLM_F_REQUEST);
        let header: &[u8] = if is_change { &[1, 0, 0, 0] } else { &[0, 0, 0, 10] };
        assert_eq!(&message.body[..HEADER_LEN], header);
    }
}

#[test]
fn a_refusal_names_what_was_refused() {
    let mut batch = Batch::new();
    batch.add_table(&TABLE).add_set(&SET).add_elements(&SET, &[address(7)]);
    batch.remove_elements(&SET, &[address(7), address(8)]).add_rule(&CHAIN, [drop()]);
    let hook = Hook::Egress { device: "eth0" };
    batch.add_chain(&Chain { hook, ..CHAIN }).remove_chain(&CHAIN).remove_table(&TABLE);
    let ops: Vec<_> = (0..batch.len()).map(|i| batch.to_op(Some(i))).collect();
    assert_eq!(
        ops,
        [
            "add the table inet guard",
            "add the set claimed of table inet guard",
            "add 169.254.0.7 to the set claimed of table inet guard",
            "remove 2 addresses from the set claimed of table inet guard",
            "add a rule to the chain forward of table inet guard",
            "add the chain forward of table inet guard for eth0",
            "remove the chain forward of table inet guard",
            "remove the table inet guard",
        ]
    );
    assert_eq!(batch.to_op(None), "change nf_tables");
    assert_eq!(
        [place(0, 3), place(1, 3), place(3, 3), place(4, 3)],
        [None, Some(0), Some(2), None]
    );
}

#[test]
fn long_lists_are_split() {
    let addresses: Vec<_> = (0..65_024).map(address).collect();
    let mut batch = Batch::new();
    batch.add_elements(&SET, &addresses).remove_elements(&SET, &[]);
    assert_eq!(batch.len(), 66);
    assert_eq!(batch.datagram(0).len(), 20 + 66 * (4 + 16 + 12 + 12 + 4) + 65_024 * 16 + 20);
}

#[test]
fn keys_have_the_length_that_their_set_says() {
    fn assert_length<K: Key>(key: K) {
        assert_eq!(key.to_bytes().len(), K::LEN);
    }
    let (index, mac) = (IfIndex::new(3).unwrap(), MacAddr([2, 0, 0, 0, 0, 9]));
    assert_length(address(7));
    assert_length(index);
    assert_length((index, index));
    assert_length((mac, address(7)));
    assert_length((index, mac));
    let bytes = [&3u32.to_ne_bytes()[..], &mac.octets(), &[0, 0]].concat();
    assert_eq!((index, mac).to_bytes(), bytes, "each part fills registers of its own");
}

#[test]
fn a_pair_is_looked_up_in_neighbouring_registers() {
    let set = Set::new(TABLE, "own");
    let instructions = written(&meta_iif().with(ether_daddr()).is_in(&set));
    let be = |number: u32| number.to_be_bytes().to_vec();
    let registers: Vec<_> =
        instructions.iter().map(|(name, data)| (name.as_str(), data[0].clone())).collect();
    assert_eq!(
        registers,
        [("meta\0", (1, be(1))), ("payload\0", (1, be(9))), ("lookup\0", (1, b"own\0".to_vec()))]
    );
}

type Instruction = (String, Vec<(u16, Vec<u8>)>);

/// The instructions of a statement: the name of each, and its attributes.
fn written(statement: &Statement) -> Vec<Instruction> {
    let mut out = Writer::default();
    statement.write(&mut out);
    attributes(&out.into_bytes(), 0)
        .map(|(_, element)| {
            let parts: Vec<_> = attributes(element, 0).collect();
            let [(EXPRESSION_NAME, name), (EXPRESSION_DATA, data)] = parts[..] else {
                panic!("{parts:?}");
            };
            let name = String::from_utf8(name.to_vec()).unwrap();
            (name, attributes(data, 0).map(|(kind, value)| (kind, value.to_vec())).collect())
        })
        .collect()
}

/// The value that a test compares with.
fn compared(statement: &Statement) -> Vec<u8> {
    let instructions = written(statement);
    let (name, compare) = &instructions[1];
    assert_eq!(name, "cmp\0");
    let (kind, nested) = &compare[2];
    assert_eq!(*kind, 3);
    let (kind, value) = attributes(nested, 0).next().unwrap();
    assert_eq!(kind, 1);
    value.to_vec()
}

#[test]
fn a_test_loads_and_compares() {
    let instructions = written(&arp_saddr_ip().is_not(address(7)));
    let be = |number: u32| number.to_be_bytes().to_vec();
    assert_eq!(
        instructions[0],
        ("payload\0".to_owned(), vec![(1, be(1)), (2, be(1)), (3, be(14)), (4, be(4))])
    );
    assert_eq!(instructions[1].1[..2], [(1, be(1)), (2, be(1))]);
    assert_eq!(instructions.len(), 2);
}

#[test]
fn values_have_the_byte_order_of_their_field() {
    assert_eq!(compared(&meta_protocol_arp()), [8, 6]);
    assert_eq!(compared(&meta_protocol_ip()), [8, 0]);
    assert_eq!(compared(&meta_nfproto_ipv4()), [2]);
    assert_eq!(compared(&arp_operation_reply()), [0, 2]);
    assert_eq!(compared(&meta_mark().is(7)), 7u32.to_ne_bytes());
    assert_eq!(compared(&meta_oif().is(IfIndex::new(3).unwrap())), 3u32.to_ne_bytes());
    assert_eq!(compared(&fib_daddr_type_unicast()), 1u32.to_ne_bytes());
    assert_eq!(compared(&ip_daddr().is(address(7))), [169, 254, 0, 7]);
    assert_eq!(compared(&ip_daddr().starts_with([169, 254])), [169, 254]);
    let mac = MacAddr([2, 0, 0, 0, 0, 9]);
    assert_eq!(compared(&arp_daddr_ether().is(mac)), mac.octets());
}

/// The description of a rule with a counter between other expressions.
fn rule() -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(&[1, 0, 0, 0]);
    out.attribute(RULE_TABLE, b"guard\0");
    out.attribute(RULE_CHAIN, b"forward\0");
    out.nested(RULE_EXPRESSIONS, |list| {
        meta_mark().is(1).write(list);
        list.nested(LIST_ELEMENT, |element| {
            element.attribute(EXPRESSION_NAME, b"counter\0");
            element.nested(EXPRESSION_DATA, |data| {
                data.attribute(COUNTER_BYTES, &84u64.to_be_bytes());
                data.attribute(COUNTER_PACKETS, &2u64.to_be_bytes());
            });
        });
        drop().write(list);
    });
    out.into_bytes()
}

#[test]
fn counters_are_read_from_the_rules_of_their_chain() {
    assert_eq!(rule_counters(&rule(), &CHAIN), Some(vec![Counter { packets: 2, bytes: 84 }]));
    assert_eq!(rule_counters(&rule(), &Chain { name: "other", ..CHAIN }), None);
    let table = Table { name: "other", ..TABLE };
    assert_eq!(rule_counters(&rule(), &Chain { table, ..CHAIN }), None);
}

proptest! {
    #[test]
    fn arbitrary_rules_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = rule_counters(&bytes, &CHAIN);
    }

    #[test]
    fn damaged_rules_do_no_harm(
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        length in any::<Index>(),
    ) {
        let mut rule = rule();
        for (at, byte) in damage {
            let at = at.index(rule.len());
            rule[at] = byte;
        }
        let _ = rule_counters(&rule, &CHAIN);
        rule.truncate(length.index(rule.len()));
        let _ = rule_counters(&rule, &CHAIN);
    }
}
