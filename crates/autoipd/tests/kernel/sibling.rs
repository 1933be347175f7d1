//! Several interfaces of one host in one process: RFC 3927 §3.4.

use std::collections::BTreeSet;

use autoip_lab::{Host, Peer, Recording, Seen, Switch};
use autoip_wire::ArpPacket;

use crate::station::{CLAIM, Memory, QUICK, SOON, X, autoipd, eventually, is_reply, lines_with, s};

/// What the daemon says of two ports on one link.
const ON_ONE_LINK: &str = "eth0 and eth1 are on one link";

/// The first thing that the host announces on a link.
#[track_caller]
fn announced(wire: &mut Recording<Seen>) -> std::net::Ipv4Addr {
    let seen =
        wire.expect("announcement", CLAIM, |seen| seen.is_from_host() && seen.is_announcement());
    seen.arp.sender_ip
}

/// Asserts that a whole claim went over the cable, and nothing else that the daemon says.
#[track_caller]
fn assert_one_claim(wire: &mut Recording<Seen>) {
    let own = |seen: &Seen| seen.is_from_host() && !is_reply(seen);
    assert_eq!(wire.wait(s(3), |seen| own(seen) && seen.is_probe()), None, "it probes again");
    let own = wire.filtered(own);
    let probes = own.iter().filter(|seen| seen.is_probe()).count();
    assert_eq!((probes, own.len()), (3, 5), "{own:#?}");
}

//= test LL-3-01
//= test LL-3.4-01
//= test LL-3.4-03
pub(crate) fn two_ports_on_one_link_get_two_addresses() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let cables = ["eth0", "eth1"].map(|name| host.connect(&switch, name));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    let daemon = host.spawn(autoipd("-i eth0 -i eth1 -s 169.254.7.7", memory.dir()));
    let addrs: BTreeSet<_> = wires.iter_mut().map(announced).collect();
    assert_eq!(addrs.len(), 2, "each has an address of its own: {addrs:?}");
    assert!(addrs.contains(&X), "one of them has the wanted one: {addrs:?}");
    wires.iter_mut().for_each(assert_one_claim);
    let held: Vec<_> = ["eth0", "eth1"].map(|name| host.addresses(name).len()).into();
    assert_eq!(held, [1, 1]);
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 1, "it is found out");
    assert_eq!(lines_with(&daemon, "WARN"), 1, "no conflict");
    assert_eq!(lines_with(&daemon, "leaving it"), 0, "they never tried the same address");
}

//= test LL-3.4-02
//= test ACD-1.3-04
pub(crate) fn two_ports_on_two_links_do_not_disturb_each_other() {
    let switches = [Switch::new(), Switch::new()];
    let (host, memory) = (Host::new("station"), Memory::new());
    let names = ["eth0", "eth1"];
    let cables = [0, 1].map(|n| host.connect(&switches[n], names[n]));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    let daemon = host.spawn(autoipd("-i eth0 -i eth1 -s 169.254.7.7", memory.dir()));
    let addrs = wires.each_mut().map(announced);
    assert_ne!(addrs[0], addrs[1]);
    wires.iter_mut().for_each(assert_one_claim);
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 0);
    // The address of one link means nothing on the other.
    let peers = switches.each_ref().map(Peer::new);
    for _ in 0..2 {
        peers[0].announce(addrs[1]);
        peers[1].announce(addrs[0]);
    }
    wires.iter_mut().for_each(Recording::skip_to_end);
    for wire in &mut wires {
        assert_eq!(wire.wait(s(1), |seen| seen.is_from_host() && !is_reply(seen)), None);
    }
    // What happens to one does not happen to the other.
    cables[1].pull();
    host.expect("end of the address", SOON, |host| host.addresses("eth1").is_empty().then_some(()));
    assert_eq!(host.addresses("eth0").len(), 1);
    peers[0].announce(addrs[0]);
    assert_eq!(announced(&mut wires[0]), addrs[0], "it defends");
    assert_eq!(lines_with(&daemon, "which is ours"), 1);
}

