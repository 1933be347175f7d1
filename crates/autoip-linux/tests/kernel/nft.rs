//! Rules of nf_tables: what the kernel makes of them, and what they do on a cable.
//!
//! What must not pass is followed by what must, as everywhere here. The addresses of network
//! 10.9.0.0/24 stand for all that is not link-local.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;

use autoip_linux::nft::{self, Batch, Chain, Counter, Family, Hook, Nft, Set, Table};
use autoip_linux::rtnl::{Address, Conf, Route};
use autoip_linux::{Direction, IfIndex, PacketSocket, Received};
use autoip_wire::MacAddr;
use netlink_packet_core::NLM_F_DUMP;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;

use crate::cable::{Cable, OTHER, OURS, PEER, arp, arp_frame, await_frame};
use crate::route::{address, route};

const PLAIN: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const PLAIN_PEER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
const LINK_LOCAL: [u8; 2] = [169, 254];
const MARK: u32 = 0x0169_0254;
const PORT: u16 = 9;

const LINK: Table<'_> = Table { family: Family::Netdev, name: "guard", owned: true };
const CLAIMED: Set<'_> = Set::new(LINK, "claimed");
const EGRESS: Chain<'_> =
    Chain { table: LINK, name: "egress", hook: Hook::Egress { device: "near" }, priority: 0 };
const INGRESS: Chain<'_> =
    Chain { name: "ingress", hook: Hook::Ingress { device: "near" }, ..EGRESS };

const HOST: Table<'_> = Table { family: Family::Inet, ..LINK };
const PRE: Chain<'_> = Chain { table: HOST, name: "pre", hook: Hook::Prerouting, priority: -300 };
const MANAGED: Set<'_, IfIndex> = Set::new(HOST, "managed");
const OWN: Set<'_, (IfIndex, MacAddr)> = Set::new(HOST, "own");
const LOOPS: Set<'_, (IfIndex, IfIndex)> = Set::new(HOST, "loops");
const FORWARD: Chain<'_> = Chain { name: "forw", hook: Hook::Forward, priority: -150, ..PRE };

const ROUTER: Table<'_> = Table { family: Family::Ip, ..LINK };
const POST: Chain<'_> = Chain { table: ROUTER, name: "post", hook: Hook::Postrouting, priority: 0 };

/// No unclaimed address leaves, and claimed ones are seen by everybody.
fn gate(batch: &mut Batch) {
    batch.add_table(&LINK).add_set(&CLAIMED).add_chain(&EGRESS);
    batch.add_rule(
        &EGRESS,
        [
            nft::meta_protocol_arp(),
            nft::arp_saddr_ip().starts_with(LINK_LOCAL),
            nft::arp_saddr_ip().is_not_in(&CLAIMED),
            nft::meta_mark().is_not(MARK),
            nft::counter(),
            nft::drop(),
        ],
    );
    batch.add_rule(
        &EGRESS,
        [
            nft::meta_protocol_ip(),
            nft::ip_saddr().starts_with(LINK_LOCAL),
            nft::ip_saddr().is_not_in(&CLAIMED),
            nft::counter(),
            nft::drop(),
        ],
    );
    batch.add_rule(
        &EGRESS,
        [
            nft::meta_protocol_arp(),
            nft::arp_saddr_ip().starts_with(LINK_LOCAL),
            nft::ether_daddr_set(MacAddr::BROADCAST),
        ],
    );
}

/// A broadcast reply confirms its sender as a unicast one does.
fn confirm(batch: &mut Batch, own: MacAddr) {
    batch.add_chain(&INGRESS).add_rule(
        &INGRESS,
        [
            nft::meta_protocol_arp(),
            nft::arp_operation_reply(),
            nft::arp_saddr_ip().starts_with(LINK_LOCAL),
            nft::arp_daddr_ether().is(own),
            nft::meta_pkttype_set_host(),
        ],
    );
}

