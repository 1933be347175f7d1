//! A claim that nobody objects to, as RFC 3927 §2.2 to §2.4 times it and as options change it.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

use autoip_lab::{Answer, Host, Peer, Seen, Switch};
use autoip_linux::rtnl::{Address, Event, MAIN_TABLE, Route, RouteKind};
use autoip_wire::{MacAddr, Operation};

use crate::station::{
    EARLY, LATE, LOCK, MARK, SOON, Station, X, assert_between, each, first_of, is_reply, ms, s,
    while_asking,
};

const SCOPE_LINK: u8 = 253;

//= test LL-1.2-01
//= test LL-1.2-02
//= test LL-1.2-03
//= test LL-1.2-04
//= test LL-1.2-05
//= test LL-2.1-04
//= test LL-2.2-01
//= test LL-2.2-04
//= test LL-2.2.1-01
//= test LL-2.2.1-02
//= test LL-2.2.1-03
//= test LL-2.2.1-04
//= test LL-2.2.1-05
//= test LL-2.2.1-06
//= test LL-2.2.1-11
//= test LL-2.3-01
//= test LL-2.4-01
//= test LL-2.4-02
//= test LL-2.4-03
//= test LL-4-01
//= test ACD-1.1-01
//= test ACD-1.1-02
//= test ACD-1.1-03
//= test ACD-1.1-04
//= test ACD-1.1-05
//= test ACD-2.1-03
//= test ACD-2.1.1-10
//= test ACD-2.3-01
//= test ACD-3-01
//= test LL-2.6.2-01
//= test LL-2.8-02
//= test LL-2.8-01
pub(crate) fn a_claim_is_three_probes_and_two_announcements_on_time() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.cable.pull();
    let daemon = station.start("-i eth0");
    daemon.wait_log(SOON, |line| line.contains("managing"));
    assert!(station.wire.from_host().is_empty(), "there is no link yet");
    let addr = first_of(station.mac());
    let up = station.put_back();
    let again = station.expect_full_claim(addr);

    station.expect_none("only conflicts make it speak", s(10), |_| true);
    let frames = station.wire.from_host();
    let [first, .., last, announced, _] = frames[..] else { panic!("{frames:?}") };
    assert!(first.at - up <= s(1) + LATE, "first probe {:?} after the carrier", first.at - up);
    for (number, frame) in frames.iter().enumerate() {
        let sender = if number < 3 { Ipv4Addr::UNSPECIFIED } else { addr };
        assert_format(frame, station.mac(), sender, addr);
    }
    assert_eq!(frames.last(), Some(&again));

    let added = station.changes.filtered(|change| change.is_added(addr));
    let [added] = &added[..] else { panic!("added {added:?}") };
    assert!(added.at - last.at >= s(2) - EARLY, "on the interface before it was free");
    assert!(added.at - announced.at <= LATE, "announced before it was there");
    // The kernel has a broadcast route of its own for the address.
    let is_ours = |route: &Route| route.protocol == MARK;
    let routed = station
        .changes
        .filtered(|change| matches!(&change.event, Event::RouteAdded(route) if is_ours(route)));
    let early: Vec<_> = routed.iter().filter(|change| change.at < announced.at).collect();
    assert!(early.is_empty(), "a route before the first announcement: {early:?}");
    assert_documented(&station, addr, "eth0:9");
    let friend = Host::new("friend");
    friend.connect(&switch, "eth0");
    friend.add_address("eth0", Ipv4Addr::new(169, 254, 3, 3), 16);
    assert!(friend.ping(addr, SOON).unwrap().is_some(), "a friend cannot ping it");
    let back = station.host.ping(Ipv4Addr::new(169, 254, 3, 3), SOON);
    assert!(back.unwrap().is_some(), "it cannot ping a friend");
}

#[track_caller]
fn assert_format(frame: &Seen, mac: MacAddr, sender: Ipv4Addr, target: Ipv4Addr) {
    assert!(frame.is_broadcast(), "{frame}");
    assert_eq!(frame.ethernet.source, mac, "{frame}");
    assert_eq!(frame.arp.operation, Operation::Request, "{frame}");
    assert_eq!((frame.arp.sender_mac, frame.arp.target_mac), (mac, MacAddr::ZERO), "{frame}");
    assert_eq!((frame.arp.sender_ip, frame.arp.target_ip), (sender, target), "{frame}");
}

/// Asserts that the address and its route look as promised, in every attribute.
#[track_caller]
fn assert_documented(station: &Station, addr: Ipv4Addr, label: &str) {
    let index = station.host.link("eth0").unwrap().index;
    let address = Address {
        index,
        ip: addr,
        prefix_len: 16,
        broadcast: Some(Ipv4Addr::new(169, 254, 255, 255)),
        label: Some(label.to_owned()),
        scope: SCOPE_LINK,
        no_prefix_route: true,
        deprecated: false,
        protocol: MARK,
        valid: None,
    };
    assert_eq!(station.host.addresses("eth0"), [address]);
    let route = Route {
        kind: RouteKind::Unicast,
        index,
        destination: Ipv4Addr::new(169, 254, 0, 0),
        prefix_len: 16,
        scope: SCOPE_LINK,
        metric: 1000 + index.get(),
        source: Some(addr),
        protocol: MARK,
        gateway: None,
        table: MAIN_TABLE,
    };
    let routes = station.host.routes();
    let routes: Vec<_> = routes.into_iter().filter(|r| r.table == MAIN_TABLE).collect();
    assert_eq!(routes, [route]);
}

