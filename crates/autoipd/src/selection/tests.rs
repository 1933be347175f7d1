//! What is taken, by whom, and what is left alone.

use super::*;
use crate::choice::Choices;
use crate::config::InterfaceTable;
use crate::host::sample::{self, MAC};
use autoip_linux::IfIndex;
use autoip_linux::rtnl::Event;

fn link(name: &str, kind: Option<&str>) -> Link {
    Link { kind: kind.map(str::to_owned), ..sample::link(7, name) }
}

/// A host with one link of this kind, number 9.
fn host(kind: &str) -> Host {
    let mut host = Host::default();
    let master = Link { index: IfIndex::new(9).unwrap(), ..link("top0", Some(kind)) };
    host.apply(&Event::LinkChanged(master));
    host
}

fn port(name: &str) -> Link {
    Link { master: IfIndex::new(9), ..link(name, None) }
}

/// Settings that can be told apart by their metric.
fn settings(metric: u32) -> InterfaceSettings {
    Choices { metric: Some(metric), ..Choices::default() }.settings().unwrap()
}

fn name(text: &str) -> Criterion {
    Criterion::Name(Pattern::parse(text).unwrap())
}

fn kind(kind: &str) -> Criterion {
    Criterion::Kind(Kind::Virtual(kind.to_owned()))
}

fn driver(name: &str) -> Criterion {
    Criterion::Driver(name.to_owned())
}

/// Rules whose metrics are their places.
fn rules(criteria: impl IntoIterator<Item = Vec<Criterion>>) -> Selection {
    let rule =
        |(place, criteria)| Rule { criteria, settings: Some(settings(place)), required: false };
    Selection::new((0..).zip(criteria).map(rule).collect(), Vec::new())
}

/// The place of the rule that takes the link.
fn taken(selection: &Selection, link: &Link) -> Option<u32> {
    selection.choose(link, None, &Host::default()).and_then(|choice| choice.settings.routes.metric)
}

#[test]
fn unasked_only_what_leads_to_a_cable_is_taken() {
    let all = rules([vec![]]);
    for kind in [None, Some("bridge"), Some("vlan"), Some("bond"), Some("team"), Some("dsa")] {
        assert_eq!(taken(&all, &link("x0", kind)), Some(0), "{kind:?}");
    }
    for kind in
        ["veth", "tun", "macvlan", "macvtap", "ipvlan", "dummy", "vrf", "wireguard", "vxlan"]
    {
        assert_eq!(taken(&all, &link("x0", Some(kind))), None, "{kind}");
    }
    assert_eq!(taken(&all, &Link { loopback: true, ..link("lo", None) }), None);
    assert_eq!(taken(&all, &Link { no_arp: true, ..link("x0", None) }), None);
    assert_eq!(taken(&all, &Link { hardware: 512, ..link("ppp0", None) }), None);
    assert_eq!(taken(&all, &Link { mac: None, ..link("ib0", None) }), None);
}

#[test]
fn ports_are_left_to_what_they_are_ports_of() {
    let all = rules([vec![]]);
    for master in ["bridge", "bond", "team", "openvswitch", "macvlan"] {
        assert_eq!(all.choose(&port("eth0"), None, &host(master)), None, "{master}");
    }
    assert!(all.choose(&port("eth0"), None, &host("vrf")).is_some(), "a table of routes");
    assert_eq!(all.choose(&port("eth0"), None, &Host::default()), None, "nobody knows what of");
}

/// What cannot be managed is wanted nevertheless, so that the reason is said.
#[test]
fn a_device_that_is_named_is_taken_as_it_is() {
    for exact in [name("v0"), Criterion::Mac(MAC)] {
        let selection = rules([vec![exact]]);
        assert_eq!(taken(&selection, &link("v0", Some("veth"))), Some(0));
        assert!(selection.choose(&port("v0"), None, &host("bridge")).is_some());
    }
}

