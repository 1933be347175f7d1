//! Link-local addresses that nobody claimed, or not as one does.

use autoip_doctor::{Id, Severity};

use crate::patient::{Patient, the_one};

pub(crate) fn a_narrow_prefix_is_found() {
    let patient = Patient::new();
    let fault = "ip address add 169.254.7.7/24 dev eth0";
    patient.suffer(Id::NarrowSubnet, Severity::Problem, fault);
    let addresses = patient.host.addresses("eth0");
    assert_eq!(addresses.len(), 1, "{addresses:?}");
    assert_eq!((addresses[0].ip, addresses[0].prefix_len), ([169, 254, 7, 7].into(), 16));
}

pub(crate) fn an_address_set_by_hand_is_found() {
    let fault = "ip address add 169.254.7.7/16 dev eth0";
    Patient::new().suffer(Id::ForeignAddress, Severity::Warning, fault);
}

pub(crate) fn a_lease_is_found() {
    let patient = Patient::new();
    patient.shell("ip address add 169.254.7.7/16 dev eth0 valid_lft 600 preferred_lft 600");
    let finding = the_one(&patient.examine(), Id::ForeignAddress);
    assert!(finding.what.contains("DHCP"), "{}", finding.what);
    patient.heal(&finding);
}

pub(crate) fn a_reserved_address_is_a_problem() {
    let fault = "ip address add 169.254.0.7/16 dev eth0";
    Patient::new().suffer(Id::ForeignAddress, Severity::Problem, fault);
}
