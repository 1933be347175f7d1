//! Addresses that others put on the host: RFC 3927 §1.9, and what the daemon must not touch.

use std::net::Ipv4Addr;

use autoip_lab::{Peer, Switch};
use autoip_linux::rtnl::{Address, Route};
use autoip_linux::{PacketSocket, boottime};
use autoip_wire::MacAddr;
use etherparse::PacketBuilder;
use nix::sys::signal::Signal;

use crate::station::{
    LOCK, MARK, QUICK, SOON, Station, X, assert_between, change, each, eventually, lines_with, ms,
    s,
};

const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);

/// What others have put into the kernel.
fn foreign(station: &Station) -> (Vec<Address>, Vec<Route>) {
    let mut addresses = station.host.addresses("eth0");
    addresses.retain(|address| address.protocol != MARK);
    addresses.extend(station.host.addresses("eth1"));
    let mut routes = station.host.routes();
    routes.retain(|route| route.protocol != MARK);
    (addresses, routes)
}

/// An address of an administrator, with the kernel's defaults.
fn plain(station: &Station, ip: Ipv4Addr, prefix_len: u8) -> Address {
    Address {
        index: station.host.link("eth0").unwrap().index,
        ip,
        prefix_len,
        broadcast: None,
        label: None,
        scope: 0,
        no_prefix_route: false,
        deprecated: false,
        protocol: 0,
        valid: None,
    }
}

/// A DHCP message between ports 68 and 67, as far as a link can tell.
fn dhcp(macs: [MacAddr; 2], ips: [Ipv4Addr; 2], ports: [u16; 2], operation: u8) -> Vec<u8> {
    let [from, to] = macs.map(MacAddr::octets);
    let [source, destination] = ips.map(|ip| ip.octets());
    let mut message = vec![0; 240];
    message[..4].copy_from_slice(&[operation, 1, 6, 0]);
    message[236..].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    // DISCOVER or OFFER, and the end of the options.
    message.extend([53, 1, operation, 255]);
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(from, to)
        .ipv4(source, destination, 64)
        .udp(ports[0], ports[1])
        .write(&mut frame, &message)
        .unwrap();
    frame
}

/// Waits until a socket has seen exactly this frame.
#[track_caller]
fn await_frame(socket: &PacketSocket, frame: &[u8], what: &str) {
    let mut buffer = [0; 512];
    eventually(what, SOON, || {
        while let Some(received) = socket.receive(&mut buffer).unwrap() {
            if received.frame == frame {
                return true;
            }
        }
        false
    });
}

/// A client works with frames, since it has no address yet. What it sends and what it is sent pass
/// as they do without the daemon, while an address is claimed and while there is one.
//= test LL-1.9-05
//= test LL-2.11-01
pub(crate) fn a_dhcp_client_is_not_disturbed() {
    let switch = Switch::new();
    let (server, mut station) = (Peer::new(&switch), Station::new(&switch));
    let (mac, index) = (station.mac(), station.host.link("eth0").unwrap().index);
    let client = station.host.run(|| PacketSocket::tap(index)).unwrap();
    let wire = station.cable.tap();
    let everybody = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST];
    let discover = dhcp([mac, MacAddr::BROADCAST], everybody, [68, 67], 1);
    // To an address that the client does not have yet.
    let offer = dhcp([server.mac(), mac], [Ipv4Addr::new(192, 0, 2, 1), ROUTABLE], [67, 68], 2);
    let exchange = |when: &str| {
        client.send(&discover).unwrap();
        await_frame(&wire, &discover, &format!("the DISCOVER {when}"));
        server.send_bytes(&offer);
        await_frame(&client, &offer, &format!("the OFFER {when}"));
    };
    exchange("without the daemon");
    let _daemon = station.start(&format!("-i eth0 -s {X}"));
    station.expect_probe_for(X);
    exchange("during a claim");
    station.expect_announcement(X);
    station.await_route(X);
    exchange("beside an address");
}

