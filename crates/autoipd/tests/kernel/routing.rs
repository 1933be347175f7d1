//! Link-local packets go straight to their destination, by the interface whose address they
//! bear, and never to a router: RFC 3927 §2.6 and §3. Stock Linux goes by its routes alone.

use std::io::ErrorKind;
use std::net::Ipv4Addr;

use autoip_lab::{Answer, Cable, Host, Peer, Process, Recording, Seen, Switch};
use autoip_linux::rtnl::Route;
use autoip_wire::MacAddr;

use crate::packet::{Kind, PORT, Packet, Tap, await_source, send, send_over, udp};
use crate::station::{
    CLAIM, MARK, Memory, QUICK, SOON, Station, X, autoipd, change, each, eventually, is_reply, ms,
    request, rules, with_and_without_guard,
};

const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// A host somewhere in the Internet.
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 8);
/// The same, if it happens to be on the link.
const NEAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
const PEER: Ipv4Addr = Ipv4Addr::new(169, 254, 30, 1);
const BROADCAST: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);
const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// The default route that a DHCP client adds.
fn via_gateway(host: &Host) -> Route {
    let index = host.link("eth0").unwrap().index;
    let of_network = host.routes().into_iter().find(|route| route.index == index);
    Route {
        destination: ANY,
        prefix_len: 0,
        scope: 0,
        source: None,
        protocol: 0,
        gateway: Some(GATEWAY),
        ..of_network.unwrap()
    }
}

/// A station with a routable address and a gateway; the gateway, and what goes to it.
fn routed(switch: &Switch) -> (Station, Peer, Tap) {
    let gateway = Peer::new(switch);
    gateway.own(GATEWAY, Answer::Unicast);
    let station = Station::new(switch);
    station.host.add_address("eth0", ROUTABLE, 24);
    let route = via_gateway(&station.host);
    change(&station.host, |rtnl| rtnl.add_route(&route).unwrap());
    let tap = Tap::new(&station.cable);
    (station, gateway, tap)
}

/// What the host handed to the station with this MAC address, of all that is link-local.
fn link_local_to(tap: &mut Tap, mac: MacAddr) -> Vec<Packet> {
    tap.sent(|packet| {
        let ends = [packet.source, packet.destination];
        packet.mac == mac && ends.into_iter().any(autoip_wire::is_link_local)
    })
}

/// A host without a link-local address hands what is for one to its router, until the daemon is
/// there: whether it is to claim an address one day or not.
//= test LL-2.6-01
//= test LL-2.6.2-02
//= test LL-2.6.2-03
//= test LL-2.7-02
//= test LL-3.3-01
pub(crate) fn ll_2_6_2_02_a_routable_address_reaches_link_local_hosts() {
    each(&[("fallback", ""), ("route", "--mode route")], |mode| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        peer.own(PEER, Answer::Broadcast);
        let (mut station, gateway, mut tap) = routed(&switch);
        for to in [PEER, BROADCAST] {
            send_to_all(&station.host, to);
            let leaked = tap.expect("datagram", |packet| packet.goes(ROUTABLE, to));
            assert_eq!(leaked.mac, gateway.mac(), "the kernel knows better than it is said to");
        }
        let _daemon = station.start(&format!("-i eth0 {mode}"));
        station.await_route(ROUTABLE);
        let mut tap = Tap::new(&station.cable);
        for (to, mac) in [(BROADCAST, MacAddr::BROADCAST), (PEER, peer.mac())] {
            send_to_all(&station.host, to);
            let packet = tap.expect("datagram", |packet| packet.goes(ROUTABLE, to));
            assert_eq!(packet.mac, mac, "{packet:?}");
        }
        assert!(link_local_to(&mut tap, gateway.mac()).is_empty());
        station.wire.expect("request", SOON, |seen| {
            seen.is_from_host() && seen.arp.sender_ip == ROUTABLE && seen.arp.target_ip == PEER
        });
        let asked = station.wire.filtered(|seen| seen.arp.target_ip == BROADCAST);
        assert!(asked.is_empty(), "{asked:#?}");
    });
}

