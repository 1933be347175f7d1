//! The daemon as a process: signals, exit status, and what it refuses to start with.

use std::fs::File;
use std::process::{Command, Output};

use autoip_lab::{Host, Process, Switch};
use autoip_linux::boottime;
use netlink_packet_core::NLM_F_CREATE;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use nix::sys::signal::Signal;

use crate::bridge::set_arp;
use crate::station::{
    LATE, LOCK, Memory, QUICK, SOON, Station, X, assert_between, autoipd, change, each, lines_with,
    ms, s,
};

/// Asks the daemon to end, and asserts that it does at once and without complaint.
#[track_caller]
fn assert_ends(daemon: &Process, signal: Signal) {
    let asked = boottime();
    daemon.signal(signal);
    let status = daemon.wait(SOON);
    let took = boottime() - asked;
    assert!(status.success(), "{status}");
    assert!(took <= ms(500) + LOCK, "it took {took:?}");
}

pub(crate) fn a_signal_ends_it_and_takes_the_address_off() {
    each(&[("SIGTERM", Signal::SIGTERM), ("SIGINT", Signal::SIGINT)], |&signal| {
        let switch = Switch::new();
        let foreign = [169, 254, 50, 50].into();
        let (station, daemon) = Station::with_address(&switch);
        station.host.add_address("eth0", foreign, 24);
        assert_ends(&daemon, signal);
        station.assert_clean();
        let left: Vec<_> = station.host.addresses("eth0").iter().map(|a| a.ip).collect();
        assert_eq!(left, [foreign]);
    });
}

pub(crate) fn a_signal_ends_it_while_it_probes() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_daemon(&switch, "-i eth0 -s 169.254.7.7");
    station.expect_probe_for(X);
    assert_ends(&daemon, Signal::SIGTERM);
    station.expect_none("it is not there any longer", s(2), |_| true);
    station.assert_clean();
    assert!(!station.memory.file(station.mac()).exists(), "only what was claimed is remembered");

    let host = Host::new("bare");
    let daemon = host.spawn(autoipd("-i eth0", station.memory.dir()));
    daemon.wait_log(SOON, |line| line.contains("no such interface"));
    assert_ends(&daemon, Signal::SIGTERM);
}

pub(crate) fn hangup_announces_again() {
    let switch = Switch::new();
    let (mut station, daemon) = Station::with_daemon(&switch, "-i eth0 -s 169.254.7.7 -p 1 -w 1");
    station.expect_announcement(X);
    station.expect_announcement(X);
    station.expect_none("the claim is over", s(2), |_| true);
    let asked = boottime();
    daemon.signal(Signal::SIGHUP);
    let first = station.expect_announcement(X);
    assert!(first.at - asked <= LATE);
    let second = station.expect_announcement(X);
    assert_between("second announcement", second.at - first.at, s(1)..=s(1));
    station.expect_none("twice is enough", s(2), |_| true);
    station.assert_bound(X);
}

pub(crate) fn the_second_on_an_interface_is_refused() {
    let switch = Switch::new();
    let (station, first) = Station::with_address(&switch);
    let second = station.start("-i eth0");
    assert_eq!(second.wait(SOON).code(), Some(1));
    let line = second.log().into_iter().map(|line| line.text).collect::<String>();
    let pid = first.pid().to_string();
    assert!(line.contains("eth0") && line.contains("autoipd") && line.contains(&pid), "{line}");
    station.assert_bound(X);
    // Others may run beside it, and the next one after it.
    station.host.connect(&switch, "eth1");
    let beside = station.start("-i eth1");
    beside.wait_log(SOON, |line| line.contains("managing"));
    first.signal(Signal::SIGKILL);
    first.wait(SOON);
    let next = station.start("-i eth0");
    next.wait_log(SOON, |line| line.contains("managing"));
}

/// Makes a tunnel: point-to-point, and no Ethernet.
fn add_tunnel(host: &Host, name: &str) {
    let mut message = LinkMessage::default();
    let kind = LinkInfo::Kind(InfoKind::IpIp);
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![kind]));
    change(host, |rtnl| {
        // A kernel without tunnels has nothing to refuse.
        let _ = rtnl.request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE);
    });
}

