//! Which interfaces are taken when nobody names them one by one. What the tests connect are veth
//! pairs, as containers have them: those are left alone unless somebody asks for them.

use std::fs;
use std::path::PathBuf;

use autoip_lab::{Host, Process, Recording, Seen, Switch};
use nix::sys::signal::Signal;

use crate::bridge::{add_bridge, set_bridge};
use crate::station::{CLAIM, Memory, SOON, Station, X, autoipd, eventually, lines_with, ms, s};

/// A claim in one to two seconds.
const QUICK: &str = "-p 1 -a 1 -w 1";

/// Writes a configuration file into the memory's directory.
pub(crate) fn configure(memory: &Memory, text: &str) -> PathBuf {
    let path = memory.dir().join("autoipd.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Starts the daemon with this configuration.
pub(crate) fn start_with(host: &Host, memory: &Memory, text: &str) -> Process {
    let path = configure(memory, text);
    host.spawn(autoipd(&format!("{QUICK} --config {}", path.display()), memory.dir()))
}

#[track_caller]
fn expect_any_announcement(wire: &mut Recording<Seen>) -> Seen {
    wire.expect("announcement", CLAIM, |seen| seen.is_from_host() && seen.is_announcement())
}

fn has_address(host: &Host, name: &str) -> bool {
    !host.addresses(name).is_empty()
}

pub(crate) fn without_interfaces_what_leads_to_a_cable_is_taken() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let cables = ["eth0", "eth1"].map(|name| host.connect(&switch, name));
    let mut wires = cables.each_ref().map(autoip_lab::Cable::capture);
    add_bridge(&host, "lan0");
    set_bridge(&host, "eth0", Some("lan0"));
    let daemon = host.spawn(autoipd(QUICK, memory.dir()));
    let announced = expect_any_announcement(&mut wires[0]);
    assert_eq!(announced.arp.sender_mac, host.mac("lan0"), "the bridge, by way of its port");
    assert!(has_address(&host, "lan0"));
    assert!(!has_address(&host, "eth0"), "a port");
    assert!(!has_address(&host, "eth1"), "a container's");
    assert_eq!(wires[1].wait(ms(500), Seen::is_from_host), None, "nobody asked for eth1");
    assert_eq!(lines_with(&daemon, "eth1"), 0, "and nothing is said of it");
}

pub(crate) fn a_device_that_becomes_a_port_is_let_go_and_comes_back() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    let veth = "[[interface]]\nmatch = { kind = \"veth\" }";
    let text = format!("start = \"169.254.7.7\"\n{veth}");
    let daemon = start_with(&station.host, &station.memory, &text);
    station.expect_announcement(X);
    station.await_route(X);
    // Neither the file nor the memory knows the address any longer: only the daemon does.
    configure(&station.memory, veth);
    daemon.signal(Signal::SIGHUP);
    station.expect_announcement(X);
    eventually("the address is remembered", SOON, || {
        fs::remove_file(station.memory.file(station.mac())).is_ok()
    });
    add_bridge(&station.host, "lan0");
    set_bridge(&station.host, "eth0", Some("lan0"));
    station.await_clean();
    station.wire.skip_to_end();
    station.expect_none("it is a port", ms(500), |_| true);
    set_bridge(&station.host, "eth0", None);
    station.expect_probe_for(X);
    station.expect_announcement(X);
    station.await_route(X);
    station.assert_bound(X);
    assert_eq!((daemon.status(), lines_with(&daemon, "WARN")), (None, 0));
}

/// In a container the one interface that there is looks like a cable's and is none.
pub(crate) fn who_waits_is_told_what_is_left_alone() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let _cable = host.connect(&switch, "eth0");
    for (options, told) in [("", true), ("-i eth*", true), ("-i lan*", false)] {
        let daemon = host.spawn(autoipd(&format!("{QUICK} {options}"), memory.dir()));
        daemon.wait_log(SOON, |line| line.contains("there is no interface to manage; waiting"));
        assert_eq!(daemon.log_contains("eth0 is a veth, which has to be named"), told, "{options}");
    }
}

