//! Routes to the link, past it, and to parts of it.

use std::net::{Ipv4Addr, UdpSocket};

use autoip_doctor::{Id, Severity};

use crate::patient::{Patient, assert_absent, the_one};

pub(crate) fn a_missing_on_link_route_is_found() {
    let patient = Patient::with_address();
    let fault = "ip route del 169.254.0.0/16 dev eth0";
    patient.suffer(Id::NoOnLinkRoute, Severity::Problem, fault);
}

pub(crate) fn a_routable_host_without_it_is_warned() {
    let patient = Patient::new();
    assert_absent(&patient.examine(), Id::NoOnLinkRoute);
    patient.host.add_address("eth0", [10, 0, 0, 1].into(), 24);
    patient.shell("ip route add default via 10.0.0.254");
    let finding = the_one(&patient.examine(), Id::NoOnLinkRoute);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.what.contains("the router 10.0.0.254"), "{}", finding.what);
    patient.heal(&finding);
}

pub(crate) fn a_router_for_the_link_is_found() {
    let patient = Patient::new();
    patient.host.add_address("eth0", [10, 0, 0, 1].into(), 24);
    let fault = "ip route add 169.254.0.0/16 via 10.0.0.254 metric 7";
    patient.suffer(Id::RouterForLinkLocal, Severity::Problem, fault);
}

pub(crate) fn a_default_route_that_swallows_traffic_is_found() {
    let patient = Patient::with_address();
    let (_switch, _cable) = patient.second_link();
    patient.host.add_address("eth1", [10, 0, 0, 1].into(), 24);
    patient.shell("ip route add default via 10.0.0.254 metric 100");
    // As dhcpcd has it: behind the router's.
    patient.shell("ip route add default dev eth0 scope link metric 1000002");
    let fault = "ip route add default dev eth0 scope link metric 50";
    patient.suffer(Id::DefaultRoute, Severity::Problem, fault);
}

pub(crate) fn a_route_to_a_part_is_found() {
    let patient = Patient::with_address();
    let fault = "ip route add 169.254.7.0/24 dev eth0 scope link";
    patient.suffer(Id::NarrowSubnet, Severity::Problem, fault);
}

pub(crate) fn two_links_are_worth_a_note() {
    let patient = Patient::with_address();
    let (_switch, _cable) = patient.second_link();
    assert_absent(&patient.examine(), Id::WhichInterface);
    patient.host.add_address("eth1", [169, 254, 7, 8].into(), 16);
    let finding = the_one(&patient.examine(), Id::WhichInterface);
    assert_eq!((finding.severity, finding.command), (Severity::Note, None));
    patient.host.remove_address("eth1", [169, 254, 7, 8].into());
    assert_absent(&patient.examine(), Id::WhichInterface);
}

pub(crate) fn a_route_to_nowhere_is_found() {
    let patient = Patient::with_address();
    let to = (Ipv4Addr::new(169, 254, 9, 9), 9);
    let socket = patient.host.run(|| UdpSocket::bind(("0.0.0.0", 0)).unwrap());
    assert!(socket.send_to(b"hello", to).is_ok());
    // The kernel's on-link route has a metric of 0: nothing comes before it.
    patient.shell("ip route del 169.254.0.0/16 dev eth0");
    patient.shell("ip route add 169.254.0.0/16 dev eth0 scope link metric 1000");
    assert_absent(&patient.examine(), Id::RefusedRoute);
    patient.shell("ip route add blackhole 169.254.0.0/16 metric 10");
    let finding = the_one(&patient.examine(), Id::RefusedRoute);
    assert_eq!(finding.severity, Severity::Problem);
    assert!(socket.send_to(b"hello", to).is_err(), "what is said is not so");
    patient.heal(&finding);
    assert!(socket.send_to(b"hello", to).is_ok());
}
