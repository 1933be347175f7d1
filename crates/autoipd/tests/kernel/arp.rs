//! Every ARP packet with a link-local sender is a broadcast, whoever in the host sends it: RFC
//! 3927 §2.5. Stock Linux answers by unicast and looks by unicast whether a neighbour is there.

use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::Duration;

use autoip_core::Instant;
use autoip_lab::{Answer, Host, Peer, Seen, Switch};
use autoip_linux::{PacketSocket, boottime};
use autoip_wire::{ArpPacket, MacAddr, Operation, is_link_local};
use netlink_packet_core::NLM_F_DUMP;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::packet::{PORT, Tap, send, udp};
use crate::station::{
    SOON, Station, X, change, each, eventually, is_reply, ms, request, s, with_and_without_guard,
};

/// A peer that answers by unicast, as most systems do.
const PLAIN: Ipv4Addr = Ipv4Addr::new(169, 254, 30, 1);
/// A peer that answers by broadcast, as RFC 3927 wants it.
const STRICT: Ipv4Addr = Ipv4Addr::new(169, 254, 30, 2);
const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const ROUTABLE_PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

/// What the host sent with a link-local sender, by broadcast and by unicast.
fn link_local_arp(station: &Station) -> (Vec<Seen>, Vec<Seen>) {
    let sent = |seen: &Seen| seen.is_from_host() && is_link_local(seen.arp.sender_ip);
    station.wire.filtered(sent).into_iter().partition(Seen::is_broadcast)
}

/// Makes the kernel look after a second or two whether its neighbours are still there, instead of
/// after up to 45 s.
fn hurry(host: &Host) {
    host.set_variable("ipv4/neigh/eth0/base_reachable_time_ms", "1000");
    host.set_variable("ipv4/neigh/eth0/delay_first_probe_time", "1");
}

//= test LL-2.5-09
//= test ACD-2.6-03
pub(crate) fn ll_2_5_09_replies_are_broadcast() {
    with_and_without_guard(|guarded| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let mut station = Station::new(&switch);
        let _daemon = station.claim(guarded, "");
        let from = |sender_ip| ArpPacket { sender_ip, ..request(peer.mac(), X) };
        let questions = [
            request(peer.mac(), X),
            ArpPacket::probe(peer.mac(), X),
            from(ROUTABLE_PEER),
            from(Ipv4Addr::new(169, 254, 255, 254)),
        ];
        for question in questions {
            for destination in [MacAddr::BROADCAST, station.mac()] {
                peer.send(&question, destination);
                let answer = station.wire.expect("answer", SOON, |seen| seen.is_from_host());
                assert!(is_reply(&answer) && answer.arp.sender_ip == X, "{answer}");
                assert_eq!(answer.arp.target_mac, peer.mac(), "{answer}");
                assert_eq!(answer.is_broadcast(), guarded, "{answer}");
            }
        }
    });
}

/// Programs that answer ARP themselves, past the kernel, are no exception.
//= test LL-2.5-09
pub(crate) fn ll_2_5_09_replies_of_programs_are_broadcast() {
    with_and_without_guard(|guarded| {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let mut station = Station::new(&switch);
        let _daemon = station.claim(guarded, "");
        let reply = ArpPacket {
            operation: Operation::Reply,
            sender_mac: station.mac(),
            sender_ip: X,
            target_mac: peer.mac(),
            target_ip: PLAIN,
        };
        let index = station.host.link("eth0").unwrap().index;
        let socket = station.host.run(|| PacketSocket::arp(index)).unwrap();
        socket.send(&reply.to_frame(peer.mac())).unwrap();
        let seen = station.wire.expect("reply", SOON, |seen| seen.is_from_host());
        assert_eq!((seen.arp, seen.is_broadcast()), (reply, guarded), "{seen}");
    });
}

/// How long the host talks to neighbours that never say a word, and how patient its kernel is.
struct Traffic {
    guarded: bool,
    hurried: bool,
    during: Duration,
}

/// What became of a neighbour.
#[derive(Default)]
struct Outcome {
    states: Vec<NeighbourState>,
}

impl Outcome {
    fn was(&self, state: NeighbourState) -> bool {
        self.states.contains(&state)
    }
}

/// One-way UDP to two neighbours, ten times a second: the hardest case, because nothing ever
/// confirms that they are there.
//= test LL-2.5-10
//= test LL-2.5-09
//= test ACD-1.2.1-01
pub(crate) fn ll_2_5_10_rechecks_are_broadcast() {
    let cases = [
        ("with the guard", Traffic { guarded: true, hurried: false, during: patience() }),
        ("with the guard, hurried", Traffic { guarded: true, hurried: true, during: s(15) }),
        ("without the guard", Traffic { guarded: false, hurried: true, during: s(15) }),
    ];
    each(&cases, assert_rechecks);
}