/// Sends a datagram that may be a broadcast.
fn send_to_all(host: &Host, to: Ipv4Addr) {
    let socket = udp(host, ANY);
    socket.set_broadcast(true).unwrap();
    socket.send_to(b"hello", (to, PORT)).unwrap();
}

/// Whatever routes there are, such as one that an administrator added by mistake.
//= test LL-2.6.2-04
//= test LL-2.7-02
pub(crate) fn ll_2_6_2_04_no_router_gets_a_link_local_destination() {
    with_and_without_guard(|guarded| {
        let switch = Switch::new();
        let (mut station, gateway, mut tap) = routed(&switch);
        let network = Ipv4Addr::new(169, 254, 30, 0);
        let route = via_gateway(&station.host);
        let route = Route { destination: network, prefix_len: 24, ..route };
        change(&station.host, |rtnl| rtnl.add_route(&route).unwrap());
        let _daemon = station.claim(guarded, "-f");
        let sent = send(&station.host, ANY, PEER);
        let refused = sent.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
        assert_eq!(refused, guarded);
        send(&station.host, ANY, FAR).unwrap();
        tap.expect("routable datagram", |packet| packet.goes(ROUTABLE, FAR));
        let leaked = link_local_to(&mut tap, gateway.mac());
        assert_eq!(leaked.is_empty(), guarded, "{leaked:#?}");
    });
}

//= test LL-2.6.2-08
//= test LL-1.8-01
pub(crate) fn ll_2_6_2_08_everything_is_sought_on_the_link() {
    each(&[("with it", true), ("without it", false)], |&on_link| {
        let switch = Switch::new();
        let near = Peer::new(&switch);
        near.own(NEAR, Answer::Unicast);
        let mut station = Station::new(&switch);
        let _daemon = station.claim(true, if on_link { "--default-route" } else { "" });
        let mut tap = Tap::new(&station.cable);
        let sent = send(&station.host, ANY, NEAR);
        if on_link {
            sent.unwrap();
            let packet = tap.expect("datagram", |packet| packet.goes(X, NEAR));
            assert_eq!(packet.mac, near.mac());
        } else {
            assert_eq!(sent.unwrap_err().kind(), ErrorKind::NetworkUnreachable);
        }
    });
}

//= test LL-2.6.2-01
//= test LL-2.6.2-05
//= test LL-2.6.2-06
//= test LL-2.6.2-07
//= test LL-2.7-02
//= test LL-2.10-01
pub(crate) fn ll_2_6_2_06_a_link_local_source_goes_straight() {
    with_and_without_guard(|guarded| {
        let switch = Switch::new();
        let near = Peer::new(&switch);
        near.own(NEAR, Answer::Unicast);
        let (mut station, gateway, mut tap) = routed(&switch);
        let _daemon = station.claim(guarded, "-f");
        let asks = |addr| {
            move |seen: &Seen| {
                seen.is_from_host() && seen.arp.sender_ip == X && seen.arp.target_ip == addr
            }
        };
        for addr in [FAR, NEAR] {
            send(&station.host, X, addr).unwrap();
        }
        // What is not link-local takes its usual way.
        send(&station.host, ANY, FAR).unwrap();
        let usual = tap.expect("routable datagram", |packet| packet.goes(ROUTABLE, FAR));
        assert_eq!(usual.mac, gateway.mac());
        if guarded {
            let question = station.wire.expect("request for it", SOON, asks(FAR));
            assert!(question.is_broadcast(), "{question}");
            let packet = tap.expect("datagram", |packet| packet.goes(X, NEAR));
            assert_eq!(packet.mac, near.mac());
        } else {
            tap.expect("datagram", |packet| packet.goes(X, NEAR));
            assert!(station.wire.filtered(asks(NEAR)).is_empty());
        }
        let leaked = link_local_to(&mut tap, gateway.mac());
        assert_eq!(leaked.is_empty(), guarded, "{leaked:#?}");
    });
}

