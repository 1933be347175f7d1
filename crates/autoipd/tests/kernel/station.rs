//! A virtual host that the daemon runs on, with its cable under observation; and what the tests
//! ask and expect again and again.

use std::fs;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use autoip_core::{AddrRange, DEFAULT_KEY, Instant, Sequence};
use autoip_lab::{Cable, Change, Host, Peer, Process, Recording, Seen, Switch};
use autoip_linux::boottime;
use autoip_linux::rtnl::{Address, Event, Route, Rtnl, Rule};
use autoip_wire::{ArpPacket, MacAddr, Operation};

/// The address that most tests let the daemon begin with.
pub(crate) const X: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 7);
/// An address that asks for others and belongs to nobody else.
pub(crate) const ASKER: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 9);
/// The mark on everything that the daemon puts into the kernel.
pub(crate) const MARK: u8 = 169;

/// A claim in one to two seconds, for tests that are about something else.
pub(crate) const QUICK: &str = "-i eth0 -s 169.254.7.7 -p 1 -a 1 -w 1";

/// For what is done at once. A busy machine makes everything late.
pub(crate) const SOON: Duration = Duration::from_secs(2);
/// How much earlier than its time a thing may happen: the clocks differ a little.
pub(crate) const EARLY: Duration = Duration::from_millis(10);
/// How much later than its time a thing may happen on a busy machine.
pub(crate) const LATE: Duration = Duration::from_millis(400);
/// How much longer a change of addresses or routes may take: the kernel has one lock for the
/// networks of all namespaces, and the tests beside this one make and remove interfaces.
pub(crate) const LOCK: Duration = Duration::from_millis(1000);
/// A claim from its beginning to the first announcement, at most; the rest is for the machine.
pub(crate) const CLAIM: Duration = Duration::from_secs(9);

pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A host with one interface, eth0, on a switch.
pub(crate) struct Station {
    pub(crate) wire: Recording<Seen>,
    pub(crate) changes: Recording<Change>,
    pub(crate) cable: Cable,
    pub(crate) host: Host,
    pub(crate) memory: Memory,
}

impl Station {
    /// A host whose interface has a carrier. No daemon runs yet.
    pub(crate) fn new(switch: &Switch) -> Self {
        let host = Host::new("station");
        let cable = host.connect(switch, "eth0");
        let (wire, changes) = (cable.capture(), host.changes());
        Self { wire, changes, cable, host, memory: Memory::new() }
    }

    /// The same with the daemon running.
    pub(crate) fn with_daemon(switch: &Switch, options: &str) -> (Self, Process) {
        let station = Self::new(switch);
        let daemon = station.start(options);
        (station, daemon)
    }

    /// The same with `X` claimed; the claim was a short one.
    pub(crate) fn with_address(switch: &Switch) -> (Self, Process) {
        let (mut station, daemon) = Self::with_daemon(switch, QUICK);
        station.expect_announcement(X);
        station.await_route(X);
        (station, daemon)
    }

    /// Starts the daemon.
    pub(crate) fn start(&self, options: &str) -> Process {
        self.host.spawn(autoipd(options, self.memory.dir()))
    }

    /// Starts the daemon with or without its guard, and waits until it has claimed `X` and put
    /// everything into the kernel that belongs to it.
    #[track_caller]
    pub(crate) fn claim(&mut self, guarded: bool, options: &str) -> Process {
        let guard = if guarded { "" } else { "--guard off" };
        self.wire.skip_to_end();
        let daemon = self.start(&format!("{QUICK} {options} {guard}"));
        self.expect_announcement(X);
        self.host.expect("routes of the address", SOON, |host| {
            let routed = !self.routes().is_empty();
            (routed && (!guarded || !rules(host).is_empty())).then_some(())
        });
        daemon
    }

    pub(crate) fn mac(&self) -> MacAddr {
        self.host.mac("eth0")
    }

    /// The addresses on eth0 that bear the daemon's mark.
    pub(crate) fn marked(&self) -> Vec<Address> {
        let mut addresses = self.host.addresses("eth0");
        addresses.retain(|address| address.protocol == MARK);
        addresses
    }

    /// The routes that bear the daemon's mark.
    pub(crate) fn routes(&self) -> Vec<Route> {
        self.host.routes().into_iter().filter(|route| route.protocol == MARK).collect()
    }

    /// Asserts that `addr` and its route are there, and nothing else of the daemon's.
    #[track_caller]
    pub(crate) fn assert_bound(&self, addr: Ipv4Addr) {
        let ips: Vec<_> = self.marked().iter().map(|address| address.ip).collect();
        assert_eq!(ips, [addr], "the address");
        let sources: Vec<_> = self.routes().iter().map(|route| route.source).collect();
        assert_eq!(sources, [Some(addr)], "the route");
    }

