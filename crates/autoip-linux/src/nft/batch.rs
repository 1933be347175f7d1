//! Changes that are made together.

use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST};

use super::instruction::{number, text};
use super::{
    Chain, Family, Key, LIST_ELEMENT, NEW_RULE, RULE_CHAIN, RULE_EXPRESSIONS, RULE_TABLE, Set,
    Statement, Table, kind,
};
use crate::netlink::Writer;

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// The subsystem that a batch is for stands in the header of its begin and end.
const FOR_NF_TABLES: [u8; 4] = [0, 0, 0, 10];

const NEW_TABLE: u16 = kind(0);
const DELETE_TABLE: u16 = kind(2);
const NEW_CHAIN: u16 = kind(3);
const DELETE_CHAIN: u16 = kind(5);
const NEW_SET: u16 = kind(9);
const DELETE_SET: u16 = kind(11);
const NEW_ELEMENTS: u16 = kind(12);
const DELETE_ELEMENTS: u16 = kind(14);

const TABLE_NAME: u16 = 1;
const TABLE_FLAGS: u16 = 2;
const OWNER: u32 = 2;

const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_POLICY: u16 = 5;
const CHAIN_TYPE: u16 = 7;
const POLICY_ACCEPT: u32 = 1;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const HOOK_DEVICE: u16 = 3;

const SET_TABLE: u16 = 1;
const SET_NAME: u16 = 2;
const SET_KEY_TYPE: u16 = 4;
const SET_KEY_LEN: u16 = 5;
const SET_ID: u16 = 10;
const SET_USER_DATA: u16 = 13;
/// What nft writes there when the keys are in the order of the machine: the number of the item,
/// its length, and 1.
const KEYS_IN_HOST_ORDER: [u8; 2] = [0, 4];

const ELEMENTS_TABLE: u16 = 1;
const ELEMENTS_SET: u16 = 2;
const ELEMENTS: u16 = 3;
const ELEMENT_KEY: u16 = 1;
const DATA_VALUE: u16 = 1;

/// More of them in one message could be too long for an attribute.
const ELEMENTS_MAX: usize = 1000;

/// Changes that [`Nft::commit`](super::Nft::commit) makes together, in this order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
struct Change {
    kind: u16,
    flags: u16,
    family: Family,
    attributes: Vec<u8>,
    /// What it does, to complete the phrase "could not …".
    op: String,
}

impl Batch {
    /// No change at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table; there must be none of that name yet.
    pub fn add_table(&mut self, table: &Table<'_>) -> &mut Self {
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        self.push(NEW_TABLE, flags, table, format!("add the {table}"), |out| {
            text(out, TABLE_NAME, table.name);
            number(out, TABLE_FLAGS, if table.owned { OWNER } else { 0 });
        })
    }

    /// Removes a table with everything in it.
    pub fn remove_table(&mut self, table: &Table<'_>) -> &mut Self {
        self.push(DELETE_TABLE, 0, table, format!("remove the {table}"), |out| {
            text(out, TABLE_NAME, table.name);
        })
    }

    /// Adds a chain.
    pub fn add_chain(&mut self, chain: &Chain<'_>) -> &mut Self {
        let op = match chain.hook.device() {
            Some(device) => format!("add the {chain} for {device}"),
            None => format!("add the {chain}"),
        };
        self.push(NEW_CHAIN, NLM_F_CREATE, &chain.table, op, |out| {
            text(out, CHAIN_TABLE, chain.table.name);
            text(out, CHAIN_NAME, chain.name);
            out.nested(CHAIN_HOOK, |hook| {
                number(hook, HOOK_NUMBER, chain.hook.number());
                number(hook, HOOK_PRIORITY, chain.priority.cast_unsigned());
                if let Some(device) = chain.hook.device() {
                    text(hook, HOOK_DEVICE, device);
                }
            });
            number(out, CHAIN_POLICY, POLICY_ACCEPT);
            text(out, CHAIN_TYPE, "filter");
        })
    }

    /// Removes a chain with its rules.
    pub fn remove_chain(&mut self, chain: &Chain<'_>) -> &mut Self {
        self.push(DELETE_CHAIN, 0, &chain.table, format!("remove the {chain}"), |out| {
            text(out, CHAIN_TABLE, chain.table.name);
            text(out, CHAIN_NAME, chain.name);
        })
    }

    /// Adds a set without elements.
    pub fn add_set<K: Key>(&mut self, set: &Set<'_, K>) -> &mut Self {
        // The kernel wants sets that are added together to have different numbers.
        let id = u32::try_from(self.changes.len()).unwrap_or(u32::MAX);
        self.push(NEW_SET, NLM_F_CREATE, &set.table, format!("add the {set}"), |out| {
            text(out, SET_TABLE, set.table.name);
            text(out, SET_NAME, set.name);
            number(out, SET_KEY_TYPE, K::TYPE);
            number(out, SET_KEY_LEN, u32::try_from(K::LEN).expect("a key is short"));
            number(out, SET_ID, id);
            if K::HOST_ORDER {
                let order = [&KEYS_IN_HOST_ORDER[..], &1u32.to_ne_bytes()].concat();
                out.attribute(SET_USER_DATA, &order);
            }
        })
    }

