//! Routing rules before autoipd's, and under its numbers.

use autoip_doctor::{Id, Severity};

use crate::patient::Patient;

pub(crate) fn an_earlier_rule_is_found() {
    let patient = Patient::with_address();
    patient.shell("ip rule add priority 5000 from all table 100");
    patient.shell("ip rule add priority 600 from all to 10.0.0.0/8 table 100");
    let fault = "ip rule add priority 500 from all table 100";
    patient.suffer(Id::EarlierRule, Severity::Warning, fault);
}

pub(crate) fn the_numbers_of_autoipd_are_its_own() {
    let patient = Patient::with_address();
    let fault = "ip rule add priority 3927 from 169.254.7.7 table 100";
    patient.suffer(Id::NumbersTaken, Severity::Warning, fault);
    let table = 39_270_000 + patient.host.link("eth0").unwrap().index.get();
    let fault = format!("ip route add default dev eth0 table {table}");
    patient.suffer(Id::NumbersTaken, Severity::Warning, &fault);
}