    /// Asserts that nothing of the daemon's is in the kernel.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert_eq!((self.marked(), self.routes()), (Vec::new(), Vec::new()));
    }

    /// Waits until nothing of the daemon's is in the kernel, which does not report the end of a
    /// route that falls with its address.
    #[track_caller]
    pub(crate) fn await_clean(&self) {
        let deadline = boottime() + LATE + LOCK;
        while !(self.marked().is_empty() && self.routes().is_empty()) {
            assert!(boottime() < deadline, "{:?} {:?}", self.marked(), self.routes());
            thread::sleep(ms(1));
        }
    }

    /// Waits until the route of `addr` is there: the last thing that a claim does to the kernel.
    #[track_caller]
    pub(crate) fn await_route(&self, addr: Ipv4Addr) {
        self.host.expect("route of the address", SOON, |_| {
            self.routes().iter().any(|route| route.source == Some(addr)).then_some(())
        });
    }

    /// The next probe, for whatever address.
    #[track_caller]
    pub(crate) fn expect_probe(&mut self) -> Seen {
        self.wire.expect("probe", s(4), |seen| seen.is_from_host() && seen.is_probe())
    }

    #[track_caller]
    pub(crate) fn expect_probe_for(&mut self, addr: Ipv4Addr) -> Seen {
        self.wire.expect("probe", s(4), |seen| seen.is_from_host() && seen.is_probe_for(addr))
    }

    /// The next probe for any address but `addr`.
    #[track_caller]
    pub(crate) fn expect_probe_beside(&mut self, addr: Ipv4Addr) -> Seen {
        self.wire.expect("probe for another address", s(4), |seen| {
            seen.is_from_host() && seen.is_probe() && seen.arp.target_ip != addr
        })
    }

    /// The next announcement of `addr`.
    #[track_caller]
    pub(crate) fn expect_announcement(&mut self, addr: Ipv4Addr) -> Seen {
        self.wire.expect("announcement", CLAIM, |seen| {
            seen.is_from_host() && seen.is_announcement_of(addr)
        })
    }

    /// A whole claim of `addr` as RFC 3927 says, with all its times: the last announcement.
    #[track_caller]
    pub(crate) fn expect_full_claim(&mut self, addr: Ipv4Addr) -> Seen {
        let [first, second, last] = [(); 3].map(|()| self.expect_probe_for(addr));
        assert_between("second probe", second.at - first.at, s(1)..=s(2));
        assert_between("third probe", last.at - second.at, s(1)..=s(2));
        let announced = self.expect_announcement(addr);
        assert_between("first announcement", announced.at - last.at, s(2)..=s(2) + LOCK);
        let again = self.expect_announcement(addr);
        assert_between("second announcement", again.at - announced.at, s(2)..=s(2));
        let between = |seen: &Seen| (first.at..=again.at).contains(&seen.at) && seen.is_from_host();
        let own: Vec<_> = self.wire.filtered(|seen| between(seen) && !is_reply(seen));
        assert_eq!(own.len(), 5, "three probes and two announcements: {own:#?}");
        again
    }

    /// Watches the cable for as long as `during`: nothing that `unwanted` accepts may appear.
    #[track_caller]
    pub(crate) fn expect_none(
        &mut self,
        what: &str,
        during: Duration,
        unwanted: impl Fn(&Seen) -> bool,
    ) {
        if let Some(seen) = self.wire.wait(during, |seen| seen.is_from_host() && unwanted(seen)) {
            panic!("{what}: {seen}");
        }
    }

    /// What the host sent with `addr` as its own.
    pub(crate) fn sent_as(&self, addr: Ipv4Addr) -> Vec<Seen> {
        self.wire.filtered(|seen| seen.is_from_host() && seen.arp.sender_ip == addr)
    }

    /// Waits until `addr` goes from the interface.
    #[track_caller]
    pub(crate) fn expect_removal(&mut self, addr: Ipv4Addr) -> Change {
        self.changes.expect("removal of the address", SOON, |change| change.is_removed(addr))
    }

    /// Puts the cable back: when the kernel's network took notice, at the latest.
    pub(crate) fn put_back(&mut self) -> Instant {
        self.changes.skip_to_end();
        self.cable.put_back();
        self.changes.expect("carrier", SOON, has_carrier).at
    }
}

/// The command that runs the daemon.
pub(crate) fn autoipd(options: &str, state_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoipd"));
    command.args(options.split_whitespace()).arg("--state-dir").arg(state_dir);
    // What this machine has in /etc is nobody's business here.
    if !options.contains("--config") {
        command.args(["--config", "/dev/null"]);
    }
    if !options.contains("--hooks") {
        command.args(["--hooks", "none"]);
    }
    // Daemons in other namespaces of a test see the same files.
    if !options.contains("--control") {
        command.args(["--control", "none"]);
    }
    command.env_remove("JOURNAL_STREAM");
    command
}

