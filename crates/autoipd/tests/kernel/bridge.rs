//! Interfaces that stop or begin to be of use while the daemon runs: ports of a bridge, the bridge
//! itself, ARP switched off.

use autoip_lab::{Host, Switch};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::station::{QUICK, SOON, Station, X, change, ms, s};

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
