//! What the guard puts into the kernel and changes there: everything while the daemon runs, and
//! nothing afterwards, however it ended.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use autoip_lab::{Peer, Process, Switch};
use autoip_linux::boottime;
use autoip_linux::rtnl::{Conf, Event, Rule};
use nix::sys::signal::Signal;

use crate::packet::await_source;
use crate::reset::friend;
use crate::station::{
    QUICK, SOON, Station, X, change, each, eventually, is_reply, ms, request, rules,
};
use crate::traces::Traces;

const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const ROUTABLE_FRIEND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

/// The settings in force with a guard: promote_secondaries, arp_ignore and arp_announce.
const GUARDED: [i32; 3] = [1, 1, 2];

fn set(station: &Station, settings: [(Conf, i32); 3]) {
    let index = station.host.link("eth0").unwrap().index;
    change(&station.host, |rtnl| {
        for (conf, value) in settings {
            rtnl.set_conf(index, conf, value).unwrap();
        }
    });
}

const fn all(values: [i32; 3]) -> [(Conf, i32); 3] {
    [
        (Conf::PromoteSecondaries, values[0]),
        (Conf::ArpIgnore, values[1]),
        (Conf::ArpAnnounce, values[2]),
    ]
}

#[track_caller]
fn end(daemon: &Process) {
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(SOON).success());
}

pub(crate) fn each_guard_puts_in_what_is_its_own() {
    let cases = [
        ("nft", ("--guard nft", (4, 8), (1, 1), GUARDED, [3, 0])),
        ("auto", ("--guard auto", (4, 8), (1, 1), GUARDED, [3, 0])),
        ("sysctl", ("--guard sysctl", (0, 0), (3, 1), GUARDED, [0, 3])),
        ("off", ("--guard off", (0, 0), (0, 0), [1, 0, 0], [3, 0])),
    ];
    each(&cases, |&(options, filters, own, settings, search)| {
        let switch = Switch::new();
        let mut station = Station::new(&switch);
        set(&station, all([0, 0, 0]));
        let before = Traces::of(&station.host);
        assert!(before.is_gone(), "{before:?}");
        let daemon = station.start(&format!("{QUICK} {options}"));
        station.expect_announcement(X);
        station.await_route(X);
        eventually("all is there", SOON, || rules(&station.host).len() == own.0);
        let during = Traces::of(&station.host);
        assert_eq!((during.filters, during.own_routes.len()), (filters, own.1), "{during:?}");
        assert_eq!((during.settings, during.search), (settings, search));
        end(&daemon);
        assert_eq!(Traces::of(&station.host), before);
        station.assert_clean();
    });
}

/// What an administrator has set more strictly stays, and what was set meanwhile.
pub(crate) fn settings_of_an_administrator_stay() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    set(&station, all([0, 2, 1]));
    let daemon = station.claim(true, "");
    assert_eq!(Traces::of(&station.host).settings, [1, 2, 2]);
    end(&daemon);
    assert_eq!(Traces::of(&station.host).settings, [0, 2, 1]);

    set(&station, all([0, 0, 0]));
    let daemon = station.claim(true, "");
    assert_eq!(Traces::of(&station.host).settings, GUARDED);
    set(&station, all([1, 8, 1]));
    end(&daemon);
    assert_eq!(Traces::of(&station.host).settings, [0, 8, 1]);
}

/// Puts the claim to an end without a word, and asserts that the filters are gone with it.
#[track_caller]
fn kill(station: &Station, daemon: &Process) {
    daemon.signal(Signal::SIGKILL);
    daemon.wait(SOON);
    assert_eq!(Traces::of(&station.host).filters, (0, 0));
}

pub(crate) fn a_start_after_a_crash_knows_what_the_settings_were() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    set(&station, all([0, 0, 1]));
    for _ in 0..2 {
        let daemon = station.claim(true, "");
        kill(&station, &daemon);
        assert_eq!(Traces::of(&station.host).settings, GUARDED);
    }
    let daemon = station.claim(true, "");
    end(&daemon);
    let after = Traces::of(&station.host);
    assert!(after.is_gone(), "{after:?}");
    assert_eq!(after.settings, [0, 0, 1]);
    station.assert_clean();
}

/// A daemon with another guard puts back what that one does not need.
pub(crate) fn a_start_after_a_crash_undoes_what_another_guard_did() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    set(&station, all([0, 0, 0]));
    let before = Traces::of(&station.host);
    let daemon = station.claim(true, "--guard sysctl");
    eventually("its rules", SOON, || rules(&station.host).len() == 3);
    kill(&station, &daemon);
    assert_eq!(Traces::of(&station.host).search, [0, 3]);
    let daemon = station.claim(true, "--guard nft");
    assert_eq!(Traces::of(&station.host).search, before.search);
    eventually("one rule", SOON, || rules(&station.host).len() == 1);
    end(&daemon);
    assert_eq!(Traces::of(&station.host), before);
}

