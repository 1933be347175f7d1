//! The daemon in the place of avahi-autoipd: one test for each of its options, its files, its
//! script and the hooks that Debian ships with it.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixDatagram;

use autoip_lab::{Host, Peer, Process, Recording, Seen, Switch};
use autoip_linux::boottime;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stand_in::{Place, await_title, need, title};
use crate::station::{CLAIM, LATE, LOCK, SOON, X, eventually, ms, s};

/// The commands of the stock script in words of our own: the label is what matters, and that an
/// address that is not there is a failure.
const CONFIGURE: &str = r#"set -e
trace "$# $*"
case "$1" in
    BIND)
        ip addr flush dev "$2" label "$2:avahi"
        ip addr add "$3/16" brd 169.254.255.255 label "$2:avahi" scope link dev "$2"
        ;;
    *) ip addr del "$3/16" label "$2:avahi" dev "$2" ;;
esac
trace "done $1""#;
const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);

/// A host with one interface and a script that configures it.
struct Scene {
    place: Place,
    host: Host,
    interface: &'static str,
    wire: Recording<Seen>,
    cable: autoip_lab::Cable,
    script: String,
}

impl Scene {
    fn new(switch: &Switch) -> Self {
        Self::on(switch, "eth0")
    }

    fn on(switch: &Switch, interface: &'static str) -> Self {
        let (place, host) = (Place::new(), Host::new("station"));
        let cable = host.connect(switch, interface);
        let wire = cable.capture();
        let script = place.add_script("action", CONFIGURE);
        Self { place, host, interface, wire, cable, script }
    }

    fn line(&self, options: &str) -> String {
        let Self { interface, script, .. } = self;
        format!("avahi-autoipd {options} -t {script} {interface}").replace("  ", " ")
    }

    fn start(&self, options: &str) -> Process {
        self.place.spawn(&self.host, &self.line(options))
    }

    /// Runs it to its end, for what ends at once.
    fn status(&self, options: &str) -> Option<i32> {
        self.place.status(&self.host, &self.line(options))
    }

    fn addresses(&self) -> Vec<Ipv4Addr> {
        self.host.addresses(self.interface).iter().map(|address| address.ip).collect()
    }

    #[track_caller]
    fn expect_announcement(&mut self, addr: Ipv4Addr) -> Seen {
        self.wire.expect("announcement", CLAIM, |seen| {
            seen.is_from_host() && seen.is_announcement_of(addr)
        })
    }

    #[track_caller]
    fn expect_probe(&mut self) -> Ipv4Addr {
        let is_probe = |seen: &Seen| seen.is_from_host() && seen.is_probe();
        self.wire.expect("probe", s(4), is_probe).arp.target_ip
    }

    /// The process number in the PID file.
    fn pid(&self) -> Pid {
        let path = self.place.path(&format!("run/avahi-autoipd.{}.pid", self.interface));
        Pid::from_raw(fs::read_to_string(path).unwrap().trim().parse().unwrap())
    }

    fn pid_file_exists(&self) -> bool {
        self.place.path(&format!("run/avahi-autoipd.{}.pid", self.interface)).exists()
    }

    /// The file that remembers the address.
    fn memory(&self) -> std::path::PathBuf {
        let mac = self.host.mac(self.interface);
        self.place.path("lib/avahi-autoipd").join(mac.to_string())
    }
}

#[track_caller]
fn end(daemon: &Process) {
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait(s(5)).success());
}

