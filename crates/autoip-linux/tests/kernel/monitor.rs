//! Notifications, as the kernel really sends them.

use autoip_linux::IfIndex;
use autoip_linux::rtnl::{Event, Link, Monitor, Rtnl};
use netlink_packet_route::link::{InfoKind, LinkInfo};
use nix::sys::socket::{setsockopt, sockopt};

use crate::cable::{Cable, OURS, await_readable, create, index};
use crate::route::address;

fn next(monitor: &mut Monitor) -> Event {
    loop {
        if let Some(event) = monitor.next().unwrap() {
            return event;
        }
        await_readable(monitor);
    }
}

pub(crate) fn await_event(monitor: &mut Monitor, is_wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = next(monitor);
        assert_ne!(event, Event::Overrun);
        if is_wanted(&event) {
            return event;
        }
    }
}

pub(crate) fn await_link(monitor: &mut Monitor, index: IfIndex, is_wanted: impl Fn(&Link) -> bool) {
    await_event(
        monitor,
        |event| matches!(event, Event::LinkChanged(l) if l.index == index && is_wanted(l)),
    );
}

pub(crate) fn appears_and_goes() {
    let mut monitor = Monitor::open().unwrap();
    assert_eq!(monitor.next().unwrap(), None);
    let mut cable = Cable::new();
    let (near, far) = (cable.near, cable.far);
    await_link(&mut monitor, near, |link| {
        link.name == "near" && link.kind.as_deref() == Some("veth") && link.mac.is_some()
    });
    cable.remove(far);
    let mut left = vec![near, far];
    while !left.is_empty() {
        if let Event::LinkRemoved(index) = next(&mut monitor) {
            left.retain(|&i| i != index);
        }
    }
}

pub(crate) fn carrier() {
    let mut cable = Cable::new();
    let (near, far) = (cable.near, cable.far);
    assert!(cable.link(near).has_carrier());
    assert_eq!(cable.link(near).unsuitable(), None);
    let mut monitor = Monitor::open().unwrap();
    cable.set_up(far, false);
    await_link(&mut monitor, near, |link| link.up && !link.lower_up && !link.has_carrier());
    cable.set_up(far, true);
    await_link(&mut monitor, near, Link::has_carrier);
    cable.set_up(near, false);
    await_link(&mut monitor, near, |link| !link.up && !link.has_carrier());
}

pub(crate) fn bridge_port() {
    let mut cable = Cable::new();
    create(&mut cable.rtnl, "bridge", vec![LinkInfo::Kind(InfoKind::Bridge)]);
    let bridge = index(&mut cable.rtnl, "bridge");
    let (near, far) = (cable.near, cable.far);
    let mut monitor = Monitor::open().unwrap();
    cable.set_master(near, Some(bridge));
    await_link(&mut monitor, near, |link| link.master == Some(bridge));
    cable.set_master(near, None);
    cable.remove(far);
    // Leaving a bridge is told by a message of the same type as a removal. The interface is
    // removed once, together with the other end of its cable.
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match next(&mut monitor) {
            Event::LinkRemoved(index) => seen.push(index),
            Event::LinkChanged(link) if link.index == near => {
                assert!(!seen.contains(&near), "{link:?} after its removal");
            }
            Event::Overrun => panic!("messages were lost"),
            Event::LinkChanged(_)
            | Event::AddressAdded(_)
            | Event::AddressRemoved(_)
            | Event::RouteAdded(_)
            | Event::RouteRemoved(_)
            | Event::RuleAdded(_)
            | Event::RuleRemoved(_) => {}
        }
    }
    seen.sort_unstable();
    let mut both = [near, far];
    both.sort_unstable();
    assert_eq!(seen, both);
    assert!(monitor.next().unwrap().is_none_or(|e| !matches!(e, Event::LinkRemoved(_))));
}

pub(crate) fn overrun() {
    let mut monitor = Monitor::open().unwrap();
    setsockopt(&monitor, sockopt::RcvBuf, &1).unwrap();
    let mut cable = Cable::new();
    let near = cable.near;
    for _ in 0..20 {
        cable.set_up(near, false);
        cable.set_up(near, true);
    }
    while next(&mut monitor) != Event::Overrun {}
    // What comes afterwards is reported again.
    setsockopt(&monitor, sockopt::RcvBuf, &(1 << 17)).unwrap();
    while monitor.next().unwrap().is_some() {}
    cable.set_up(near, false);
    await_link(&mut monitor, near, |link| !link.up);
}

pub(crate) fn addresses() {
    let mut cable = Cable::new();
    let mut monitor = Monitor::open().unwrap();
    let mut added = address(cable.near, OURS);
    cable.rtnl.add_address(&added).unwrap();
    await_event(&mut monitor, |event| *event == Event::AddressAdded(added.clone()));
    added.deprecated = true;
    Rtnl::open().unwrap().add_address(&added).unwrap();
    await_event(&mut monitor, |event| *event == Event::AddressAdded(added.clone()));
    assert!(cable.rtnl.remove_address(&added).unwrap());
    await_event(&mut monitor, |event| *event == Event::AddressRemoved(added.clone()));
}
