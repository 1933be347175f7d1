//! Where questions for the names of link-local addresses go.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::symlink;
use std::thread;

use autoip_doctor::{Id, Request, Severity};

use crate::patient::{Patient, assert_absent, the_one};

const QUESTION_LEN: usize = 42;

fn asking(patient: &Patient) -> Request {
    Request { ask_resolver: true, ..patient.request() }
}

/// A name server of the host that answers a question when it is asked for the second time: "no
/// such name", with the SOA record of a zone and its host.
fn answer_late(patient: &Patient, zone: &'static [u8], host: &'static [u8]) {
    let socket = patient.host.run(|| UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).unwrap());
    thread::spawn(move || {
        let mut packet = [0; 512];
        socket.recv_from(&mut packet).unwrap();
        let (length, asker) = socket.recv_from(&mut packet).unwrap();
        assert_eq!(length, QUESTION_LEN);
        let mut answer = packet[..length].to_vec();
        answer[2..4].copy_from_slice(&[0x81, 0x83]);
        answer[9] = 1;
        let data = [host, &[0; 21]].concat();
        answer.extend_from_slice(zone);
        answer.extend_from_slice(&[0, 6, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
        answer.extend_from_slice(&data);
        socket.send_to(&answer, asker).unwrap();
    });
}

pub(crate) fn a_server_elsewhere_is_worth_a_note() {
    let patient = Patient::new();
    assert_absent(&patient.examine(), Id::ResolverLeak);
    patient.write("etc/resolv.conf", "nameserver 192.0.2.1\n");
    patient.write("etc/nsswitch.conf", "hosts: files dns\n");
    let finding = the_one(&patient.examine(), Id::ResolverLeak);
    assert_eq!(finding.severity, Severity::Note);
    patient.heal(&finding);
}

pub(crate) fn dnsmasq_has_to_be_told() {
    let patient = Patient::new();
    patient.pretend("systemctl");
    patient.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
    let _process = patient.start("dnsmasq", &["/usr/sbin/dnsmasq", "-k"]);
    let finding = the_one(&patient.examine(), Id::ResolverLeak);
    assert_eq!(finding.severity, Severity::Warning);
    patient.heal(&finding);
}

pub(crate) fn an_answer_from_elsewhere_is_a_leak() {
    let patient = Patient::new();
    patient.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
    let own_zone = b"\x03254\x03169\x07in-addr\x04arpa\0";
    answer_late(&patient, own_zone, b"\x08prisoner\x04iana\x03org\0");
    let finding = the_one(&patient.examine_as(&asking(&patient)), Id::ResolverLeak);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.what.contains("prisoner.iana.org"), "{}", finding.what);

    let patient = Patient::new();
    patient.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
    answer_late(&patient, own_zone, b"\x09localhost\0");
    assert_absent(&patient.examine_as(&asking(&patient)), Id::ResolverLeak);
}

pub(crate) fn a_server_that_does_not_answer_is_unknown() {
    let patient = Patient::new();
    patient.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
    // It listens, and says nothing.
    let _mute = patient.host.run(|| UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).unwrap());
    let finding = the_one(&patient.examine_as(&asking(&patient)), Id::ResolverLeak);
    assert_eq!(finding.severity, Severity::Unknown);
    assert!(finding.what.contains("no answer within two seconds"), "{}", finding.what);
}

pub(crate) fn what_cannot_be_read_is_told() {
    let patient = Patient::new();
    patient.write("etc/hosts", "");
    let about_file = |patient: &Patient| {
        let found = patient.examine().findings;
        found.into_iter().find(|f| f.id == Id::CouldNotLook && f.what.contains("/etc/resolv.conf"))
    };
    assert_eq!(about_file(&patient), None);
    // Root may read anything; a link to itself nobody can.
    let path = patient.path("etc/resolv.conf");
    symlink(&path, &path).unwrap();
    let finding = about_file(&patient).unwrap();
    assert_eq!((finding.severity, finding.command), (Severity::Unknown, None));
    std::fs::remove_file(path).unwrap();
    assert_eq!(about_file(&patient), None);
}