/// The interface of a daemon that was killed is gone, and its number with it.
pub(crate) fn rules_of_interfaces_that_are_gone_are_removed() {
    for guard in ["nft", "sysctl"] {
        let switch = Switch::new();
        let mut station = Station::new(&switch);
        let daemon = station.claim(true, &format!("--guard {guard}"));
        let theirs = Rule {
            priority: 4000,
            from: None,
            to: None,
            iif: Some("eth0".to_owned()),
            oif: None,
            table: None,
            protocol: 4,
        };
        change(&station.host, |rtnl| rtnl.add_rule(&theirs).unwrap());
        kill(&station, &daemon);
        station.host.delete("eth0");
        assert!(!rules(&station.host).is_empty(), "the kernel keeps them");
        let _cable = station.host.connect(&switch, "eth1");
        let _next = station.start("-i eth1");
        eventually("they are gone", SOON, || rules(&station.host).is_empty());
        assert!(change(&station.host, |rtnl| rtnl.rules().unwrap().contains(&theirs)));
    }
}

/// At whatever moment the daemon is killed, between two of its requests to the kernel or
/// elsewhere, the host goes on talking with routable hosts, and with link-local ones.
pub(crate) fn a_killed_daemon_does_not_stand_in_the_way() {
    each(&[("nft", "nft"), ("sysctl", "sysctl")], |guard| survive_kills(guard));
}

fn survive_kills(guard: &str) {
    let switch = Switch::new();
    let friend = friend(&switch);
    let mut station = Station::new(&switch);
    set(&station, all([0, 0, 0]));
    station.host.add_address("eth0", ROUTABLE, 24);
    let [seed, more] = [(); 2].map(|()| autoip_linux::seed().unwrap().to_ne_bytes());
    for byte in seed.iter().chain(&more) {
        // From before the guard is there to after the claim.
        let pause = Duration::from_micros(u64::from(*byte) * 1600);
        let daemon =
            station.start(&format!("-f -i eth0 -s 169.254.7.7 --timing fast --guard {guard}"));
        thread::sleep(pause);
        kill(&station, &daemon);
        let there = station.host.ping(ROUTABLE_FRIEND, SOON).unwrap();
        assert!(there.is_some(), "killed after {pause:?} it stops what leaves");
        let back = friend.ping(ROUTABLE, SOON).unwrap();
        assert!(back.is_some(), "killed after {pause:?} it stops what arrives");
    }
    let daemon = station.claim(true, "-f");
    end(&daemon);
    let after = Traces::of(&station.host);
    assert!(after.is_gone() && after.settings == [0, 0, 0], "{after:?}");
    assert_eq!(after.search, [3, 0]);
    station.assert_clean();
}

//= test LL-1.5-02
pub(crate) fn a_deleted_rule_and_table_are_put_back() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let _daemon = station.claim(true, "");
    let before = Traces::of(&station.host);
    let (rule, route) = (before.rules[0].clone(), before.own_routes[0].clone());
    for _ in 0..2 {
        station.changes.skip_to_end();
        change(&station.host, |rtnl| assert!(rtnl.remove_rule(&rule).unwrap()));
        let is_back = |event: &Event| matches!(event, Event::RuleAdded(back) if *back == rule);
        station.changes.expect("return of the rule", SOON, |change| is_back(&change.event));
        change(&station.host, |rtnl| assert!(rtnl.remove_route(&route).unwrap()));
        let is_back = |event: &Event| matches!(event, Event::RouteAdded(back) if *back == route);
        station.changes.expect("return of the route", SOON, |change| is_back(&change.event));
    }
    eventually("all is as before", SOON, || Traces::of(&station.host) == before);
}

/// A host that was given a routable address and lost it, with everything else in between, ends
/// as it began.
pub(crate) fn nothing_is_left_after_a_busy_life() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut station = Station::new(&switch);
    set(&station, all([0, 0, 0]));
    let before = (Traces::of(&station.host), station.host.routes());
    let daemon = station.claim(true, "--default-route");
    station.host.add_address("eth0", ROUTABLE, 24);
    await_source(&station.host, Ipv4Addr::new(169, 254, 30, 1), ROUTABLE);
    station.host.remove_address("eth0", ROUTABLE);
    station.expect_announcement(X);
    station.await_route(X);
    peer.announce(X);
    station.expect_announcement(X);
    peer.announce(X);
    let other = station.expect_probe_beside(X).arp.target_ip;
    station.expect_announcement(other);
    station.await_route(other);
    station.cable.pull();
    station.expect_removal(other);
    station.put_back();
    station.expect_announcement(other);
    station.await_route(other);
    station.host.rename("eth0", "eth9");
    station.host.rename("eth9", "eth0");
    let asked = boottime();
    eventually("it answers by broadcast", SOON, || {
        peer.broadcast(&request(peer.mac(), other));
        thread::sleep(ms(20));
        let answers = station.wire.filtered(|seen| is_reply(seen) && seen.at > asked);
        answers.last().is_some_and(autoip_lab::Seen::is_broadcast)
    });
    end(&daemon);
    assert_eq!((Traces::of(&station.host), station.host.routes()), before);
    station.assert_clean();
}