#[test]
fn a_kind_that_is_asked_for_is_taken() {
    let selection = rules([vec![kind("veth")], vec![Criterion::Kind(Kind::Physical)]]);
    assert_eq!(taken(&selection, &link("v0", Some("veth"))), Some(0));
    assert_eq!(taken(&selection, &link("eth0", None)), Some(1));
    assert_eq!(taken(&selection, &link("br0", Some("bridge"))), None);
    let veth_port = Link { kind: Some("veth".to_owned()), ..port("v0") };
    assert_eq!(selection.choose(&veth_port, None, &host("bridge")), None, "but no port");
}

#[test]
fn a_driver_that_is_asked_for_is_taken() {
    let gadget = link("usb0", Some("gadget"));
    let selection = rules([vec![driver("g_ether_2")], vec![driver("g_ether")]]);
    let host = |driver| {
        let mut host = Host::default();
        host.set_driver(gadget.index, driver);
        host
    };
    let choice = selection.choose(&gadget, None, &host(Some("g_ether"))).unwrap();
    assert_eq!((choice.settings.routes.metric, choice.wanted_as), (Some(1), None));
    assert_eq!(selection.choose(&gadget, None, &host(None)), None, "it has none");
}

/// What is said of the name that it has now is nearer than what was said of an earlier one.
#[test]
fn a_rule_for_the_present_name_comes_before_one_for_the_former() {
    let of = |names: [&str; 3]| rules(names.map(|text| vec![name(text)]));
    let chosen = |selection: &Selection, present, former| {
        let choice = selection.choose(&link(present, None), Some(former), &Host::default());
        choice.and_then(|choice| choice.settings.routes.metric)
    };
    let selection = of(["lan*", "eth0", "lan0"]);
    assert_eq!(chosen(&selection, "lan0", "eth0"), Some(2));
    assert_eq!(chosen(&selection, "lan1", "eth0"), Some(1), "and that before patterns");
    assert_eq!(chosen(&selection, "lan1", "eth1"), Some(0));
    let selection = of(["eth*", "lan*", "eth0"]);
    assert_eq!(chosen(&selection, "lan1", "eth1"), Some(1), "no pattern knows the former name");
    assert_eq!(chosen(&selection, "lan1", "eth0"), Some(2));
}

/// The kernel is asked, which wakes the device, only where a rule depends on it.
#[test]
fn the_driver_of_a_device_that_other_criteria_decide_about_is_not_asked_for() {
    let has_asked = |text: &str, link: Link| {
        let mut host = Host::default();
        host.apply(&Event::LinkChanged(link.clone()));
        let tables = crate::config::read("file", text).unwrap().tables;
        let rule = |table: &InterfaceTable| {
            table.rule(&[], &Choices::default(), &Choices::default()).unwrap()
        };
        let selection = Selection::new(tables.iter().map(rule).collect(), Vec::new());
        assert!(selection.asks_for_drivers());
        selection.choose(&link, None, &host);
        host.has_asked_for_driver(link.index)
    };
    let by_driver = "[[interface]]\nmatch = { driver = \"g_ether\" }\n";
    let nobody = || link("no such name", None);
    assert!(has_asked(by_driver, nobody()));
    let too = "[[interface]]\nmatch = { driver = \"g_ether\", name = \"usb*\" }\n";
    assert!(!has_asked(too, nobody()), "another name");
    let before = format!("[[interface]]\nmatch = \"no*\"\n{by_driver}");
    assert!(!has_asked(&before, nobody()), "taken by name");
    let arpless = Link { no_arp: true, ..nobody() };
    assert!(!has_asked(by_driver, arpless), "it would not be taken");
}

#[test]
fn whether_drivers_matter_is_known_beforehand() {
    let rule = |criteria| Rule { criteria, settings: None, required: false };
    let others = || vec![rule(vec![name("eth*")]), rule(Vec::new())];
    let asks = || vec![rule(vec![name("eth*"), driver("g_ether")])];
    assert!(!Selection::new(others(), others()).asks_for_drivers());
    assert!(Selection::new(asks(), others()).asks_for_drivers());
    assert!(Selection::new(others(), asks()).asks_for_drivers(), "for what is added later");
}

