//! What stands in the way of the guard: names that are taken, tables that others flush, a kernel
//! without the means. Each costs one line at most, and never the daemon.

use std::net::Ipv4Addr;
use std::process::Command;

use autoip_lab::{Answer, Host, Peer, Pid, Process, Switch};
use autoip_linux::nft::{Batch, Family, Nft, Table};
use autoip_linux::rtnl::{Route, Rule};
use nix::sys::signal::Signal;

use crate::packet::{Tap, send};
use crate::station::{
    QUICK, SOON, Station, X, autoipd, await_lines, change, is_reply, lines_with, request, rules,
};
use crate::traces::{TABLE, Traces};

const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// A host somewhere in the Internet.
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 8);

/// Somebody else's tables of this name, as long as the value lives.
fn take_name(host: &Host, name: &str, owned: bool) -> Nft {
    let mut batch = Batch::new();
    for family in [Family::Netdev, Family::Inet] {
        batch.add_table(&Table { family, name, owned });
    }
    let mut nft = host.run(Nft::open).unwrap();
    nft.commit(&batch).unwrap();
    nft
}

/// Whether the station answers by broadcast: the guard is in force.
#[track_caller]
fn is_guarded(station: &mut Station, peer: &Peer) -> bool {
    peer.broadcast(&request(peer.mac(), X));
    station.wire.expect("answer", SOON, |seen| is_reply(seen) && seen.is_from_host()).is_broadcast()
}

/// The name of the tables of a daemon that could not have the usual one.
fn name_of(pid: Pid) -> String {
    format!("{TABLE}_{pid}")
}

pub(crate) fn a_taken_table_name_costs_nothing() {
    for owned in [true, false] {
        let switch = Switch::new();
        let peer = Peer::new(&switch);
        let mut station = Station::new(&switch);
        let others = take_name(&station.host, TABLE, owned);
        let daemon = station.claim(true, "");
        assert!(is_guarded(&mut station, &peer));
        assert_eq!(lines_with(&daemon, "WARN"), 0);
        assert_eq!(Traces::of(&station.host).filters, (0, 0));
        let traces = Traces::in_table(&station.host, &name_of(daemon.pid()));
        assert_eq!(traces.filters, (4, 7));
        drop(others);
        assert!(is_guarded(&mut station, &peer));
    }
}

/// Starts the daemon in a station where both names for its tables are taken.
fn without_names(station: &Station) -> (Process, [Nft; 2]) {
    // A process keeps its number when it becomes another program.
    let mut waiting = Command::new("sh");
    let program = autoipd(QUICK, station.memory.dir());
    waiting.args(["-c", "echo ready; while [ ! -e \"$0\" ]; do sleep 0.01; done; exec \"$@\""]);
    let signal = station.memory.dir().join("go");
    waiting.arg(&signal).arg(program.get_program()).args(program.get_args());
    let daemon = station.host.spawn(waiting);
    daemon.wait_log(SOON, |line| line == "ready");
    let names = [TABLE.to_owned(), name_of(daemon.pid())];
    let others = names.map(|name| take_name(&station.host, &name, true));
    std::fs::write(signal, "").unwrap();
    (daemon, others)
}

/// Stands for every kernel whose packet filter cannot be had.
pub(crate) fn without_a_filter_the_rest_is_in_force() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let (daemon, _others) = without_names(&station);
    station.expect_announcement(X);
    station.await_route(X);
    await_lines(&daemon, "going on without a packet filter", 1);
    assert_eq!(lines_with(&daemon, "WARN"), 1);
    station.host.expect("rule", SOON, |host| (!rules(host).is_empty()).then_some(()));
    let traces = Traces::of(&station.host);
    assert_eq!((traces.filters, traces.own_routes.len()), ((0, 0), 1));
    assert_eq!(traces.settings[1..], [1, 2]);
    assert!(!is_guarded(&mut station, &peer));
}

/// What firewalls do when they load their rules anew.
pub(crate) fn nobody_else_can_flush_the_filter() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let daemon = station.claim(true, "");
    if Command::new("nft").arg("--version").output().is_err() {
        autoip_lab::skip("nft is not installed");
    }
    let before = Traces::of(&station.host);
    let nft = |args: &[&str]| {
        let mut command = Command::new("nft");
        command.args(args);
        station.host.spawn(command).wait(SOON).success()
    };
    assert!(nft(&["flush", "ruleset"]));
    assert!(!nft(&["delete", "table", "netdev", TABLE]));
    assert!(!nft(&["flush", "chain", "netdev", TABLE, "egress_2"]));
    assert_eq!(Traces::of(&station.host), before);
    assert!(is_guarded(&mut station, &peer));
    assert_eq!(lines_with(&daemon, "WARN"), 0);
}

/// Somebody else has filled the table that ours would be, and has a rule with our number.
//= test LL-2.6.2-06
//= test LL-2.6.2-07
pub(crate) fn a_taken_routing_table_leads_nowhere_else() {
    let switch = Switch::new();
    let gateway = Peer::new(&switch);
    gateway.own(GATEWAY, Answer::Unicast);
    let mut station = Station::new(&switch);
    station.host.add_address("eth0", ROUTABLE, 24);
    let index = station.host.link("eth0").unwrap().index;
    let network = station.host.routes()[0].clone();
    let table = 39_270_000 + index.get();
    let theirs = Route {
        destination: Ipv4Addr::UNSPECIFIED,
        prefix_len: 0,
        scope: 0,
        source: None,
        protocol: 4,
        gateway: Some(GATEWAY),
        table,
        ..network
    };
    let rule = Rule {
        priority: 3927,
        from: Some((ROUTABLE, 32)),
        to: None,
        iif: None,
        oif: None,
        table: 254,
        protocol: 4,
    };
    change(&station.host, |rtnl| {
        rtnl.add_route(&theirs).unwrap();
        rtnl.add_rule(&rule).unwrap();
    });
    let mut tap = Tap::new(&station.cable);
    let daemon = station.claim(true, "-f");
    send(&station.host, X, FAR).unwrap();
    station.wire.expect("request for it", SOON, |seen| {
        seen.is_from_host() && seen.arp.sender_ip == X && seen.arp.target_ip == FAR
    });
    assert!(tap.sent(|packet| packet.source == X).is_empty());
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(SOON).success());
    change(&station.host, |rtnl| {
        assert_eq!(rtnl.routes_of(table).unwrap(), [theirs]);
        assert!(rtnl.rules().unwrap().contains(&rule));
    });
}