//= test LL-2.2-02
//= test ACD-2.3-02
//= test ACD-2.5-01
pub(crate) fn nothing_answers_before_the_first_announcement() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, _daemon) = Station::with_daemon(&switch, "-i eth0 -s 169.254.7.7");
    let announced = while_asking(&peer, X, || {
        let announced = station.expect_announcement(X);
        station.expect_announcement(X);
        announced
    });
    let answers = station.wire.filtered(|seen| seen.is_from_host() && is_reply(seen));
    let first = answers.first().expect("an answer").at;
    // The address is on the interface for a moment before it is announced.
    assert!(first + EARLY >= announced.at, "answered {:?} early", announced.at - first);
    assert!(first - announced.at <= LATE, "answered {:?} late", first - announced.at);
    let asked = station.wire.filtered(|seen| !seen.is_from_host() && seen.at > first).len();
    assert!(answers.len() + 2 >= asked, "{} answers to {asked} requests", answers.len());
}

/// What a claim looks like under some options.
struct Shape {
    options: &'static str,
    first: RangeInclusive<Duration>,
    probes: usize,
    gap: RangeInclusive<Duration>,
    wait: Duration,
    announcements: usize,
    interval: Duration,
    label: &'static str,
}

pub(crate) fn numbers_of_the_command_line_shape_the_claim() {
    let single = Shape {
        options: "-i eth0 -p 1 -a 1 -w 1 --alias none",
        first: s(0)..=s(1),
        probes: 1,
        gap: s(1)..=s(2),
        wait: s(1),
        announcements: 1,
        interval: s(1),
        label: "eth0",
    };
    let nfm = Shape {
        options: "-o if=eth0,delay=200",
        first: s(0)..=ms(200),
        probes: 3,
        gap: ms(200)..=ms(200),
        wait: s(2),
        announcements: 2,
        interval: s(2),
        label: "eth0:9",
    };
    let draft = Shape {
        options: "-i eth0 --timing draft-07 --alias 3",
        first: s(0)..=s(2),
        probes: 4,
        gap: s(2)..=s(2),
        wait: s(2),
        announcements: 2,
        interval: s(2),
        label: "eth0:3",
    };
    each(&[("-p -a -w", single), ("nfm-autoip", nfm), ("draft-07", draft)], |shape| {
        let switch = Switch::new();
        let mut station = Station::new(&switch);
        station.cable.pull();
        let daemon = station.start(shape.options);
        daemon.wait_log(SOON, |line| line.contains("timing: not RFC 3927"));
        let up = station.put_back();
        let mut before = station.expect_probe();
        assert_between("first probe", before.at - up, shape.first.clone());
        for _ in 1..shape.probes {
            let probe = station.expect_probe();
            assert_between("next probe", probe.at - before.at, shape.gap.clone());
            before = probe;
        }
        let addr = before.arp.target_ip;
        let mut nominal = shape.wait..=shape.wait + LOCK;
        for _ in 0..shape.announcements {
            let announcement = station.expect_announcement(addr);
            assert_between("announcement", announcement.at - before.at, nominal);
            (before, nominal) = (announcement, shape.interval..=shape.interval);
        }
        station.expect_none("one announcement too many", shape.interval + s(1), |_| true);
        assert_eq!(station.wire.from_host().len(), shape.probes + shape.announcements);
        assert_documented(&station, addr, shape.label);
    });
}

pub(crate) fn fast_probes_again_while_in_use() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.cable.pull();
    let daemon = station.start("-i eth0 -s 169.254.7.7 --timing fast");
    daemon.wait_log(SOON, |line| line.contains("timing: not RFC 3927"));
    let up = station.put_back();
    let announced = station.expect_announcement(X);
    assert!(announced.at - up <= ms(200) + LATE + LOCK, "usable after {:?}", announced.at - up);
    let [first, _, last] = station.wire.probes_for(X)[..] else { panic!("three probes first") };
    assert_between("announcement", announced.at - first.at, ms(120)..=ms(170) + LOCK);
    assert_between("announcement", announced.at - last.at, ms(60)..=ms(60) + LOCK);
    let again = station.expect_announcement(X);
    assert_between("second announcement", again.at - announced.at, s(2)..=s(2));
    let mut before = station.expect_probe_for(X);
    assert_between("second round", before.at - again.at, s(0)..=s(1));
    for _ in 0..2 {
        station.assert_bound(X);
        let probe = station.expect_probe_for(X);
        assert_between("next probe", probe.at - before.at, s(1)..=s(2));
        before = probe;
    }
    station.expect_none("the second round is over", s(3), |_| true);
    station.assert_bound(X);
}

pub(crate) fn fast_leaves_when_an_owner_answers_late() {
    let switch = Switch::new();
    let owner = Peer::new(&switch);
    let (mut station, _daemon) =
        Station::with_daemon(&switch, "-i eth0 -s 169.254.7.7 --timing fast");
    station.expect_announcement(X);
    owner.own(X, Answer::Unicast);
    let probe = station.expect_probe_for(X);
    let removed = station.expect_removal(X);
    assert!(removed.at - probe.at <= LOCK, "left {:?} after the answer", removed.at - probe.at);
    let other = station.expect_probe_beside(X).arp.target_ip;
    station.expect_announcement(other);
    station.await_route(other);
    station.assert_bound(other);
    let defended = station.wire.announcements_of(X).into_iter().any(|seen| seen.at > probe.at);
    assert!(!defended, "it defended an address that it had not probed for in full");
}