#[test]
fn the_first_rule_wins_and_exact_ones_come_first() {
    let selection = rules([vec![name("eth*")], vec![name("e*")], vec![name("eth1")]]);
    assert_eq!(taken(&selection, &link("eth0", None)), Some(0));
    assert_eq!(taken(&selection, &link("en0", None)), Some(1));
    assert_eq!(taken(&selection, &link("eth1", None)), Some(2));
    assert_eq!(taken(&selection, &link("wlan0", None)), None);
    assert_eq!(taken(&selection, &link("eth1", Some("veth"))), Some(2));
}

#[test]
fn all_criteria_of_a_rule_must_hold() {
    let selection = rules([vec![name("b*"), kind("bridge")]]);
    assert_eq!(taken(&selection, &link("br0", Some("bridge"))), Some(0));
    assert_eq!(taken(&selection, &link("br0", None)), None);
    assert_eq!(taken(&selection, &link("lan0", Some("bridge"))), None);
}

#[test]
fn a_rule_can_leave_interfaces_alone() {
    let alone = |criteria| Rule { criteria, settings: None, required: false };
    let all = Rule { criteria: Vec::new(), settings: Some(settings(1)), required: false };
    let selection = Selection::new(vec![all, alone(vec![name("eth3")])], Vec::new());
    assert_eq!(taken(&selection, &link("eth3", None)), None);
    assert_eq!(taken(&selection, &link("eth4", None)), Some(1));
}

#[test]
fn what_is_wanted_by_name_stays_wanted_when_it_is_renamed() {
    let selection = rules([vec![name("eth0")]]);
    let choice = selection.choose(&link("eth0", None), None, &Host::default()).unwrap();
    assert_eq!(choice.wanted_as.as_deref(), Some("eth0"));
    let renamed = selection.choose(&link("lan0", None), Some("eth0"), &Host::default());
    assert_eq!(renamed, Some(choice));
    assert_eq!(selection.choose(&link("lan0", None), None, &Host::default()), None);
    let many = rules([vec![name("eth*")]]);
    let choice = many.choose(&link("eth0", None), None, &Host::default()).unwrap();
    assert_eq!(choice.wanted_as, None, "a pattern asks for the name of today");
}

#[test]
fn what_is_said_at_run_time_comes_before_the_rules() {
    let mut selection = rules([vec![name("eth*")]]);
    selection.remove("eth0");
    assert_eq!(taken(&selection, &link("eth0", None)), None);
    assert_eq!(taken(&selection, &link("eth1", None)), Some(0));
    selection.add("eth0", settings(5));
    assert_eq!(taken(&selection, &link("eth0", None)), Some(5));
    selection.add("v0", settings(6));
    assert_eq!(taken(&selection, &link("v0", Some("veth"))), Some(6));
    assert!(selection.names("v0") && !selection.names("eth1"));
    let renamed = selection.choose(&link("new0", None), Some("v0"), &Host::default()).unwrap();
    assert_eq!(renamed.settings.routes.metric, Some(6));
    selection.set_rules(Vec::new(), Vec::new());
    assert_eq!(taken(&selection, &link("eth0", None)), Some(5), "other rules change nothing");
    selection.remove("v0");
    assert_eq!(taken(&selection, &link("v0", Some("veth"))), None);
}

#[test]
fn an_interface_named_without_settings_gets_those_of_its_rule() {
    let rule =
        |criteria, metric| Rule { criteria, settings: Some(settings(metric)), required: false };
    let named = vec![rule(vec![name("v*")], 1), rule(Vec::new(), 2)];
    let selection = Selection::new(Vec::new(), named);
    let metric = |link| {
        selection.settings_if_named(&link, &Host::default()).and_then(|found| found.routes.metric)
    };
    assert_eq!(metric(link("v0", Some("veth"))), Some(1), "also where no pattern would take it");
    assert_eq!(metric(link("eth0", None)), Some(2));
}