/// Somebody plugs a cable between two switches, and one link has two ports of this host.
//= test LL-3.4-03
pub(crate) fn two_ports_whose_links_become_one_do_not_fight() {
    let switches = [Switch::new(), Switch::new()];
    let (host, memory) = (Host::new("station"), Memory::new());
    let names = ["eth0", "eth1"];
    let cables = [0, 1].map(|n| host.connect(&switches[n], names[n]));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    let daemon = host.spawn(autoipd(&format!("{QUICK} -i eth1"), memory.dir()));
    let addrs = wires.each_mut().map(announced);
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 0, "they are on two");
    let _join = switches[0].join(&switches[1]);
    // Announcements of each port reach the other one.
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    for (wire, other) in wires.iter_mut().zip([addrs[1], addrs[0]]) {
        eventually("announcements of both", SOON, || {
            let own = wire.filtered(|seen| seen.is_from_host() && seen.is_announcement());
            let others = |seen: &Seen| !seen.is_from_host() && seen.is_announcement_of(other);
            (own.len(), wire.filtered(others).len()) == (2, 1)
        });
        wire.skip_to_end();
    }
    for wire in &mut wires {
        let own = |seen: &Seen| seen.is_from_host() && !is_reply(seen);
        assert_eq!(wire.wait(s(2), own), None, "they fight");
    }
    for (name, addr) in names.iter().zip(addrs) {
        let held: Vec<_> = host.addresses(name).iter().map(|address| address.ip).collect();
        assert_eq!(held, [addr], "{name}");
    }
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 1, "it is found out");
    assert_eq!(lines_with(&daemon, "WARN"), 1, "no conflict");
    // Said again only when one of them may have been elsewhere.
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    for wire in &mut wires {
        wire.expect("announcement", SOON, |seen| seen.is_from_host() && seen.is_announcement());
    }
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 1);
    cables[1].pull();
    host.expect("end of the address", SOON, |host| host.addresses("eth1").is_empty().then_some(()));
    cables[1].put_back();
    eventually("it is found out again", SOON, || lines_with(&daemon, ON_ONE_LINK) == 2);
}

/// Frames that come back to where they came from tell nothing, and strangers that use an
/// interface's MAC address are believed once.
pub(crate) fn echoes_and_forgeries_make_no_noise_about_siblings() {
    let switches = [Switch::new(), Switch::new()];
    let (host, memory) = (Host::new("station"), Memory::new());
    let names = ["eth0", "eth1"];
    let cables = [0, 1].map(|n| host.connect(&switches[n], names[n]));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    let daemon = host.spawn(autoipd(&format!("{QUICK} -i eth1"), memory.dir()));
    let addrs = wires.each_mut().map(announced);
    let macs = names.map(|name| host.mac(name));
    let peers = switches.each_ref().map(Peer::new);
    let announcement = |mac, addr| ArpPacket::announcement(mac, addr);
    for _ in 0..20 {
        peers[0].broadcast(&announcement(macs[0], addrs[0]));
    }
    assert_eq!(wires[0].wait(s(1), |seen| seen.is_from_host() && !is_reply(seen)), None);
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 0, "an echo");
    for _ in 0..200 {
        peers[0].broadcast(&announcement(macs[1], addrs[1]));
    }
    eventually("it is believed", SOON, || lines_with(&daemon, ON_ONE_LINK) == 1);
    assert_eq!(wires[0].wait(s(1), |seen| seen.is_from_host() && !is_reply(seen)), None);
    assert_eq!(lines_with(&daemon, ON_ONE_LINK), 1, "once");
}

/// The kernel answers for all addresses of the host on a port that nobody manages. The daemon asks
/// once more while the address is in use, and must not take that answer for another host's.
//= test LL-3.4-03
//= test ACD-2.4-01
pub(crate) fn a_port_that_nobody_manages_answers_without_a_conflict() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let cables = ["eth0", "eth1"].map(|name| host.connect(&switch, name));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    let daemon = host.spawn(autoipd("-i eth0 --timing fast -s 169.254.7.7", memory.dir()));
    assert_eq!(announced(&mut wires[0]), X);
    let answer = |seen: &Seen| seen.is_from_host() && seen.arp.sender_ip == X && is_reply(seen);
    wires[1].expect("answer of the other port", CLAIM, answer);
    assert_eq!(wires[0].wait(s(4), |_| false), None);
    let announcements = wires[0].filtered(|seen| seen.is_from_host() && seen.is_announcement());
    assert_eq!(announcements.len(), 2, "it defends: {announcements:#?}");
    wires[0].skip_to_end();
    assert_eq!(lines_with(&daemon, "WARN"), 0, "no conflict");
    assert_eq!(host.addresses("eth0").first().map(|address| address.ip), Some(X));
    // A stranger is one all the same.
    let peer = Peer::new(&switch);
    peer.announce(X);
    eventually("a conflict with a stranger", SOON, || lines_with(&daemon, "WARN") == 1);
}

/// Each port has a daemon of its own, and both are told to begin with the same address.
//= test LL-3.4-03
pub(crate) fn two_daemons_on_one_link_get_two_addresses() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let cables = ["eth0", "eth1"].map(|name| host.connect(&switch, name));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    let daemons = ["eth0", "eth1"]
        .map(|name| host.spawn(autoipd(&QUICK.replace("eth0", name), memory.dir())));
    let addrs: BTreeSet<_> = wires.iter_mut().map(announced).collect();
    assert_eq!(addrs.len(), 2, "each has an address of its own: {addrs:?}");
    for wire in &mut wires {
        let own = |seen: &Seen| seen.is_from_host() && !is_reply(seen);
        assert_eq!(wire.wait(s(2), own), None, "they fight");
    }
    for daemon in &daemons {
        assert_eq!((daemon.status(), lines_with(daemon, "which is ours")), (None, 0));
    }
}