/// `-S`, `-t`, the script's events, the PID file, the file that remembers, the titles, the end.
pub(crate) fn a_whole_life_is_as_with_the_original() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start(&format!("-S {X}"));
    assert_eq!(scene.expect_probe(), X);
    assert_eq!(scene.pid(), daemon.pid());
    await_title(daemon.pid(), &format!("avahi-autoipd: [eth0] probing {X}"), SOON);
    let announced = scene.expect_announcement(X);
    assert_eq!(scene.place.await_trace(2), [format!("3 BIND eth0 {X}"), "done BIND".into()]);
    let address = scene.host.addresses("eth0").pop().unwrap();
    assert_eq!((address.ip, address.label.as_deref()), (X, Some("eth0:avahi")));
    await_title(daemon.pid(), &format!("avahi-autoipd: [eth0] announcing {X}"), SOON);
    await_title(daemon.pid(), &format!("avahi-autoipd: [eth0] bound {X}"), s(4));
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", daemon.pid()));
    let dispatcher = children.unwrap().trim().to_owned();
    assert_eq!(title(dispatcher), "avahi-autoipd: [eth0] callout dispatcher");
    assert_eq!(fs::read_to_string(scene.memory()).unwrap(), format!("{X}\n"));
    let again = scene.expect_announcement(X);
    assert!(again.at - announced.at >= s(2) - ms(10));
    end(&daemon);
    let stopped = [format!("3 STOP eth0 {X}"), "done STOP".to_owned()];
    assert_eq!(scene.place.trace()[2..], stopped, "the script took the address off");
    assert_eq!((scene.addresses(), scene.pid_file_exists()), (vec![], false));
}

/// The address that the original would remember is tried first, without any option.
pub(crate) fn a_remembered_address_is_tried_first() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    fs::write(scene.memory(), "169.254.77.78\n").unwrap();
    let daemon = scene.start("");
    assert_eq!(scene.expect_probe(), Ipv4Addr::new(169, 254, 77, 78));
    end(&daemon);
    assert_eq!(scene.place.trace(), [""; 0], "the script hears of nothing that was not claimed");
}

/// What a killed daemon leaves behind is probed for again, and nothing outlives the daemon.
pub(crate) fn an_address_left_over_is_probed_again() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let first = scene.start(&format!("-S {X}"));
    scene.expect_announcement(X);
    eventually("a remembered address", SOON, || scene.memory().exists());
    first.signal(Signal::SIGKILL);
    eventually("no PID file", SOON, || !scene.pid_file_exists());
    assert_eq!(scene.addresses(), [X], "the script was not told");
    scene.wire.skip_to_end();
    let second = scene.start("");
    assert_eq!(scene.expect_probe(), X);
    assert_eq!(scene.addresses(), [Ipv4Addr::UNSPECIFIED; 0]);
    assert!(second.log_contains("was left over"));
    scene.expect_announcement(X);
}

/// A PID file of one is good for the other: whoever changes over may do so in any order.
pub(crate) fn each_ends_the_other() {
    let original = need("/usr/sbin/avahi-autoipd").to_str().unwrap();
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    let theirs =
        |options: &str| scene.place.status(&scene.host, &format!("{original} {options} eth0"));
    let ours = scene.start("");
    eventually("a PID file", SOON, || scene.pid_file_exists());
    assert_eq!(theirs("-c"), Some(0));
    assert_eq!(theirs("-k"), Some(0));
    assert!(ours.wait(SOON).success());
    assert_eq!((theirs("-c"), scene.pid_file_exists()), (Some(1), false));

    let original = scene.place.spawn(&scene.host, &format!("{original} --no-drop-root eth0"));
    eventually("a PID file", SOON, || scene.pid_file_exists());
    assert_eq!((scene.status("-c"), scene.status("-D")), (Some(0), Some(1)));
    assert_eq!(scene.status("-k"), Some(0));
    assert!(original.wait(SOON).success());
}

/// Both programs on links of their own under one MAC address, neither with a memory.
pub(crate) fn the_first_address_is_that_of_the_original() {
    let original = need("/usr/sbin/avahi-autoipd").to_str().unwrap();
    let (one, other) = (Switch::new(), Switch::new());
    let (mut ours, mut theirs) = (Scene::new(&one), Scene::new(&other));
    let mac = autoip_wire::MacAddr([0x02, 0x7f, 0x33, 0xf0, 0x99, 0xee]);
    for scene in [&ours, &theirs] {
        scene.host.set_mac("eth0", mac);
    }
    let _daemon = ours.start("");
    let _original = theirs.place.spawn(&theirs.host, &format!("{original} --no-drop-root eth0"));
    assert_eq!(ours.expect_probe(), theirs.expect_probe());
}