/// The directory of the daemon's memory, removed at the end.
pub(crate) struct Memory(PathBuf);

impl Memory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("autoipd-kernel-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }

    /// Where the address of `mac` is remembered.
    pub(crate) fn file(&self, mac: MacAddr) -> PathBuf {
        self.0.join(mac.to_string())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs every case at the same time as the others; a failure is reported under its name.
pub(crate) fn each<T: Sync>(cases: &[(&str, T)], run: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for (name, case) in cases {
            let run = || run(case);
            thread::Builder::new().name((*name).to_owned()).spawn_scoped(scope, run).unwrap();
        }
    });
}

/// Shows something with the guard, and without it that the kernel does the opposite by itself.
pub(crate) fn with_and_without_guard(run: impl Fn(bool) + Sync) {
    each(&[("with the guard", true), ("without the guard", false)], |&guarded| run(guarded));
}

/// Lets `peer` ask for `addr` every 20 ms as long as `meanwhile` runs.
pub(crate) fn while_asking<T>(peer: &Peer, addr: Ipv4Addr, meanwhile: impl FnOnce() -> T) -> T {
    while_asking_every(ms(20), peer, addr, meanwhile)
}

/// The same with another pause between the questions.
pub(crate) fn while_asking_every<T>(
    pause: Duration,
    peer: &Peer,
    addr: Ipv4Addr,
    meanwhile: impl FnOnce() -> T,
) -> T {
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = End(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peer.broadcast(&request(peer.mac(), addr));
                thread::sleep(pause);
            }
        });
        meanwhile()
    })
}

/// An ordinary request for `addr` from a host that has an address.
pub(crate) fn request(mac: MacAddr, addr: Ipv4Addr) -> ArpPacket {
    ArpPacket {
        operation: Operation::Request,
        sender_mac: mac,
        sender_ip: ASKER,
        target_mac: MacAddr::ZERO,
        target_ip: addr,
    }
}

pub(crate) fn is_reply(seen: &Seen) -> bool {
    seen.arp.operation == Operation::Reply
}

pub(crate) fn has_carrier(change: &Change) -> bool {
    matches!(&change.event, Event::LinkChanged(link) if link.has_carrier())
}

/// The address that a host with this MAC address tries first when nobody says otherwise.
pub(crate) fn first_of(mac: MacAddr) -> Ipv4Addr {
    Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL).next().unwrap().ip()
}

/// Asks for or changes something about the network of `host` that has no name in the lab.
pub(crate) fn change<T: Send>(host: &Host, what: impl FnOnce(&mut Rtnl) -> T + Send) -> T {
    host.run(|| what(&mut Rtnl::open().unwrap()))
}

/// The routing rules that bear the daemon's mark.
pub(crate) fn rules(host: &Host) -> Vec<Rule> {
    let mut rules = change(host, |rtnl| rtnl.rules().unwrap());
    rules.retain(|rule| rule.protocol == MARK);
    rules
}

/// Pauses until `at`: some things have to happen at a certain time.
pub(crate) fn pause_until(at: Instant) {
    thread::sleep(at - boottime());
}

/// Waits until something is so that nobody reports.
#[track_caller]
pub(crate) fn eventually(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = boottime() + limit;
    while !is_so() {
        assert!(boottime() < deadline, "not within {limit:?}: {what}");
        thread::sleep(ms(1));
    }
}

/// Asserts that something took the time that it should, within what a busy machine explains.
#[track_caller]
pub(crate) fn assert_between(what: &str, took: Duration, nominal: RangeInclusive<Duration>) {
    let (min, max) = (nominal.start().saturating_sub(EARLY), *nominal.end() + LATE);
    assert!(took >= min, "{what} after {took:?}, earlier than {min:?}");
    assert!(took <= max, "{what} after {took:?}, later than {max:?}");
}

/// How many lines of the daemon's log contain `text`.
pub(crate) fn lines_with(daemon: &Process, text: &str) -> usize {
    daemon.log().iter().filter(|line| line.text.contains(text)).count()
}

/// Waits until so many lines of the daemon's log contain `text`.
#[track_caller]
pub(crate) fn await_lines(daemon: &Process, text: &str, count: usize) {
    let deadline = boottime() + SOON;
    while lines_with(daemon, text) < count {
        assert!(boottime() < deadline, "no {count} lines with {text:?} within {SOON:?}");
        thread::sleep(ms(1));
    }
}
