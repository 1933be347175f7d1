//! `autoipctl probe` without a daemon, on virtual links: what it sends, and what it finds out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::Ipv4Addr;
use std::process::{Command, ExitCode};
use std::time::Duration;

use autoip_lab::{Host, Peer, Process, Switch, tests};

/// Longer than anything here takes on a busy machine.
const LATE: Duration = Duration::from_secs(40);
const ADDR: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

fn main() -> ExitCode {
    autoip_lab::test_main(&tests![
        a_free_address_is_probed_for_three_times,
        an_address_in_use_is_taken,
        an_address_that_another_probes_for_is_taken,
        an_address_of_this_host_is_taken,
        a_link_that_is_down_gives_no_answer,
        a_link_that_was_away_gives_no_answer,
    ])
}

fn probe(host: &Host, more: &str) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoipctl"));
    command.args(["--socket", "/nowhere/at/all", "probe"]).arg(ADDR.to_string());
    command.args(["-i", "eth0"]).args(more.split_whitespace());
    host.spawn(command)
}

#[track_caller]
fn assert_ends(process: &Process, status: i32, line: &str) {
    let code = process.wait(LATE).code();
    let lines: Vec<_> = process.log().into_iter().map(|line| line.text).collect();
    assert_eq!((code, lines), (Some(status), vec![line.to_owned()]));
}

fn a_free_address_is_probed_for_three_times() {
    let switch = Switch::new();
    let host = Host::new("asker");
    let cable = host.connect(&switch, "eth0");
    let wire = cable.capture();
    let process = probe(&host, "");
    assert_ends(&process, 0, "192.168.7.7 is free on eth0");
    let probes = wire.from_host();
    assert_eq!(probes.len(), 3, "{probes:#?}");
    for seen in &probes {
        assert!(seen.arp.sender_ip.is_unspecified() && seen.arp.target_ip == ADDR, "{seen:?}");
        assert!(seen.ethernet.destination.is_broadcast(), "{seen:?}");
    }
    for pair in probes.windows(2) {
        let gap = pair[1].at - pair[0].at;
        assert!(gap >= Duration::from_millis(999), "{gap:?}");
    }
}

fn an_address_in_use_is_taken() {
    let switch = Switch::new();
    let (host, owner) = (Host::new("asker"), Host::new("owner"));
    host.connect(&switch, "eth0");
    owner.connect(&switch, "eth0");
    owner.add_address("eth0", ADDR, 24);
    let mac = owner.link("eth0").unwrap().mac.unwrap();
    let process = probe(&host, "");
    assert_ends(&process, 1, &format!("192.168.7.7 is taken on eth0 by {mac}"));
    let process = probe(&host, "--timing fast --json");
    assert_eq!(process.wait(LATE).code(), Some(1));
    assert!(process.log_contains("\"kind\": \"in_use\""));
    assert!(process.log_contains(&format!("\"mac\": \"{mac}\"")));
    // The frame: who asked is the target of the answer, whose sender is the address.
    assert!(process.log_contains("08060001080006040002"), "an ARP reply");
}

fn an_address_that_another_probes_for_is_taken() {
    let switch = Switch::new();
    let host = Host::new("asker");
    let cable = host.connect(&switch, "eth0");
    let mut wire = cable.capture();
    let process = probe(&host, "--json");
    wire.expect("the first probe", LATE, |seen| seen.is_from_host());
    Peer::new(&switch).probe(ADDR);
    assert_eq!(process.wait(LATE).code(), Some(1));
    assert!(process.log_contains("\"kind\": \"competing_probe\""));
}

fn an_address_of_this_host_is_taken() {
    let switch = Switch::new();
    let host = Host::new("asker");
    host.connect(&switch, "eth0");
    host.add_address("eth0", ADDR, 24);
    let mac = host.link("eth0").unwrap().mac.unwrap();
    assert_ends(&probe(&host, ""), 1, &format!("192.168.7.7 is taken on eth0 by {mac}"));
}

fn a_link_that_is_down_gives_no_answer() {
    let switch = Switch::new();
    let host = Host::new("asker");
    let cable = host.connect(&switch, "eth0");
    cable.pull();
    let line = "autoipctl: interface eth0 is down or has no link";
    assert_ends(&probe(&host, ""), 69, line);
    cable.put_back();
    let mut wire = cable.capture();
    let process = probe(&host, "--timing draft-07");
    wire.expect("a probe", LATE, |seen| seen.is_from_host());
    host.set_up("eth0", false);
    assert_eq!(process.wait(LATE).code(), Some(69));
    host.set_up("eth0", true);
}

fn a_link_that_was_away_gives_no_answer() {
    let switch = Switch::new();
    let host = Host::new("asker");
    let cable = host.connect(&switch, "eth0");
    let mut wire = cable.capture();
    let process = probe(&host, "");
    wire.expect("a probe", LATE, |seen| seen.is_from_host());
    cable.pull();
    cable.put_back();
    assert_ends(&process, 69, "autoipctl: interface eth0 lost its link meanwhile");
}
