//! Settings of the kernel.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use autoip_doctor::{Id, Severity};
use autoip_lab::Host;

use crate::patient::{Patient, assert_absent, the_one};

const PORT: u16 = 4009;

/// A patient whose second interface has a routable address.
fn with_second() -> (Patient, impl Sized) {
    let patient = Patient::with_address();
    let second = patient.second_link();
    patient.host.add_address("eth1", [10, 0, 0, 1].into(), 24);
    (patient, second)
}

pub(crate) fn forwarding_is_found() {
    let fault = "sysctl -w net.ipv4.conf.eth0.forwarding=1";
    Patient::with_address().suffer(Id::Forwarding, Severity::Problem, fault);
}

pub(crate) fn proxy_arp_is_found() {
    let patient = Patient::with_address();
    patient.suffer(Id::ProxyArp, Severity::Problem, "sysctl -w net.ipv4.conf.eth0.proxy_arp=1");
    patient.suffer(Id::ProxyArp, Severity::Problem, "sysctl -w net.ipv4.conf.all.proxy_arp=1");
}

pub(crate) fn arp_notify_is_found() {
    let fault = "sysctl -w net.ipv4.conf.eth0.arp_notify=1";
    Patient::with_address().suffer(Id::ArpNotify, Severity::Warning, fault);
}

pub(crate) fn arp_ignore_is_found() {
    let (patient, _second) = with_second();
    patient.shell("sysctl -w net.ipv4.conf.eth0.arp_ignore=1");
    let fault = "sysctl -w net.ipv4.conf.eth0.arp_ignore=0";
    patient.suffer(Id::ArpIgnore, Severity::Warning, fault);
}

pub(crate) fn arp_ignore_that_answers_nobody_is_found() {
    let patient = Patient::with_address();
    patient.suffer(Id::ArpIgnore, Severity::Problem, "sysctl -w net.ipv4.conf.all.arp_ignore=8");
    patient.suffer(Id::ArpIgnore, Severity::Problem, "sysctl -w net.ipv4.conf.eth0.arp_ignore=2");
}

pub(crate) fn arp_announce_is_found() {
    let (patient, _second) = with_second();
    patient.shell("sysctl -w net.ipv4.conf.eth0.arp_announce=2");
    let fault = "sysctl -w net.ipv4.conf.eth0.arp_announce=0";
    patient.suffer(Id::ArpAnnounce, Severity::Warning, fault);
}

/// Whether a datagram of `peer` to `to` arrives at the patient. It is sent often enough that one
/// lost while addresses are looked for does not count.
fn arrives(patient: &Patient, peer: &Host, to: [u8; 4]) -> bool {
    let ears = patient.host.run(|| UdpSocket::bind(("0.0.0.0", PORT)).unwrap());
    ears.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mouth = peer.run(|| UdpSocket::bind(("0.0.0.0", 0)).unwrap());
    mouth.set_broadcast(true).unwrap();
    (0..25).any(|_| {
        // An unreachable host is known for one after a while.
        let _ = mouth.send_to(b"hello", (Ipv4Addr::from(to), PORT));
        ears.recv(&mut [0; 16]).is_ok()
    })
}

pub(crate) fn a_strict_filter_on_the_second_link_is_found() {
    let patient = Patient::with_address();
    let (switch, _cable) = patient.second_link();
    patient.shell("ip address add 169.254.7.8/16 dev eth1 metric 100");
    // A way back for everybody else, so that this is about the link alone.
    patient.shell("ip route add default dev eth1 scope link metric 9000");
    let peer = Host::new("peer");
    let _peers = peer.connect(&switch, "eth0");
    peer.add_address("eth0", [169, 254, 9, 9].into(), 16);
    assert!(arrives(&patient, &peer, [169, 254, 255, 255]));

    assert_absent(&patient.examine(), Id::RpFilter);
    patient.shell("sysctl -w net.ipv4.conf.eth1.rp_filter=1");
    let finding = the_one(&patient.examine(), Id::RpFilter);
    assert_eq!(finding.severity, Severity::Problem);
    assert!(!arrives(&patient, &peer, [169, 254, 255, 255]), "what is said is not so");
    patient.heal(&finding);
    assert!(arrives(&patient, &peer, [169, 254, 255, 255]));
}

pub(crate) fn a_filter_without_a_way_back_is_found() {
    let patient = Patient::with_address();
    let peer = Host::new("peer");
    let _peers = peer.connect(&patient.switch, "eth0");
    peer.add_address("eth0", [10, 9, 9, 9].into(), 24);
    patient.shell_on(&peer, "ip route add 169.254.0.0/16 dev eth0");
    assert!(arrives(&patient, &peer, [169, 254, 7, 7]));

    assert_absent(&patient.examine(), Id::RpFilter);
    patient.shell("sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.eth0.rp_filter=1");
    let finding = the_one(&patient.examine(), Id::RpFilter);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(!arrives(&patient, &peer, [169, 254, 7, 7]), "what is said is not so");
    patient.heal(&finding);
    assert!(arrives(&patient, &peer, [169, 254, 7, 7]));
}

pub(crate) fn a_dotted_name_can_be_mended_too() {
    let patient = Patient::with_address();
    patient.host.set_up("eth0", false);
    patient.host.rename("eth0", "eth0.5;x");
    patient.host.set_up("eth0.5;x", true);
    assert_absent(&patient.examine(), Id::Forwarding);
    patient.host.set_variable("ipv4/conf/eth0.5;x/forwarding", "1");
    patient.heal(&the_one(&patient.examine(), Id::Forwarding));
}
