//! The lab itself, on the real kernel.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, ExitCode};
use std::time::Duration;

use autoip_lab::{Answer, Host, Peer, Pid, Seen, Signal, Switch, Way, tests};
use autoip_linux::rtnl::{Event, Rtnl};
use autoip_wire::{ArpPacket, MacAddr, Operation};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// For what must come; it comes within milliseconds.
const SOON: Duration = Duration::from_secs(2);
/// For what must not come.
const QUIET: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    autoip_lab::test_main(&tests![
        two_hosts_reach_each_other,
        a_capture_sees_unicast_replies_and_both_ways,
        capture_times_rise_and_are_close,
        a_wait_goes_on_where_the_last_one_ended,
        a_wait_ends_in_time,
        carrier_goes_and_comes_back,
        frames_pass_as_soon_as_a_cable_is_laid_or_put_back,
        hairpin_returns_the_hosts_own_frames,
        joined_switches_are_one_link_until_they_are_parted,
        a_cable_moves_to_another_switch,
        an_interface_is_renamed_changed_and_made_again,
        addresses_and_routes_come_and_go,
        changes_of_a_host_are_recorded_and_waited_for,
        a_peer_answers_for_what_it_owns,
        a_peer_denies_everything,
        a_peer_sends_any_bytes,
        a_program_runs_inside_its_host,
        a_program_ends_by_a_signal,
        a_program_is_killed_on_drop,
        a_program_is_killed_by_a_panic,
        a_panic_inside_a_host_reaches_the_test,
        nothing_is_left_in_the_parent_namespace,
        hosts_are_apart_from_each_other,
    ])
}

/// A host with an address on a switch.
fn host_on(switch: &Switch, name: &str, ip: Ipv4Addr) -> (Host, autoip_lab::Cable) {
    let host = Host::new(name);
    let cable = host.connect(switch, "eth0");
    host.add_address("eth0", ip, 24);
    (host, cable)
}

