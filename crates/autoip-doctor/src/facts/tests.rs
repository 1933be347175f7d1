//! Made-up hosts for the tests of the checks.

use super::*;
use crate::{Finding, Id, Severity};

pub(crate) const LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 9);
pub(crate) const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

pub(crate) fn index(number: u32) -> IfIndex {
    IfIndex::new(number).unwrap()
}

/// `eth<number>`, up, with a carrier and the kernel's default settings.
pub(crate) fn interface(number: u32) -> Interface {
    let settings = [
        Conf::Forwarding,
        Conf::ProxyArp,
        Conf::RpFilter,
        Conf::ArpAnnounce,
        Conf::ArpIgnore,
        Conf::ArpNotify,
    ];
    Interface {
        link: Link {
            index: index(number),
            name: format!("eth{number}"),
            mac: Some(MacAddr([2, 0, 0, 0, 0, u8::try_from(number).unwrap()])),
            hardware: 1,
            up: true,
            lower_up: true,
            running: true,
            no_arp: false,
            loopback: false,
            point_to_point: false,
            operstate: 6,
            carrier_changes: 1,
            master: None,
            kind: None,
        },
        addresses: Vec::new(),
        settings: settings.map(|conf| Setting { conf, own: 0, all: 0 }).into(),
        examined: true,
        asked: false,
        managed: false,
        daemon: None,
        gate: Some(false),
    }
}

/// An address as an administrator gives it.
pub(crate) fn address(interface: u32, ip: Ipv4Addr, prefix_len: u8) -> Address {
    Address {
        index: index(interface),
        ip,
        prefix_len,
        broadcast: None,
        label: None,
        scope: 0,
        no_prefix_route: false,
        deprecated: false,
        protocol: 0,
        valid: None,
    }
}

/// `eth<number>` as autoipd leaves it: with an address of its own, and guarded.
pub(crate) fn managed(number: u32) -> Interface {
    let own = Address {
        scope: SCOPE_LINK,
        no_prefix_route: true,
        protocol: numbers::PROTOCOL,
        ..address(number, LINK_LOCAL, 16)
    };
    let mut managed =
        Interface { addresses: vec![own], managed: true, gate: Some(true), ..interface(number) };
    managed.set(Conf::ArpIgnore, 1);
    managed.set(Conf::ArpAnnounce, 2);
    managed
}

impl Interface {
    /// Sets the interface's own value.
    pub(crate) fn set(&mut self, conf: Conf, value: i32) {
        for setting in self.settings.iter_mut().filter(|setting| setting.conf == conf) {
            setting.own = value;
        }
    }
}

/// A route to `destination` on the link of `eth<interface>`.
pub(crate) fn route(interface: u32, destination: [u8; 4], prefix_len: u8, metric: u32) -> Route {
    Route {
        kind: RouteKind::Unicast,
        index: index(interface),
        destination: destination.into(),
        prefix_len,
        scope: SCOPE_LINK,
        metric,
        source: None,
        protocol: 3,
        gateway: None,
        table: MAIN_TABLE,
    }
}

pub(crate) fn on_link(interface: u32, metric: u32) -> Route {
    route(interface, [169, 254, 0, 0], 16, metric)
}

pub(crate) fn default_via(interface: u32, metric: u32) -> Route {
    Route { gateway: Some(ROUTER), scope: 0, ..route(interface, [0; 4], 0, metric) }
}

/// A host with these interfaces, each with its on-link route.
pub(crate) fn host(interfaces: impl IntoIterator<Item = Interface>) -> Facts {
    let interfaces: Vec<_> = interfaces.into_iter().collect();
    let numbers = interfaces.iter().map(|interface| interface.index().get());
    let routes = numbers.map(|number| on_link(number, 1000 + number)).collect();
    Facts { interfaces, routes, ..Facts::default() }
}

/// What was found, in short.
pub(crate) fn brief(findings: &[Finding]) -> Vec<(Id, Severity, Option<&str>)> {
    findings.iter().map(|f| (f.id, f.severity, f.interface.as_deref())).collect()
}

/// All checks together are silent but for what is worth knowing in any case.
#[test]
fn a_healthy_host_has_nothing_to_be_mended() {
    let found = crate::check::findings(&host([managed(1)]));
    assert_eq!(brief(&found), [(Id::OwnNumbers, Severity::Note, None)]);
    assert_eq!(brief(&crate::check::findings(&host([interface(1)]))), []);
    assert_eq!(brief(&crate::check::findings(&Facts::default())), []);
}
