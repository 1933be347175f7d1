//! Settings of interfaces.

use std::fs;
use std::net::Ipv4Addr;

use autoip_linux::rtnl::{Address, Conf, NeighbourSetting, Rtnl, conf_of_all};
use autoip_linux::{Direction, IfIndex, PacketSocket};

use crate::cable::{Cable, OTHER, OURS, arp, await_frame};
use crate::route::address;

const ALL: [Conf; 6] = [
    Conf::Forwarding,
    Conf::ProxyArp,
    Conf::RpFilter,
    Conf::ArpAnnounce,
    Conf::ArpIgnore,
    Conf::ArpNotify,
];

fn file(name: &str, conf: Conf) -> i32 {
    let path = format!("/proc/sys/net/ipv4/conf/{name}/{}", conf.name());
    fs::read_to_string(path).unwrap().trim().parse().unwrap()
}

pub(crate) fn round_trip() {
    let mut cable = Cable::new();
    let (near, far) = (cable.near, cable.far);
    for conf in ALL {
        let before = cable.rtnl.conf(near, conf).unwrap();
        assert_eq!(before, file("near", conf), "{conf:?}");
        for value in [1, 0] {
            cable.rtnl.set_conf(near, conf, value).unwrap();
            assert_eq!(cable.rtnl.conf(near, conf).unwrap(), value, "{conf:?}");
            assert_eq!(file("near", conf), value, "{conf:?}");
        }
        cable.rtnl.set_conf(near, conf, before).unwrap();
        assert_eq!(cable.rtnl.conf(far, conf).unwrap(), before, "{conf:?} of the other one");
    }
    let two = [(Conf::ArpIgnore, 1), (Conf::ArpAnnounce, 2)];
    cable.rtnl.set_confs(near, &two).unwrap();
    let read = cable.rtnl.confs(near, &[Conf::ArpAnnounce, Conf::ProxyArp, Conf::ArpIgnore]);
    assert_eq!(read.unwrap(), [2, 0, 1]);
}

pub(crate) fn neighbours() {
    let mut cable = Cable::new();
    let (near, far) = (cable.near, cable.far);
    for setting in [NeighbourSetting::UnicastProbes, NeighbourSetting::BroadcastReprobes] {
        let file = || {
            let path = format!("/proc/sys/net/ipv4/neigh/near/{}", setting.name());
            fs::read_to_string(path).unwrap().trim().parse::<u32>().unwrap()
        };
        let before = cable.rtnl.neighbour_setting(near, setting).unwrap();
        assert_eq!(before, file(), "{setting:?}");
        for value in [7, 0] {
            cable.rtnl.set_neighbour_setting(near, setting, value).unwrap();
            assert_eq!(cable.rtnl.neighbour_setting(near, setting).unwrap(), value);
            assert_eq!(file(), value, "{setting:?}");
        }
        assert_eq!(cable.rtnl.neighbour_setting(far, setting).unwrap(), before, "of the other");
        let nowhere = IfIndex::new(12345).unwrap();
        assert!(cable.rtnl.neighbour_setting(nowhere, setting).unwrap_err().is_gone());
        let error = cable.rtnl.set_neighbour_setting(nowhere, setting, 1).unwrap_err();
        assert!(error.to_string().contains(setting.name()), "{error}");
    }
}

/// With 1, an interface answers only for its own addresses.
pub(crate) fn arp_ignore() {
    let mut cable = Cable::new();
    let mut second = Cable::named("near2", "far2");
    let (near, near2) = (cable.near, second.near);
    cable.rtnl.add_address(&address(near, OURS)).unwrap();
    let own = Address { label: None, ..address(near2, OTHER) };
    second.rtnl.add_address(&own).unwrap();
    let peer = PacketSocket::arp(second.far).unwrap();
    let tap = PacketSocket::tap(second.far).unwrap();
    let ask = |target| peer.send(&arp(Ipv4Addr::new(169, 254, 1, 1), target)).unwrap();
    let next_answer = || {
        let frame = await_frame(&tap, |received| {
            received.direction == Direction::In && received.frame[12..14] == [8, 6]
        });
        Ipv4Addr::from(*frame[28..].first_chunk::<4>().unwrap())
    };
    ask(OURS);
    assert_eq!(next_answer(), OURS, "the kernel answers for another interface");
    second.rtnl.set_conf(near2, Conf::ArpIgnore, 1).unwrap();
    ask(OURS);
    ask(OTHER);
    assert_eq!(next_answer(), OTHER);
}

pub(crate) fn of_all() {
    for conf in ALL {
        assert_eq!(conf_of_all(conf).unwrap(), file("all", conf), "{conf:?}");
    }
}

pub(crate) fn gone() {
    let mut rtnl = Rtnl::open().unwrap();
    let nowhere = IfIndex::new(12345).unwrap();
    assert!(rtnl.conf(nowhere, Conf::ArpIgnore).unwrap_err().is_gone());
    let error = rtnl.set_conf(nowhere, Conf::ArpIgnore, 1).unwrap_err();
    assert!(error.is_gone());
    let start = "could not set arp_ignore to 1 on interface 12345: ";
    assert!(error.to_string().starts_with(start), "{error}");
}
