//! Probe and Watch: RFC 5227 for addresses that the daemon does not manage.

use std::net::Ipv4Addr;

use autoip_control::{
    ConflictKind, Defend, Error, Outcome, Probe, Profile, Refusal, Replies, Watch, WatchReply,
};
use autoip_lab::{Answer, Peer, Switch};
use autoip_linux::boottime;
use autoip_wire::{ArpPacket, MacAddr};

use crate::controlled::{Controlled, PATIENCE, eth, reason};
use crate::station::{LATE, QUICK, SOON, X, assert_between, eventually, lines_with, ms, s};

const ADDR: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

fn probe(addr: Ipv4Addr) -> Probe {
    Probe { interface: eth(0), addr, profile: None }
}

pub(crate) fn a_probe_finds_out_who_has_an_address() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let controlled = Controlled::with_address(&switch);
    let mac = peer.mac().to_string();
    let begun = boottime();
    let free = controlled.call(&probe(ADDR)).unwrap();
    assert!(free.free && free.conflict.is_none());
    assert_between("a free address", boottime() - begun, s(4)..=s(7) + SOON);
    let probes = controlled.station.wire.filtered(|seen| seen.is_probe_for(ADDR));
    assert_eq!(probes.len(), 3);
    for pair in probes.windows(2) {
        assert_between("the next probe", pair[1].at - pair[0].at, s(1)..=s(2));
    }
    let announced = controlled.station.sent_as(ADDR);
    assert!(announced.is_empty(), "a probe announces nothing: {announced:?}");

    peer.own(ADDR, Answer::Broadcast);
    let taken = controlled.call(&Probe { profile: Some(Profile::Fast), ..probe(ADDR) }).unwrap();
    let conflict = taken.conflict.unwrap();
    assert_eq!((taken.free, conflict.mac.clone(), conflict.addr), (false, mac.clone(), ADDR));
    assert_eq!((conflict.kind, conflict.outcome), (ConflictKind::InUse, Outcome::Dropped));
    assert!(conflict.packet.is_some());
    // What is ours is taken as well, although nobody answers for it here. An address without a
    // network leaves ours in place.
    let lone = Ipv4Addr::new(10, 0, 0, 5);
    controlled.station.host.add_address("eth0", lone, 32);
    let own_mac = controlled.station.mac().to_string();
    for own in [X, lone] {
        eventually("our own address", SOON * 5, || {
            let reply = controlled.call(&Probe { profile: Some(Profile::Fast), ..probe(own) });
            reply.unwrap().conflict.is_some_and(|conflict| conflict.mac == own_mac)
        });
    }
}

pub(crate) fn a_probe_that_cannot_be_is_refused() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let elsewhere = Probe { interface: eth(8), ..probe(ADDR) };
    assert_eq!(controlled.refusal(&elsewhere), Refusal::NoSuchInterface { interface: eth(8) });
    let invalid = |name: &str| Refusal::InvalidParameter { parameter: name.to_owned() };
    for nobodys in [[0, 0, 0, 0], [0, 0, 0, 1], [169, 254, 255, 255], [127, 0, 0, 1]] {
        assert_eq!(controlled.refusal(&probe(nobodys.into())), invalid("addr"));
    }
    let custom = Probe { profile: Some(Profile::Custom), ..probe(ADDR) };
    assert_eq!(controlled.refusal(&custom), invalid("profile"));
    let down = "is down or has no link".to_owned();
    controlled.station.cable.pull();
    eventually("no carrier", SOON * 5, || {
        let expected = Refusal::Unsuitable { interface: eth(0), reason: down.clone() };
        controlled.refusal(&probe(ADDR)) == expected
    });
    controlled.station.cable.put_back();
    eventually("a carrier", SOON * 5, || controlled.status_of("eth0").carrier);

    // A link that goes meanwhile proves nothing.
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| controlled.refusal(&probe(ADDR)));
        let wire = &controlled.station.wire;
        eventually("a probe", SOON * 5, || !wire.probes_for(ADDR).is_empty());
        controlled.station.cable.pull();
        let refusal = refused.join().unwrap();
        assert!(reason(&refusal).contains("went away"), "{refusal}");
    });
}

/// Sixteen at a time; a client that leaves makes room, and its probes cease.
pub(crate) fn a_client_that_leaves_ends_its_probe() {
    let switch = Switch::new();
    let mut controlled = Controlled::with_address(&switch);
    let addr = |n: u8| Ipv4Addr::new(192, 168, 7, n);
    let method = |n| Probe { profile: Some(Profile::Draft07), ..probe(addr(n)) };
    let running: Vec<Replies<Probe>> =
        (1..=16).map(|n| controlled.connect().call_more(&method(n)).unwrap()).collect();
    eventually("all sixteen", SOON * 5, || {
        matches!(controlled.refusal(&method(99)), Refusal::TooMany { .. })
    });
    drop(running);
    // Long before the probes would have ended by themselves.
    eventually("room for another", s(4), || {
        let quick = Probe { profile: Some(Profile::Fast), ..probe(addr(50)) };
        controlled.call(&quick).is_ok_and(|reply| reply.free)
    });
    controlled.station.wire.skip_to_end();
    controlled.station.expect_none("nobody asks any longer", s(3), |seen| seen.is_probe());
}

