//! What stands in the way of the guard: names that are taken, tables that others flush, a kernel
//! without the means. Each costs one line at most, and never the daemon.

use std::net::Ipv4Addr;
use std::process::Command;
use std::thread;
use std::time::Duration;

use autoip_lab::{Answer, Host, Peer, Pid, Process, Seen, Switch, skip};
use autoip_linux::nft::{Batch, Chain, Family, Hook, Nft, Table};
use autoip_linux::rtnl::{Route, Rule};
use nix::sys::signal::Signal;

use crate::packet::{Tap, send};
use crate::station::{
    CLAIM, QUICK, SOON, Station, X, autoipd, await_lines, change, eventually, is_reply, lines_with,
    ms, request, rules,
};
use crate::traces::{TABLE, Traces};

const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// A host somewhere in the Internet.
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 8);

/// As many as the kernel allows at one hook.
const CHAINS_MAX: usize = 1024;

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
        assert_eq!(traces.filters, (4, 8));
        drop(others);
        assert!(is_guarded(&mut station, &peer));
    }
}

/// Starts the daemon in a station where both names for its tables are taken.
fn without_names(station: &Station, options: &str) -> (Process, [Nft; 2]) {
    // A process keeps its number when it becomes another program.
    let mut waiting = Command::new("sh");
    let program = autoipd(&format!("{QUICK} {options}"), station.memory.dir());
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
    let (daemon, _others) = without_names(&station, "");
    station.expect_announcement(X);
    station.await_route(X);
    await_lines(&daemon, "going on without a packet filter", 1);
    assert_eq!(lines_with(&daemon, "WARN"), 1);
    station.host.expect("rules", SOON, |host| (rules(host).len() == 3).then_some(()));
    let traces = Traces::of(&station.host);
    assert_eq!((traces.filters, traces.own_routes.len()), ((0, 0), 1));
    assert_eq!((&traces.settings[1..], traces.search), (&[1, 2][..], [0, 3]));
    assert!(!is_guarded(&mut station, &peer));
}

/// Whoever demands a filter gets it, or an exit status that says no.
pub(crate) fn a_filter_that_is_demanded_and_not_to_be_had_ends_the_start() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let (daemon, _others) = without_names(&station, "--guard nft");
    assert_eq!(daemon.wait(SOON).code(), Some(1));
    assert_eq!(lines_with(&daemon, ""), 2, "ready, and one line of its own");
    assert_eq!(lines_with(&daemon, "--guard auto"), 1);
    station.expect_none("nothing is claimed", ms(300), |_| true);
    assert_eq!(Traces::of(&station.host).settings[1..], [0, 0]);
}

/// What could not be had at the start is tried again: here when an interface appears.
pub(crate) fn a_filter_that_can_be_had_again_is_in_force_again() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let (daemon, others) = without_names(&station, "-i eth1");
    station.expect_announcement(X);
    station.await_route(X);
    assert!(!is_guarded(&mut station, &peer));
    assert_eq!(Traces::of(&station.host).search, [0, 3]);
    drop(others);
    // An attempt that failed a moment ago is not repeated at once.
    let mut number = 0;
    eventually("it tries again", CLAIM, || {
        number += 1;
        let name = format!("other{number}");
        station.host.connect(&switch, &name);
        station.host.rename(&name, "eth1");
        daemon.wait_log(SOON, |line| line.contains("eth1: managing"));
        let is_back = daemon.log_contains("in force again");
        station.host.delete("eth1");
        is_back
    });
    eventually("the rules that stood in for it are gone", SOON, || {
        rules(&station.host).iter().all(|rule| rule.iif.is_none())
    });
    assert!(is_guarded(&mut station, &peer));
    assert_eq!(Traces::of(&station.host).search, [3, 0]);
}

/// Somebody has used up all the places that the kernel has for chains on one interface.
pub(crate) fn an_interface_that_cannot_be_guarded_leaves_the_guard_to_others() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let second = station.host.connect(&switch, "eth1");
    let table = Table { family: Family::Netdev, name: "full", owned: true };
    let names: Vec<_> = (0..CHAINS_MAX).map(|number| format!("chain{number}")).collect();
    let mut batch = Batch::new();
    batch.add_table(&table);
    for name in &names {
        let hook = Hook::Egress { device: "eth1" };
        batch.add_chain(&Chain { table, name, hook, priority: 0 });
    }
    let mut others = station.host.run(Nft::open).unwrap();
    others.commit(&batch).unwrap();

    let daemon = station.claim(true, "-i eth1");
    let wire = second.capture();
    assert!(is_guarded(&mut station, &peer));
    let line = daemon.wait_log(SOON, |line| line.contains("without a gate of its own"));
    assert!(line.text.contains("eth1: "), "{}", line.text);
    for up in [false, true, false, true] {
        station.host.set_up("eth1", up);
    }
    let announced = |seen: &Seen| seen.is_from_host() && seen.is_announcement();
    let addr = { wire }.expect("announcement", CLAIM, announced).arp.sender_ip;
    let without = lines_with(&daemon, "without a gate of its own");
    assert_eq!(without, 1, "said once: {:#?}", daemon.log());
    assert!(!daemon.log_contains("going on without a packet filter"));

    drop(others);
    station.host.set_up("eth1", false);
    station.host.set_up("eth1", true);
    daemon.wait_log(SOON, |line| line.contains("eth1: the packet filter is in force"));
    let mut wire = second.capture();
    wire.expect("announcement", CLAIM, |seen| seen.is_from_host() && seen.is_announcement_of(addr));
    eventually("its rule", SOON, || {
        rules(&station.host).iter().any(|rule| rule.from == Some((addr, 32)))
    });
    peer.broadcast(&request(peer.mac(), addr));
    let answer = wire.expect("answer", SOON, |seen| seen.is_from_host() && is_reply(seen));
    assert!(answer.is_broadcast(), "{answer}");
    assert!(is_guarded(&mut station, &peer));
}

/// Interfaces that come, are renamed and go at any moment of being guarded.
pub(crate) fn an_interface_that_goes_takes_the_guard_from_nobody() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let daemon = station.claim(true, "-i eth1 -i eth2");
    let before = listing(&station.host);
    let pauses = autoip_linux::seed().unwrap().to_ne_bytes();
    for (number, pause) in pauses.iter().chain(&pauses).enumerate() {
        let other = Switch::new();
        station.host.connect(&other, "eth1");
        thread::sleep(Duration::from_micros(u64::from(*pause) * 20));
        if number % 2 == 0 {
            station.host.rename("eth1", "eth2");
            thread::sleep(Duration::from_micros(u64::from(*pause) * 20));
            station.host.delete("eth2");
        } else {
            station.host.delete("eth1");
        }
    }
    assert!(is_guarded(&mut station, &peer));
    for word in ["packet filter", "gate", "table"] {
        assert_eq!(lines_with(&daemon, word), 0, "{word}: {:#?}", daemon.log());
    }
    match before {
        None => skip("nft is not installed, so nobody can tell what is left"),
        Some(before) => eventually("nothing is left of the others", SOON, || {
            listing(&station.host).is_some_and(|now| now == before)
        }),
    }
}

/// What `nft` says of all rules, but for their counts.
fn listing(host: &Host) -> Option<String> {
    let mut command = Command::new("nft");
    command.args(["-s", "list", "ruleset"]);
    let output = host.run(|| command.output()).ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What firewalls do when they load their rules anew.
pub(crate) fn nobody_else_can_flush_the_filter() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    let daemon = station.claim(true, "");
    if Command::new("nft").arg("--version").output().is_err() {
        skip("nft is not installed");
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
        table: Some(254),
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