/// How long the patient case lasts: `AUTOIP_TRAFFIC_SECONDS=600` makes it ten minutes.
fn patience() -> Duration {
    let asked = std::env::var("AUTOIP_TRAFFIC_SECONDS").ok();
    s(asked.map_or(38, |text| text.parse().expect("AUTOIP_TRAFFIC_SECONDS is a number")))
}

#[expect(clippy::print_stdout, reason = "what was counted is of interest")]
fn assert_rechecks(traffic: &Traffic) {
    let switch = Switch::new();
    let (plain, strict, asker) = (Peer::new(&switch), Peer::new(&switch), Peer::new(&switch));
    plain.own(PLAIN, Answer::Unicast);
    strict.own(STRICT, Answer::Broadcast);
    let mut station = Station::new(&switch);
    if traffic.hurried {
        hurry(&station.host);
    }
    let _daemon = station.claim(traffic.guarded, "");
    let mut tap = Tap::new(&station.cable);
    let socket = udp(&station.host, Ipv4Addr::UNSPECIFIED);
    let (sent, [with_plain, with_strict]) =
        talk(&station, &socket, &asker, traffic.during, || _ = tap.sent(|_| false));
    tap.expect("the last datagram", |packet| packet.goes(X, STRICT));

    for (to, outcome) in [(PLAIN, &with_plain), (STRICT, &with_strict)] {
        let arrived = tap.sent(|packet| packet.goes(X, to)).len();
        assert!(arrived + 3 >= sent, "{to}: {arrived} of {sent} datagrams arrived");
        let requests = station.wire.filtered(|seen| {
            seen.is_from_host() && !is_reply(seen) && !seen.is_probe() && seen.arp.target_ip == to
        });
        let (broadcast, unicast): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(Seen::is_broadcast);
        if traffic.guarded {
            assert!(unicast.is_empty(), "{to}: re-checks by unicast: {unicast:#?}");
            assert!(!outcome.was(NeighbourState::Failed), "{to}: {:?}", outcome.states);
            assert!(outcome.was(NeighbourState::Reachable), "{to}: {:?}", outcome.states);
        } else {
            assert!(!unicast.is_empty(), "{to}: the kernel did not re-check by unicast");
        }
        let rechecks = broadcast.len() + unicast.len() - 1;
        assert!(!traffic.hurried || rechecks >= 3, "{to}: {rechecks} re-checks show nothing");
        // Without the ingress rule it is one every second or so, for ever.
        let most = 2 + usize::try_from(traffic.during.as_secs() / 15).unwrap();
        assert!(traffic.hurried || rechecks <= most, "{to}: {rechecks} re-checks");
    }
    // To the kernel alone a broadcast reply proves nothing.
    assert_eq!(with_strict.was(NeighbourState::Reachable), traffic.guarded);
    let (broadcast, unicast) = link_local_arp(&station);
    assert!(broadcast.len() > 5, "there was hardly any ARP: {broadcast:#?}");
    assert_eq!(unicast.is_empty(), traffic.guarded, "{unicast:#?}");
    println!(
        "guard {}, {:?}: {sent} datagrams to each neighbour, ARP with a link-local sender: {} by \
         broadcast, {} by unicast",
        traffic.guarded,
        traffic.during,
        broadcast.len(),
        unicast.len()
    );
}

/// Without a packet filter the kernel is told to begin its re-checks with broadcasts.
//= test LL-2.5-10
pub(crate) fn ll_2_5_10_without_a_filter_rechecks_are_broadcast() {
    each(&[("with the settings", true), ("without", false)], |&guarded| {
        let switch = Switch::new();
        let (plain, asker) = (Peer::new(&switch), Peer::new(&switch));
        for addr in [PLAIN, STRICT] {
            plain.own(addr, Answer::Unicast);
        }
        let mut station = Station::new(&switch);
        hurry(&station.host);
        let _daemon = station.claim(guarded, if guarded { "--guard sysctl" } else { "" });
        let socket = udp(&station.host, Ipv4Addr::UNSPECIFIED);
        let (_, outcomes) = talk(&station, &socket, &asker, s(12), || {});
        let failed = outcomes.iter().any(|outcome| outcome.was(NeighbourState::Failed));
        assert!(!failed, "a neighbour that answers is not given up");
        let (broadcast, unicast) = link_local_arp(&station);
        let is_recheck = |seen: &&Seen| !is_reply(seen) && seen.arp.sender_ip != seen.arp.target_ip;
        let [broadcast, unicast] =
            [&broadcast, &unicast].map(|sent| sent.iter().filter(is_recheck).count());
        assert_eq!(unicast == 0, guarded, "{unicast} requests by unicast");
        assert!(broadcast + unicast >= 6, "{broadcast} and {unicast} requests show nothing");
    });
}