fn is_reply_from_host(seen: &Seen) -> bool {
    seen.is_from_host() && seen.arp.operation == Operation::Reply
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Whether the process is there and has not ended, reaped or not.
fn is_running(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn two_hosts_reach_each_other() {
    let switch = Switch::new();
    let (a, _) = host_on(&switch, "a", A);
    let (_b, wire) = host_on(&switch, "b", B);
    let mut wire = wire.capture();
    assert!(a.ping(B, SOON).unwrap().is_some());
    let reply = wire.expect("ARP reply", SOON, is_reply_from_host);
    assert_eq!((reply.arp.sender_ip, reply.arp.target_mac), (B, a.mac("eth0")));
    // Nobody is there, so the kernel says so after three requests, or nothing comes.
    assert!(!matches!(a.ping(Ipv4Addr::new(10, 0, 0, 3), QUIET), Ok(Some(_))));
    assert!(a.ping(Ipv4Addr::new(192, 0, 2, 1), QUIET).is_err(), "no route leads there");
}

fn a_capture_sees_unicast_replies_and_both_ways() {
    let switch = Switch::new();
    let (a, cable) = host_on(&switch, "a", A);
    let mut wire = cable.capture();
    let peer = Peer::new(&switch);
    peer.probe(A);
    let probe = wire.expect("probe", SOON, |seen| seen.is_probe_for(A));
    assert_eq!(probe.way, Way::ToHost);
    assert!(probe.is_broadcast());
    let reply = wire.expect("reply", SOON, is_reply_from_host);
    assert_eq!(reply.ethernet.destination, peer.mac());
    assert_eq!(reply.ethernet.source, a.mac("eth0"));
    assert!(wire.probes_for(A).is_empty(), "the probe is not the host's own");
    assert_eq!(wire.from_host(), [reply]);
    assert_eq!(wire.all(), [probe, reply]);
}

fn capture_times_rise_and_are_close() {
    let switch = Switch::new();
    let (_a, cable) = host_on(&switch, "a", A);
    let wire = cable.capture();
    let peer = Peer::new(&switch);
    let before = autoip_linux::boottime();
    for _ in 0..100 {
        peer.probe(A);
    }
    let after = autoip_linux::boottime();
    let mut times: Vec<_> = wire.all().iter().map(|seen| seen.at).collect();
    assert!(times.len() >= 100, "{} frames", times.len());
    // The two clocks of a stamp are read in two steps.
    let slack = Duration::from_millis(1);
    assert!(times.iter().all(|&at| at + slack >= before && at <= after + slack));
    times.dedup_by(|later, earlier| *later + slack >= *earlier);
    assert_eq!(times.len(), 1, "times fall: {times:?}");
}

fn a_wait_goes_on_where_the_last_one_ended() {
    let switch = Switch::new();
    let (peer, other) = (Peer::new(&switch), Peer::new(&switch));
    let mut wire = other.cable().capture();
    for ip in [A, B, A] {
        peer.probe(ip);
    }
    let first = wire.expect("probe", SOON, |seen| seen.is_probe_for(A));
    let second = wire.expect("probe", SOON, |seen| seen.is_probe_for(A));
    assert_ne!(first, second);
    assert_eq!(wire.wait(QUIET, Seen::is_probe), None);
    peer.announce(B);
    wire.expect("announcement", SOON, |seen| seen.is_announcement_of(B));
    peer.announce(B);
    peer.probe(A);
    while wire.all().len() < 6 {
        std::thread::yield_now();
    }
    wire.skip_to_end();
    assert_eq!(wire.wait(QUIET, |_| true), None);
    assert_eq!(wire.all().len(), 6);
}

fn a_wait_ends_in_time() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut wire = peer.cable().capture();
    let began = autoip_linux::boottime();
    assert_eq!(wire.wait(QUIET, |_| true), None);
    let took = autoip_linux::boottime() - began;
    assert!(took >= QUIET && took < QUIET * 5, "{took:?}");
}

fn carrier_goes_and_comes_back() {
    let switch = Switch::new();
    let (a, cable) = host_on(&switch, "a", A);
    let peer = Peer::new(&switch);
    let mut wire = cable.capture();
    let mut changes = a.changes();
    let is_carrier =
        |event: &Event, on| matches!(event, Event::LinkChanged(link) if link.has_carrier() == on);
    assert!(a.link("eth0").unwrap().has_carrier());
    cable.pull();
    changes.expect("end of the carrier", SOON, |seen| is_carrier(&seen.event, false));
    let link = a.link("eth0").unwrap();
    assert!(link.up && !link.has_carrier());
    peer.probe(A);
    assert_eq!(wire.wait(QUIET, |_| true), None, "the plug is out");
    cable.put_back();
    changes.expect("carrier", SOON, |seen| is_carrier(&seen.event, true));
    peer.probe(A);
    wire.expect("reply after the cable is back", SOON, is_reply_from_host);
}

fn frames_pass_as_soon_as_a_cable_is_laid_or_put_back() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    for _ in 0..20 {
        let (_a, cable) = host_on(&switch, "a", A);
        let mut wire = cable.capture();
        for _ in 0..3 {
            peer.probe(A);
            wire.expect("reply", SOON, is_reply_from_host);
            cable.pull();
            cable.put_back();
        }
    }
}

fn hairpin_returns_the_hosts_own_frames() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut wire = peer.cable().capture();
    peer.probe(A);
    wire.expect("probe", SOON, Seen::is_from_host);
    assert_eq!(wire.wait(QUIET, |_| true), None);
    peer.cable().set_hairpin(true);
    peer.probe(A);
    wire.expect("probe", SOON, Seen::is_from_host);
    let echo = wire.expect("echo", SOON, |seen| seen.way == Way::ToHost);
    assert_eq!(echo.ethernet.source, peer.mac());
    peer.cable().set_hairpin(false);
    peer.probe(A);
    wire.expect("probe", SOON, Seen::is_from_host);
    assert_eq!(wire.wait(QUIET, |_| true), None);
}