//= test LL-1.3-01
//= test LL-2.2.1-12
//= test ACD-1.3-01
pub(crate) fn unsuitable_interfaces_are_refused() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let cable = host.connect(&switch, "eth0");
    let wire = cable.capture();
    set_arp(&host, "eth0", false);
    add_tunnel(&host, "tun9");
    for (name, why) in
        [("lo", "is the loopback interface"), ("eth0", "has ARP switched off"), ("tun9", "is ")]
    {
        if host.link(name).is_none() {
            continue;
        }
        let daemon = host.spawn(autoipd(&format!("-i {name}"), memory.dir()));
        assert_eq!(daemon.wait(SOON).code(), Some(1), "{name}");
        let log: Vec<_> = daemon.log().into_iter().map(|line| line.text).collect();
        let [line] = &log[..] else { panic!("one sentence: {log:#?}") };
        assert!(line.contains(&format!("{name} {why}")), "{line}");
        assert!(line.contains("an Ethernet interface with ARP"), "{line}");
    }
    assert!(wire.from_host().is_empty());
}

pub(crate) fn an_unsuitable_interface_that_appears_later_is_refused_once() {
    let (near, far) = (Switch::new(), Switch::new());
    let mut station = Station::new(&near);
    let daemon = station.start(&format!("{QUICK} -i eth1"));
    daemon.wait_log(SOON, |line| line.contains("eth1: there is no such interface"));
    let cable = station.host.connect(&far, "eth2");
    let wire = cable.capture();
    set_arp(&station.host, "eth2", false);
    station.host.rename("eth2", "eth1");
    daemon.wait_log(SOON, |line| line.contains("eth1 has ARP switched off"));
    for _ in 0..5 {
        station.host.set_up("eth1", false);
        station.host.set_up("eth1", true);
    }
    station.expect_announcement(X);
    assert_eq!(lines_with(&daemon, "eth1 has ARP switched off"), 1, "said once");
    assert!(wire.from_host().is_empty());
}

pub(crate) fn a_missing_capability_is_named() {
    if Command::new("setpriv").arg("--version").output().is_err() {
        autoip_lab::skip("setpriv (util-linux) is not installed");
    }
    let (host, memory) = (Host::new("station"), Memory::new());
    for (drop, name) in [("-net_raw", "CAP_NET_RAW"), ("-net_admin", "CAP_NET_ADMIN")] {
        let daemon = autoipd("-i eth0", memory.dir());
        let mut command = Command::new("setpriv");
        command.arg(format!("--bounding-set={drop}")).arg(format!("--inh-caps={drop}"));
        command.arg(daemon.get_program()).args(daemon.get_args());
        let process = host.spawn(command);
        assert_eq!(process.wait(SOON).code(), Some(77), "{drop}");
        assert!(process.log_contains(&format!("{name} missing")), "{name}");
    }
}

/// Standard error is on a disk that is full.
pub(crate) fn a_log_that_cannot_be_written_ends_nothing() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = autoipd(QUICK, station.memory.dir());
    let mut daemon = station.host.run(|| command.stderr(full).spawn().unwrap());
    station.expect_announcement(X);
    station.cable.pull();
    station.expect_removal(X);
    let ended = daemon.try_wait().unwrap();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!(ended, None);
}

fn output(options: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoipd"));
    command.args(options.split_whitespace()).output().unwrap()
}

pub(crate) fn wrong_options_are_refused() {
    for (options, words) in [
        ("-c /nowhere/autoipd.toml", "/nowhere/autoipd.toml: there is no such file"),
        ("-i eth0 --range 169.254.9.9", "hyphen"),
        ("-i eth0 -s 169.254.0.7", "169.254.1.0 to 169.254.254.255"),
        ("-i eth0 -s 10.0.0.1", "169.254.1.0 to 169.254.254.255"),
        ("-i eth0 -p 0", "from 1 to 16"),
        ("-i eth0 -w 61", "from 1 to 60"),
        ("-o if=eth0,delay=9000", "1 to 8000"),
        ("-o metric=3", "metric=3"),
        ("-i eth0 -q", "-q"),
        ("eth0", "eth0"),
        ("-i eth0 -i eth0", "twice"),
    ] {
        let output = output(options);
        assert_eq!(output.status.code(), Some(2), "{options}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(words), "{options}: {text}");
        assert!(output.stdout.is_empty(), "{options}");
    }
    for options in ["--help", "--version"] {
        let output = output(options);
        assert!(output.status.success() && output.stderr.is_empty(), "{options}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("autoipd"), "{options}");
    }
}