/// Talks to both neighbours, and answers `asker`, for as long as `during`: how many datagrams went
/// to each, and the states that they were in. What a tap has caught has to be read `meanwhile`.
fn talk(
    station: &Station,
    socket: &UdpSocket,
    asker: &Peer,
    during: Duration,
    mut meanwhile: impl FnMut(),
) -> (usize, [Outcome; 2]) {
    let mut outcomes = <[Outcome; 2]>::default();
    let end: Instant = boottime() + during;
    let mut sent = 0;
    while boottime() < end {
        for to in [PLAIN, STRICT] {
            socket.send_to(b"hello", (to, PORT)).unwrap();
        }
        sent += 1;
        match sent % 20 {
            1 => asker.broadcast(&request(asker.mac(), X)),
            // As a neighbour does that looks whether this host is still there.
            11 => asker.send(&request(asker.mac(), X), station.mac()),
            _ => {}
        }
        thread::sleep(ms(100));
        meanwhile();
        for (to, outcome) in [PLAIN, STRICT].into_iter().zip(&mut outcomes) {
            outcome.states.push(neighbour_state(&station.host, to));
        }
    }
    (sent, outcomes)
}

/// The state in which the host's kernel has a neighbour.
fn neighbour_state(host: &Host, ip: Ipv4Addr) -> NeighbourState {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Inet;
    let request = RouteNetlinkMessage::GetNeighbour(message);
    let is_it = NeighbourAttribute::Destination(NeighbourAddress::Inet(ip));
    for answer in change(host, |rtnl| rtnl.request(request, NLM_F_DUMP)).unwrap() {
        if let RouteNetlinkMessage::NewNeighbour(neighbour) = answer
            && neighbour.attributes.contains(&is_it)
        {
            return neighbour.header.state;
        }
    }
    panic!("the kernel does not know {ip}");
}

//= test LL-2.5-11
//= test LL-2.8-03
//= test ACD-2.6-01
//= test ACD-2.6-02
pub(crate) fn ll_2_5_11_arp_for_routable_addresses_stays_unicast() {
    let switch = Switch::new();
    let (peer, other) = (Peer::new(&switch), Peer::new(&switch));
    other.own(ROUTABLE_PEER, Answer::Unicast);
    let mut station = Station::new(&switch);
    hurry(&station.host);
    station.host.add_address("eth0", ROUTABLE, 24);
    let _daemon = station.claim(true, "-f");
    let asker = Ipv4Addr::new(192, 0, 2, 77);
    let question = ArpPacket { sender_ip: asker, ..request(peer.mac(), ROUTABLE) };
    let answer_to = |station: &mut Station, question: ArpPacket| {
        peer.broadcast(&question);
        station.wire.expect("answer", SOON, |seen| seen.is_from_host() && is_reply(seen))
    };
    let answer = answer_to(&mut station, question);
    assert_eq!((answer.arp.sender_ip, answer.ethernet.destination), (ROUTABLE, peer.mac()));
    let answer = answer_to(&mut station, ArpPacket { target_ip: X, ..question });
    assert!(answer.arp.sender_ip == X && answer.is_broadcast(), "{answer}");

    let end = boottime() + s(8);
    let is_recheck =
        |seen: &Seen| seen.is_from_host() && seen.arp.target_ip == ROUTABLE_PEER && !is_reply(seen);
    while station.wire.filtered(is_recheck).len() < 2 && boottime() < end {
        send(&station.host, Ipv4Addr::UNSPECIFIED, ROUTABLE_PEER).unwrap();
        thread::sleep(ms(100));
    }
    let [first, recheck, ..] = station.wire.filtered(is_recheck)[..] else {
        panic!("the kernel did not look whether its neighbour is there")
    };
    assert_eq!((first.arp.sender_ip, first.is_broadcast()), (ROUTABLE, true), "{first}");
    assert_eq!(recheck.ethernet.destination, other.mac(), "{recheck}");
}

/// Two hosts with one address on links that become one: a third one's question is enough.
//= test LL-4-02
pub(crate) fn ll_4_02_a_question_uncovers_two_holders() {
    with_and_without_guard(|guarded| {
        let (left, right) = (Switch::new(), Switch::new());
        let (mut a, mut b) = (Station::new(&left), Station::new(&right));
        let _daemons = [a.claim(guarded, ""), b.claim(guarded, "")];
        let _cable = left.join(&right);
        let third = Peer::new(&left);
        third.broadcast(&request(third.mac(), X));
        for station in [&mut a, &mut b] {
            station.wire.expect("answer", SOON, |seen| seen.is_from_host() && is_reply(seen));
        }
        let removals =
            |station: &Station| station.changes.filtered(|change| change.is_removed(X)).len();
        if guarded {
            eventually("one gives it up", SOON, || removals(&a) + removals(&b) > 0);
            let claims = |station: &Station| {
                station.marked().iter().filter(|address| address.ip == X).count()
            };
            assert!(claims(&a) + claims(&b) <= 1, "both still have it");
        } else {
            thread::sleep(s(2));
            assert_eq!((removals(&a), removals(&b)), (0, 0), "somebody noticed");
        }
    });
}