/// CONFLICT with the lost address, then BIND with another one.
pub(crate) fn a_conflict_is_told() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let peer = Peer::new(&switch);
    let _daemon = scene.start(&format!("-S {X}"));
    scene.expect_announcement(X);
    peer.announce(X);
    scene.expect_announcement(X);
    peer.announce(X);
    let other = scene.expect_probe();
    scene.expect_announcement(other);
    let trace = scene.place.await_trace(6);
    assert_eq!(
        trace[2..5],
        [
            format!("3 CONFLICT eth0 {X}"),
            "done CONFLICT".to_owned(),
            format!("3 BIND eth0 {other}"),
        ]
    );
    assert_eq!(scene.addresses(), [other]);
}

/// UNBIND when a routable address comes, BIND when it has gone.
pub(crate) fn a_routable_address_unbinds() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start(&format!("-S {X}"));
    scene.expect_announcement(X);
    scene.host.add_address("eth0", ROUTABLE, 24);
    let trace = scene.place.await_trace(4);
    assert_eq!(trace[2..], [format!("3 UNBIND eth0 {X}"), "done UNBIND".to_owned()]);
    assert_eq!(scene.addresses(), [ROUTABLE]);
    await_title(daemon.pid(), "avahi-autoipd: [eth0] sleeping", SOON);
    scene.wire.skip_to_end();
    scene.host.remove_address("eth0", ROUTABLE);
    scene.expect_announcement(X);
    assert_eq!(scene.place.await_trace(5)[4], format!("3 BIND eth0 {X}"));
}

pub(crate) fn force_bind_keeps_both() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    scene.host.add_address("eth0", ROUTABLE, 24);
    let _daemon = scene.start(&format!("--force-bind --start={X}"));
    scene.expect_announcement(X);
    let mut addresses = scene.addresses();
    addresses.sort();
    assert_eq!(addresses, [X, ROUTABLE]);
}

/// A script that fails, and one that is not there, do not keep the host from its address.
pub(crate) fn without_a_working_script_the_address_comes_all_the_same() {
    for script in ["exit 3", ""] {
        let switch = Switch::new();
        let mut scene = Scene::new(&switch);
        if script.is_empty() {
            scene.script = "/nonexistent/script".to_owned();
        } else {
            scene.place.add_script("action", script);
        }
        let daemon = scene.start(&format!("-S {X}"));
        scene.expect_announcement(X);
        assert_eq!(scene.addresses(), [X]);
        daemon.wait_log(SOON, |line| line.contains("the script has not put"));
        end(&daemon);
        assert_eq!(scene.addresses(), [Ipv4Addr::UNSPECIFIED; 0]);
    }
}

/// The stock script fails on names of ten bytes and more: its label has no room.
pub(crate) fn long_interface_names_work_with_the_stock_script() {
    need("/etc/avahi/avahi-autoipd.action");
    for interface in ["eth0", "enx001122", "enx0011223", "enx001122334455"] {
        let switch = Switch::new();
        let mut scene = Scene::on(&switch, interface);
        let line = format!("avahi-autoipd -S {X} {interface}");
        let daemon = scene.place.spawn(&scene.host, &line);
        scene.expect_announcement(X);
        let address = scene.host.addresses(interface).pop().unwrap();
        assert_eq!((address.ip, address.prefix_len), (X, 16), "{interface}");
        let label = (interface.len() < 10).then(|| format!("{interface}:avahi"));
        assert_eq!(address.label.filter(|label| label.contains(':')), label, "{interface}");
        end(&daemon);
        assert_eq!(scene.addresses(), [Ipv4Addr::UNSPECIFIED; 0], "{interface}");
        assert!(!scene.host.routes().iter().any(|route| route.prefix_len == 0), "{interface}");
    }
}