fn watch(controlled: &Controlled, defend: Option<Defend>) -> Replies<Watch> {
    let method = Watch { interface: eth(0), addr: ADDR, defend };
    let mut replies = controlled.connect().call_more(&method).unwrap();
    replies.set_limit(Some(PATIENCE));
    replies
}

/// A watch that has begun. The daemon may be a little late to hear of an address.
fn begun_watch(controlled: &Controlled, defend: Option<Defend>) -> Replies<Watch> {
    controlled.station.host.add_address("eth0", ADDR, 24);
    let mut begun = None;
    eventually("the watch", SOON * 5, || {
        let mut replies = watch(controlled, defend);
        let first = replies.next();
        let is_begun = matches!(&first, Some(Ok(reply)) if *reply == WatchReply::default());
        begun = is_begun.then_some(replies);
        begun.is_some()
    });
    begun.unwrap()
}

//= test ACD-2.4-04
pub(crate) fn a_watched_address_is_defended_once() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth5");
    let mut replies = begun_watch(&controlled, None);
    let [watched] = &controlled.status().watched[..] else { panic!("one is watched") };
    assert_eq!((watched.interface.as_str(), watched.addr), ("eth0", ADDR));

    controlled.station.wire.skip_to_end();
    let claimed = boottime();
    peer.announce(ADDR);
    let conflict = replies.next().unwrap().unwrap().conflict.unwrap();
    assert_eq!((conflict.mac.clone(), conflict.addr), (peer.mac().to_string(), ADDR));
    assert_eq!((conflict.kind, conflict.outcome), (ConflictKind::Late, Outcome::Defending));
    let defence = controlled.station.expect_announcement(ADDR);
    assert_between("the defence", defence.at - claimed, s(0)..=ms(100));
    assert!(replies.next().unwrap().unwrap().defended);

    peer.announce(ADDR);
    let conflict = replies.next().unwrap().unwrap().conflict.unwrap();
    assert_eq!(conflict.outcome, Outcome::Ceded);
    assert!(replies.next().is_none(), "the watch is over");
    controlled.station.wire.skip_to_end();
    peer.announce(ADDR);
    controlled
        .station
        .expect_none("it is not defended again", LATE * 2, |seen| seen.is_announcement_of(ADDR));
    let ips: Vec<_> = controlled.station.host.addresses("eth0").iter().map(|a| a.ip).collect();
    assert_eq!(ips, [ADDR], "the address is its owner's business");
    assert!(controlled.status().watched.is_empty());
}

/// A port of this host that answers for the address is no rival.
//= test ACD-2.4-01
pub(crate) fn a_watch_takes_no_port_of_this_host_for_a_stranger() {
    let (switch, other) = (Switch::new(), Switch::new());
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth5");
    controlled.station.host.connect(&other, "eth1");
    let mut replies = begun_watch(&controlled, None);
    controlled.station.wire.skip_to_end();
    let port = controlled.station.host.mac("eth1");
    peer.broadcast(&ArpPacket::announcement(port, ADDR));
    controlled
        .station
        .expect_none("it is this host's", LATE * 2, |seen| seen.is_announcement_of(ADDR));
    peer.announce(ADDR);
    let conflict = replies.next().unwrap().unwrap().conflict.unwrap();
    assert_eq!((conflict.mac, conflict.outcome), (peer.mac().to_string(), Outcome::Defending));
}

//= test ACD-1.3-05
//= test ACD-2.4-07
pub(crate) fn a_watched_address_can_be_kept_for_good() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth5");
    let mut replies = begun_watch(&controlled, Some(Defend::Always));
    let mut outcomes = Vec::new();
    for _ in 0..12 {
        peer.announce(ADDR);
        let reply = replies.find(|reply| reply.as_ref().is_ok_and(|it| it.conflict.is_some()));
        outcomes.push(reply.unwrap().unwrap().conflict.unwrap().outcome);
    }
    assert_eq!(outcomes[0], Outcome::Defending);
    assert!(outcomes[1..].iter().all(|outcome| *outcome == Outcome::Endured), "{outcomes:?}");
    controlled.station.expect_announcement(ADDR);
    assert_eq!(lines_with(&controlled.daemon, "is watched for a client"), 5, "not without end");
    assert_eq!(controlled.status().watched.len(), 1);
}

