//! The methods that change something: what becomes of the interface.

use std::fs;
use std::net::Ipv4Addr;

use autoip_control::{
    AddInterface, Claim, Defend, Loss, Mode, Profile, Range, Reannounce, Refusal, Release, Reload,
    RemoveInterface, State,
};
use autoip_lab::Switch;
use autoip_linux::boottime;

use crate::bridge::{add_bridge, set_bridge};
use crate::controlled::{Controlled, eth, next_loss, reason};
use crate::station::{LATE, QUICK, SOON, X, eventually, s};

pub(super) fn add(interface: &str) -> AddInterface {
    AddInterface {
        interface: interface.to_owned(),
        mode: None,
        start: None,
        range: None,
        profile: None,
        defend: None,
    }
}

fn claim(addr: Option<[u8; 4]>) -> Claim {
    Claim { interface: eth(0), addr: addr.map(Into::into) }
}

pub(crate) fn interfaces_come_and_go() {
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, "-i eth5 -p 1 -a 1 -w 1");
    let method = AddInterface { start: Some(X), mode: Some(Mode::Always), ..add("eth0") };
    controlled.call(&method).unwrap();
    controlled.station.expect_announcement(X);
    controlled.station.await_route(X);
    assert_eq!(controlled.status_of("eth0").mode, Mode::Always);
    assert_eq!(controlled.refusal(&add("eth0")), Refusal::AlreadyManaged { interface: eth(0) });
    let mut events = controlled.monitor(Some("eth0"));
    controlled.call(&RemoveInterface { interface: eth(0) }).unwrap();
    controlled.station.await_clean();
    assert_eq!(next_loss(&mut events), (X, Loss::Stopped));
    let refusal = controlled.refusal(&RemoveInterface { interface: eth(0) });
    assert_eq!(refusal, Refusal::NotManaged { interface: eth(0) });
    // It comes back with the settings of the command line and the address that it had.
    controlled.station.wire.skip_to_end();
    controlled.call(&add("eth0")).unwrap();
    controlled.station.expect_announcement(X);
    assert_eq!(controlled.status_of("eth0").mode, Mode::Fallback);
    // Unless somebody asks for another one.
    controlled.call(&RemoveInterface { interface: eth(0) }).unwrap();
    let other = Ipv4Addr::new(169, 254, 8, 8);
    controlled.call(&AddInterface { start: Some(other), ..add("eth0") }).unwrap();
    assert_eq!(controlled.station.expect_probe().arp.target_ip, other);
    controlled.station.expect_announcement(other);
}

/// Nor one that was asked for, taken back, and never tried.
pub(crate) fn a_start_that_was_taken_back_is_forgotten() {
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, &format!("-i eth5 -s {X}"));
    controlled.station.cable.pull();
    eventually("no link", SOON, || {
        controlled.station.host.link("eth0").is_some_and(|link| !link.has_carrier())
    });
    let other = Ipv4Addr::new(169, 254, 50, 50);
    controlled.call(&AddInterface { start: Some(other), ..add("eth0") }).unwrap();
    controlled.call(&RemoveInterface { interface: eth(0) }).unwrap();
    controlled.call(&add("eth0")).unwrap();
    controlled.station.cable.put_back();
    assert_eq!(controlled.station.expect_probe().arp.target_ip, X);
}

/// Also when the device goes before a claim has begun.
pub(crate) fn a_start_that_was_asked_for_outlives_its_device() {
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, QUICK);
    controlled.station.expect_announcement(X);
    controlled.call(&RemoveInterface { interface: eth(0) }).unwrap();
    controlled.station.cable.pull();
    let other = Ipv4Addr::new(169, 254, 20, 7);
    eventually("no link", SOON, || {
        controlled.station.host.link("eth0").is_some_and(|link| !link.has_carrier())
    });
    controlled.call(&AddInterface { start: Some(other), ..add("eth0") }).unwrap();
    add_bridge(&controlled.station.host, "lan0");
    set_bridge(&controlled.station.host, "eth0", Some("lan0"));
    eventually("a port is let go", SOON, || {
        controlled.status_of("eth0").reason.is_some_and(|reason| reason.contains("port of lan0"))
    });
    set_bridge(&controlled.station.host, "eth0", None);
    controlled.station.wire.skip_to_end();
    controlled.station.cable.put_back();
    assert_eq!(controlled.station.expect_probe().arp.target_ip, other);
}

/// It has been tried before, and the address held last is the better guess.
pub(crate) fn a_configured_start_does_not_come_before_the_address_held_last() {
    let switch = Switch::new();
    let options = format!("-i eth5 -s {X} -p 1 -a 1 -w 1");
    let mut controlled = Controlled::new(&switch, &options);
    let other = Ipv4Addr::new(169, 254, 8, 8);
    controlled.call(&AddInterface { start: Some(other), ..add("eth0") }).unwrap();
    controlled.station.expect_announcement(other);
    controlled.call(&RemoveInterface { interface: eth(0) }).unwrap();
    controlled.call(&add("eth0")).unwrap();
    let probe = controlled.station.expect_probe();
    assert_eq!(probe.arp.target_ip, other);
    controlled.station.expect_announcement(other);
}