/// The daemon hears of an address when it is gone again: the kernel takes no route that names it,
/// and nobody need hear of that.
pub(crate) fn a_routable_address_that_went_at_once_is_no_trouble() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let daemon = station.claim(true, "-f");
    daemon.signal(Signal::SIGSTOP);
    station.host.add_address("eth0", ROUTABLE, 24);
    station.host.remove_address("eth0", ROUTABLE);
    daemon.signal(Signal::SIGCONT);
    // It comes last.
    station.cable.pull();
    station.expect_removal(X);
    assert_eq!(lines_with(&daemon, "WARN"), 0, "{:#?}", daemon.log());
}

const HERE: Ipv4Addr = Ipv4Addr::new(169, 254, 50, 50);
const THERE: Ipv4Addr = Ipv4Addr::new(169, 254, 60, 60);

/// Makes an address for a station.
type Make = fn(&Station) -> Address;

/// The kernel has its own ideas about addresses of one network on one interface: they must have
/// one scope, and when the first goes it may take the others with it.
fn foreign_addresses() -> [(&'static str, Make); 3] {
    [
        ("global", |station| plain(station, HERE, 16)),
        ("link", |station| Address { scope: 253, ..plain(station, HERE, 16) }),
        ("narrow", |station| plain(station, HERE, 24)),
    ]
}

//= test LL-2.11-02
pub(crate) fn foreign_link_local_addresses_are_left_alone() {
    each(&foreign_addresses(), |foreign_address| {
        let (switch, elsewhere) = (Switch::new(), Switch::new());
        let mut station = Station::new(&switch);
        station.host.connect(&elsewhere, "eth1");
        station.host.add_address("eth1", THERE, 16);
        let address = foreign_address(&station);
        change(&station.host, |rtnl| rtnl.add_address(&address).unwrap());
        let before = foreign(&station);
        assert_eq!((before.0.len(), before.1.is_empty()), (2, false));
        for start in [HERE, THERE] {
            let daemon = station.start(&format!("-i eth0 -s {start} -p 1 -a 1 -w 1"));
            let addr = station.expect_probe().arp.target_ip;
            assert!(![HERE, THERE].contains(&addr), "it wants {addr}, which this host has");
            station.expect_announcement(addr);
            station.await_route(addr);
            station.assert_bound(addr);
            assert_eq!(foreign(&station), before);
            daemon.signal(Signal::SIGTERM);
            assert!(daemon.wait(SOON).success());
            assert_eq!(foreign(&station), before);
            station.assert_clean();
        }
    });
}

pub(crate) fn a_foreign_address_that_came_later_stays() {
    each(&foreign_addresses(), |foreign_address| {
        let switch = Switch::new();
        let (station, daemon) = Station::with_address(&switch);
        let address = foreign_address(&station);
        let mut added = true;
        // Where the kernel refuses, as it does for global scope beside ours, nothing can be lost.
        change(&station.host, |rtnl| added = rtnl.add_address(&address).is_ok());
        let before = foreign(&station);
        daemon.signal(Signal::SIGTERM);
        assert!(daemon.wait(SOON).success());
        station.assert_clean();
        let ips = |addresses: &[Address]| addresses.iter().map(|a| a.ip).collect::<Vec<_>>();
        assert_eq!(ips(&before.0), if added { vec![HERE] } else { vec![] });
        assert_eq!(ips(&foreign(&station).0), ips(&before.0), "it went with ours");
    });
}

/// Asserts that the station has no link-local address, and reaches link-local hosts nevertheless.
#[track_caller]
fn assert_only_the_link(station: &Station) {
    assert_eq!(station.marked(), []);
    let sources: Vec<_> = station.routes().iter().map(|route| route.source).collect();
    assert_eq!(sources, [Some(ROUTABLE)]);
}

//= test LL-1.9-01
//= test LL-1.9-02
//= test LL-1.9-04
//= test LL-1.9-10
//= test LL-1.4-01
//= test DNA-2.3-05
//= test LL-2.2-05
pub(crate) fn a_routable_address_takes_the_place() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.host.add_address("eth0", ROUTABLE, 24);
    let _daemon = station.start("-i eth0 -s 169.254.7.7");
    station.expect_none("a routable address is there", s(3), |_| true);
    let lost = boottime();
    station.host.remove_address("eth0", ROUTABLE);
    let announced = station.expect_announcement(X);
    assert_between("claim", announced.at - lost, s(4)..=s(7) + LOCK);
    station.await_route(X);

    station.changes.skip_to_end();
    let arrived = boottime();
    station.host.add_address("eth0", ROUTABLE, 24);
    let removed = station.expect_removal(X);
    assert!(removed.at - arrived <= LOCK, "gone after {:?}", removed.at - arrived);
    station.await_route(ROUTABLE);
    station.wire.skip_to_end();
    station.expect_none("it speaks of link-local addresses", s(3), |seen| {
        autoip_wire::is_link_local(seen.arp.target_ip)
    });
    assert_only_the_link(&station);
}