/// `-D` ends at once, `-c` finds the daemon, `-k` ends it and waits for that.
pub(crate) fn daemonize_check_and_kill() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    assert_eq!(scene.status("-c"), Some(1));
    assert_eq!(scene.status("-k"), Some(1));
    let asked = boottime();
    assert_eq!(scene.status(&format!("-D -S {X}")), Some(0));
    assert!(boottime() - asked <= s(1) + LATE + LOCK, "before there is an address");
    let pid = scene.pid();
    assert_eq!(scene.status("--check"), Some(0));
    // Of its own session, in the root, and nobody's pipe.
    assert_eq!(nix::unistd::getsid(Some(pid)), Ok(pid));
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).unwrap();
    assert_eq!(link("cwd"), std::path::Path::new("/"));
    assert_eq!(link("fd/1"), std::path::Path::new("/dev/null"));
    // A second one is refused.
    let second = scene.place.run(&scene.host, &scene.line("-D"));
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(text.contains(&format!("process {pid}")), "{text}");
    scene.expect_announcement(X);
    assert_eq!(scene.status("--kill"), Some(0));
    assert!(kill(pid, None).is_err() || title(pid).is_empty(), "it has gone by then");
    assert_eq!(
        (scene.status("-c"), scene.addresses(), scene.pid_file_exists()),
        (Some(1), vec![], false)
    );
    assert_eq!(scene.place.trace().last().map(String::as_str), Some("done STOP"));
}

pub(crate) fn refresh_announces_again() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    assert_eq!(scene.status("-r"), Some(1));
    let _daemon = scene.start(&format!("-S {X}"));
    scene.expect_announcement(X);
    scene.expect_announcement(X);
    assert_eq!(scene.status("-r"), Some(0));
    scene.expect_announcement(X);
}

/// `-wD` ends when there is an address, or at once beside a routable one.
pub(crate) fn wait_waits_for_the_address() {
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    assert_eq!(scene.status(&format!("-wD -S {X}")), Some(0));
    assert_eq!(scene.addresses(), [X]);
    assert_eq!(scene.status("-k"), Some(0));
    scene.host.add_address("eth0", ROUTABLE, 24);
    let asked = boottime();
    assert_eq!(scene.status("-wD"), Some(0));
    assert!(boottime() - asked <= s(1) + LATE + LOCK, "{:?}", boottime() - asked);
    assert_eq!(scene.status("-k"), Some(0));
}

/// Without an address within twenty seconds it fails, and the daemon goes on.
pub(crate) fn wait_gives_up_after_twenty_seconds() {
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    scene.cable.pull();
    let asked = boottime();
    assert_eq!(scene.status("--wait --daemonize"), Some(1));
    let took = boottime() - asked;
    assert!(took >= s(19) && took <= s(21) + LATE + LOCK, "{took:?}");
    assert_eq!(scene.status("-c"), Some(0));
    assert_eq!(scene.status("-k"), Some(0));
}

pub(crate) fn syslog_gets_the_lines() {
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    fs::create_dir(scene.place.path("dev")).unwrap();
    fs::write(scene.place.path("dev/null"), "").unwrap();
    let log = UnixDatagram::bind(scene.place.path("dev/log")).unwrap();
    log.set_read_timeout(Some(s(5))).unwrap();
    let mounts = "mount --bind /dev/null @/dev/null && mount --rbind @/dev /dev";
    for option in ["-s", "-D"] {
        let line = scene.line(option);
        let daemon = scene.host.spawn(scene.place.command_after(mounts, &line));
        let mut buffer = [0; 1024];
        let len = log.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
        let pid = scene.pid();
        let head = format!("<30>avahi-autoipd(eth0)[{pid}]: eth0: managing ");
        assert!(text.starts_with(&head), "{option}: {text}");
        assert_eq!(scene.status("-k"), Some(0));
        assert!(daemon.wait(SOON).success());
        let lines: Vec<_> = daemon.log().into_iter().map(|line| line.text).collect();
        assert_eq!(lines, [""; 0], "{option}");
        log.set_nonblocking(true).unwrap();
        while log.recv(&mut buffer).is_ok() {}
        log.set_nonblocking(false).unwrap();
    }
}

