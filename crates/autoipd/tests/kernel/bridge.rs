//! Interfaces that stop or begin to be of use while the daemon runs: ports of a bridge, the bridge
//! itself, ARP switched off.

use std::net::Ipv4Addr;

use autoip_lab::{Host, Peer, Switch};
use autoip_wire::MacAddr;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::packet::{Tap, datagram};
use crate::station::{QUICK, SOON, Station, X, change, ms, s};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const GROUP_MAC: MacAddr = MacAddr([0x01, 0x00, 0x5e, 0x01, 0x02, 0x03]);

fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn set(host: &Host, message: LinkMessage) {
    change(host, |rtnl| {
        rtnl.request(RouteNetlinkMessage::SetLink(message), 0).unwrap();
    });
}

/// Switches ARP on or off, as `ip link set NAME arp off` does.
pub(crate) fn set_arp(host: &Host, name: &str, on: bool) {
    let mut message = named(name);
    message.header.change_mask = LinkFlags::Noarp;
    message.header.flags = if on { LinkFlags::empty() } else { LinkFlags::Noarp };
    set(host, message);
}

/// Makes a bridge that forwards at once.
pub(crate) fn add_bridge(host: &Host, name: &str) {
    let data = InfoData::Bridge(vec![InfoBridge::ForwardDelay(0)]);
    let mut message = named(name);
    let info = vec![LinkInfo::Kind(InfoKind::Bridge), LinkInfo::Data(data)];
    message.attributes.push(LinkAttribute::LinkInfo(info));
    change(host, |rtnl| {
        let request = RouteNetlinkMessage::NewLink(message);
        rtnl.request(request, NLM_F_CREATE | NLM_F_EXCL).unwrap();
    });
    host.set_up(name, true);
}

/// Makes `port` a port of `bridge`, or of none.
pub(crate) fn set_bridge(host: &Host, port: &str, bridge: Option<&str>) {
    let index = bridge.map_or(0, |bridge| host.link(bridge).unwrap().index.get());
    let mut message = named(port);
    message.attributes.push(LinkAttribute::Controller(index));
    set(host, message);
}

//= test LL-1.3-01
pub(crate) fn an_interface_without_arp_is_given_up_for_that_time() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_address(&switch);
    set_arp(&station.host, "eth0", false);
    daemon.wait_log(SOON, |line| line.contains("eth0 has ARP switched off"));
    station.assert_clean();
    station.wire.skip_to_end();
    station.expect_none("it cannot hear anything", ms(500), |_| true);
    set_arp(&station.host, "eth0", true);
    station.expect_probe_for(X);
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
}

/// A bridge takes all frames before anybody on the port sees them.
pub(crate) fn a_port_of_a_bridge_is_given_up_for_that_time() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_address(&switch);
    add_bridge(&station.host, "lan0");
    set_bridge(&station.host, "eth0", Some("lan0"));
    daemon.wait_log(SOON, |line| line.contains("eth0 is a port of lan0"));
    station.assert_clean();
    set_bridge(&station.host, "eth0", None);
    station.expect_probe_for(X);
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);

    set_bridge(&station.host, "eth0", Some("lan0"));
    station.await_clean();
    let second = station.start(&QUICK.replace("eth0", "lan0"));
    station.expect_announcement(X);
    assert_eq!(second.status(), None);
    let held: Vec<_> = station.host.addresses("lan0").into_iter().map(|a| a.ip).collect();
    assert_eq!(held, [X]);
    station.expect_none("they fight", s(1), |_| true);
}

/// br_netfilter shows bridged packets to the rules for routed ones, where it is loaded. Guests
/// behind a managed bridge are hosts of one link, whatever their addresses.
pub(crate) fn what_passes_a_managed_bridge_is_not_forwarded() {
    let switches = [Switch::new(), Switch::new()];
    let guests = switches.each_ref().map(Peer::new);
    let mut station = Station::new(&switches[0]);
    let beyond = station.host.connect(&switches[1], "eth1");
    add_bridge(&station.host, "lan0");
    for port in ["eth0", "eth1"] {
        set_bridge(&station.host, port, Some("lan0"));
    }
    // Without the module there is no such file, and nothing to be afraid of.
    let filtered = station.host.run(|| {
        let path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
        std::fs::write(path, "1").is_ok()
    });
    station.host.set_variable("ipv4/ip_forward", "1");
    let _daemon = station.start(&QUICK.replace("eth0", "lan0"));
    station.expect_announcement(X);
    let mut tap = Tap::new(&beyond);
    let (here, there) = (Ipv4Addr::new(169, 254, 8, 8), Ipv4Addr::new(169, 254, 9, 9));
    let routable = Ipv4Addr::new(192, 0, 2, 9);
    let macs = guests.each_ref().map(Peer::mac);
    for way in [(here, there), (here, routable), (routable, there)] {
        guests[0].send_bytes(&datagram((macs[0], macs[1]), way, 64));
    }
    guests[0].send_bytes(&datagram((macs[0], GROUP_MAC), (here, GROUP), 64));
    for (from, to) in [(here, there), (here, routable), (routable, there), (here, GROUP)] {
        let what = format!("{from} to {to}, with br_netfilter: {filtered}");
        tap.expect(&what, |packet| packet.goes(from, to));
    }
    // What is to be routed is held back here as elsewhere, also back to where it came from.
    let router = station.host.mac("lan0");
    guests[0].send_bytes(&datagram((macs[0], router), (here, there), 64));
    guests[0].send_bytes(&datagram((macs[0], macs[1]), (there, here), 64));
    tap.expect("the last one", |packet| packet.goes(there, here));
    assert_eq!(tap.sent(|packet| packet.goes(here, there)).len(), 1);
}