//= test LL-1.9-02
//= test LL-1.4-01
pub(crate) fn a_routable_address_ends_the_probing() {
    let switch = Switch::new();
    let (mut station, _daemon) = Station::with_daemon(&switch, "-i eth0 -s 169.254.7.7");
    station.expect_probe_for(X);
    station.host.add_address("eth0", ROUTABLE, 24);
    station.expect_none("a routable address is there", s(4), |_| true);
    assert_only_the_link(&station);
}

//= test LL-1.9-11
pub(crate) fn a_routable_address_that_expires_gives_way() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let address = plain(&station, ROUTABLE, 24);
    change(&station.host, |rtnl| rtnl.add_address(&address).unwrap());
    let _daemon = station.start(QUICK);
    station.expect_none("a routable address is there", s(1) + ms(500), |_| true);
    let expired = Address { deprecated: true, ..address };
    change(&station.host, |rtnl| rtnl.add_address(&expired).unwrap());
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
}

pub(crate) fn force_keeps_both() {
    let options = [
        ("-f", "-f -i eth0 -s 169.254.7.7 -p 1 -a 1 -w 1"),
        ("nfm-autoip", "-o if=eth0,ip=169.254.7.7,delay=100 -p 1 -a 1 -w 1"),
    ];
    each(&options, |options| {
        let switch = Switch::new();
        let mut station = Station::new(&switch);
        station.host.add_address("eth0", ROUTABLE, 24);
        let _daemon = station.start(options);
        station.expect_announcement(X);
        // New traffic comes from the routable address.
        station.await_route(ROUTABLE);
        station.host.add_address("eth0", Ipv4Addr::new(198, 51, 100, 5), 24);
        station.expect_none("it gives up", s(1), |_| true);
        let marked: Vec<_> = station.marked().iter().map(|address| address.ip).collect();
        assert_eq!(marked, [X]);
        assert_eq!(station.host.addresses("eth0").len(), 3);
    });
}

//= test LL-1.9-11
pub(crate) fn addresses_that_do_not_count_do_not_hinder() {
    let cases: [(&str, Make); 4] = [
        ("/32", |station| plain(station, ROUTABLE, 32)),
        ("deprecated", |station| Address { deprecated: true, ..plain(station, ROUTABLE, 24) }),
        ("link scope", |station| Address { scope: 253, ..plain(station, ROUTABLE, 24) }),
        ("link-local", |station| plain(station, HERE, 24)),
    ];
    each(&cases, |make| {
        let switch = Switch::new();
        let mut station = Station::new(&switch);
        let address = make(&station);
        change(&station.host, |rtnl| rtnl.add_address(&address).unwrap());
        let _daemon = station.start(QUICK);
        station.expect_announcement(X);
        station.await_route(X);
        station.assert_bound(X);
    });
}

//= test DNA-2.3-04
//= test LL-2.2-05
pub(crate) fn dhcp_has_its_head_start() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.cable.pull();
    let daemon = station.start("-i eth0 -s 169.254.7.7 -t 3");
    daemon.wait_log(SOON, |line| line.contains("managing"));
    for _ in 0..2 {
        let before = boottime();
        station.put_back();
        let probe = station.expect_probe_for(X);
        assert_between("first probe", probe.at - before, s(3)..=s(4));
        station.cable.pull();
    }
}

pub(crate) fn a_lease_within_the_head_start_prevents_the_claim() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_daemon(&switch, "-i eth0 -t 1");
    daemon.wait_log(SOON, |line| line.contains("managing"));
    station.host.add_address("eth0", ROUTABLE, 24);
    station.expect_none("a routable address is there", s(2) + ms(500), |_| true);
    assert_only_the_link(&station);
}