fn joined_switches_are_one_link_until_they_are_parted() {
    let (left, right) = (Switch::new(), Switch::new());
    let (a, _) = host_on(&left, "a", A);
    let (b, _) = host_on(&right, "b", B);
    assert!(!matches!(a.ping(B, QUIET), Ok(Some(_))));
    let between = left.join(&right);
    assert!(a.ping(B, SOON).unwrap().is_some());
    between.pull();
    assert_eq!(b.ping(A, QUIET).unwrap(), None);
    assert!(a.link("eth0").unwrap().has_carrier(), "hosts do not notice a partition");
    between.put_back();
    assert!(b.ping(A, SOON).unwrap().is_some());
}

fn a_cable_moves_to_another_switch() {
    let (here, there) = (Switch::new(), Switch::new());
    let (a, mut cable) = host_on(&here, "a", A);
    let (at_home, away) = (Peer::new(&here), Peer::new(&there));
    let index = a.link("eth0").unwrap().index;
    cable.move_to(&there);
    let mut wire = cable.capture();
    at_home.probe(A);
    assert_eq!(wire.wait(QUIET, |_| true), None);
    away.probe(A);
    wire.expect("reply on the new link", SOON, is_reply_from_host);
    assert_eq!(a.link("eth0").unwrap().index, index);
    cable.move_to(&here);
    let mut wire = cable.capture();
    at_home.probe(A);
    wire.expect("reply on the old link", SOON, is_reply_from_host);
}

fn an_interface_is_renamed_changed_and_made_again() {
    let switch = Switch::new();
    let host = Host::new("a");
    let mac = MacAddr([2, 0, 0, 0, 0, 0x77]);
    let cable = host.connect_with_mac(&switch, "eth0", mac);
    assert_eq!(host.mac("eth0"), mac);
    let index = host.link("eth0").unwrap().index;

    host.rename("eth0", "lan");
    assert!(host.link("eth0").is_none());
    assert_eq!(host.link("lan").unwrap().index, index);

    let other = MacAddr([2, 0, 0, 0, 0, 0x78]);
    host.set_mac("lan", other);
    assert_eq!(host.mac("lan"), other);

    host.set_up("lan", false);
    assert!(!host.link("lan").unwrap().up);
    host.set_up("lan", true);

    host.delete("lan");
    assert!(host.link("lan").is_none());
    drop(cable);
    let _cable = host.connect_with_mac(&switch, "lan", mac);
    host.add_address("lan", A, 24);
    assert_ne!(host.link("lan").unwrap().index, index);
    let peer = Peer::new(&switch);
    let mut wire = peer.cable().capture();
    peer.probe(A);
    wire.expect("reply", SOON, |seen| seen.arp.sender_mac == mac);
}

fn addresses_and_routes_come_and_go() {
    let switch = Switch::new();
    let (a, _) = host_on(&switch, "a", A);
    let ips = |name: &str| a.addresses(name).iter().map(|address| address.ip).collect::<Vec<_>>();
    assert_eq!(ips("eth0"), [A]);
    assert_eq!(ips("lo"), [Ipv4Addr::LOCALHOST]);
    assert!(ips("eth9").is_empty());
    let to_net = |net: [u8; 4]| a.routes().iter().any(|r| r.destination == Ipv4Addr::from(net));
    assert!(to_net([10, 0, 0, 0]));
    a.remove_address("eth0", A);
    assert!(ips("eth0").is_empty());
    assert!(!to_net([10, 0, 0, 0]));
}

