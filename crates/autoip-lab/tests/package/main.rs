//! The packages, installed, upgraded and removed on a clean system with systemd running. That is a
//! Debian, on which the package for Fedora and its like has to do as well.
//!
//! Takes the packages that `dist/build-packages` has made; where there is none, or a tool or root's
//! rights are missing, the tests are reported as ignored with the reason. The system is one that
//! debootstrap makes, kept beside the build output; each test works on a copy of its own that
//! vanishes with it.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod system;

use std::process::ExitCode;
use std::time::Duration;

use autoip_lab::{Host, Recording, Seen, Switch, tests};
use autoip_linux::rtnl::Address;

use archive::Archive;
use system::System;

/// For starting and ending programs on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// For a claim, which takes seven seconds, on a busy machine.
const CLAIM: Duration = Duration::from_secs(60);

/// The protocol number on the daemon's addresses.
const MARK: u8 = 169;

fn main() -> ExitCode {
    // Before this process leaves the machine's network.
    if archive::is_built() {
        system::prepare();
    }
    autoip_lab::test_main(&tests![
        installing_starts_the_daemon,
        an_upgrade_keeps_the_configuration_and_the_address,
        removing_takes_the_daemon_and_its_addresses_off,
        purging_leaves_nothing,
        it_takes_the_place_of_avahi_autoipd,
        an_rpm_is_installed_upgraded_and_removed,
    ])
}

/// A clean system on a link.
struct Desk {
    system: System,
    wire: Recording<Seen>,
    host: Host,
    _switch: Switch,
}

impl Desk {
    fn new(name: &str) -> Self {
        let _must_be_there = archive::built();
        let (switch, host) = (Switch::new(), Host::new(name));
        let wire = host.connect(&switch, "port0").capture();
        let system = System::boot(&host);
        // As unconfigured, the daemon takes no virtual Ethernet, which belongs to containers.
        system.run("ip link add br0 type bridge && ip link set port0 master br0 up");
        system.run("ip link set br0 up");
        Self { system, wire, host, _switch: switch }
    }

    fn with_package(name: &str) -> Self {
        let desk = Self::new(name);
        desk.install(&archive::built());
        desk
    }

    fn install(&self, archive: &Archive) {
        self.system.put("/root/package.deb", &archive.bytes());
        self.system.run("dpkg --install /root/package.deb");
    }

    /// What the daemon has put onto the interface.
    fn ours(&self) -> Option<Address> {
        let addresses = self.host.addresses("br0");
        addresses.into_iter().find(|address| address.ip.octets()[..2] == [169, 254])
    }

    fn claimed(&self) -> Address {
        self.host.expect("link-local address", CLAIM, |_| self.ours())
    }

    fn is_active(&self) -> bool {
        self.system.answer("systemctl is-active autoipd || true") == "active"
    }

    fn is_there(&self, path: &str) -> bool {
        self.system.answer(&format!("test -e {path} && echo yes || true")) == "yes"
    }

    fn has_daemon(&self) -> bool {
        !self.system.answer("cat /proc/[0-9]*/comm | grep -x autoipd || true").is_empty()
    }
}

fn installing_starts_the_daemon() {
    let mut desk = Desk::with_package("install");
    let addr = desk.claimed().ip;
    desk.wire.expect("announcement", SOON, |seen| {
        seen.is_from_host() && seen.arp.sender_ip == addr && seen.arp.target_ip == addr
    });
    assert!(desk.is_active());
    assert_eq!(desk.system.answer("systemctl is-enabled autoipd"), "enabled");
    assert_eq!(desk.system.answer("dpkg --verify autoip"), "");
    for path in [
        "/usr/sbin/avahi-autoipd",
        "/etc/autoip/hooks.d",
        "/usr/share/man/man1/autoipctl.1.gz",
        "/usr/share/man/man8/autoipd.8.gz",
        "/usr/share/man/man5/autoipd.toml.5.gz",
        "/usr/share/bash-completion/completions/autoipd",
    ] {
        assert!(desk.is_there(path), "no {path}");
    }
    assert!(desk.system.answer("getent group netdev").starts_with("netdev:"));
    let version = desk.system.answer("autoipd --version");
    assert_eq!(version, format!("autoipd {}", env!("CARGO_PKG_VERSION")));
    // The socket is where the tool looks for it, for readers and for root.
    let status = desk.system.answer("setpriv --reuid nobody --clear-groups autoipctl status");
    assert!(status.contains("br0") && status.contains(&addr.to_string()), "{status}");
    desk.system.run("autoipctl reannounce br0");
    let refused = "! setpriv --reuid nobody --clear-groups autoipctl reannounce br0 2>&1";
    assert!(desk.system.answer(refused).contains("netdev"));
}

