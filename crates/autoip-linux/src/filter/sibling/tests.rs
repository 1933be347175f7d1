//! The program for many ports, run by the interpreter of the other filters.

use std::net::Ipv4Addr;

use autoip_wire::ArpPacket;
use proptest::prelude::*;

use super::*;
use crate::filter::tests::{Ancillary, accepts};

const ADDR: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 9);
const OTHER: Ipv4Addr = Ipv4Addr::new(169, 254, 9, 7);

fn port(number: u32) -> Port {
    let [_, _, c, d] = number.to_be_bytes();
    Port { index: IfIndex::new(number + 2).unwrap(), mac: MacAddr([2, c, d, 0, 0, c ^ d]) }
}

fn ports(count: usize) -> Vec<Port> {
    (0..).map(port).take(count).collect()
}

/// Whether a frame passes that comes in by this interface.
fn passes(ports: &[Port], packet: &ArpPacket, index: IfIndex) -> bool {
    let ancillary = Ancillary { index: index.get(), ..Ancillary::default() };
    accepts(&program(ports), &packet.to_broadcast(), ancillary)
}

#[test]
fn probes_and_announcements_of_one_port_pass_on_another() {
    let ports = ports(3);
    for from in &ports {
        for to in &ports {
            let across = from != to;
            for packet in
                [ArpPacket::probe(from.mac, ADDR), ArpPacket::announcement(from.mac, ADDR)]
            {
                assert_eq!(passes(&ports, &packet, to.index), across, "{from:?} {to:?}");
            }
            let request = ArpPacket { target_ip: OTHER, ..ArpPacket::announcement(from.mac, ADDR) };
            assert!(!passes(&ports, &request, to.index), "a question is neither");
        }
    }
}

#[test]
fn every_byte_of_the_mac_counts() {
    let ports = ports(2);
    for byte in 0..6 {
        for bit in 0..8 {
            let mut mac = ports[0].mac;
            mac.0[byte] ^= 1 << bit;
            let is_other_port = mac == ports[1].mac;
            assert!(!is_other_port);
            assert!(!passes(&ports, &ArpPacket::probe(mac, ADDR), ports[1].index), "{mac}");
        }
    }
}

#[test]
fn ports_that_differ_in_the_last_bytes_only_are_told_apart() {
    let port = |number: u8| Port {
        index: IfIndex::new(u32::from(number) + 2).unwrap(),
        mac: MacAddr([2, 0, 0, 0, 0, number]),
    };
    let ports: Vec<_> = (0..100).map(port).collect();
    for from in &ports {
        let probe = ArpPacket::probe(from.mac, ADDR);
        assert!(!passes(&ports, &probe, from.index), "an echo");
        assert!(passes(&ports, &probe, IfIndex::new(1).unwrap()));
    }
    let stranger = ArpPacket::probe(MacAddr([2, 0, 0, 0, 0, 100]), ADDR);
    assert!(!passes(&ports, &stranger, ports[0].index));
}

#[test]
fn so_many_fit_and_no_more() {
    let ports = ports(SIBLINGS_MAX + 1);
    let program = program(&ports);
    assert!(program.len() <= INSTRUCTIONS_MAX, "{}", program.len());
    assert!(program.len() + PORT_LEN > INSTRUCTIONS_MAX, "{}", program.len());
    let passes = |from: usize| {
        passes(&ports, &ArpPacket::probe(ports[from].mac, ADDR), IfIndex::new(1).unwrap())
    };
    assert!(passes(0) && passes(SIBLINGS_MAX - 1) && !passes(SIBLINGS_MAX));
}

#[test]
fn without_ports_nothing_passes() {
    let probe = ArpPacket::probe(port(0).mac, ADDR);
    assert!(!passes(&[], &probe, IfIndex::new(9).unwrap()));
}

proptest! {
    #[test]
    fn no_bytes_run_out_of_the_program(frame in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(!accepts(&program(&ports(3)), &frame, Ancillary::default()));
    }
}
