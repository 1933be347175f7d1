//! Policy rules and the routes behind them: read back, and seen on the wire.

use std::net::{Ipv4Addr, UdpSocket};
use std::slice::from_ref;

use autoip_linux::rtnl::{
    Address, Event, LOCAL_TABLE, MAIN_TABLE, Monitor, Route, RouteKind, Rule,
};
use autoip_linux::{Direction, PacketSocket};

use crate::cable::{Cable, OTHER, OURS, await_frame};
use crate::monitor::await_event;
use crate::route::{address, route};

const TABLE: u32 = 39270;
const PROTOCOL: u8 = 169;
const PLAIN: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 254);
const FAR_AWAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

fn rule() -> Rule {
    Rule {
        priority: 3927,
        from: Some((OURS, 32)),
        to: None,
        iif: None,
        oif: None,
        table: Some(TABLE),
        protocol: PROTOCOL,
    }
}

pub(crate) fn rules() {
    let mut cable = Cable::new();
    let stock = cable.rtnl.rules().unwrap();
    let tables: Vec<_> = stock.iter().map(|rule| rule.table).collect();
    assert_eq!(
        tables,
        [LOCAL_TABLE, MAIN_TABLE, 253].map(Some),
        "local, main and default: {stock:?}"
    );

    let mut monitor = Monitor::open().unwrap();
    let plain = rule();
    let full = Rule {
        to: Some((Ipv4Addr::new(169, 254, 0, 0), 16)),
        iif: Some("near".to_owned()),
        oif: Some("absent".to_owned()),
        table: Some(7),
        ..rule()
    };
    let dropping = Rule { iif: Some("near".to_owned()), table: None, ..rule() };
    for rule in [&plain, &full, &dropping] {
        cable.rtnl.add_rule(rule).unwrap();
        cable.rtnl.add_rule(rule).unwrap();
        await_event(&mut monitor, |event| *event == Event::RuleAdded(rule.clone()));
        let rules = cable.rtnl.rules().unwrap();
        assert_eq!(rules.iter().filter(|other| *other == rule).count(), 1, "{rules:?}");
    }
    for rule in [&full, &plain, &dropping] {
        assert!(cable.rtnl.remove_rule(rule).unwrap());
        assert!(!cable.rtnl.remove_rule(rule).unwrap());
        await_event(&mut monitor, |event| *event == Event::RuleRemoved(rule.clone()));
    }
    assert_eq!(cable.rtnl.rules().unwrap(), stock);
}

pub(crate) fn foreign() {
    let mut cable = Cable::new();
    let foreign = Rule { protocol: 4, ..rule() };
    cable.rtnl.add_rule(&foreign).unwrap();
    cable.rtnl.add_rule(&rule()).unwrap();
    let rules = cable.rtnl.rules().unwrap();
    let same: Vec<_> = rules.iter().filter(|rule| rule.table == Some(TABLE)).collect();
    assert_eq!(same, [&foreign, &rule()], "another protocol makes another rule");
    assert!(cable.rtnl.remove_rule(&rule()).unwrap());
    assert!(!cable.rtnl.remove_rule(&rule()).unwrap());
    assert!(cable.rtnl.rules().unwrap().contains(&foreign));
}

/// The sender and the target of the next ARP request that comes out of a cable.
fn next_request(tap: &PacketSocket) -> (Ipv4Addr, Ipv4Addr) {
    let frame = await_frame(tap, |received| {
        received.direction == Direction::In && received.frame[12..14] == [8, 6]
    });
    let ip = |at: usize| Ipv4Addr::from(*frame[at..].first_chunk::<4>().unwrap());
    (ip(28), ip(38))
}

fn send(from: Ipv4Addr, to: Ipv4Addr) {
    UdpSocket::bind((from, 0)).unwrap().send_to(b"hello", (to, 9)).unwrap();
}

