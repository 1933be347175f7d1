//! The daemon in the place of busybox's zcip: its script, and one test for each of its options.

use std::fs;
use std::net::Ipv4Addr;

use autoip_lab::{Answer, Host, Peer, Process, Recording, Seen, Switch};
use autoip_linux::boottime;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stand_in::Place;
use crate::station::{CLAIM, LATE, LOCK, SOON, X, eventually, s};

/// What the example script in busybox does, in words of our own.
const CONFIGURE: &str = r#"trace "$# $* $interface ${ip-unset}"
case "$1" in
    init) echo $PPID >@/runner ;;
    config) ip address add dev "$interface" scope link local "$ip/16" broadcast + ;;
    deconfig) ip address del dev "$interface" local "$ip/16" ;;
esac
exit $?"#;

struct Scene {
    place: Place,
    host: Host,
    wire: Recording<Seen>,
    script: String,
}

impl Scene {
    fn new(switch: &Switch) -> Self {
        let (place, host) = (Place::new(), Host::new("station"));
        let wire = host.connect(switch, "eth0").capture();
        let script = place.add_script("script", CONFIGURE);
        Self { place, host, wire, script }
    }

    fn line(&self, options: &str) -> String {
        format!("zcip {options} eth0 {}", self.script).replace("  ", " ")
    }

    fn start(&self, options: &str) -> Process {
        self.place.spawn(&self.host, &self.line(options))
    }

    fn addresses(&self) -> Vec<Ipv4Addr> {
        self.host.addresses("eth0").iter().map(|address| address.ip).collect()
    }

    #[track_caller]
    fn expect_announcement(&mut self, addr: Ipv4Addr) {
        self.wire.expect("announcement", CLAIM, |seen| {
            seen.is_from_host() && seen.is_announcement_of(addr)
        });
    }
}

#[track_caller]
fn end(daemon: &Process) {
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(s(5)).success());
}

/// `-f`, `-r`, and the script from `init` to `deconfig`.
pub(crate) fn the_script_is_told_init_config_and_deconfig() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start(&format!("-f -r {X}"));
    scene.expect_announcement(X);
    assert_eq!(scene.addresses(), [X]);
    assert_eq!(scene.host.addresses("eth0")[0].scope, 253, "as the script put it on");
    assert_eq!(daemon.status(), None);
    end(&daemon);
    assert_eq!(
        scene.place.trace(),
        [
            "1 init eth0 unset".to_owned(),
            format!("1 config eth0 {X}"),
            format!("1 deconfig eth0 {X}"),
        ]
    );
    assert_eq!(scene.addresses(), [Ipv4Addr::UNSPECIFIED; 0]);
}

/// Without `-f` and `-v` it goes on in the background once the script has said that it may.
pub(crate) fn it_goes_into_the_background() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let asked = boottime();
    assert_eq!(scene.place.status(&scene.host, &scene.line(&format!("-r {X}"))), Some(0));
    assert!(boottime() - asked <= s(1) + LATE + LOCK, "before there is an address");
    scene.expect_announcement(X);
    // The script's parent is the runner, whose parent is the daemon.
    let number = |path: String, field: &str| {
        let text = fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().parse::<i32>().unwrap()
    };
    let runner = number(scene.place.path("runner").to_str().unwrap().to_owned(), "");
    let daemon = Pid::from_raw(number(format!("/proc/{runner}/status"), "PPid:"));
    assert_eq!(nix::unistd::getsid(Some(daemon)), Ok(daemon));
    kill(daemon, Signal::SIGTERM).unwrap();
    eventually("deconfig", SOON, || scene.place.trace().len() == 3);
    eventually("no address", SOON, || scene.addresses().is_empty());
}

pub(crate) fn a_script_that_refuses_ends_it() {
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    scene.place.add_script("script", "trace \"$1\"; exit 7");
    for option in ["-f", ""] {
        let status = scene.place.status(&scene.host, &scene.line(option));
        assert_eq!(status, Some(1), "{option:?}");
    }
    assert_eq!(scene.place.trace(), ["init", "init"]);
    assert!(scene.wire.from_host().is_empty());
}

