//! A router passes nothing on that has a link-local source or destination, whatever its TTL, to
//! nowhere: RFC 3927 §2.7 and §7. Stock Linux forwards all of it.

use std::net::Ipv4Addr;
use std::process::Command;

use autoip_lab::{Answer, Cable, Host, Peer, Process, Switch, skip};
use autoip_linux::rtnl::Route;
use autoip_wire::MacAddr;

use crate::packet::{Kind, Packet, Tap, datagram};
use crate::station::{SOON, Station, X, change, eventually, with_and_without_guard};

const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const ROUTER_BEYOND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 5);

/// Hosts on the link that the daemon manages.
const HERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const LINK_LOCAL_HERE: Ipv4Addr = Ipv4Addr::new(169, 254, 8, 8);
const OTHER_HERE: Ipv4Addr = Ipv4Addr::new(169, 254, 8, 9);
/// What clouds have there; a container beyond may have to reach it.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Hosts on another link, which nobody manages.
const BEYOND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const LINK_LOCAL_BEYOND: Ipv4Addr = Ipv4Addr::new(169, 254, 88, 1);

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const GROUP_MAC: MacAddr = MacAddr([0x01, 0x00, 0x5e, 0x01, 0x02, 0x03]);

const TTLS: [u8; 4] = [1, 2, 64, 255];

/// A router between two links, and a host on each.
struct Router {
    station: Station,
    _beyond: Cable,
    taps: [Tap; 2],
    hosts: [Peer; 2],
    macs: [MacAddr; 2],
    _daemon: Process,
    _switches: [Switch; 2],
}

impl Router {
    fn new(guarded: bool, options: &str) -> Self {
        let switches = [Switch::new(), Switch::new()];
        let hosts = switches.each_ref().map(Peer::new);
        for addr in [HERE, LINK_LOCAL_HERE, OTHER_HERE, METADATA] {
            hosts[0].own(addr, Answer::Unicast);
        }
        for addr in [BEYOND, LINK_LOCAL_BEYOND] {
            hosts[1].own(addr, Answer::Unicast);
        }
        let mut station = Station::new(&switches[0]);
        let beyond = station.host.connect(&switches[1], "eth1");
        station.host.add_address("eth0", ROUTER, 24);
        station.host.add_address("eth1", ROUTER_BEYOND, 24);
        station.host.set_variable("ipv4/ip_forward", "1");
        let daemon = station.claim(guarded, &format!("-f {options}"));
        // What a routing protocol might bring.
        let route = Route {
            destination: Ipv4Addr::new(169, 254, 88, 0),
            prefix_len: 24,
            metric: 0,
            source: None,
            protocol: 0,
            index: station.host.link("eth1").unwrap().index,
            ..station.routes()[0].clone()
        };
        change(&station.host, |rtnl| rtnl.add_route(&route).unwrap());
        let taps = [Tap::new(&station.cable), Tap::new(&beyond)];
        let macs = ["eth0", "eth1"].map(|name| station.host.mac(name));
        Self { station, _beyond: beyond, taps, hosts, macs, _daemon: daemon, _switches: switches }
    }

    /// Lets the host on the link number `link` send to the router.
    fn inject(&self, link: usize, way: (Ipv4Addr, Ipv4Addr), ttl: u8) {
        let host = &self.hosts[link];
        host.send_bytes(&datagram((host.mac(), self.macs[link]), way, ttl));
    }

    /// Waits until what was injected on both links so far has been dealt with, by sending what is
    /// not link-local after it; that must pass.
    #[track_caller]
    fn settle(&mut self) {
        self.inject(0, (HERE, BEYOND), 64);
        self.inject(1, (BEYOND, HERE), 64);
        self.taps[1].expect("routable datagram", |packet| packet.goes(HERE, BEYOND));
        self.taps[0].expect("routable datagram", |packet| packet.goes(BEYOND, HERE));
    }

    /// What the router sent on both links.
    fn sent(&mut self, wanted: impl Fn(&Packet) -> bool) -> Vec<Packet> {
        self.taps.iter_mut().flat_map(|tap| tap.sent(&wanted)).collect()
    }
}

//= test LL-2.7-02
//= test LL-2.7-03
//= test LL-2.8-03
//= test LL-2.10-01
//= test LL-7-01
//= test LL-7-02
//= test BASE-12
pub(crate) fn ll_2_7_03_nothing_link_local_is_forwarded() {
    with_and_without_guard(|guarded| {
        let mut router = Router::new(guarded, "");
        let ways = [
            ("source", 0, (LINK_LOCAL_HERE, BEYOND)),
            ("destination", 0, (HERE, LINK_LOCAL_BEYOND)),
            ("both", 0, (LINK_LOCAL_HERE, LINK_LOCAL_BEYOND)),
            ("back to where it came from", 0, (LINK_LOCAL_HERE, OTHER_HERE)),
            ("source, from elsewhere", 1, (LINK_LOCAL_BEYOND, HERE)),
            ("destination, from elsewhere", 1, (BEYOND, OTHER_HERE)),
        ];
        for (_, link, way) in ways {
            for ttl in TTLS {
                router.inject(link, way, ttl);
            }
        }
        router.settle();
        // Without the guard neighbours are looked for first; what waits for one goes together.
        for (name, _, (from, to)) in ways {
            let forwards = |packet: &Packet| packet.goes(from, to);
            if guarded {
                let forwarded = router.sent(forwards);
                assert!(forwarded.is_empty(), "{name}: {forwarded:#?}");
            } else {
                let all = TTLS.len() - 1;
                eventually(name, SOON, || router.sent(forwards).len() == all);
            }
        }
        // Nor does the router say a word about packets that it would have had to drop anyway.
        let errors = router.taps[0].sent(|packet| packet.kind == Kind::Icmp);
        assert_eq!(errors.is_empty(), guarded, "{errors:#?}");
    });
}