pub(crate) fn no_proc_title_leaves_the_command_line() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start("--no-proc-title");
    scene.expect_probe();
    let shown = title(daemon.pid());
    assert!(shown.ends_with("action eth0") && shown.contains("--no-proc-title"), "{shown}");
}

/// What `/proc` says of a process: its user, its capabilities.
fn credentials(pid: Pid) -> (String, String) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let uid = line("Uid:").split_whitespace().next().unwrap().to_owned();
    (uid, line("CapEff:").trim().to_owned())
}

/// Without the option the daemon becomes the user avahi-autoipd, who owns the remembered addresses.
pub(crate) fn no_drop_root_stays_root() {
    need("/usr/sbin/avahi-autoipd");
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    for (option, dropped) in [("--no-drop-root", false), ("", true)] {
        let daemon = scene.start(format!("{option} -S {X} --debug").trim_start());
        eventually("a remembered address", CLAIM, || scene.memory().exists());
        let own = credentials(Pid::this());
        let (uid, capabilities) = credentials(daemon.pid());
        if dropped {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(capabilities, "0000000000003000");
            let owner = fs::metadata(scene.memory()).unwrap().uid().to_string();
            assert_eq!(uid, owner);
            let refused = daemon.log_contains("could not become user");
            assert_eq!(uid == "0", refused, "only where there is one user alone");
        } else {
            assert_eq!((uid, capabilities), own);
        }
        end(&daemon);
        assert!(!scene.pid_file_exists());
        fs::remove_file(scene.memory()).unwrap();
    }
}

pub(crate) fn no_chroot_keeps_files_in_reach() {
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    for (option, kept) in [("--no-chroot", true), ("", false)] {
        let daemon = scene.start(format!("--debug {option}").trim_end());
        daemon.wait_log(SOON, |line| line.contains("gave up system calls"));
        assert_eq!(daemon.log_contains("gave up access to files"), !kept, "{option}");
        end(&daemon);
    }
}

pub(crate) fn debug_says_more() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    for (option, more) in [("", false), ("--debug", true)] {
        let daemon = scene.start(option);
        scene.expect_probe();
        end(&daemon);
        assert_eq!(daemon.log_contains("DEBUG"), more, "{option}");
    }
}

/// The original ends, too; whoever started it starts it again.
pub(crate) fn it_ends_with_its_interface() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start("");
    scene.expect_probe();
    scene.host.delete("eth0");
    assert_eq!(daemon.wait(SOON).code(), Some(1));
    assert!(!scene.pid_file_exists());
}

/// Everything that the command line alone decides.
pub(crate) fn wrong_command_lines_end_with_one() {
    let (place, host) = (Place::new(), Host::new("bare"));
    for (line, status, words) in [
        ("avahi-autoipd", 1, "name the interface"),
        ("avahi-autoipd eth0 eth1", 1, "eth1"),
        ("avahi-autoipd --bogus eth0", 1, "--bogus"),
        ("avahi-autoipd -S bogus eth0", 1, "bogus"),
        ("avahi-autoipd nope", 1, "no interface nope"),
        ("avahi-autoipd -r nope", 1, "avahi-autoipd.nope.pid"),
        ("avahi-autoipd -V", 0, "avahi-autoipd (autoip "),
        ("avahi-autoipd --version", 0, "avahi-autoipd (autoip "),
        ("avahi-autoipd -h", 0, "--force-bind"),
        ("avahi-autoipd --help", 0, "--no-proc-title"),
        (concat!(env!("CARGO_BIN_EXE_autoipd"), " avahi-autoipd -V"), 0, "avahi-autoipd (autoip "),
    ] {
        let output = place.run(&host, line);
        let (said, answered) = (output.stderr, output.stdout);
        let text = String::from_utf8([said, answered].concat()).unwrap();
        assert_eq!((output.status.code(), text.contains(words)), (Some(status), true), "{text}");
    }
}

