//! Golden frames, refusals (T24 of the wire tests), and properties of the codec.

extern crate std;
use super::*;
use etherparse::{ArpEthIpv4Packet, ArpHardwareId, ArpPacketSlice, EtherType};
use proptest::prelude::*;

const MAC: MacAddr = MacAddr([0x02, 0x00, 0x5e, 0x10, 0x00, 0x01]);
const ADDR: Ipv4Addr = Ipv4Addr::new(169, 254, 20, 20);

//= test LL-1.2-01
//= test LL-1.2-02
//= test LL-1.2-03
#[test]
fn probe_has_exactly_these_bytes() {
    let golden: Frame = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 0x08, 0x06, //
        0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01, //
        0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 0, 0, 0, 0, //
        0, 0, 0, 0, 0, 0, 169, 254, 20, 20,
    ];
    assert_eq!(ArpPacket::probe(MAC, ADDR).to_broadcast(), golden);
}

//= test LL-1.2-05
//= test ACD-3-01
#[test]
fn announcement_has_exactly_these_bytes() {
    let golden: Frame = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 0x08, 0x06, //
        0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01, //
        0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 169, 254, 20, 20, //
        0, 0, 0, 0, 0, 0, 169, 254, 20, 20,
    ];
    assert_eq!(ArpPacket::announcement(MAC, ADDR).to_broadcast(), golden);
}

#[test]
fn padding_is_ignored_and_a_short_frame_refused() {
    let frame = ArpPacket::probe(MAC, ADDR).to_broadcast();
    let mut padded = frame.to_vec();
    padded.resize(60, 0xaa);
    assert_eq!(ArpPacket::parse(&padded), ArpPacket::parse(&frame));
    for len in 0..FRAME_LEN {
        assert_eq!(ArpPacket::parse(&frame[..len]), Err(ParseError::Short), "{len} bytes");
    }
}

#[test]
fn foreign_formats_and_operations_are_refused() {
    let refused = |at: usize, value: u8| {
        let mut frame = ArpPacket::probe(MAC, ADDR).to_broadcast();
        frame[at] = value;
        ArpPacket::parse(&frame).unwrap_err()
    };
    assert_eq!(refused(12, 0x81), ParseError::EtherType, "VLAN tag");
    assert_eq!(refused(13, 0x00), ParseError::EtherType, "IPv4");
    assert_eq!(refused(15, 6), ParseError::AddressFormat, "hardware type");
    assert_eq!(refused(16, 0x86), ParseError::AddressFormat, "protocol type");
    assert_eq!(refused(18, 8), ParseError::AddressFormat, "hardware length");
    assert_eq!(refused(19, 16), ParseError::AddressFormat, "protocol length");
    for op in [0, 3, 4, 8, 9, 255] {
        assert_eq!(refused(21, op), ParseError::Operation, "operation {op}");
    }
}

fn any_packet() -> impl Strategy<Value = ArpPacket> {
    let operation = prop_oneof![Just(Operation::Request), Just(Operation::Reply)];
    let sender = (any::<[u8; 6]>(), any::<[u8; 4]>());
    let target = (any::<[u8; 6]>(), any::<[u8; 4]>());
    (operation, sender, target).prop_map(|(operation, sender, target)| ArpPacket {
        operation,
        sender_mac: MacAddr(sender.0),
        sender_ip: sender.1.into(),
        target_mac: MacAddr(target.0),
        target_ip: target.1.into(),
    })
}

/// What the other codec makes of a frame that is ARP for IPv4 over Ethernet, else `None`.
fn read_by_another_codec(frame: &[u8]) -> Option<ArpEthIpv4Packet> {
    let packet = ArpPacketSlice::from_slice(&frame[HEADER_LEN..]).ok()?.to_packet();
    let known = packet.hw_addr_type == ArpHardwareId::ETHERNET
        && packet.proto_addr_type == EtherType::IPV4
        && [1, 2].contains(&packet.operation.0);
    known.then(|| ArpEthIpv4Packet::try_from(packet).ok()).flatten()
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(packet in any_packet(), destination in any::<[u8; 6]>()) {
        let destination = MacAddr(destination);
        let (ethernet, read) = ArpPacket::parse(&packet.to_frame(destination)).unwrap();
        prop_assert_eq!(read, packet);
        prop_assert_eq!(ethernet, Ethernet { destination, source: packet.sender_mac });
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = ArpPacket::parse(&bytes);
    }

    /// An independent codec reads our bytes the same way.
    #[test]
    fn another_codec_agrees(packet in any_packet()) {
        let theirs = read_by_another_codec(&packet.to_broadcast()).unwrap();
        prop_assert_eq!(theirs.sender_mac, packet.sender_mac.octets());
        prop_assert_eq!(theirs.sender_ipv4, packet.sender_ip.octets());
        prop_assert_eq!(theirs.target_mac, packet.target_mac.octets());
        prop_assert_eq!(theirs.target_ipv4, packet.target_ip.octets());
    }

    /// Whatever the other codec accepts as a request or reply, ours accepts too, and no more.
    #[test]
    fn accepts_exactly_what_another_codec_accepts(
        mut bytes in proptest::collection::vec(any::<u8>(), FRAME_LEN..64),
        fixed in any::<bool>(),
    ) {
        bytes[12..14].copy_from_slice(&ETHERTYPE_ARP.to_be_bytes());
        if fixed {
            bytes[14..21].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0]);
        }
        let ours = ArpPacket::parse(&bytes).ok().map(|(_, packet)| packet.sender_mac.octets());
        let theirs = read_by_another_codec(&bytes).map(|packet| packet.sender_mac);
        prop_assert_eq!(ours, theirs);
    }
}

#[test]
fn every_refusal_says_what_is_wrong() {
    let refusals = [
        (ParseError::Short, "shorter"),
        (ParseError::EtherType, "not an ARP frame"),
        (ParseError::AddressFormat, "IPv4 over Ethernet"),
        (ParseError::Operation, "request nor a reply"),
    ];
    for (error, words) in refusals {
        assert!(std::format!("{error}").contains(words), "{error:?}");
    }
}