/// `-q` ends with success after the last announcement, and leaves the address behind; a second run
/// claims it again, and has no other.
pub(crate) fn quit_leaves_the_address_behind() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start(&format!("-f -q -r {X}"));
    scene.expect_announcement(X);
    assert_eq!(daemon.status(), None, "one more is to come");
    scene.expect_announcement(X);
    assert!(daemon.wait(SOON).success());
    assert_eq!(scene.addresses(), [X]);
    assert_eq!(scene.place.trace().last(), Some(&format!("1 config eth0 {X}")));
    let marked = scene.host.routes().into_iter().filter(|route| route.protocol == 169).count();
    assert_eq!(marked, 0, "nothing else stays");

    scene.wire.skip_to_end();
    let daemon = scene.start("-f -q");
    let probe = scene.wire.expect("probe", CLAIM, |seen| seen.is_from_host() && seen.is_probe());
    assert_eq!(probe.arp.target_ip, X);
    scene.expect_announcement(X);
    assert!(daemon.wait(CLAIM).success());
    assert_eq!(scene.addresses(), [X]);
}

/// Nobody defends what was left behind, so that another host may have it by now.
pub(crate) fn an_address_that_was_left_behind_is_not_used_unclaimed() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start(&format!("-f -q -r {X}"));
    scene.expect_announcement(X);
    assert!(daemon.wait(CLAIM).success());
    let peer = Peer::new(&switch);
    peer.own(X, Answer::Unicast);
    scene.wire.skip_to_end();
    let daemon = scene.start("-f -q");
    let probe = scene.wire.expect("probe", CLAIM, |seen| seen.is_from_host() && seen.is_probe());
    assert_eq!((probe.arp.target_ip, scene.addresses()), (X, vec![]));
    assert!(daemon.wait(CLAIM * 2).success());
    let addresses = scene.addresses();
    assert!(addresses.len() == 1 && addresses != [X], "{addresses:?}");
}

/// `-l` takes the one range that there is.
pub(crate) fn another_range_is_refused() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let output = scene.place.run(&scene.host, &scene.line("-f -l 10.20.0.0"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), text.contains("169.254.0.0 alone")),
        (Some(1), true),
        "{text}"
    );
    assert_eq!(scene.place.trace(), [""; 0]);
    let _daemon = scene.start(&format!("-f -l 169.254.0.0 -r {X}"));
    scene.expect_announcement(X);
}

/// `-v` stays in the foreground as well, and says more; `LOGGING` says where.
pub(crate) fn verbose_says_more_and_logging_says_where() {
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    for (options, logging, lines, steps) in [
        ("-f", None, true, false),
        ("-v", None, true, true),
        ("-v", Some("none"), false, false),
        ("-v", Some("syslog"), false, false),
    ] {
        let mut command = scene.place.command(&scene.line(options));
        logging.map(|logging| command.env("LOGGING", logging));
        let daemon = scene.host.spawn(command);
        let count = scene.wire.from_host().len();
        eventually("a probe", s(4), || scene.wire.from_host().len() > count);
        assert_eq!(daemon.status(), None, "{options}");
        end(&daemon);
        let said = (daemon.log_contains("managing"), daemon.log_contains("DEBUG"));
        assert_eq!(said, (lines, steps), "{options} {logging:?}");
    }
}

/// An interface that is set down ends it with a failure, after `deconfig`.
pub(crate) fn it_ends_when_the_interface_is_set_down() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start(&format!("-f -r {X}"));
    scene.expect_announcement(X);
    scene.host.set_up("eth0", false);
    assert_eq!(daemon.wait(s(5)).code(), Some(1));
    assert_eq!(scene.place.trace().last(), Some(&format!("1 deconfig eth0 {X}")));
}

pub(crate) fn wrong_command_lines_end_with_one() {
    let (place, host) = (Place::new(), Host::new("bare"));
    for (line, words) in [
        ("zcip", "IFACE"),
        ("zcip eth0", "SCRIPT"),
        ("zcip -x eth0 /bin/true", "-x"),
        ("zcip -r 10.0.0.1 eth0 /bin/true", "10.0.0.1"),
        ("zcip -f nope /bin/true", "no interface nope"),
        (concat!(env!("CARGO_BIN_EXE_autoipd"), " zcip eth0"), "SCRIPT"),
    ] {
        let output = place.run(&host, line);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), text.contains(words)), (Some(1), true), "{line}: {text}");
    }
}