    /// Removes a set, which no rule may use any longer.
    pub fn remove_set<K>(&mut self, set: &Set<'_, K>) -> &mut Self {
        self.push(DELETE_SET, 0, &set.table, format!("remove the {set}"), |out| {
            text(out, SET_TABLE, set.table.name);
            text(out, SET_NAME, set.name);
        })
    }

    /// Adds elements to a set; those that it has already are left as they are.
    pub fn add_elements<K: Key>(&mut self, set: &Set<'_, K>, keys: &[K]) -> &mut Self {
        for keys in keys.chunks(ELEMENTS_MAX) {
            let op = format!("add {} to the {set}", listing(keys));
            self.push(NEW_ELEMENTS, NLM_F_CREATE, &set.table, op, |out| elements(out, set, keys));
        }
        self
    }

    /// Removes elements from a set, all of which must be in it.
    pub fn remove_elements<K: Key>(&mut self, set: &Set<'_, K>, keys: &[K]) -> &mut Self {
        for keys in keys.chunks(ELEMENTS_MAX) {
            let op = format!("remove {} from the {set}", listing(keys));
            self.push(DELETE_ELEMENTS, 0, &set.table, op, |out| elements(out, set, keys));
        }
        self
    }

    /// Adds a rule behind those that the chain has.
    pub fn add_rule(
        &mut self,
        chain: &Chain<'_>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> &mut Self {
        let flags = NLM_F_CREATE | NLM_F_APPEND;
        self.push(NEW_RULE, flags, &chain.table, format!("add a rule to the {chain}"), |out| {
            text(out, RULE_TABLE, chain.table.name);
            text(out, RULE_CHAIN, chain.name);
            out.nested(RULE_EXPRESSIONS, |list| {
                for statement in statements {
                    statement.write(list);
                }
            });
        })
    }

    fn push(
        &mut self,
        kind: u16,
        flags: u16,
        table: &Table<'_>,
        op: String,
        fill: impl FnOnce(&mut Writer),
    ) -> &mut Self {
        let mut out = Writer::default();
        fill(&mut out);
        let attributes = out.into_bytes();
        self.changes.push(Change { kind, flags, family: table.family, attributes, op });
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// What the change in one place does; without a place, what all of them do.
    pub(super) fn to_op(&self, place: Option<usize>) -> String {
        let change = place.and_then(|place| self.changes.get(place));
        change.map_or("change nf_tables", |change| &change.op).to_owned()
    }

    /// Each change as a batch of its own.
    pub(super) fn singles(&self) -> impl Iterator<Item = Self> {
        self.changes.iter().map(|change| Self { changes: vec![change.clone()] })
    }

    /// The whole as one datagram, in which the begin has the number `begin`, the changes have the
    /// next ones and the end has the last one.
    ///
    /// Only the last change asks for an acknowledgement, which comes when all have been made; the
    /// kernel reports every change that it refuses, whether asked or not.
    pub(super) fn datagram(&self, begin: u32) -> Vec<u8> {
        let mut out = Writer::default();
        let mut sequence = begin;
        out.message(BATCH_BEGIN, NLM_F_REQUEST, sequence, |body| body.raw(&FOR_NF_TABLES));
        for (place, change) in self.changes.iter().enumerate() {
            let Change { kind, flags, family, attributes, .. } = change;
            sequence = sequence.wrapping_add(1);
            let ack = if place + 1 == self.changes.len() { NLM_F_ACK } else { 0 };
            out.message(*kind, NLM_F_REQUEST | ack | flags, sequence, |body| {
                body.raw(&header(*family));
                body.raw(attributes);
            });
        }
        let end = sequence.wrapping_add(1);
        out.message(BATCH_END, NLM_F_REQUEST, end, |body| body.raw(&FOR_NF_TABLES));
        out.into_bytes()
    }
}

impl Chain<'_> {
    /// The body of a request for the rules of the chain.
    pub(super) fn rules(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(&header(self.table.family));
        text(&mut out, RULE_TABLE, self.table.name);
        text(&mut out, RULE_CHAIN, self.name);
        out.into_bytes()
    }
}

const fn header(family: Family) -> [u8; 4] {
    [family.number(), 0, 0, 0]
}

fn elements<K: Key>(out: &mut Writer, set: &Set<'_, K>, keys: &[K]) {
    text(out, ELEMENTS_TABLE, set.table.name);
    text(out, ELEMENTS_SET, set.name);
    out.nested(ELEMENTS, |list| {
        for key in keys {
            list.nested(LIST_ELEMENT, |element| {
                element.nested(ELEMENT_KEY, |value| value.attribute(DATA_VALUE, &key.to_bytes()));
            });
        }
    });
}

fn listing<K: Key>(keys: &[K]) -> String {
    match keys {
        [key] => key.to_text(),
        many => format!("{} {}", many.len(), K::PLURAL),
    }
}