pub(crate) fn an_interface_is_added_with_settings_of_its_own() {
    let switch = Switch::new();
    let options = "-i eth5 --range 169.254.9.0-169.254.9.9 -s 169.254.9.5 -d";
    let mut controlled = Controlled::new(&switch, options);
    let only = Ipv4Addr::new(169, 254, 20, 7);
    let range = Some(Range { first: only, last: only });
    let (profile, defend) = (Some(Profile::Fast), Some(Defend::Once));
    controlled.call(&AddInterface { range, profile, defend, ..add("eth0") }).unwrap();
    controlled.station.expect_announcement(only);
    let status = controlled.status_of("eth0");
    assert_eq!((status.timing.profile, status.defend), (Profile::Fast, Defend::Once));
    controlled.call(&RemoveInterface { interface: eth(0) }).unwrap();
    // What is left out is as configured.
    controlled.call(&add("eth0")).unwrap();
    let status = controlled.status_of("eth0");
    assert_eq!((status.timing.profile, status.defend), (Profile::Rfc3927, Defend::Never));
    let probe = controlled.station.expect_probe_beside(only);
    assert_eq!(probe.arp.target_ip, Ipv4Addr::new(169, 254, 9, 5));
}

pub(crate) fn what_cannot_be_added_is_refused() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let refusal = controlled.refusal(&add("eth8"));
    assert_eq!(refusal, Refusal::NoSuchInterface { interface: eth(8) });
    let refusal = controlled.refusal(&add("lo"));
    assert!(reason(&refusal).starts_with("is the loopback interface"), "{refusal}");
    let start = Some([10, 0, 0, 1].into());
    controlled.station.host.connect(&switch, "eth1");
    eventually("the new interface", SOON * 5, || {
        let refusal = controlled.refusal(&AddInterface { start, ..add("eth1") });
        refusal == Refusal::InvalidParameter { parameter: "start".to_owned() }
    });
    let addr = |c, d| Ipv4Addr::new(169, 254, c, d);
    let reserved = Some(Range { first: addr(0, 1), last: addr(1, 9) });
    let backwards = Some(Range { first: addr(2, 9), last: addr(2, 8) });
    let range = Some(Range { first: addr(2, 8), last: addr(2, 9) });
    for (method, parameter) in [
        (AddInterface { range: reserved, ..add("eth1") }, "range"),
        (AddInterface { range: backwards, ..add("eth1") }, "range"),
        (AddInterface { profile: Some(Profile::Custom), ..add("eth1") }, "profile"),
        (AddInterface { defend: Some(Defend::Always), ..add("eth1") }, "defend"),
    ] {
        let expected = Refusal::InvalidParameter { parameter: parameter.to_owned() };
        assert_eq!(controlled.refusal(&method), expected);
    }
    let refusal = controlled.refusal(&AddInterface { range, start: Some(X), ..add("eth1") });
    assert!(reason(&refusal).contains("does not lie in the range 169.254.2.8"), "{refusal}");
    assert_eq!(controlled.status().interfaces.len(), 1);
}

pub(crate) fn a_released_address_stays_away_until_it_is_claimed() {
    let switch = Switch::new();
    let mut controlled = Controlled::with_address(&switch);
    let mut events = controlled.monitor(None);
    controlled.call(&Release { interface: eth(0) }).unwrap();
    controlled.station.expect_removal(X);
    assert_eq!(next_loss(&mut events), (X, Loss::Released));
    let status = controlled.status_of("eth0");
    assert_eq!(
        (status.state, status.reason.as_deref()),
        (State::Idle, Some("released on request"))
    );
    // Not even a new link brings it back.
    controlled.station.cable.pull();
    eventually("no carrier", SOON * 5, || !controlled.status_of("eth0").carrier);
    controlled.station.put_back();
    controlled.station.wire.skip_to_end();
    controlled.station.expect_none("nothing is wanted", s(2), |_| true);
    controlled.call(&claim(None)).unwrap();
    controlled.station.expect_probe_for(X);
    controlled.station.expect_announcement(X);
    let refusal = controlled.refusal(&Release { interface: eth(4) });
    assert_eq!(refusal, Refusal::NoSuchInterface { interface: eth(4) });
}

