//! The socket that hears on one port of this host what another one sends.

use autoip_linux::{IfIndex, PacketSocket, Port, SIBLINGS_MAX, SiblingSocket};
use autoip_wire::{ArpPacket, MacAddr};

use crate::cable::{Cable, OTHER, OURS, await_readable};

const NEAR: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const FAR: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

pub(crate) fn across() {
    let cable = Cable::new();
    let socket = SiblingSocket::open().unwrap();
    let ports = [Port { index: cable.near, mac: NEAR }, Port { index: cable.far, mac: FAR }];
    assert_eq!(socket.set_ports(&ports).unwrap(), 2);
    let sender = PacketSocket::arp(cable.far).unwrap();
    let question = ArpPacket { target_ip: OTHER, ..ArpPacket::announcement(FAR, OURS) };
    // An echo, a question, a stranger's probe; then what tells something.
    for packet in [
        ArpPacket::probe(NEAR, OURS),
        question,
        ArpPacket::probe(MacAddr([2, 0, 0, 0, 0, 3]), OURS),
        ArpPacket::probe(FAR, OURS),
    ] {
        sender.send(&packet.to_broadcast()).unwrap();
    }
    await_readable(&socket);
    assert_eq!(socket.receive().unwrap(), Some((cable.near, FAR)));
    assert_eq!(socket.receive().unwrap(), None);
}

pub(crate) fn hundred_ports() {
    let socket = SiblingSocket::open().unwrap();
    let port = |number: u32| Port {
        index: IfIndex::new(number).unwrap(),
        mac: MacAddr([0xf2, 0, 0, 0, number.to_be_bytes()[2], number.to_be_bytes()[3]]),
    };
    let ports: Vec<_> = (1..=1000).map(port).collect();
    for _ in 0..2 {
        assert_eq!(socket.set_ports(&ports[..100]).unwrap(), 100);
    }
    let count = socket.set_ports(&ports).unwrap();
    assert!((100..=SIBLINGS_MAX).contains(&count), "{count}");
}