/// Somebody deletes the rule that keeps the address on its link, until it is not put back at once.
//= test LL-2.6.2-07
//= test LL-2.7-02
pub(crate) fn ll_2_6_2_07_without_its_rule_a_source_is_refused() {
    let switch = Switch::new();
    let near = Peer::new(&switch);
    near.own(NEAR, Answer::Unicast);
    let (mut station, gateway, mut tap) = routed(&switch);
    let daemon = station.claim(true, "-f -v");
    eventually("the rule stays away", SOON, || {
        for rule in rules(&station.host) {
            change(&station.host, |rtnl| rtnl.remove_rule(&rule).unwrap());
        }
        daemon.log_contains("somebody keeps deleting the routing rule")
    });
    assert_eq!(rules(&station.host), []);
    let refused = send(&station.host, X, FAR).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    // The router itself can be talked with, and so can what is on the link.
    send(&station.host, X, GATEWAY).unwrap();
    let direct = tap.expect("datagram", |packet| packet.goes(X, GATEWAY));
    assert_eq!(direct.mac, gateway.mac());
    let route = Route {
        destination: NEAR,
        prefix_len: 32,
        gateway: None,
        scope: 253,
        ..via_gateway(&station.host)
    };
    change(&station.host, |rtnl| rtnl.add_route(&route).unwrap());
    send(&station.host, X, NEAR).unwrap();
    tap.expect("datagram", |packet| packet.goes(X, NEAR) && packet.mac == near.mac());
    // A router that came later is known as well.
    let later = Ipv4Addr::new(192, 0, 2, 2);
    gateway.own(later, Answer::Unicast);
    let elsewhere = Ipv4Addr::new(203, 0, 113, 128);
    let route = Route {
        destination: elsewhere,
        prefix_len: 25,
        gateway: Some(later),
        ..via_gateway(&station.host)
    };
    change(&station.host, |rtnl| rtnl.add_route(&route).unwrap());
    eventually("it is known", SOON, || send(&station.host, X, elsewhere).is_err());
    assert!(tap.sent(|packet| packet.goes(X, FAR)).is_empty());
    send(&station.host, ANY, FAR).unwrap();
    tap.expect("routable datagram", |packet| packet.goes(ROUTABLE, FAR));
}

//= test LL-2.6.2-03
//= test LL-2.6.1-01
//= test LL-2.6.2-05
pub(crate) fn ll_2_6_1_01_new_traffic_comes_from_the_routable_address() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    peer.own(PEER, Answer::Unicast);
    let (mut station, _gateway, mut tap) = routed(&switch);
    let _daemon = station.claim(true, "-f");
    for to in [FAR, PEER] {
        await_source(&station.host, to, ROUTABLE);
    }
    send(&station.host, ANY, PEER).unwrap();
    let packet = tap.expect("datagram", |packet| packet.goes(ROUTABLE, PEER));
    assert_eq!(packet.mac, peer.mac());
    send_to_all(&station.host, BROADCAST);
    let packet = tap.expect("broadcast", |packet| packet.destination == BROADCAST);
    assert!(packet.mac.is_broadcast(), "{packet:?}");
    let asked = station.wire.filtered(|seen| seen.arp.target_ip == BROADCAST);
    assert!(asked.is_empty(), "{asked:#?}");
}

/// A host on the link with a routable address only, and a kernel that is strict about sources.
//= test LL-1.8-01
//= test LL-3.3-02
pub(crate) fn strict_reverse_paths_let_other_networks_talk_to_the_address() {
    with_and_without_guard(|guarded| {
        let switch = Switch::new();
        let friend = Host::new("friend");
        friend.connect(&switch, "eth0");
        friend.add_address("eth0", Ipv4Addr::new(10, 9, 9, 9), 24);
        let of_network = friend.routes()[0].clone();
        let to_link = Route {
            destination: Ipv4Addr::new(169, 254, 0, 0),
            prefix_len: 16,
            protocol: 0,
            ..of_network
        };
        change(&friend, |rtnl| rtnl.add_route(&to_link).unwrap());
        let mut station = Station::new(&switch);
        station.host.set_variable("ipv4/conf/all/rp_filter", "1");
        let _daemon = station.claim(guarded, "");
        let answered = friend.ping(X, if guarded { SOON } else { ms(500) }).unwrap();
        assert_eq!(answered.is_some(), guarded);
    });
}

