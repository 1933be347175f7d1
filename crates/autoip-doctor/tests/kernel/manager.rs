//! Other programs that claim addresses: stand-ins with their names, arguments and files.

use autoip_doctor::{Id, Severity};
use autoip_lab::Host;

use crate::patient::{Patient, assert_absent, start_in, the_one, wait_until};

pub(crate) fn avahi_autoipd_is_found() {
    let patient = Patient::new();
    assert_absent(&patient.examine(), Id::OtherManager);
    let process = patient.start("avahi-autoipd", &["avahi-autoipd: [eth0] bound 169.254.1.9"]);
    let finding = the_one(&patient.examine(), Id::OtherManager);
    assert_eq!(finding.severity, Severity::Note, "it is alone");
    assert_eq!(finding.command.as_deref(), Some("avahi-autoipd --kill eth0"));

    let zcip = patient.start("zcip", &["zcip", "eth0", "/etc/zcip.script"]);
    let report = patient.examine();
    let found = report.findings.iter().filter(|finding| finding.id == Id::OtherManager);
    let severities: Vec<_> = found.map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Problem; 2], "they are two");

    drop((process, zcip));
    assert_absent(&patient.examine(), Id::OtherManager);
}

pub(crate) fn zcip_is_found() {
    let patient = Patient::new();
    let process = patient.start("zcip", &["zcip", "-q", "eth0", "/etc/zcip.script"]);
    let finding = the_one(&patient.examine(), Id::OtherManager);
    let kill = format!("kill {}", process.pid());
    assert_eq!(finding.command.as_deref(), Some(kill.as_str()));
    patient.shell(&kill);
    wait_until("its end", || !patient.examine().has(Id::OtherManager));
}

pub(crate) fn dhcpcd_is_found() {
    let patient = Patient::new();
    patient.pretend("dhcpcd");
    patient.write("etc/dhcpcd.conf", "hostname\n");
    assert_absent(&patient.examine(), Id::OtherManager);
    let _process = patient.start("dhcpcd", &["dhcpcd: [manager] [ip4] [ip6]"]);
    patient.heal(&the_one(&patient.examine(), Id::OtherManager));
}

pub(crate) fn networkd_is_found() {
    let patient = Patient::new();
    patient.pretend("networkctl");
    let index = patient.host.link("eth0").unwrap().index;
    let state = "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-lan.network\n";
    patient.write(&format!("run/systemd/netif/links/{index}"), state);
    let _process = patient.start("systemd-networkd", &["/usr/lib/systemd/systemd-networkd"]);
    let network = "[Match]\nName=eth0\n[Network]\nDHCP=yes\n";
    patient.write("etc/systemd/network/10-lan.network", network);
    assert_absent(&patient.examine(), Id::OtherManager);
    let network = format!("{network}LinkLocalAddressing=ipv4\n");
    patient.write("etc/systemd/network/10-lan.network", &network);
    patient.heal(&the_one(&patient.examine(), Id::OtherManager));
}

pub(crate) fn network_manager_is_found() {
    let patient = Patient::new();
    let index = patient.host.link("eth0").unwrap().index;
    let state = "[device]\nmanaged=true\nconnection-uuid=77-a\n";
    patient.write(&format!("run/NetworkManager/devices/{index}"), state);
    let _process = patient.start("NetworkManager", &["/usr/sbin/NetworkManager", "--no-daemon"]);
    let connection = |link_local: &str| {
        let text = format!("[connection]\nuuid=77-a\n[ipv4]\nmethod=auto\n{link_local}");
        patient.write("etc/NetworkManager/system-connections/lan.nmconnection", &text);
    };
    connection("");
    assert_absent(&patient.examine(), Id::OtherManager);
    connection("link-local=4\n");
    let finding = the_one(&patient.examine(), Id::OtherManager);
    assert_eq!(
        finding.command.as_deref(),
        Some("nmcli connection modify 77-a ipv4.link-local disabled && nmcli device reapply eth0")
    );
    // What that command writes.
    connection("link-local=2\n");
    assert_absent(&patient.examine(), Id::OtherManager);
}

pub(crate) fn programs_of_another_network_are_not() {
    let patient = Patient::new();
    let elsewhere = Host::new("elsewhere");
    let title = &["avahi-autoipd: [eth0] bound 169.254.1.9"];
    let _there = start_in(&elsewhere, &patient.path("bin/there"), "avahi-autoipd", title);
    assert_absent(&patient.examine(), Id::OtherManager);
    let _here = patient.start("avahi-autoipd", title);
    the_one(&patient.examine(), Id::OtherManager);
}