fn an_upgrade_keeps_the_configuration_and_the_address() {
    let desk = Desk::with_package("upgrade");
    let before = desk.claimed();
    let main_pid = "systemctl show --property MainPID --value autoipd";
    let first = desk.system.answer(main_pid);
    desk.system.run("echo 'verbosity = \"debug\" # ours' >>/etc/autoip/autoipd.toml");
    // A file that has changed on both sides is asked about, unless the answer is given.
    let newer = archive::built().with_version("9.9.9-1").with_line("/etc/autoip/autoipd.toml");
    desk.system.put("/root/package.deb", &newer.bytes());
    desk.system.run("dpkg --force-confold --install /root/package.deb");
    let version = "dpkg-query --show --showformat '${Version}' autoip";
    assert_eq!(desk.system.answer(version), "9.9.9-1");
    let ours = desk.system.answer("grep -c '# ours' /etc/autoip/autoipd.toml");
    assert_eq!(ours, "1", "the administrator's line is gone");
    assert!(desk.is_active());
    assert_ne!(desk.system.answer(main_pid), first, "the old daemon is still running");
    assert_eq!(desk.claimed().ip, before.ip);
    // It was read, too: only then is this said.
    desk.host.expect("debug line", SOON, |_| {
        let log = desk.system.answer("journalctl --unit autoipd --no-pager --output cat");
        log.contains("probing for").then_some(())
    });
}

fn removing_takes_the_daemon_and_its_addresses_off() {
    let desk = Desk::with_package("removal");
    let address = desk.claimed();
    assert_eq!(address.protocol, MARK);
    desk.system.run("dpkg --remove autoip");
    assert_eq!(desk.ours(), None);
    assert!(!desk.host.routes().iter().any(|route| route.protocol == MARK));
    assert!(!desk.is_active() && !desk.has_daemon());
    assert!(!desk.is_there("/usr/sbin/autoipd") && !desk.is_there("/usr/sbin/avahi-autoipd"));
    assert!(desk.is_there("/etc/autoip/autoipd.toml"), "removing is not purging");
}

fn purging_leaves_nothing() {
    let desk = Desk::with_package("purge");
    desk.claimed();
    desk.host.expect("remembered address", SOON, |_| {
        let remembered = desk.system.answer("ls /var/lib/autoip/ | wc -l");
        (remembered != "0").then_some(())
    });
    desk.system.run("dpkg --purge autoip");
    assert_eq!(desk.ours(), None);
    let left = "find / -xdev ( -name '*autoip*' ) -not -path '/var/log/*' -not -path '/root/*'";
    let left = desk.system.answer(&left.replace('(', "\\(").replace(')', "\\)"));
    assert_eq!(left, "");
}

fn it_takes_the_place_of_avahi_autoipd() {
    let desk = Desk::new("avahi");
    let other = Archive::make("avahi-autoipd", "0.8-10", "/usr/sbin/avahi-autoipd");
    desk.system.put("/root/other.deb", &other.bytes());
    desk.system.run("dpkg --install /root/other.deb");
    desk.install(&archive::built());
    let status = "dpkg-query --show --showformat '${db:Status-Status}' avahi-autoipd || true";
    assert_ne!(desk.system.answer(status), "installed");
    assert_eq!(desk.system.answer("readlink /usr/sbin/avahi-autoipd"), "autoipd");
    // Whoever depends on that program has it.
    let user = Archive::depending("user-of-it", "avahi-autoipd");
    desk.system.put("/root/user.deb", &user.bytes());
    desk.system.run("dpkg --install /root/user.deb");
}

fn an_rpm_is_installed_upgraded_and_removed() {
    let rpm = archive::built_rpm();
    let desk = Desk::new("rpm");
    desk.system.put("/root/package.rpm", &rpm);
    // What it needs was not installed by rpm.
    desk.system.run("rpm --install --nodeps /root/package.rpm");
    // Presets decide, and those of Debian want every service.
    assert_eq!(desk.system.answer("systemctl is-enabled autoipd"), "enabled");
    assert!(!desk.is_active(), "who installs it starts it");
    desk.system.run("systemctl start autoipd");
    let before = desk.claimed();
    assert!(desk.system.answer("getent group netdev").starts_with("netdev:"));
    assert!(desk.is_there("/etc/autoip/hooks.d"));
    let version = desk.system.answer("avahi-autoipd --version");
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");

    let main_pid = "systemctl show --property MainPID --value autoipd";
    let first = desk.system.answer(main_pid);
    desk.system.run("echo '# ours' >>/etc/autoip/autoipd.toml");
    desk.system.run("rpm --upgrade --force --nodeps /root/package.rpm");
    assert!(desk.is_active() && desk.system.answer(main_pid) != first);
    assert_eq!(desk.system.answer("grep -c '# ours' /etc/autoip/autoipd.toml"), "1");
    assert_eq!(desk.claimed().ip, before.ip);

    desk.system.run("rpm --erase autoip");
    assert_eq!(desk.ours(), None);
    assert!(!desk.is_active() && !desk.has_daemon());
    assert!(!desk.is_there("/usr/sbin/autoipd") && !desk.is_there("/usr/sbin/avahi-autoipd"));
    assert!(desk.is_there("/etc/autoip/autoipd.toml.rpmsave"), "the administrator's line is kept");
    assert!(!desk.is_there("/etc/autoip/hooks.d"));
}