pub(crate) fn a_watch_ends_with_its_address() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, "-i eth5");
    let refusal = |replies: &mut Replies<Watch>| match replies.next() {
        Some(Err(Error::Refused(refusal))) => refusal,
        other => panic!("{other:?}"),
    };
    let gone = Refusal::NoAddress { interface: eth(0), addr: Some(ADDR) };
    assert_eq!(refusal(&mut watch(&controlled, None)), gone);
    let mut replies = begun_watch(&controlled, None);
    controlled.station.host.remove_address("eth0", ADDR);
    assert_eq!(refusal(&mut replies), gone);
    let mut replies = begun_watch(&controlled, None);
    controlled.station.host.delete("eth0");
    let gone = Refusal::NoSuchInterface { interface: eth(0) };
    let said = refusal(&mut replies);
    // The address goes first, or together with the interface.
    let without = Refusal::NoAddress { interface: eth(0), addr: Some(ADDR) };
    assert!(said == gone || said == without, "{said:?}");
}

/// Two would defend it twice within the interval, and neither would know of the other.
pub(crate) fn an_address_is_watched_once_at_a_time() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth5");
    let replies = begun_watch(&controlled, None);
    let mut another = watch(&controlled, None);
    let second = another.next();
    controlled.station.wire.skip_to_end();
    peer.announce(ADDR);
    controlled.station.expect_announcement(ADDR);
    controlled
        .station
        .expect_none("one defence is enough", LATE, |seen| seen.is_announcement_of(ADDR));
    let Some(Err(Error::Refused(refusal))) = second else { panic!("{second:?}") };
    assert!(reason(&refusal).contains("is watched already"), "{refusal}");
    // Who comes after the first one has left is welcome.
    drop(replies);
    begun_watch(&controlled, None);
}

//= test LL-2.5-07
pub(crate) fn a_link_local_address_cannot_be_kept_for_good() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, "-i eth5");
    controlled.station.host.add_address("eth0", X, 16);
    let method = |defend| Watch { interface: eth(0), addr: X, defend: Some(defend) };
    let begins = |defend| controlled.connect().call_more(&method(defend)).unwrap().next();
    eventually("the watch", SOON * 5, || begins(Defend::Once).is_some_and(|it| it.is_ok()));
    let first = begins(Defend::Always);
    let Some(Err(Error::Refused(refusal))) = first else { panic!("{first:?}") };
    assert!(reason(&refusal).contains("link-local"), "{refusal}");
}

pub(crate) fn a_defence_bears_the_mac_address_that_the_link_has() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth5");
    let _replies = begun_watch(&controlled, None);
    let mac = MacAddr([2, 0, 0, 0, 9, 9]);
    controlled.station.host.set_mac("eth0", mac);
    eventually("the news of it", SOON * 5, || {
        let own = controlled.call(&probe(ADDR)).unwrap().conflict;
        own.is_some_and(|conflict| conflict.mac == mac.to_string())
    });
    controlled.station.wire.skip_to_end();
    peer.announce(ADDR);
    let defence = controlled.station.expect_announcement(ADDR);
    assert_eq!(defence.arp.sender_mac, mac);
}

/// A client that is slower than a flood loses some news of it, and not its watch.
pub(crate) fn a_flood_of_conflicts_ends_no_watch() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let controlled = Controlled::new(&switch, "-i eth5");
    let mut replies = begun_watch(&controlled, Some(Defend::Always));
    let counted = || match &controlled.status().watched[..] {
        [watched] => Some(watched.counters.conflicts_late),
        _ => None,
    };
    let mut seen = 0;
    // A megabyte of replies, of which a fifth is fetched; half of it is more than may wait.
    while seen < 2500 {
        (0..100).for_each(|_| peer.announce(ADDR));
        assert!(replies.by_ref().take(20).all(|reply| reply.is_ok()), "it is told of conflicts");
        seen = counted().expect("it is watched for as long as the client is there");
    }
}

//= test ACD-2.1.1-08
pub(crate) fn probes_that_meet_conflicts_are_limited() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let controlled = Controlled::new(&switch, "-i eth5");
    peer.deny_everything(true);
    let method = |n| Probe { profile: Some(Profile::Fast), ..probe(Ipv4Addr::new(192, 168, 7, n)) };
    for n in 1..=10 {
        assert!(!controlled.call(&method(n)).unwrap().free, "{n}");
    }
    let Refusal::TooMany { reason } = controlled.refusal(&method(11)) else { panic!("no limit") };
    assert!(reason.contains("10 conflicts"), "{reason}");
    let asked = controlled.station.wire.filtered(|seen| seen.is_probe_for(method(11).addr));
    assert!(asked.is_empty(), "{asked:?}");
}

//= test ACD-2.4-05
pub(crate) fn a_client_that_comes_back_defends_no_sooner() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth5");
    let replies = begun_watch(&controlled, None);
    controlled.station.wire.skip_to_end();
    peer.announce(ADDR);
    controlled.station.expect_announcement(ADDR);
    drop(replies);
    let mut replies = watch(&controlled, None);
    assert_eq!(replies.next().unwrap().unwrap(), WatchReply::default());
    peer.announce(ADDR);
    let conflict = replies.next().unwrap().unwrap().conflict.unwrap();
    assert_eq!(conflict.outcome, Outcome::Ceded);
    controlled.station.expect_none("a second defence", LATE, |seen| seen.is_announcement_of(ADDR));
}
