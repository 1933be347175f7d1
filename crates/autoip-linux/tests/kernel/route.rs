//! Addresses, routes and neighbours, written and read back.

use std::net::Ipv4Addr;
use std::slice::from_ref;
use std::time::Duration;

use autoip_linux::IfIndex;
use autoip_linux::rtnl::{Address, MAIN_TABLE, Route, RouteKind, Rtnl};
use netlink_packet_route::neighbour::NeighbourState;

use crate::cable::{Cable, OTHER, OURS};

const SCOPE_LINK: u8 = 253;
const PROTOCOL: u8 = 169;

pub(crate) fn address(index: IfIndex, ip: Ipv4Addr) -> Address {
    Address {
        index,
        ip,
        prefix_len: 16,
        broadcast: Some(Ipv4Addr::new(169, 254, 255, 255)),
        label: Some("near:9".to_owned()),
        scope: SCOPE_LINK,
        no_prefix_route: true,
        deprecated: false,
        protocol: PROTOCOL,
        valid: None,
    }
}

pub(crate) fn route(index: IfIndex) -> Route {
    Route {
        kind: RouteKind::Unicast,
        index,
        destination: Ipv4Addr::new(169, 254, 0, 0),
        prefix_len: 16,
        scope: SCOPE_LINK,
        metric: 0,
        source: None,
        protocol: PROTOCOL,
        gateway: None,
        table: MAIN_TABLE,
    }
}

pub(crate) fn address_round_trip() {
    let mut cable = Cable::new();
    let added = address(cable.near, OURS);
    cable.rtnl.add_address(&added).unwrap();
    assert_eq!(cable.rtnl.addresses().unwrap(), [added]);
    assert_eq!(cable.rtnl.routes().unwrap(), [], "noprefixroute");

    let bare = Address {
        ip: OTHER,
        broadcast: None,
        label: None,
        no_prefix_route: false,
        protocol: 0,
        ..address(cable.far, OTHER)
    };
    cable.rtnl.add_address(&bare).unwrap();
    let addresses = cable.rtnl.addresses().unwrap();
    let read = addresses.iter().find(|a| a.ip == OTHER).unwrap();
    assert_eq!(*read, Address { label: Some("far".to_owned()), ..bare });
    let routes = cable.rtnl.routes().unwrap();
    assert_eq!(routes.len(), 1, "the prefix route of the kernel: {routes:?}");
}

pub(crate) fn address_renewed() {
    let mut cable = Cable::new();
    let mut added = address(cable.near, OURS);
    cable.rtnl.add_address(&added).unwrap();
    cable.rtnl.add_address(&added).unwrap();
    added.deprecated = true;
    added.valid = Some(Duration::from_secs(600));
    cable.rtnl.add_address(&added).unwrap();
    let [read] = &cable.rtnl.addresses().unwrap()[..] else { panic!("one address expected") };
    assert!(read.deprecated);
    let valid = read.valid.unwrap();
    assert!(valid <= Duration::from_secs(600) && valid > Duration::from_secs(500), "{valid:?}");

    assert!(cable.rtnl.remove_address(&added).unwrap());
    assert!(!cable.rtnl.remove_address(&added).unwrap(), "it is gone");
    let nowhere = address(IfIndex::new(12345).unwrap(), OURS);
    assert!(!cable.rtnl.remove_address(&nowhere).unwrap(), "its interface is gone");
    assert!(cable.rtnl.add_address(&nowhere).unwrap_err().is_gone());
    assert_eq!(cable.rtnl.addresses().unwrap(), []);
}

pub(crate) fn routes() {
    let mut cable = Cable::new();
    cable.rtnl.add_address(&address(cable.near, OURS)).unwrap();
    let plain = route(cable.near);
    cable.rtnl.add_route(&plain).unwrap();
    cable.rtnl.add_route(&plain).unwrap();
    assert_eq!(&cable.rtnl.routes().unwrap()[..], from_ref(&plain));

    let sourced = Route { source: Some(OURS), ..plain.clone() };
    cable.rtnl.add_route(&sourced).unwrap();
    assert_eq!(&cable.rtnl.routes().unwrap()[..], from_ref(&sourced), "replaced");

    let default =
        Route { destination: Ipv4Addr::UNSPECIFIED, prefix_len: 0, metric: 1003, ..plain.clone() };
    let elsewhere = Route { table: 39270, ..default.clone() };
    cable.rtnl.add_route(&default).unwrap();
    cable.rtnl.add_route(&elsewhere).unwrap();
    let routes = cable.rtnl.routes().unwrap();
    assert!(routes.len() == 2 && routes.contains(&default), "{routes:?}");
    assert_eq!(&cable.rtnl.routes_of(39270).unwrap()[..], from_ref(&elsewhere));

    for route in [&sourced, &default, &elsewhere] {
        assert!(cable.rtnl.remove_route(route).unwrap());
        assert!(!cable.rtnl.remove_route(route).unwrap());
    }
    assert_eq!(cable.rtnl.routes().unwrap(), []);
    let near = cable.near;
    cable.set_up(near, false);
    assert!(cable.rtnl.add_route(&plain).unwrap_err().is_gone());
}

pub(crate) fn two_interfaces() {
    let mut cable = Cable::new();
    let (near, far) = (route(cable.near), route(cable.far));
    cable.rtnl.add_route(&near).unwrap();
    cable.rtnl.add_route(&far).unwrap();
    cable.rtnl.add_route(&near).unwrap();
    let routes = cable.rtnl.routes().unwrap();
    assert!(routes.len() == 2 && routes.contains(&near) && routes.contains(&far), "{routes:?}");
    assert!(cable.rtnl.remove_route(&near).unwrap());
    assert_eq!(cable.rtnl.routes().unwrap(), [far]);
}

pub(crate) fn neighbours() {
    let mut cable = Cable::new();
    let (near, far) = (cable.near, cable.far);
    cable.add_neighbour(near, OURS, NeighbourState::Stale);
    cable.add_neighbour(near, Ipv4Addr::new(169, 254, 1, 1), NeighbourState::Failed);
    cable.add_neighbour(far, OTHER, NeighbourState::Permanent);
    assert_eq!(cable.rtnl.neighbours(cable.near).unwrap(), [OURS]);
    assert_eq!(cable.rtnl.neighbours(cable.far).unwrap(), [OTHER]);
}

pub(crate) fn loopback() {
    let links = Rtnl::open().unwrap().links().unwrap();
    let loopback = links.iter().find(|link| link.name == "lo").unwrap();
    assert_eq!(loopback.unsuitable().unwrap(), "is the loopback interface");
    assert!(!loopback.has_carrier(), "a new namespace has it down");
}