/// Also of a device that comes when the daemon is confined.
pub(crate) fn a_driver_can_be_asked_for() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let text = "[[interface]]\nmatch = { driver = \"nothing\" }\n\
                [[interface]]\nmatch = { driver = \"veth\" }";
    let daemon = start_with(&host, &memory, text);
    daemon.wait_log(SOON, |line| line.contains("there is no interface to manage; waiting"));
    add_bridge(&host, "lan0");
    let mut wire = host.connect(&switch, "eth0").capture();
    let announced = expect_any_announcement(&mut wire);
    assert_eq!(announced.arp.sender_mac, host.mac("eth0"));
    assert_eq!(lines_with(&daemon, "lan0"), 0, "a bridge");
}

/// Whoever starts without need for drivers gives up asking for them: a file that needs them is none
/// that a reload can take.
pub(crate) fn drivers_that_are_asked_for_later_need_another_start() {
    let with = |sandbox: &str, criterion| {
        format!("sandbox = {}\n[[interface]]\nmatch = {{ {criterion} }}", sandbox == "on")
    };
    for (sandbox, heeded) in [("on", false), ("off", true)] {
        let switch = Switch::new();
        let mut station = Station::new(&switch);
        let text = format!("start = \"{X}\"\n{}", with(sandbox, "kind = \"veth\""));
        let daemon = start_with(&station.host, &station.memory, &text);
        station.expect_announcement(X);
        configure(&station.memory, &format!("metric = 5\n{}", with(sandbox, "driver = \"veth\"")));
        daemon.signal(Signal::SIGHUP);
        if heeded {
            eventually("the new metric", SOON, || station.routes().iter().any(|r| r.metric == 5));
        } else {
            let words = ["the first match by driver needs a restart", "everything stays as it is"];
            daemon.wait_log(SOON, |line| words.iter().all(|word| line.contains(word)));
            assert!(station.routes().iter().all(|route| route.metric != 5));
        }
        station.expect_announcement(X);
        station.assert_bound(X);
        assert_eq!(lines_with(&daemon, "WARN"), usize::from(!heeded), "{sandbox}");
    }
}

pub(crate) fn devices_that_match_come_and_go() {
    let switch = Switch::new();
    let (host, memory) = (Host::new("station"), Memory::new());
    let cable = host.connect(&switch, "eth0");
    let mut wire = cable.capture();
    let daemon = host.spawn(autoipd(&format!("{QUICK} -i lan*"), memory.dir()));
    daemon.wait_log(SOON, |line| line.contains("there is no interface to manage; waiting"));
    for name in ["lan0", "lan1"] {
        add_bridge(&host, name);
        set_bridge(&host, "eth0", Some(name));
        let announced = expect_any_announcement(&mut wire);
        assert_eq!(announced.arp.sender_mac, host.mac(name));
        host.delete(name);
        daemon.wait_log(SOON, |line| line.contains(&format!("{name}: the interface is gone")));
    }
    assert_eq!(daemon.status(), None);
}

/// As udev does with the names that the kernel gives.
pub(crate) fn a_device_renamed_out_of_a_pattern_is_let_go() {
    let switch = Switch::new();
    let mut station = Station::new(&switch);
    station.host.rename("eth0", "new0");
    let text =
        "start = \"169.254.7.7\"\n[[interface]]\nmatch = { kind = \"veth\", name = \"new*\" }";
    let daemon = start_with(&station.host, &station.memory, text);
    station.expect_announcement(X);
    station.host.rename("new0", "lan0");
    daemon.wait_log(SOON, |line| line.contains("no longer managed"));
    eventually("end of the address", SOON, || !has_address(&station.host, "lan0"));
    station.host.rename("lan0", "new1");
    station.expect_announcement(X);
    assert!(has_address(&station.host, "new1"));
}

pub(crate) fn an_interface_that_another_daemon_held_is_tried_again() {
    let switch = Switch::new();
    let (mut station, first) = Station::with_address(&switch);
    let text = "[[interface]]\nmatch = { kind = \"veth\" }";
    let second = start_with(&station.host, &station.memory, text);
    second.wait_log(SOON, |line| line.contains("eth0 is managed by autoipd"));
    station.expect_none("it is the other one's", s(6), |seen| seen.is_probe());
    assert_eq!(lines_with(&second, "is managed by"), 1, "said once");
    station.assert_bound(X);
    // Killed, it leaves everything as it is, so that nothing but the lock tells of its end.
    first.signal(Signal::SIGKILL);
    first.wait(SOON);
    station.wire.expect("probe", s(5) + SOON, |seen| seen.is_from_host() && seen.is_probe_for(X));
    station.expect_announcement(X);
    assert_eq!(second.status(), None);
}