//= test LL-2.7-03
pub(crate) fn an_exempt_address_is_forwarded() {
    let mut router = Router::new(true, "--forward 169.254.169.254");
    router.inject(1, (BEYOND, METADATA), 64);
    router.taps[0].expect("question", |packet| packet.goes(BEYOND, METADATA));
    router.inject(0, (METADATA, BEYOND), 64);
    router.taps[1].expect("answer", |packet| packet.goes(METADATA, BEYOND));
    // It alone.
    router.inject(1, (BEYOND, LINK_LOCAL_HERE), 64);
    router.inject(0, (LINK_LOCAL_HERE, BEYOND), 64);
    router.settle();
    let others = |packet: &Packet| [packet.source, packet.destination].contains(&LINK_LOCAL_HERE);
    let forwarded = router.sent(others);
    assert!(forwarded.is_empty(), "{forwarded:#?}");
}

/// Without a packet filter, what comes in by a managed interface is held back by rules. What
/// comes from elsewhere is not: rules do not know where a packet will leave.
//= test LL-2.7-03
pub(crate) fn ll_2_7_03_rules_stand_in_for_a_filter() {
    let mut router = Router::new(true, "--guard sysctl --forward 169.254.169.254");
    let ways = [
        (LINK_LOCAL_HERE, BEYOND),
        (HERE, LINK_LOCAL_BEYOND),
        (LINK_LOCAL_HERE, LINK_LOCAL_BEYOND),
        (LINK_LOCAL_HERE, OTHER_HERE),
    ];
    for way in ways {
        for ttl in TTLS {
            router.inject(0, way, ttl);
        }
    }
    router.inject(0, (METADATA, BEYOND), 64);
    router.settle();
    router.taps[1].expect("what is exempt", |packet| packet.goes(METADATA, BEYOND));
    for (from, to) in ways {
        let forwarded = router.sent(|packet| packet.goes(from, to));
        assert!(forwarded.is_empty(), "{forwarded:#?}");
    }
    let errors = router.taps[0].sent(|packet| packet.kind == Kind::Icmp);
    assert!(errors.is_empty(), "{errors:#?}");
    // The host's own packets and what is for it are no matter of forwarding.
    let host = &router.hosts[0];
    let ends = (host.mac(), router.macs[0]);
    host.send_bytes(&datagram(ends, (LINK_LOCAL_HERE, X), 64));
    let unreachable = |packet: &Packet| packet.kind == Kind::Icmp && packet.source == X;
    router.taps[0].expect("the host's answer: nobody listens", unreachable);
    router.inject(1, (LINK_LOCAL_BEYOND, HERE), 64);
    router.taps[0].expect("what no rule holds", |packet| packet.goes(LINK_LOCAL_BEYOND, HERE));
}

/// What a multicast router tells the kernel: packets of two senders go from eth0 to eth1. There is
/// no netlink for it, and no safe call.
const MULTICAST_ROUTER: &str = "
import socket, struct, sys, time
router = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
router.setsockopt(0, 200, struct.pack('i', 1))
for number, name in enumerate(['eth0', 'eth1']):
    index = socket.if_nametoindex(name)
    router.setsockopt(0, 202, struct.pack('HBBIII', number, 8, 1, 0, index, 0))
for sender in sys.argv[2:]:
    ends = socket.inet_aton(sender) + socket.inet_aton(sys.argv[1])
    limits = bytes([0, 1]) + bytes([255] * 30)
    router.setsockopt(0, 204, ends + struct.pack('H32s2xIIIi', 0, limits, 0, 0, 0, 0))
print('ready', flush=True)
time.sleep(60)
";

/// Whether a multicast router can be had here.
fn is_multicast_routable() -> bool {
    let begin: String = MULTICAST_ROUTER.split_inclusive('\n').take(4).collect();
    let there = Command::new("python3").arg("--version").output().is_ok();
    let mut program = Command::new("python3");
    program.args(["-c", &begin]);
    there && Host::new("router").spawn(program).wait(SOON).success()
}

//= test LL-2.7-06
pub(crate) fn ll_2_7_06_multicast_stays_on_its_link() {
    if !is_multicast_routable() {
        skip("python3 is not installed, or the kernel does not forward multicast");
    }
    with_and_without_guard(|guarded| {
        let mut router = Router::new(guarded, "");
        let mut program = Command::new("python3");
        program.args(["-c", MULTICAST_ROUTER]);
        program.args([GROUP, LINK_LOCAL_HERE, HERE].map(|addr| addr.to_string()));
        let program = router.station.host.spawn(program);
        program.wait_log(SOON, |line| line == "ready");
        let host = &router.hosts[0];
        for sender in [LINK_LOCAL_HERE, HERE] {
            host.send_bytes(&datagram((host.mac(), GROUP_MAC), (sender, GROUP), 64));
        }
        router.taps[1].expect("routable multicast", |packet| packet.goes(HERE, GROUP));
        let forwarded = router.taps[1].sent(|packet| packet.goes(LINK_LOCAL_HERE, GROUP));
        assert_eq!(forwarded.is_empty(), guarded, "{forwarded:#?}");
    });
}
