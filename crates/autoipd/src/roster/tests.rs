//! What is refused, and what is left of it. Devices that the kernel knows are for the kernel tests.

use super::*;
use crate::choice::Choices;
use crate::guard::Guard;
use crate::host::Host;
use crate::host::sample;
use crate::selection::{Criterion, Pattern, Rule};
use crate::settings::GuardMode;
use crate::store::Store;
use autoip_linux::Poller;
use autoip_linux::rtnl::{Event, Link, Rtnl};

/// A number that no device of this machine has.
const NOWHERE: u32 = 0x7fff_0001;

fn edge(links: impl IntoIterator<Item = Link>) -> Edge {
    let dir = std::env::temp_dir().join("autoipd-roster-without-state");
    let mut host = Host::default();
    for link in links {
        host.apply(&Event::LinkChanged(link));
    }
    let guard = Guard::start(GuardMode::Off, &[], &dir).unwrap();
    Edge::new(Rtnl::open().unwrap(), Poller::new().unwrap(), host, Store::new(dir), guard)
}

fn link(name: &str) -> Link {
    sample::link(NOWHERE, name)
}

/// A roster of nothing, which knows how to manage what is named.
fn roster(wanted: &[&str]) -> Roster {
    let settings = Choices::default().settings().unwrap();
    let rule = |criteria| Rule { criteria, settings: Some(settings.clone()), required: false };
    let by_name = |name: &&str| rule(vec![Criterion::Name(Pattern::parse(name).unwrap())]);
    let rules = wanted.iter().map(by_name).collect();
    Roster::new(Selection::new(rules, vec![rule(Vec::new())]), 4)
}

fn refusal(result: Result<(), Failure>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn what_is_not_there_cannot_be_added_or_removed() {
    let (mut roster, mut edge) = (roster(&[]), edge([]));
    assert_eq!(
        refusal(roster.add(&mut edge, "eth0", &Choices::default())),
        "there is no interface eth0"
    );
    assert_eq!(refusal(roster.remove(&mut edge, "eth0")), "interface eth0 is not managed");
}

#[test]
fn what_cannot_be_managed_is_not_kept() {
    let arpless = Link { no_arp: true, ..link("x0") };
    for (link, why) in [(arpless, "x0 has ARP switched off"), (link("x0"), "")] {
        let (mut roster, mut edge) = (roster(&[]), edge([link]));
        for _ in 0..2 {
            let text = refusal(roster.add(&mut edge, "x0", &Choices::default()));
            assert!(text.contains(why) && !text.contains("already"), "{text}");
        }
        assert!(roster.entries.is_empty() && roster.devices.is_empty(), "nothing is left");
        assert_eq!((roster.deadline(), roster.selection.names("x0")), (None, false));
    }
}

/// One that the rules want goes on being wanted, and being tried.
#[test]
fn what_the_rules_want_stays_wanted() {
    let (mut roster, mut edge) = (roster(&["x0"]), edge([link("x0")]));
    roster.start(&mut edge).unwrap();
    assert!(roster.deadline().is_some(), "it is tried again");
    refusal(roster.add(&mut edge, "x0", &Choices::default()));
    assert!(roster.deadline().is_some(), "it still is");
    roster.remove(&mut edge, "x0").unwrap();
    assert_eq!((roster.deadline(), roster.entries.len()), (None, 0));
    roster.on_change_of_all(&mut edge);
    assert!(roster.entries.is_empty(), "until it is added again");
}

#[test]
fn an_interface_that_is_waited_for_can_be_removed() {
    let (mut roster, mut edge) = (roster(&["x0"]), edge([]));
    roster.start(&mut edge).unwrap();
    roster.remove(&mut edge, "x0").unwrap();
    assert_eq!(refusal(roster.remove(&mut edge, "x0")), "interface x0 is not managed");
    edge.host.apply(&Event::LinkChanged(link("x0")));
    roster.on_change(&mut edge, IfIndex::new(NOWHERE).unwrap()).unwrap();
    assert!(roster.entries.is_empty());
}

#[test]
fn a_device_that_is_gone_leaves_nothing() {
    let (mut roster, mut edge) = (roster(&["x0"]), edge([link("x0")]));
    roster.start(&mut edge).unwrap();
    assert_eq!(roster.entries.len(), 1);
    let index = IfIndex::new(NOWHERE).unwrap();
    edge.host.apply(&Event::LinkRemoved(index));
    roster.on_change(&mut edge, index).unwrap();
    assert!(roster.entries.is_empty() && roster.devices.is_empty() && roster.due.is_empty());
}