/// A host on two links, both managed, with the addresses that it claimed there.
struct TwoLinks {
    switches: [Switch; 2],
    host: Host,
    wires: [Recording<Seen>; 2],
    cables: [Cable; 2],
    addrs: [Ipv4Addr; 2],
    _daemon: Process,
    _memory: Memory,
}

impl TwoLinks {
    fn new(guarded: bool) -> Self {
        let switches = [Switch::new(), Switch::new()];
        let (host, memory) = (Host::new("station"), Memory::new());
        let cables = [(0, "eth0"), (1, "eth1")].map(|(n, name)| host.connect(&switches[n], name));
        let mut wires = cables.each_ref().map(Cable::capture);
        let guard = if guarded { "" } else { "--guard off" };
        let daemon = host.spawn(autoipd(&format!("{QUICK} -i eth1 {guard}"), memory.dir()));
        let addrs = wires.each_mut().map(|wire| {
            let announced = |seen: &Seen| seen.is_from_host() && seen.is_announcement();
            wire.expect("announcement", CLAIM, announced).arp.sender_ip
        });
        host.expect("routes of both", SOON, |host| {
            let routes = host.routes().iter().filter(|route| route.protocol == MARK).count();
            (routes == 2 && (!guarded || rules(host).len() == 2)).then_some(())
        });
        Self { switches, host, wires, cables, addrs, _daemon: daemon, _memory: memory }
    }
}

//= test BASE-06
//= test LL-2.6.1-04
pub(crate) fn base_06_an_address_leaves_by_its_own_interface() {
    with_and_without_guard(|guarded| {
        let mut links = TwoLinks::new(guarded);
        let second = links.addrs[1];
        send(&links.host, second, PEER).unwrap();
        let link = usize::from(guarded);
        links.wires[link].expect("request", SOON, |seen| {
            seen.is_from_host() && seen.arp.target_ip == PEER && seen.arp.sender_ip == second
        });
        let on_first = links.wires[0].filtered(|seen| seen.arp.sender_ip == second);
        assert_eq!(on_first.is_empty(), guarded, "{on_first:#?}");
    });
}

//= test LL-3.4-02
//= test BASE-06
pub(crate) fn ll_3_4_02_an_interface_does_not_answer_for_another() {
    with_and_without_guard(|guarded| {
        let mut links = TwoLinks::new(guarded);
        let peer = Peer::new(&links.switches[1]);
        let [first, second] = links.addrs;
        for addr in [first, second] {
            peer.broadcast(&request(peer.mac(), addr));
        }
        links.wires[1].expect("answer for its own", SOON, |seen| {
            is_reply(seen) && seen.arp.sender_ip == second
        });
        let answers = links.wires[1].filtered(|seen| is_reply(seen) && seen.arp.sender_ip == first);
        assert_eq!(answers.is_empty(), guarded, "{answers:#?}");
    });
}

//= test LL-3.1-01
//= test LL-3.2-01
//= test LL-3.2-02
//= test LL-2.6.1-04
pub(crate) fn ll_3_2_01_one_address_on_two_links_is_two_peers() {
    let links = TwoLinks::new(true);
    let peers = links.switches.each_ref().map(Peer::new);
    peers.iter().for_each(|peer| peer.own(PEER, Answer::Broadcast));
    let mut taps = links.cables.each_ref().map(Tap::new);
    for _ in 0..3 {
        for device in ["eth0", "eth1"] {
            send_over(&links.host, device, PEER).unwrap();
        }
    }
    for (link, tap) in taps.iter_mut().enumerate() {
        let (addr, other) = (links.addrs[link], links.addrs[1 - link]);
        let arrived = |packet: &Packet| packet.kind == Kind::Udp && packet.goes(addr, PEER);
        eventually("all datagrams are there", SOON, || tap.sent(arrived).len() == 3);
        assert!(tap.sent(arrived).iter().all(|packet| packet.mac == peers[link].mac()));
        assert!(tap.sent(|packet| packet.source == other).is_empty());
    }
}
