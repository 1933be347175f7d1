//! The tool on virtual links: what its probe sends and finds out without a daemon, and what it
//! makes of a real one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use autoip_lab::{Answer, Host, Peer, Process, Switch, tests};

/// Longer than anything here takes on a busy machine.
const LATE: Duration = Duration::from_secs(40);
const ADDR: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

fn main() -> ExitCode {
    // This program is also the daemon that it tests with.
    let mut args = std::env::args_os().skip(1).peekable();
    if args.peek().is_some_and(|name| name == "autoipd") {
        return autoipd::main_with(args);
    }
    autoip_lab::test_main(&tests![
        a_free_address_is_probed_for_three_times,
        an_address_in_use_is_taken,
        an_address_that_another_probes_for_is_taken,
        an_address_of_this_host_is_taken,
        a_link_that_is_down_gives_no_answer,
        a_link_that_was_away_gives_no_answer,
        a_real_daemon_is_asked_and_told,
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

/// A directory of one test, removed at the end.
struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the tool to its end, and returns its status and what it printed.
fn tool(socket: &Path, arguments: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoipctl"));
    command.arg("--socket").arg(socket).args(arguments.split_whitespace());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn a_real_daemon_is_asked_and_told() {
    let switch = Switch::new();
    let (host, peer) = (Host::new("station"), Peer::new(&switch));
    host.connect(&switch, "eth0");
    let dir = Dir(std::env::temp_dir().join(format!("autoipctl-real-{}", std::process::id())));
    let socket = dir.0.join("socket");
    let mut command = Command::new("/proc/self/exe");
    command.args("autoipd -i eth5 --config /dev/null -p 1 -a 1 -w 1 --state-dir".split(' '));
    command.arg(&dir.0).arg("--control").arg(&socket);
    let daemon = host.spawn(command);
    daemon.wait_log(LATE, |line| line.contains("waiting for it"));

    let (status, text) = tool(&socket, "add eth0 --start 169.254.7.7 --wait 30");
    assert_eq!((status, text.as_str()), (Some(0), "169.254.7.7\n"));
    let (status, text) = tool(&socket, "status");
    assert_eq!(status, Some(0));
    assert!(text.starts_with("INTERFACE  STATE") && text.ends_with("guard: nft\n"), "{text}");
    assert!(text.contains("\neth0       ") && text.contains("  169.254.7.7  "), "{text}");
    let (status, text) = tool(&socket, "status eth5");
    assert_eq!(status, Some(0));
    assert!(text.contains("reason") && text.contains("there is no such interface"), "{text}");

    peer.own(ADDR, Answer::Broadcast);
    let (status, text) = tool(&socket, "probe 192.168.7.7 -i eth0 --timing fast");
    let taken = format!("192.168.7.7 is taken on eth0 by {}\n", peer.mac());
    assert_eq!((status, text), (Some(1), taken));
    let (status, text) = tool(&socket, "claim eth0 169.254.9.9 --wait 30");
    assert_eq!((status, text.as_str()), (Some(0), "169.254.9.9\n"));
    let ips: Vec<_> = host.addresses("eth0").iter().map(|address| address.ip).collect();
    assert_eq!(ips, [Ipv4Addr::new(169, 254, 9, 9)]);
    let (status, text) = tool(&socket, "metrics");
    assert!(status == Some(0) && text.contains("address=\"169.254.9.9\"} 1\n"), "{text}");
    // What the daemon says of itself is enough for the doctor, who looks from inside the host.
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_autoipctl"));
    doctor.arg("--socket").arg(&socket).args(["doctor", "-i", "eth0", "--json"]);
    let doctor = host.spawn(doctor);
    let status = doctor.wait(LATE);
    let report: String = doctor.log().into_iter().map(|line| line.text).collect();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["interfaces"], serde_json::json!(["eth0"]), "{report:#}");
    let problems = report["findings"].as_array().unwrap().iter();
    let problems = problems.filter(|finding| finding["severity"] == "problem").count();
    assert_eq!(status.code(), Some(i32::from(problems > 0)), "{report:#}");
    for quiet in ["reannounce eth0", "release eth0", "reload", "remove eth0"] {
        assert_eq!(tool(&socket, quiet), (Some(0), String::new()), "{quiet}");
    }
    assert!(host.addresses("eth0").is_empty());
    let (status, text) = tool(&socket, "status eth0");
    let expected = "autoipctl: eth0 is not managed; \"autoipctl status\" shows what is\n";
    assert_eq!((status, text.as_str()), (Some(1), expected));
}