/// An address that may not be claimed is passed over with a warning.
pub(crate) fn a_start_address_out_of_range_is_passed_over() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    let daemon = scene.start("-S 10.0.0.1");
    let tried = scene.expect_probe();
    assert!(tried.octets()[..2] == [169, 254], "{tried}");
    assert!(daemon.log_contains("10.0.0.1 cannot be claimed"));
}

/// The script finds what the daemon found, and not a variable more.
pub(crate) fn the_script_inherits_the_environment() {
    let switch = Switch::new();
    let mut scene = Scene::new(&switch);
    scene.place.add_script("action", "trace \"$(env | grep -v -E '^(PWD|_|SHLVL|OLDPWD)=')\"");
    let mut command = scene.place.command(&scene.line(&format!("-S {X}")));
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("MARK", "left alone");
    let _daemon = scene.host.spawn(command);
    scene.expect_announcement(X);
    let mut trace = scene.place.await_trace(2);
    trace.sort();
    assert_eq!(trace, ["MARK=left alone", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
}

/// A script of Debian's hooks, which call avahi-autoipd by its path.
fn hook(scene: &Scene, path: &str, variables: &str) -> Option<i32> {
    let mount = "mount --bind @/avahi-autoipd /usr/sbin/avahi-autoipd";
    let mut command = scene.place.command_after(mount, "/bin/sh -c");
    command.arg(format!("{variables}; . {path}"));
    scene.host.run(|| command.status().unwrap().code())
}

/// DHCP fails, and the exit hook starts the daemon; DHCP succeeds, and the enter hook ends it.
pub(crate) fn hooks_of_dhclient_start_and_end_it() {
    need("/usr/sbin/avahi-autoipd");
    let enter = need("/etc/dhcp/dhclient-enter-hooks.d/avahi-autoipd").to_str().unwrap();
    let exit = need("/etc/dhcp/dhclient-exit-hooks.d/zzz_avahi-autoipd").to_str().unwrap();
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    assert_eq!(hook(&scene, enter, "reason=PREINIT interface=eth0"), Some(0));
    assert_eq!(hook(&scene, exit, "reason=FAIL interface=eth0"), Some(0));
    let [addr] = scene.addresses()[..] else { panic!("{:?}", scene.addresses()) };
    assert_eq!(addr.octets()[..2], [169, 254]);
    assert_eq!(scene.status("-c"), Some(0));
    assert_eq!(hook(&scene, enter, "reason=BOUND interface=eth0"), Some(0));
    assert_eq!((scene.status("-c"), scene.addresses()), (Some(1), vec![]));
}

/// The route of Debian's if-up hook goes in beside ours, and its if-down hook is content.
pub(crate) fn hooks_of_ifupdown_are_content() {
    need("/usr/sbin/avahi-autoipd");
    let up = need("/etc/network/if-up.d/avahi-autoipd").to_str().unwrap();
    let down = need("/etc/network/if-down.d/avahi-autoipd").to_str().unwrap();
    let switch = Switch::new();
    let scene = Scene::new(&switch);
    scene.host.add_address("eth0", ROUTABLE, 24);
    let variables = "IFACE=eth0 ADDRFAM=inet METHOD=static";
    let on_link = |scene: &Scene| {
        let is_ours = |net: Ipv4Addr| net == Ipv4Addr::new(169, 254, 0, 0);
        scene.host.routes().iter().filter(|route| is_ours(route.destination)).count()
    };
    assert_eq!(hook(&scene, up, variables), Some(0));
    assert_eq!(on_link(&scene), 1);
    let daemon = scene.start("");
    eventually("our route beside it", SOON, || on_link(&scene) == 2);
    assert_eq!(hook(&scene, up, variables), Some(0));
    assert_eq!(hook(&scene, down, variables), Some(0));
    end(&daemon);
    assert_eq!(on_link(&scene), 1, "theirs is theirs");
}
