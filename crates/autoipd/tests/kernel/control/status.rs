//! Status and Metrics: what they say against what the kernel and the wire show.

use autoip_control::{
    ConflictKind, Counters, Defend, GuardTier, Metrics, Mode, Outcome, Profile, Refusal, Stage,
    State, Status,
};
use autoip_lab::{Peer, Switch};
use autoip_wire::ArpPacket;

use crate::controlled::Controlled;
use crate::station::{QUICK, SOON, X, eventually, s};

pub(crate) fn a_status_holds_what_the_kernel_and_the_wire_show() {
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, "-i eth0 -s 169.254.7.7");
    let first = controlled.station.expect_probe_for(X);
    let probing = controlled.status_of("eth0");
    assert_eq!((probing.state, probing.state_number), (State::Probing, 1));
    assert_eq!((probing.addr, probing.in_use, probing.reason), (Some(X), false, None));
    assert!(probing.deadline.is_some_and(|at| at > probing.since), "more probes are to come");
    controlled.station.expect_announcement(X);
    controlled.station.await_route(X);
    eventually("the end of the announcements", s(10), || {
        controlled.status_of("eth0").state == State::Configured
    });

    let status = controlled.status();
    assert_eq!(status.version, env!("CARGO_PKG_VERSION"));
    assert_eq!((status.guard.tier, status.guard.unmet.len()), (GuardTier::Nft, 0));
    let [bound] = &status.interfaces[..] else { panic!("{status:#?}") };
    let link = controlled.station.host.link("eth0").unwrap();
    assert_eq!((bound.index, bound.carrier), (Some(link.index.get()), true));
    assert_eq!(bound.mac, link.mac.map(|mac| mac.to_string()));
    assert_eq!((bound.state_number, bound.stage), (3, Stage::Bound));
    assert_eq!((bound.addr, bound.in_use), (Some(X), true));
    let label = controlled.station.marked()[0].label.clone();
    assert_eq!(bound.alias, label, "the name under which the kernel has it");
    assert_eq!((bound.mode, bound.defend), (Mode::Fallback, Defend::Once));
    assert_eq!(bound.guard, GuardTier::Nft);
    assert!(bound.timing.profile == Profile::Rfc3927 && bound.timing.is_rfc3927);
    assert_eq!((bound.timing.probe_count, bound.timing.probe_max_ms), (3, 2000));
    assert_eq!((bound.remembered, bound.routable, bound.deadline), (Some(X), None, None));
    let expected = Counters { probes: 3, announcements: 2, ..Counters::default() };
    assert_eq!((bound.counters, bound.conflicts.len()), (expected, 0));
    let age = u64::try_from(status.now - bound.since).unwrap();
    let since_first = autoip_linux::boottime() - first.at;
    assert!(u128::from(age) < since_first.as_millis(), "{age} ms in its last state");
}

pub(crate) fn what_is_awaited_or_refused_is_told() {
    let switch = Switch::new();
    let options = "-i eth0 -i eth7 -i eth1 --guard sysctl --timing fast";
    let controlled = Controlled::new(&switch, options);
    controlled.station.host.connect(&switch, "eth1");
    controlled.station.host.add_address("eth1", [10, 0, 0, 5].into(), 24);
    eventually("a routable address", SOON * 5, || {
        controlled.status_of("eth1").routable == Some([10, 0, 0, 5].into())
    });
    let reason = |name| controlled.status_of(name).reason;
    assert_eq!(reason("eth1").as_deref(), Some("a routable address is there"));
    assert_eq!(reason("eth7").as_deref(), Some("there is no such interface"));
    let awaited = controlled.status_of("eth7");
    assert_eq!((awaited.index, awaited.state_number, awaited.carrier), (None, 0, false));
    let status = controlled.status();
    assert_eq!(status.guard.tier, GuardTier::Sysctl);
    assert!(status.guard.unmet.contains(&"LL-2.5-09".to_owned()), "{:?}", status.guard);
    assert_eq!(status.interfaces.len(), 3);
    assert!(!status.interfaces[0].timing.is_rfc3927, "status says that it is not the RFC's");
    assert_eq!(status.interfaces[0].timing.profile, Profile::Fast);

    // One reply for each, with "more".
    let replies: Vec<_> = controlled
        .connect()
        .call_more(&Status { interface: None })
        .unwrap()
        .map(|reply| reply.unwrap().interfaces)
        .collect();
    assert!(replies.iter().all(|interfaces| interfaces.len() == 1), "{replies:#?}");
    let names: Vec<_> = replies.into_iter().flatten().map(|it| it.interface).collect();
    assert_eq!(names, status.interfaces.iter().map(|it| it.interface.clone()).collect::<Vec<_>>());

    controlled.station.cable.pull();
    eventually("no carrier", SOON * 5, || !controlled.status_of("eth0").carrier);
    assert_eq!(reason("eth0").as_deref(), Some("the link is down"));
    let unknown = controlled.refusal(&Status { interface: Some("eth8".to_owned()) });
    assert_eq!(unknown, Refusal::NoSuchInterface { interface: "eth8".to_owned() });
    controlled.station.cable.put_back();
}

pub(crate) fn conflicts_are_told_with_their_frames() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::with_address(&switch);
    let frame = ArpPacket::announcement(peer.mac(), X).to_broadcast();
    peer.announce(X);
    controlled.station.expect_announcement(X);
    let status = controlled.status_of("eth0");
    assert_eq!((status.state, status.state_number), (State::Defending, 4));
    let [conflict] = &status.conflicts[..] else { panic!("{:#?}", status.conflicts) };
    assert_eq!((conflict.addr, conflict.mac.clone()), (X, peer.mac().to_string()));
    assert_eq!((conflict.kind, conflict.outcome), (ConflictKind::Late, Outcome::Defending));
    let packet = conflict.packet.clone().unwrap();
    let sent: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(packet.starts_with(&sent), "{packet} for {sent}");
    assert_eq!((status.counters.conflicts_late, status.counters.defences), (1, 1));
    assert_eq!(status.conflict_count, 1);
    peer.announce(X);
    controlled.station.expect_removal(X);
    let status = controlled.status_of("eth0");
    let outcomes: Vec<_> = status.conflicts.iter().map(|conflict| conflict.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ceded, Outcome::Defending], "the latest first");
}

pub(crate) fn metrics_hold_the_same_counters() {
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, &format!("{QUICK} -i eth9"));
    controlled.station.expect_announcement(X);
    let whole = controlled.call(&Metrics {}).unwrap().text;
    for line in [
        "autoip_interfaces 2",
        "autoip_guard_info{tier=\"nft\"} 1",
        "autoip_carrier{interface=\"eth9\"} 0",
        "autoip_probes_total{interface=\"eth0\"} 1",
        "autoip_announcements_total{interface=\"eth0\"} 1",
        "autoip_address_info{interface=\"eth0\",address=\"169.254.7.7\"} 1",
        "autoip_timing_rfc3927{interface=\"eth0\"} 0",
    ] {
        assert!(whole.lines().any(|known| known == line), "{line} is missing in\n{whole}");
    }
    let parts = controlled.connect().call_more(&Metrics {}).unwrap();
    let parts: Vec<_> = parts.map(|part| part.unwrap().text).collect();
    assert!(parts.len() > 10);
    assert_eq!(parts.concat().lines().count(), whole.lines().count());
}
