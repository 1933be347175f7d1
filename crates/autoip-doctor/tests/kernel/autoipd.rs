//! The daemon itself: what it puts into the kernel is known for what it is.

use std::fs;

use autoip_doctor::{Daemon, Finding, Id, Report, Request, Severity, Tier, text};
use autoip_lab::{Process, Signal};
use autoip_linux::InterfaceLock;

use crate::patient::{Patient, assert_absent, the_one, wait_until};

/// A claim within two seconds or so.
const QUICK: &str = "-i eth0 -s 169.254.7.7 -p 1 -a 1 -w 1";

/// Starts the daemon, and waits until it has put into the kernel what belongs to its address.
#[track_caller]
fn claim(patient: &Patient, options: &str, last: &str) -> Process {
    let daemon = patient.start_autoipd(&format!("{QUICK} {options}"));
    wait_until("the claim", || {
        let report = patient.examine();
        report.findings.iter().any(|f| f.id == Id::OwnNumbers && f.what.contains(last))
    });
    daemon
}

/// The same by a program of this name, which holds what the daemon would: the lock.
#[track_caller]
fn claim_as(patient: &Patient, name: &str) -> Process {
    let index = patient.host.link("eth0").unwrap().index;
    let process = patient.start_locked(name, index);
    wait_until("the lock", || patient.host.run(|| InterfaceLock::held().unwrap().contains(&index)));
    process
}

fn needs_mending(report: &Report) -> Vec<Id> {
    let found = report.findings.iter().filter(|finding| finding.severity != Severity::Note);
    // Another user's programs may run on the machine; they are not what this is about.
    found.map(|finding| finding.id).filter(|id| *id != Id::CouldNotLook).collect()
}

/// What is printed about this finding alone.
fn sample(finding: Finding) -> String {
    let interfaces = vec!["eth0".to_owned(), "wlan0".to_owned()];
    text(&Report { interfaces, findings: vec![finding] }, false, None)
}

/// The sample in the guide, from the command line on.
fn in_guide() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/troubleshooting.md");
    let guide = fs::read_to_string(path).unwrap();
    let (_, sample) = guide.split_once("$ sudo autoipctl doctor\n").unwrap();
    sample.split_once("```").unwrap().0.to_owned()
}

pub(crate) fn what_it_keeps_is_listed_and_what_it_leaves_is_told() {
    let patient = Patient::new();
    assert_absent(&patient.examine(), Id::OwnNumbers);
    let daemon = claim(&patient, "", "rule 3927 ");
    let listing = the_one(&patient.examine(), Id::OwnNumbers);
    let table = 39_270_000 + patient.host.link("eth0").unwrap().index.get();
    for part in [
        "address 169.254.7.7/16 on eth0".to_owned(),
        "packet filter (nf_tables \"autoip\") for eth0".to_owned(),
        "route to 169.254.0.0/16 over eth0 in table 254".to_owned(),
        format!("route to default over eth0 in table {table}"),
        format!("rule 3927 from 169.254.7.7/32 table {table}"),
    ] {
        assert!(listing.what.contains(&part), "{part}: {}", listing.what);
    }
    assert_absent(&patient.examine(), Id::NumbersTaken);
    assert_absent(&patient.examine(), Id::LeftOver);

    daemon.signal(Signal::SIGKILL);
    wait_until("its end", || !patient.examine().has(Id::OwnNumbers));
    let finding = the_one(&patient.examine(), Id::LeftOver);
    assert_eq!(finding.severity, Severity::Warning);
    patient.heal(&finding);
    assert!(patient.host.addresses("eth0").is_empty());
}

pub(crate) fn a_host_under_its_guard_is_healthy() {
    let patient = Patient::new();
    let (_switch, _cable) = patient.second_link();
    patient.host.add_address("eth1", [10, 0, 0, 1].into(), 24);
    for setting in ["forwarding", "proxy_arp", "arp_notify"] {
        patient.host.set_variable(&format!("ipv4/conf/eth0/{setting}"), "1");
    }
    let daemon = claim(&patient, "", "rule 3927 ");
    let report = patient.examine();
    assert_absent(&report, Id::Guard);
    assert_eq!(needs_mending(&report), [], "{report:#?}");
    assert_eq!(report.exit_status(), 0);

    let rival = patient.start("avahi-autoipd", &["avahi-autoipd: [eth0] bound 169.254.1.9"]);
    let report = patient.examine();
    assert_eq!(the_one(&report, Id::OtherManager).severity, Severity::Problem);
    assert_eq!(report.exit_status(), 1);
    let printed = sample(the_one(&report, Id::OtherManager));
    let printed = printed.replace(&rival.pid().to_string(), "812");
    // The length of the number decides where lines break.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&printed), words(&in_guide()));
    drop(daemon);
}

pub(crate) fn without_its_guard_the_host_is_not() {
    let patient = Patient::new();
    patient.host.set_variable("ipv4/conf/eth0/forwarding", "1");
    assert_absent(&patient.examine(), Id::Guard);
    let daemon = claim(&patient, "--guard off", "address 169.254.7.7/16 ");
    let report = patient.examine();
    assert_eq!(the_one(&report, Id::Guard).severity, Severity::Warning);
    assert_eq!(the_one(&report, Id::Forwarding).severity, Severity::Problem);

    // What the daemon says of itself counts for more than what it seems.
    let said = |tier| Request {
        daemon: Some(Daemon { interfaces: vec!["eth0".to_owned()], tier }),
        ..patient.request()
    };
    let report = patient.examine_as(&said(Tier::Off));
    assert!(the_one(&report, Id::Guard).what.contains("\"off\""));
    assert_absent(&patient.examine_as(&said(Tier::Nft)), Id::Guard);
    drop(daemon);
    patient.shell(&the_one(&patient.examine(), Id::LeftOver).command.unwrap());

    // Rules do what they can.
    let daemon = claim(&patient, "--guard sysctl", "rule 3927 ");
    let report = patient.examine();
    assert_eq!(the_one(&report, Id::Guard).severity, Severity::Warning);
    assert_absent(&report, Id::Forwarding);
    assert_absent(&report, Id::LeftOver);
    drop(daemon);
    patient.shell(&the_one(&patient.examine(), Id::LeftOver).command.unwrap());
    assert_absent(&patient.examine(), Id::LeftOver);
    let _daemon = claim(&patient, "", "rule 3927 ");
    assert_absent(&patient.examine(), Id::Guard);
}

pub(crate) fn under_another_name_it_is_no_rival_of_itself() {
    let patient = Patient::new();
    let _daemon = claim_as(&patient, "avahi-autoipd");
    assert_absent(&patient.examine(), Id::OtherManager);
    let _rival = patient.start("zcip", &["zcip", "eth0", "/etc/zcip.script"]);
    let finding = the_one(&patient.examine(), Id::OtherManager);
    assert_eq!(finding.severity, Severity::Problem);
    assert!(finding.what.starts_with("zcip "), "{}", finding.what);
}