pub(crate) fn any_address_can_be_claimed() {
    let switch = Switch::new();
    let mut controlled = Controlled::with_address(&switch);
    let other = [169, 254, 9, 9];
    controlled.call(&claim(Some(other))).unwrap();
    controlled.station.expect_removal(X);
    let probe = controlled.station.expect_probe_for(other.into());
    let announced = controlled.station.expect_announcement(other.into());
    assert!(announced.at > probe.at, "it is probed for like any other");
    controlled.station.await_route(other.into());
    controlled.station.assert_bound(other.into());
    // Claiming what is there already changes nothing.
    controlled.station.wire.skip_to_end();
    for addr in [None, Some(other)] {
        controlled.call(&claim(addr)).unwrap();
    }
    controlled.station.expect_none("it has it", s(1), |seen| seen.is_probe());
    controlled.station.assert_bound(other.into());
}

pub(crate) fn claims_that_make_no_sense_are_refused() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, "-i eth0 --mode route");
    assert!(reason(&controlled.refusal(&claim(None))).contains("mode \"route\""));
    for wrong in [[10, 0, 0, 1], [169, 254, 0, 9]] {
        let refusal = controlled.refusal(&claim(Some(wrong)));
        assert_eq!(refusal, Refusal::InvalidParameter { parameter: "addr".to_owned() });
    }
    let unknown = controlled.refusal(&Claim { interface: eth(3), addr: None });
    assert_eq!(unknown, Refusal::NoSuchInterface { interface: eth(3) });

    let controlled = Controlled::new(&switch, QUICK);
    controlled.station.host.add_address("eth0", [10, 0, 0, 5].into(), 24);
    eventually("a routable address", SOON * 5, || controlled.status_of("eth0").routable.is_some());
    assert!(reason(&controlled.refusal(&claim(None))).contains("10.0.0.5"));
}

/// Status shows it, so that it is no use to say that it is not managed.
pub(crate) fn what_is_waited_for_cannot_claim() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, "-i eth0 -i eth5");
    let missing = Refusal::NoSuchInterface { interface: eth(5) };
    assert_eq!(controlled.status_of("eth5").index, None);
    assert_eq!(controlled.refusal(&Claim { interface: eth(5), addr: None }), missing);
    assert_eq!(controlled.refusal(&Release { interface: eth(5) }), missing);
    assert_eq!(controlled.refusal(&Reannounce { interface: Some(eth(5)) }), missing);
    add_bridge(&controlled.station.host, "lan0");
    set_bridge(&controlled.station.host, "eth0", Some("lan0"));
    eventually("the reason", SOON, || {
        let refusals = [
            controlled.refusal(&Claim { interface: eth(0), addr: None }),
            controlled.refusal(&Release { interface: eth(0) }),
            controlled.refusal(&Reannounce { interface: Some(eth(0)) }),
        ];
        let told = "port of lan0";
        let is_told =
            |it: &Refusal| matches!(it, Refusal::Refused { reason } if reason.contains(told));
        refusals.iter().all(is_told)
    });
}

pub(crate) fn reannounce_announces_again() {
    let switch = Switch::new();
    let mut controlled = Controlled::with_address(&switch);
    for interface in [Some(eth(0)), None] {
        controlled.station.wire.skip_to_end();
        let asked = boottime();
        controlled.call(&Reannounce { interface }).unwrap();
        let announced = controlled.station.expect_announcement(X);
        assert!(announced.at - asked <= LATE);
    }
    controlled.call(&Release { interface: eth(0) }).unwrap();
    let refusal = controlled.refusal(&Reannounce { interface: Some(eth(0)) });
    assert_eq!(refusal, Refusal::NoAddress { interface: eth(0), addr: None });
    controlled.call(&Reannounce { interface: None }).unwrap();
}

pub(crate) fn reload_reads_the_file_again() {
    let switch = Switch::new();
    let station = crate::station::Station::new(&switch);
    let file = station.memory.dir().join("autoipd.toml");
    fs::create_dir_all(station.memory.dir()).unwrap();
    fs::write(&file, "mode = \"always\"\n").unwrap();
    let path = station.memory.dir().join("control");
    let options = format!("-i eth0 --config {} --control {}", file.display(), path.display());
    let daemon = station.start(&options);
    crate::controlled::await_socket(&path);
    let controlled = Controlled { station, daemon, path };
    assert_eq!(controlled.status_of("eth0").mode, Mode::Always);
    fs::write(&file, "mode = \"route\"\n").unwrap();
    controlled.call(&Reload {}).unwrap();
    assert_eq!(controlled.status_of("eth0").mode, Mode::Route);
    fs::write(&file, "mode = \"sometimes\"\n").unwrap();
    let refusal = controlled.refusal(&Reload {});
    let (words, place) = (reason(&refusal), format!("{}:1", file.display()));
    assert!(words.contains(&place) && words.contains("sometimes"), "{words}");
    assert_eq!(controlled.status_of("eth0").mode, Mode::Route, "the old one stays in force");
}