fn changes_of_a_host_are_recorded_and_waited_for() {
    let switch = Switch::new();
    let (a, _) = host_on(&switch, "a", A);
    let mut changes = a.changes();
    let before = autoip_linux::boottime();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Of another network than the first: else it would go with that.
            a.add_address("eth0", B, 16);
            a.remove_address("eth0", A);
        });
        let look = |host: &Host| host.addresses("eth0").iter().find(|a| a.ip == B).cloned();
        assert_eq!(a.expect("second address", SOON, look).prefix_len, 16);
    });
    let added = changes.expect("second address", SOON, |change| change.is_added(B));
    let removed = changes.expect("removal", SOON, |change| change.is_removed(A));
    assert!(before <= added.at && added.at <= removed.at);
}

fn a_peer_answers_for_what_it_owns() {
    let switch = Switch::new();
    let (a, cable) = host_on(&switch, "a", A);
    let (peer, prober) = (Peer::new(&switch), Peer::new(&switch));
    let mut wire = cable.capture();

    peer.own(B, Answer::Unicast);
    a.run(|| UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"?", (B, 9)))).unwrap();
    let reply = wire.expect("reply", SOON, |seen| seen.arp.sender_ip == B);
    assert_eq!((reply.arp.sender_mac, reply.ethernet.destination), (peer.mac(), a.mac("eth0")));

    peer.own(B, Answer::Broadcast);
    prober.probe(B);
    let reply = wire.expect("reply", SOON, |seen| seen.arp.sender_ip == B);
    assert!(reply.is_broadcast());
    assert_eq!(reply.arp.target_mac, prober.mac());

    peer.disown(B);
    prober.probe(B);
    wire.expect("probe", SOON, |seen| seen.is_probe_for(B));
    assert_eq!(wire.wait(QUIET, |seen| seen.arp.sender_ip == B), None);
}

fn a_peer_denies_everything() {
    let switch = Switch::new();
    let (peer, prober) = (Peer::new(&switch), Peer::new(&switch));
    let mut wire = prober.cable().capture();
    peer.deny_everything(true);
    for last in 0..50 {
        let ip = Ipv4Addr::new(169, 254, 1, last);
        prober.probe(ip);
        wire.expect("denial", SOON, |seen| seen.arp.sender_ip == ip);
    }
    prober.announce(A);
    peer.deny_everything(false);
    prober.probe(A);
    assert_eq!(wire.wait(QUIET, |seen| seen.way == Way::ToHost), None);
}

fn a_peer_sends_any_bytes() {
    let switch = Switch::new();
    let (peer, other) = (Peer::new(&switch), Peer::new(&switch));
    let wire = other.cable().tap();
    let capture = other.cable().capture();
    let mut frame = ArpPacket::probe(peer.mac(), A).to_broadcast().to_vec();
    frame[20] = 9;
    frame.extend([0xaa; 18]);
    peer.send_bytes(&frame);
    let began = autoip_linux::boottime();
    let mut buffer = [0; 100];
    let received = loop {
        match wire.receive(&mut buffer).unwrap() {
            Some(received) => break received.frame.len(),
            None => assert!(autoip_linux::boottime() - began < SOON),
        }
    };
    assert_eq!(buffer[..received], frame);
    assert!(capture.all().is_empty(), "it is no ARP packet");
}

fn a_program_runs_inside_its_host() {
    let switch = Switch::new();
    let (a, _cable) = host_on(&switch, "a", A);
    let process = a.spawn(shell("cat /proc/net/dev; echo done >&2; exit 3"));
    assert_eq!(process.wait(SOON).code(), Some(3));
    assert!(process.log_contains("eth0:"), "{:?}", process.log());
    assert_eq!(process.log().last().unwrap().text, "done");
    assert_eq!(process.wait_log(SOON, |line| line.contains("lo:")).text.matches("lo:").count(), 1);
    process.signal(Signal::SIGTERM);
}

fn a_program_ends_by_a_signal() {
    let host = Host::new("a");
    let script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done";
    let process = host.spawn(shell(script));
    process.wait_log(SOON, |line| line == "ready");
    assert_eq!(process.status(), None);
    process.signal(Signal::SIGTERM);
    assert!(process.wait(SOON).success());
    assert!(process.log_contains("bye"));
}

