//! Notifications as bytes: what they mean, and that none of them can do harm.

use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_core::{DefaultNla, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::address::{AddressAttribute, AddressMessage, CacheInfo};
use netlink_packet_route::link::{
    InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage, State,
};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use autoip_wire::MacAddr;

const IP: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 9);

fn bytes(message: RouteNetlinkMessage) -> Vec<u8> {
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

fn link() -> LinkMessage {
    let mut link = LinkMessage::default();
    link.header.index = 3;
    link.header.link_layer_type = LinkLayerType::Ether;
    link.header.flags = LinkFlags::Up | LinkFlags::LowerUp;
    link.attributes = vec![
        LinkAttribute::IfName("eth0".to_owned()),
        LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
        LinkAttribute::OperState(State::Up),
        LinkAttribute::Controller(9),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth)]),
    ];
    link
}

fn address() -> AddressMessage {
    let mut address = AddressMessage::default();
    address.header.family = AddressFamily::Inet;
    address.header.index = 3;
    address.header.prefix_len = 16;
    let mut lifetimes = CacheInfo::default();
    lifetimes.ifa_valid = u32::MAX;
    address.attributes = vec![
        AddressAttribute::Local(IpAddr::V4(IP)),
        AddressAttribute::Label("eth0:9".to_owned()),
        AddressAttribute::CacheInfo(lifetimes),
    ];
    address
}

fn route() -> RouteMessage {
    let mut route = RouteMessage::default();
    route.header.address_family = AddressFamily::Inet;
    route.header.kind = RouteType::Unicast;
    route.header.destination_prefix_length = 16;
    route.attributes = vec![
        RouteAttribute::Destination(RouteAddress::Inet(IP)),
        RouteAttribute::Oif(3),
        RouteAttribute::Table(39270),
    ];
    route
}

fn rule() -> RuleMessage {
    let mut rule = RuleMessage::default();
    rule.header.family = AddressFamily::Inet;
    rule.header.action = RuleAction::ToTable;
    rule.header.src_len = 32;
    rule.attributes = vec![
        RuleAttribute::Source(IpAddr::V4(IP)),
        RuleAttribute::Iifname("lo".to_owned()),
        RuleAttribute::Priority(3927),
        RuleAttribute::Table(39270),
        RuleAttribute::SuppressPrefixLen(u32::MAX),
        RuleAttribute::Protocol(169.into()),
    ];
    rule
}

/// One of each message that means something, in one datagram.
fn datagram() -> Vec<u8> {
    [
        RouteNetlinkMessage::NewLink(link()),
        RouteNetlinkMessage::DelLink(link()),
        RouteNetlinkMessage::NewAddress(address()),
        RouteNetlinkMessage::DelAddress(address()),
        RouteNetlinkMessage::NewRoute(route()),
        RouteNetlinkMessage::DelRoute(route()),
        RouteNetlinkMessage::NewRule(rule()),
        RouteNetlinkMessage::DelRule(rule()),
    ]
    .into_iter()
    .flat_map(bytes)
    .collect()
}