pub(crate) fn own_interface() {
    let mut first = Cable::new();
    let mut second = Cable::named("near2", "far2");
    let second_ip = Ipv4Addr::new(169, 254, 1, 1);
    for (cable, ip) in [(&mut first, OURS), (&mut second, second_ip)] {
        let near = cable.near;
        cable.rtnl.add_address(&Address { label: None, ..address(near, ip) }).unwrap();
        cable.rtnl.add_route(&Route { metric: near.get(), ..route(near) }).unwrap();
    }
    let (tap, second_tap) =
        (PacketSocket::tap(first.far).unwrap(), PacketSocket::tap(second.far).unwrap());
    send(second_ip, OTHER);
    assert_eq!(next_request(&tap), (second_ip, OTHER), "on the wrong link without a rule");

    second.rtnl.add_route(&Route { table: TABLE, ..route(second.near) }).unwrap();
    second.rtnl.add_rule(&Rule { from: Some((second_ip, 32)), ..rule() }).unwrap();
    send(second_ip, OTHER);
    assert_eq!(next_request(&second_tap), (second_ip, OTHER));
}

pub(crate) fn no_gateway() {
    let mut cable = Cable::new();
    let near = cable.near;
    let plain = Address {
        prefix_len: 24,
        label: None,
        scope: 0,
        no_prefix_route: false,
        ..address(near, PLAIN)
    };
    cable.rtnl.add_address(&plain).unwrap();
    cable.rtnl.add_address(&address(near, OURS)).unwrap();
    let everything = Route { destination: Ipv4Addr::UNSPECIFIED, prefix_len: 0, ..route(near) };
    let default = Route { gateway: Some(GATEWAY), scope: 0, ..everything.clone() };
    cable.rtnl.add_route(&default).unwrap();
    let tap = PacketSocket::tap(cable.far).unwrap();
    send(OURS, FAR_AWAY);
    assert_eq!(next_request(&tap), (OURS, GATEWAY), "to the router without a rule");

    cable.rtnl.add_route(&Route { table: TABLE, ..everything }).unwrap();
    cable.rtnl.add_rule(&rule()).unwrap();
    let tap = PacketSocket::tap(cable.far).unwrap();
    send(OURS, FAR_AWAY);
    assert_eq!(next_request(&tap), (OURS, FAR_AWAY));
}

const EVERYBODY: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);

/// A cable whose near end has a plain address, and the route to link-local ones.
fn plain_cable() -> Cable {
    let mut cable = Cable::new();
    let near = cable.near;
    let plain = Address { broadcast: None, label: None, scope: 0, ..address(near, PLAIN) };
    cable.rtnl.add_address(&plain).unwrap();
    cable.rtnl.add_route(&route(near)).unwrap();
    cable
}

/// The next frame that comes out of the cable, when something is sent to everybody.
fn frame_to_everybody(cable: &Cable) -> Vec<u8> {
    let tap = PacketSocket::tap(cable.far).unwrap();
    let socket = UdpSocket::bind((PLAIN, 0)).unwrap();
    socket.set_broadcast(true).unwrap();
    socket.send_to(b"hello", (EVERYBODY, 9)).unwrap();
    await_frame(&tap, |received| received.direction == Direction::In && received.frame[12] == 8)
}

pub(crate) fn broadcast() {
    let mut cable = plain_cable();
    assert_eq!(frame_to_everybody(&cable)[12..14], [8, 6], "ARP as for any host");
    // The kernel would not forget soon that it has asked for this host.
    let near = cable.near;
    cable.remove(near);

    let mut cable = plain_cable();
    let near = cable.near;
    let mut monitor = Monitor::open().unwrap();
    let broadcast = Route {
        kind: RouteKind::Broadcast,
        destination: EVERYBODY,
        prefix_len: 32,
        table: LOCAL_TABLE,
        ..route(near)
    };
    cable.rtnl.add_route(&broadcast).unwrap();
    cable.rtnl.add_route(&broadcast).unwrap();
    await_event(&mut monitor, |event| *event == Event::RouteAdded(broadcast.clone()));
    let in_local = cable.rtnl.routes_of(LOCAL_TABLE).unwrap();
    assert_eq!(in_local.iter().filter(|route| **route == broadcast).count(), 1, "{in_local:?}");
    assert_eq!(&cable.rtnl.routes().unwrap()[..], from_ref(&route(near)));

    let frame = frame_to_everybody(&cable);
    assert_eq!((&frame[..6], &frame[12..14]), (&[0xff; 6][..], &[8, 0][..]));

    assert!(cable.rtnl.remove_route(&broadcast).unwrap());
    assert!(!cable.rtnl.remove_route(&broadcast).unwrap());
}