fn a_program_is_killed_on_drop() {
    let host = Host::new("a");
    let process = host.spawn(shell("trap '' TERM; sleep 100 & echo $!; wait"));
    let child: i32 = process.wait_log(SOON, |_| true).text.parse().unwrap();
    let pid = process.pid();
    assert!(is_running(pid) && is_running(Pid::from_raw(child)));
    drop(process);
    assert!(!is_running(pid));
    // The kill is under way, and the end of a grandchild is its own affair.
    let began = autoip_linux::boottime();
    while is_running(Pid::from_raw(child)) && autoip_linux::boottime() - began < SOON {
        std::thread::yield_now();
    }
    assert!(!is_running(Pid::from_raw(child)));
}

fn a_program_is_killed_by_a_panic() {
    let (report, pids) = std::sync::mpsc::channel();
    let test = move || {
        let host = Host::new("a");
        let process = host.spawn(shell("sleep 100"));
        assert!(is_running(process.pid()));
        report.send(process.pid()).unwrap();
        // Unlike a panic this prints nothing, and unwinds like one.
        std::panic::resume_unwind(Box::new("failure of a test"));
    };
    assert!(std::thread::spawn(test).join().is_err());
    assert!(!is_running(pids.recv().unwrap()));
}

fn a_panic_inside_a_host_reaches_the_test() {
    let inside = || Host::new("a").run(|| std::panic::resume_unwind(Box::new("inside")));
    let caught: Result<(), _> = std::panic::catch_unwind(inside);
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"inside"));
}

fn nothing_is_left_in_the_parent_namespace() {
    let here = || fs::read_link("/proc/thread-self/ns/net").unwrap();
    let links = || Rtnl::open().unwrap().links().unwrap();
    let (entry, links_before) = (here(), links());
    assert_eq!(links_before.iter().map(|link| &*link.name).collect::<Vec<_>>(), ["lo"]);
    let made = {
        let switch = Switch::new();
        let (a, cable) = host_on(&switch, "a", A);
        let _wire = cable.capture();
        let _peer = Peer::new(&switch);
        let process = a.spawn(shell("sleep 100"));
        let inside = a.run(here);
        assert_eq!(fs::read_link(format!("/proc/{}/ns/net", process.pid())).unwrap(), inside);
        inside
    };
    assert_eq!(here(), entry);
    assert_eq!(links(), links_before);
    // Other tests run in this process at the same time, but this namespace was ours alone.
    let holders: BTreeSet<_> = fs::read_dir("/proc/self/task")
        .unwrap()
        .chain(fs::read_dir("/proc/self/fd").unwrap())
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            [path.clone(), path.join("ns/net")]
                .iter()
                .any(|path| fs::read_link(path).is_ok_and(|target| target == made))
        })
        .collect();
    assert_eq!(holders, BTreeSet::new());
}

fn hosts_are_apart_from_each_other() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    let read = |host: &Host, name: &str| {
        host.run(|| fs::read_to_string(format!("/proc/sys/net/{name}"))).unwrap()
    };
    a.set_variable("ipv4/conf/all/arp_ignore", "1");
    assert_eq!(read(&a, "ipv4/conf/all/arp_ignore").trim(), "1");
    assert_eq!(read(&b, "ipv4/conf/all/arp_ignore").trim(), "0");
    assert_eq!(read(&b, "ipv4/conf/all/rp_filter").trim(), "0");
    // The same name and address on two hosts without a cable between them disturb nobody.
    let (left, right) = (Switch::new(), Switch::new());
    let _cables = (a.connect(&left, "eth0"), b.connect(&right, "eth0"));
    a.add_address("eth0", A, 24);
    b.add_address("eth0", A, 24);
    assert!(a.ping(A, SOON).unwrap().is_some());
}
