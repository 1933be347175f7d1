//! Golden frames, refusals (T24 of the wire tests), and properties of the codec.

extern crate std;
use super::*;
use etherparse::{ArpEthIpv4Packet, ArpHardwareId, ArpPacketSlice, EtherType};
use proptest::prelude::*;
use std::vec::Vec;

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
    (any::<bool>(), any::<[u8; 6]>(), any::<[u8; 4]>(), any::<[u8; 6]>(), any::<[u8; 4]>())
        .prop_map(|(reply, sender_mac, sender_ip, target_mac, target_ip)| ArpPacket {
            operation: if reply { Operation::Reply } else { Operation::Request },
            sender_mac: MacAddr(sender_mac),
            sender_ip: sender_ip.into(),
            target_mac: MacAddr(target_mac),
            target_ip: target_ip.into(),
        })
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
        let frame = packet.to_broadcast();
        let theirs = ArpPacketSlice::from_slice(&frame[HEADER_LEN..]).unwrap().to_packet();
        prop_assert_eq!(theirs.hw_addr_type, ArpHardwareId::ETHERNET);
        prop_assert_eq!(theirs.proto_addr_type, EtherType::IPV4);
        let theirs = ArpEthIpv4Packet::try_from(theirs).unwrap();
        prop_assert_eq!(theirs.sender_mac, packet.sender_mac.octets());
        prop_assert_eq!(theirs.sender_ipv4, packet.sender_ip.octets());
        prop_assert_eq!(theirs.target_mac, packet.target_mac.octets());
        prop_assert_eq!(theirs.target_ipv4, packet.target_ip.octets());
    }

    /// Whatever one codec accepts as Ethernet/IPv4 request or reply, ours does too, and no more.
    #[test]
    fn accepts_exactly_what_another_codec_accepts(mut bytes in proptest::collection::vec(any::<u8>(), 42..64),
                                                  fixed in any::<bool>()) {
        bytes[12..14].copy_from_slice(&ETHERTYPE_ARP.to_be_bytes());
        if fixed {
            bytes[14..20].copy_from_slice(&[0, 1, 8, 0, 6, 4]);
            bytes[20] = 0;
        }
        let theirs = ArpPacketSlice::from_slice(&bytes[HEADER_LEN..]).ok().map(|p| p.to_packet())
            .filter(|p| p.hw_addr_type == ArpHardwareId::ETHERNET && [1, 2].contains(&p.operation.0))
            .and_then(|p| ArpEthIpv4Packet::try_from(p).ok());
        let ours: Option<Vec<u8>> = ArpPacket::parse(&bytes).ok().map(|(_, p)| p.sender_mac.octets().to_vec());
        prop_assert_eq!(ours, theirs.map(|p| p.sender_mac.to_vec()));
    }
}
