//! Interfaces that cannot be used as they are.

use autoip_doctor::{Error, Id, Request, Severity};

use crate::patient::{Patient, assert_absent, the_one, wait_until};

fn asking(patient: &Patient) -> Request {
    Request { interfaces: vec!["eth0".to_owned()], ..patient.request() }
}

pub(crate) fn one_that_is_down_is_told() {
    let patient = Patient::new();
    let request = asking(&patient);
    assert_absent(&patient.examine_as(&request), Id::UnusableInterface);
    patient.host.set_up("eth0", false);
    let finding = the_one(&patient.examine_as(&request), Id::UnusableInterface);
    assert_eq!(finding.severity, Severity::Problem);
    assert_absent(&patient.examine(), Id::UnusableInterface);
    patient.shell(finding.command.as_ref().unwrap());
    wait_until("a usable interface", || !patient.examine_as(&request).has(Id::UnusableInterface));
}

pub(crate) fn one_without_a_cable_is_told() {
    let patient = Patient::new();
    let request = asking(&patient);
    patient.cable.pull();
    let finding = the_one(&patient.examine_as(&request), Id::UnusableInterface);
    assert_eq!((finding.severity, finding.command), (Severity::Warning, None));
    patient.cable.put_back();
    assert_absent(&patient.examine_as(&request), Id::UnusableInterface);
}

pub(crate) fn one_without_arp_is_told() {
    let patient = Patient::new();
    let request = asking(&patient);
    patient.shell("ip link set dev eth0 arp off");
    let finding = the_one(&patient.examine_as(&request), Id::UnusableInterface);
    assert_eq!(finding.severity, Severity::Problem);
    patient.shell(finding.command.as_ref().unwrap());
    assert_absent(&patient.examine_as(&request), Id::UnusableInterface);
}

pub(crate) fn a_name_that_is_not_there_is_an_error() {
    let patient = Patient::new();
    let request = Request { interfaces: vec!["eth7".to_owned()], ..patient.request() };
    let error = patient.host.run(|| autoip_doctor::examine(&request)).unwrap_err();
    assert!(matches!(error, Error::NoSuchInterface { .. }));
    assert_eq!(error.to_string(), "there is no interface \"eth7\"; name one of: lo, eth0");
}

pub(crate) fn what_cannot_be_used_is_left_out() {
    let patient = Patient::new();
    let (_switch, _cable) = patient.second_link();
    assert_eq!(patient.examine().interfaces, ["eth0", "eth1"]);
    patient.host.set_up("eth1", false);
    assert_eq!(patient.examine().interfaces, ["eth0"], "eth1 is down");
    patient.shell("ip link set dev eth1 up arp off");
    assert_eq!(patient.examine().interfaces, ["eth0"], "eth1 has no ARP");
    patient.shell("ip link add br0 type bridge && ip link set br0 up");
    patient.shell("ip link set dev eth1 arp on master br0");
    assert_eq!(patient.examine().interfaces, ["eth0", "br0"], "eth1 is a port");
    let request = Request { interfaces: vec!["eth1".to_owned()], ..patient.request() };
    let finding = the_one(&patient.examine_as(&request), Id::UnusableInterface);
    assert!(finding.what.contains("a port of br0"), "{}", finding.what);
}