/// Nothing link-local is passed on.
fn no_forwarding(batch: &mut Batch) {
    batch.add_table(&HOST).add_chain(&PRE).add_chain(&FORWARD);
    for field in [nft::ip_saddr(), nft::ip_daddr()] {
        let link_local = [nft::meta_nfproto_ipv4(), field.starts_with(LINK_LOCAL)];
        let elsewhere = [nft::fib_daddr_type_unicast()];
        let stop = [nft::counter(), nft::drop()];
        batch.add_rule(&PRE, [&link_local[..], &elsewhere, &stop].concat());
        batch.add_rule(&FORWARD, [link_local, stop].concat());
    }
}

/// Tests of interfaces, alone and together with something else. Where nothing says that frames
/// are Ethernet's, nft writes the destination as the first 48 bits of their header.
fn interfaces(batch: &mut Batch, index: IfIndex, mac: MacAddr) {
    batch.add_set(&MANAGED).add_set(&OWN).add_set(&LOOPS);
    batch.add_elements(&MANAGED, &[index]).add_elements(&OWN, &[(index, mac)]);
    batch.add_elements(&LOOPS, &[(index, index)]);
    batch.add_rule(&FORWARD, [nft::meta_oif().is_in(&MANAGED)]);
    batch.add_rule(&FORWARD, [nft::meta_iif().with(nft::ether_daddr()).is_in(&OWN)]);
    batch.add_rule(&FORWARD, [nft::meta_iif().with(nft::meta_oif()).is_not_in(&LOOPS)]);
}

/// Nothing link-local is handed to a router.
fn no_router(batch: &mut Batch) {
    batch.add_table(&ROUTER).add_chain(&POST).add_rule(
        &POST,
        [
            nft::ip_daddr().starts_with(LINK_LOCAL),
            nft::rt_ip_nexthop().starts_not_with(LINK_LOCAL),
            nft::counter(),
            nft::drop(),
        ],
    );
}

fn commit(fill: impl FnOnce(&mut Batch)) -> Nft {
    let mut nft = Nft::open().unwrap();
    let mut batch = Batch::new();
    fill(&mut batch);
    nft.commit(&batch).unwrap();
    nft
}

fn change(nft: &mut Nft, fill: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::new();
    fill(&mut batch);
    nft.commit(&batch).unwrap();
}

/// A cable whose near end has both kinds of address.
fn cable() -> Cable {
    let mut cable = Cable::new();
    cable.rtnl.add_address(&address(cable.near, OURS)).unwrap();
    let plain = Address {
        ip: PLAIN,
        prefix_len: 24,
        broadcast: None,
        label: None,
        scope: 0,
        no_prefix_route: false,
        ..address(cable.near, PLAIN)
    };
    cable.rtnl.add_address(&plain).unwrap();
    cable
}