fn decoded_link(message: LinkMessage) -> Option<Link> {
    match &decode(&bytes(RouteNetlinkMessage::NewLink(message)))[..] {
        [] => None,
        [Event::LinkChanged(link)] => Some(link.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_datagram_holds_many_events() {
    let events = decode(&datagram());
    assert!(matches!(
        &events[..],
        [
            Event::LinkChanged(_),
            Event::LinkRemoved(_),
            Event::AddressAdded(_),
            Event::AddressRemoved(_),
            Event::RouteAdded(_),
            Event::RouteRemoved(_),
            Event::RuleAdded(_),
            Event::RuleRemoved(_),
        ]
    ));
}

#[test]
fn a_link_is_read() {
    let read = decoded_link(link()).unwrap();
    assert_eq!((read.index.get(), &*read.name), (3, "eth0"));
    assert_eq!(read.mac, Some(MacAddr([2, 0, 0, 0, 0, 1])));
    assert_eq!(read.kind.as_deref(), Some("veth"));
    assert_eq!(read.master, IfIndex::new(9));
    assert!(read.has_carrier() && read.unsuitable().is_none());
}

#[test]
fn an_unknown_attribute_hides_no_link() {
    let mut message = link();
    message.attributes.insert(0, LinkAttribute::Other(DefaultNla::new(0x3fff, vec![1, 2, 3])));
    message.attributes.insert(0, LinkAttribute::Other(DefaultNla::new(4, vec![1])));
    assert_eq!(decoded_link(message), decoded_link(link()));
}

#[test]
fn messages_of_a_bridge_and_of_wireless_drivers_are_no_link_changes() {
    let mut port = link();
    port.header.interface_family = AddressFamily::Bridge;
    assert_eq!(decode(&bytes(RouteNetlinkMessage::NewLink(port.clone()))), []);
    assert_eq!(decode(&bytes(RouteNetlinkMessage::DelLink(port))), []);

    let mut wireless = link();
    let event = DefaultNla::new(libc::IFLA_WIRELESS, vec![0; 8]);
    wireless.attributes.truncate(1);
    wireless.attributes.push(LinkAttribute::Other(event));
    assert_eq!(decoded_link(wireless), None);
}

#[test]
fn a_rule_is_read() {
    let expected = Rule {
        priority: 3927,
        from: Some((IP, 32)),
        to: None,
        iif: Some("lo".to_owned()),
        oif: None,
        table: Some(39270),
        protocol: 169,
    };
    let added = bytes(RouteNetlinkMessage::NewRule(rule()));
    assert_eq!(decode(&added), [Event::RuleAdded(expected)]);
}

#[test]
fn rules_with_other_conditions_and_actions_are_left_out() {
    let damage: [fn(&mut RuleMessage); 6] = [
        |rule| rule.header.family = AddressFamily::Inet6,
        |rule| rule.header.action = RuleAction::Unreachable,
        |rule| rule.header.flags = RuleFlags::Invert,
        |rule| rule.header.tos = 4,
        |rule| rule.attributes.push(RuleAttribute::FwMark(1)),
        |rule| rule.attributes.push(RuleAttribute::SuppressPrefixLen(0)),
    ];
    for damage in damage {
        let mut other = rule();
        damage(&mut other);
        assert_eq!(decode(&bytes(RouteNetlinkMessage::DelRule(other))), []);
    }
}

#[test]
fn other_families_and_kinds_are_left_out() {
    let mut ipv6 = address();
    ipv6.header.family = AddressFamily::Inet6;
    assert_eq!(decode(&bytes(RouteNetlinkMessage::NewAddress(ipv6))), []);
    let mut local = route();
    local.header.kind = RouteType::Local;
    assert_eq!(decode(&bytes(RouteNetlinkMessage::NewRoute(local))), []);
    let mut multipath = route();
    multipath.attributes.remove(1);
    assert_eq!(decode(&bytes(RouteNetlinkMessage::NewRoute(multipath))), []);
}

#[test]
fn the_kernels_word_for_lost_messages_is_heard() {
    let mut overrun = bytes(RouteNetlinkMessage::NewLink(link()));
    overrun[4..6].copy_from_slice(&NLMSG_OVERRUN.to_ne_bytes());
    assert_eq!(decode(&overrun), [Event::Overrun]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = decode(&bytes);
    }

    /// A plausible frame around arbitrary bytes gets them into the parsers of the bodies.
    #[test]
    fn arbitrary_bodies_do_no_harm(
        kind in 0u16..48,
        body in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        let length = u32::try_from(16 + body.len()).unwrap();
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(body);
        let _ = decode(&message);
    }

    #[test]
    fn damaged_messages_do_no_harm(
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        length in any::<Index>(),
    ) {
        let mut datagram = datagram();
        for (at, byte) in damage {
            let at = at.index(datagram.len());
            datagram[at] = byte;
        }
        let _ = decode(&datagram);
        datagram.truncate(length.index(datagram.len()));
        let _ = decode(&datagram);
    }
}
