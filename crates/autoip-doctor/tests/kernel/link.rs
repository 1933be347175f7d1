//! What only the link itself shows.

use autoip_doctor::{Id, Request, Severity};
use autoip_lab::{Answer, Peer};

use crate::patient::{Patient, assert_absent, the_one};

fn probing(patient: &Patient) -> Request {
    Request { probe: true, ..patient.request() }
}

pub(crate) fn interfaces_on_one_switch_are_on_one_link() {
    let patient = Patient::with_address();
    let (_switch, mut cable) = patient.second_link();
    patient.host.add_address("eth1", [169, 254, 7, 8].into(), 16);
    let request = probing(&patient);
    assert_absent(&patient.examine_as(&request), Id::OneLink);
    cable.move_to(&patient.switch);
    assert_absent(&patient.examine(), Id::OneLink);
    let report = patient.examine_as(&request);
    let finding = the_one(&report, Id::OneLink);
    assert_eq!(finding.severity, Severity::Problem);
    // Each answers for the other, which makes nobody else a rival.
    assert_absent(&report, Id::AddressConflict);
    let first_only = Request { interfaces: vec!["eth0".to_owned()], ..request.clone() };
    assert_absent(&patient.examine_as(&first_only), Id::AddressConflict);
    patient.shell(finding.command.as_ref().unwrap());
    let finding = the_one(&patient.examine_as(&request), Id::OneLink);
    assert_eq!((finding.severity, finding.command), (Severity::Note, None), "kept apart");
}

pub(crate) fn a_common_neighbour_makes_one_link_likely() {
    let patient = Patient::with_address();
    let (_switch, _cable) = patient.second_link();
    patient.shell("ip neigh add 169.254.9.9 lladdr 02:00:00:00:00:09 dev eth0");
    assert_absent(&patient.examine(), Id::OneLink);
    patient.shell("ip neigh add 169.254.9.9 lladdr 02:00:00:00:00:09 dev eth1");
    let finding = the_one(&patient.examine(), Id::OneLink);
    assert_eq!(finding.severity, Severity::Warning);
    patient.shell(finding.command.as_ref().unwrap());
    let finding = the_one(&patient.examine(), Id::OneLink);
    assert_eq!(finding.severity, Severity::Note);
}

pub(crate) fn whoever_answers_for_all_is_found() {
    let patient = Patient::new();
    let peer = Peer::new(&patient.switch);
    let request = probing(&patient);
    let mut wire = patient.cable.capture();
    assert_absent(&patient.examine_as(&request), Id::AnswersForAll);
    let probes: Vec<_> = wire.from_host().into_iter().filter(autoip_lab::Seen::is_probe).collect();
    assert_eq!(probes.len(), 3, "{probes:?}");
    wire.skip_to_end();

    peer.deny_everything(true);
    let quiet = patient.examine();
    assert_absent(&quiet, Id::AnswersForAll);
    assert_eq!(wire.from_host().len(), probes.len(), "nothing is sent without being asked for");
    let finding = the_one(&patient.examine_as(&request), Id::AnswersForAll);
    assert_eq!(finding.severity, Severity::Problem);
    assert!(finding.what.starts_with(&peer.mac().to_string()), "{}", finding.what);

    peer.deny_everything(false);
    assert_absent(&patient.examine_as(&request), Id::AnswersForAll);
}

pub(crate) fn whoever_has_our_address_is_found() {
    let patient = Patient::with_address();
    let peer = Peer::new(&patient.switch);
    let request = probing(&patient);
    assert_absent(&patient.examine_as(&request), Id::AddressConflict);
    peer.own([169, 254, 7, 7].into(), Answer::Unicast);
    let finding = the_one(&patient.examine_as(&request), Id::AddressConflict);
    assert_eq!(finding.severity, Severity::Problem);
    assert!(finding.what.starts_with(&peer.mac().to_string()), "{}", finding.what);
    peer.deny_everything(true);
    let report = patient.examine_as(&request);
    assert_absent(&report, Id::AddressConflict);
    the_one(&report, Id::AnswersForAll);
    peer.deny_everything(false);
    peer.disown([169, 254, 7, 7].into());
    assert_absent(&patient.examine_as(&request), Id::AddressConflict);
}