/// What `nft` makes of the rules in this namespace; `None` where it is not installed.
fn listing() -> Option<String> {
    let output = match Command::new("nft").args(["-n", "list", "ruleset"]).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

pub(crate) fn text() {
    let mut cable = Cable::new();
    let own = cable.mac(cable.near);
    let _nft = commit(|batch| {
        gate(batch);
        batch.add_elements(&CLAIMED, &[OURS, OTHER]);
        confirm(batch, own);
        no_forwarding(batch);
        interfaces(batch, cable.near, own);
        no_router(batch);
    });
    let Some(listing) = listing() else {
        println!("skipped: nft is not installed");
        return;
    };
    let expected = format!(
        r#"
table netdev guard {{
    flags owner
    set claimed {{
        type ipv4_addr
        elements = {{ {OURS}, {OTHER} }}
    }}
    chain egress {{
        type filter hook egress device "near" priority 0; policy accept;
        arp saddr ip LL arp saddr ip != @claimed meta mark != 0x01690254 COUNT drop
        ip saddr LL ip saddr != @claimed COUNT drop
        arp saddr ip LL ether daddr set ff:ff:ff:ff:ff:ff
    }}
    chain ingress {{
        type filter hook ingress device "near" priority 0; policy accept;
        arp operation 2 arp saddr ip LL arp daddr ether {own} meta pkttype set 0
    }}
}}
table inet guard {{
    flags owner
    set managed {{
        type iface_index
        elements = {{ "near" }}
    }}
    set own {{
        type iface_index . ether_addr
        elements = {{ "near" . {own} }}
    }}
    set loops {{
        type iface_index . iface_index
        elements = {{ "near" . "near" }}
    }}
    chain pre {{
        type filter hook prerouting priority -300; policy accept;
        ip saddr LL fib daddr type 1 COUNT drop
        ip daddr LL fib daddr type 1 COUNT drop
    }}
    chain forw {{
        type filter hook forward priority -150; policy accept;
        ip saddr LL COUNT drop
        ip daddr LL COUNT drop
        oif @managed
        iif . @ll,0,48 @own
        iif . oif != @loops
    }}
}}
table ip guard {{
    flags owner
    chain post {{
        type filter hook postrouting priority 0; policy accept;
        ip daddr LL rt ip nexthop != LL COUNT drop
    }}
}}"#
    );
    let expected =
        expected.replace("COUNT", "counter packets 0 bytes 0").replace("LL", "169.254.0.0/16");
    let tidied = |text: &str| {
        // The name of the owner's program stands behind a "#".
        let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(tidied(&listing), tidied(&expected));
}

fn is_arp_in(received: &Received<'_>) -> bool {
    received.direction == Direction::In && received.frame[12..14] == [8, 6]
}

fn sender_ip(frame: &[u8]) -> Ipv4Addr {
    Ipv4Addr::from(*frame[28..].first_chunk::<4>().unwrap())
}

/// The destination and the sender address of ARP frames at the far end, up to the first that
/// speaks for the plain address; that one is left out.
fn arp_until_plain(tap: &PacketSocket) -> Vec<(MacAddr, Ipv4Addr)> {
    let mut seen = Vec::new();
    loop {
        let frame = await_frame(tap, is_arp_in);
        if sender_ip(&frame) == PLAIN {
            assert_eq!(frame[..6], PEER.octets(), "a plain answer is unicast");
            return seen;
        }
        seen.push((MacAddr(*frame.first_chunk().unwrap()), sender_ip(&frame)));
    }
}

/// Has the kernel at the near end answer for the link-local and then for the plain address.
fn answers(cable: &Cable) -> Vec<(MacAddr, Ipv4Addr)> {
    let tap = PacketSocket::tap(cable.far).unwrap();
    let peer = PacketSocket::arp(cable.far).unwrap();
    peer.send(&arp(OTHER, OURS)).unwrap();
    peer.send(&arp(PLAIN_PEER, PLAIN)).unwrap();
    arp_until_plain(&tap)
}

pub(crate) fn broadcast() {
    let mut cable = cable();
    assert_eq!(answers(&cable), [(PEER, OURS)], "without rules the kernel answers by unicast");
    let mut nft = commit(gate);
    change(&mut nft, |batch| _ = batch.add_elements(&CLAIMED, &[OURS]));
    assert_eq!(answers(&cable), [(MacAddr::BROADCAST, OURS)]);

    let own = cable.mac(cable.near);
    let tap = PacketSocket::tap(cable.far).unwrap();
    let socket = PacketSocket::arp(cable.near).unwrap();
    for sender in [OURS, PLAIN] {
        let reply = arp_frame(PEER, 2, (own, sender), (PEER, OTHER));
        socket.send(&reply).unwrap();
    }
    assert_eq!(arp_until_plain(&tap), [(MacAddr::BROADCAST, OURS)], "from a packet socket");
}

/// Has the near end send datagrams from both kinds of address, and returns the sources that
/// arrive before the plain one.
fn sources(cable: &mut Cable) -> Vec<Ipv4Addr> {
    let tap = PacketSocket::tap(cable.far).unwrap();
    let near = cable.near;
    cable.rtnl.add_route(&route(near)).unwrap();
    for (from, to) in [(OURS, OTHER), (PLAIN, PLAIN_PEER)] {
        cable.add_neighbour(near, to, NeighbourState::Permanent);
        UdpSocket::bind((from, 0)).unwrap().send_to(b"hello", (to, PORT)).unwrap();
    }
    let mut seen = Vec::new();
    loop {
        let frame = await_frame(&tap, |received| received.frame[12..14] == [8, 0]);
        match Ipv4Addr::from(*frame[26..].first_chunk::<4>().unwrap()) {
            PLAIN => return seen,
            source => seen.push(source),
        }
    }
}

pub(crate) fn closed_gate() {
    let mut cable = cable();
    let mut nft = commit(gate);
    for is_claimed in [false, true, false] {
        if is_claimed {
            change(&mut nft, |batch| _ = batch.add_elements(&CLAIMED, &[OURS, OTHER]));
            change(&mut nft, |batch| _ = batch.add_elements(&CLAIMED, &[OURS]));
        }
        assert_eq!(answers(&cable).len(), usize::from(is_claimed));
        assert_eq!(sources(&mut cable).len(), usize::from(is_claimed));
        if is_claimed {
            change(&mut nft, |batch| _ = batch.remove_elements(&CLAIMED, &[OURS]));
        }
    }
    let [arp, ip] = nft.counters(&EGRESS).unwrap()[..] else { panic!("two counters expected") };
    assert_eq!((arp.packets, ip.packets), (2, 2));
    assert!(arp.bytes > 0 && ip.bytes > arp.bytes, "{arp:?} {ip:?}");
    let elsewhere = Chain { name: "elsewhere", ..EGRESS };
    assert_eq!(nft.counters(&elsewhere).unwrap(), []);
}

pub(crate) fn mark() {
    let mut cable = cable();
    let _nft = commit(gate);
    let own = cable.mac(cable.near);
    let tap = PacketSocket::tap(cable.far).unwrap();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let announcement = |ip| arp_frame(MacAddr::BROADCAST, 1, (own, ip), (MacAddr([0; 6]), ip));
    let dropped = socket.send(&announcement(OURS)).unwrap_err();
    assert_eq!(dropped.errno(), Some(Errno::ENOBUFS as i32), "{dropped}");
    socket.set_mark(MARK).unwrap();
    socket.send(&announcement(OTHER)).unwrap();
    assert_eq!(await_frame(&tap, is_arp_in), announcement(OTHER));
    socket.set_mark(0).unwrap();
    socket.send(&announcement(OTHER)).unwrap_err();
    assert_eq!(answers(&cable), []);
}

/// The state in which the near end's kernel has a neighbour.
fn neighbour_state(cable: &mut Cable, ip: Ipv4Addr) -> NeighbourState {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Inet;
    let request = RouteNetlinkMessage::GetNeighbour(message);
    let is_it = NeighbourAttribute::Destination(NeighbourAddress::Inet(ip));
    for answer in cable.rtnl.request(request, NLM_F_DUMP).unwrap() {
        if let RouteNetlinkMessage::NewNeighbour(neighbour) = answer
            && neighbour.attributes.contains(&is_it)
        {
            return neighbour.header.state;
        }
    }
    panic!("the kernel does not know {ip}");
}

/// The state of a neighbour that has answered a request by broadcast.
fn state_after_broadcast_reply(cable: &mut Cable, ip: Ipv4Addr) -> NeighbourState {
    let (near, own) = (cable.near, cable.mac(cable.near));
    cable.rtnl.add_route(&route(near)).unwrap();
    let peer = PacketSocket::tap(cable.far).unwrap();
    UdpSocket::bind((OURS, 0)).unwrap().send_to(b"hello", (ip, PORT)).unwrap();
    await_frame(&peer, is_arp_in);
    let reply = arp_frame(MacAddr::BROADCAST, 2, (PEER, ip), (own, OURS));
    peer.send(&reply).unwrap();
    // The datagram waited for the answer.
    await_frame(&peer, |received| received.frame[12..14] == [8, 0]);
    neighbour_state(cable, ip)
}

pub(crate) fn confirmation() {
    let mut cable = cable();
    let state = state_after_broadcast_reply(&mut cable, OTHER);
    assert_eq!(state, NeighbourState::Delay, "without rules the kernel does not believe it");
    let own = cable.mac(cable.near);
    let _nft = commit(|batch| {
        batch.add_table(&LINK);
        confirm(batch, own);
    });
    let another = Ipv4Addr::new(169, 254, 1, 1);
    assert_eq!(state_after_broadcast_reply(&mut cable, another), NeighbourState::Reachable);
}

/// A UDP datagram in an Ethernet frame.
fn datagram(destination: MacAddr, from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    let mut header = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
    header.extend(from.octets());
    header.extend(to.octets());
    let words = header.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum: u32 = words.sum();
    let checksum = !u16::try_from(sum % 0xffff).unwrap();
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    let mut frame = [destination.octets(), PEER.octets()].concat();
    frame.extend([8, 0]);
    frame.extend(header);
    frame.extend([0, 9, 0, 9, 0, 8, 0, 0]);
    frame
}

pub(crate) fn forward() {
    let beyond = Ipv4Addr::new(10, 9, 1, 2);
    let mut cable = cable();
    let mut second = Cable::named("near2", "far2");
    let out = second.near;
    cable.rtnl.set_conf(cable.near, Conf::Forwarding, 1).unwrap();
    for ip in [beyond, OTHER] {
        let route = Route { destination: ip, prefix_len: 32, ..route(out) };
        second.rtnl.add_route(&route).unwrap();
        second.add_neighbour(out, ip, NeighbourState::Permanent);
    }
    let router = cable.mac(cable.near);
    let link_local = Ipv4Addr::new(169, 254, 1, 1);
    let forwarded = || {
        let tap = PacketSocket::tap(second.far).unwrap();
        let peer = PacketSocket::arp(cable.far).unwrap();
        let ways = [(link_local, beyond), (PLAIN_PEER, OTHER), (PLAIN_PEER, beyond)];
        for (from, to) in ways {
            peer.send(&datagram(router, from, to)).unwrap();
        }
        let mut seen = 0;
        loop {
            let frame = await_frame(&tap, |received| received.frame[12..14] == [8, 0]);
            if frame[26..34] == [PLAIN_PEER.octets(), beyond.octets()].concat() {
                return seen;
            }
            seen += 1;
        }
    };
    assert_eq!(forwarded(), 2, "without rules the kernel is a router");
    let mut nft = commit(no_forwarding);
    assert_eq!(forwarded(), 0);
    let packets = |counters: Vec<Counter>| counters.iter().map(|c| c.packets).collect::<Vec<_>>();
    assert_eq!(packets(nft.counters(&PRE).unwrap()), [1, 1]);
    assert_eq!(packets(nft.counters(&FORWARD).unwrap()), [0, 0]);
    change(&mut nft, |batch| _ = batch.remove_chain(&PRE));
    assert_eq!(forwarded(), 0);
    assert_eq!(packets(nft.counters(&FORWARD).unwrap()), [1, 1]);
    change(&mut nft, |batch| _ = batch.remove_table(&HOST));
    assert_eq!(forwarded(), 2);
}

pub(crate) fn router() {
    let mut cable = cable();
    let near = cable.near;
    let _nft = commit(no_router);
    let via = Route { gateway: Some(PLAIN_PEER), scope: 0, ..route(near) };
    cable.rtnl.add_route(&via).unwrap();
    let send = |to| UdpSocket::bind((PLAIN, 0)).unwrap().send_to(b"hello", (to, PORT));
    assert_eq!(send(OTHER).unwrap_err().kind(), ErrorKind::PermissionDenied);
    send(PLAIN_PEER).unwrap();
    cable.rtnl.remove_route(&via).unwrap();
    cable.rtnl.add_route(&route(near)).unwrap();
    send(OTHER).unwrap();
}

pub(crate) fn owner() {
    let _cable = Cable::new();
    let nft = commit(gate);
    let mut second = Nft::open().unwrap();
    let mut batch = Batch::new();
    batch.add_table(&LINK);
    let taken = second.commit(&batch).unwrap_err();
    assert!(taken.is_permission(), "{taken}");
    assert!(taken.to_string().starts_with("could not add the table netdev guard: "), "{taken}");
    if let Some(before) = listing() {
        assert!(Command::new("nft").args(["flush", "ruleset"]).status().unwrap().success());
        assert_eq!(listing().unwrap(), before, "nobody else can flush it");
    } else {
        println!("skipped: nft is not installed");
    }
    drop(nft);
    second.commit(&batch).unwrap();

    let unowned = Table { owned: false, name: "other", ..LINK };
    drop(commit(|batch| _ = batch.add_table(&unowned)));
    let mut batch = Batch::new();
    batch.add_table(&Table { owned: true, ..unowned });
    let taken = second.commit(&batch).unwrap_err();
    assert_eq!(taken.io().kind(), ErrorKind::AlreadyExists, "{taken}");
}

pub(crate) fn refused() {
    let _cable = Cable::new();
    let mut nft = Nft::open().unwrap();
    let mut batch = Batch::new();
    batch.add_table(&HOST).add_chain(&FORWARD);
    let absent: Set<'_> = Set::new(HOST, "absent");
    batch.add_rule(&FORWARD, [nft::ip_saddr().is_in(&absent), nft::accept()]);
    batch.remove_elements(&absent, &[OURS]);
    let error = nft.commit(&batch).unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not add a rule to the chain forw of table inet guard: \
         No such file or directory (os error 2)"
    );
    nft.commit(&Batch::new()).unwrap();
    change(&mut nft, |batch| _ = batch.add_table(&HOST));
}

pub(crate) fn clear() {
    let _cable = Cable::new();
    let mut nft = commit(|batch| {
        gate(batch);
        no_forwarding(batch);
    });
    let mut removals = Batch::new();
    removals.remove_chain(&EGRESS).remove_chain(&INGRESS).remove_set(&CLAIMED);
    assert_eq!(nft.commit(&removals).unwrap_err().io().kind(), ErrorKind::NotFound);
    nft.clear(&removals).unwrap();
    change(&mut nft, |batch| _ = batch.remove_chain(&PRE).remove_chain(&FORWARD));
    // Only what is empty can be made anew.
    let gone = nft.commit(Batch::new().remove_set(&CLAIMED)).unwrap_err();
    assert_eq!(gone.io().kind(), ErrorKind::NotFound, "{gone}");
    nft.clear(&removals).unwrap();
    nft.clear(Batch::new().remove_table(&LINK).remove_table(&HOST)).unwrap();
}

/// As many interfaces as nobody has chains for: the kernel allows 1024 for a hook.
pub(crate) fn many() {
    let indices: Vec<_> = (1..=3000).filter_map(IfIndex::new).collect();
    let pairs: Vec<_> = indices.iter().map(|&index| (index, index)).collect();
    let own: Vec<_> = indices.iter().map(|&index| (index, PEER)).collect();
    let mut nft = commit(|batch| {
        no_forwarding(batch);
        batch.add_set(&MANAGED).add_set(&OWN).add_set(&LOOPS);
        batch.add_elements(&MANAGED, &indices).add_elements(&OWN, &own);
        batch.add_elements(&LOOPS, &pairs);
    });
    change(&mut nft, |batch| {
        batch.remove_elements(&MANAGED, &indices).remove_elements(&OWN, &own);
        batch.remove_elements(&LOOPS, &pairs);
    });
}

/// Some kernels know the device by its name alone and wait for it to appear.
pub(crate) fn absent_device() {
    let mut nft = Nft::open().unwrap();
    let mut batch = Batch::new();
    gate(&mut batch);
    if let Err(error) = nft.commit(&batch) {
        assert_eq!(error.io().kind(), ErrorKind::NotFound, "{error}");
        let start = "could not add the chain egress of table netdev guard for near: ";
        assert!(error.to_string().starts_with(start), "{error}");
        return;
    }
    let cable = cable();
    assert_eq!(answers(&cable), []);
}
