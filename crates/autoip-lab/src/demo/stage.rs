//! The hosts, cables and daemons of the demo, and the eye that watches them all.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant};

use autoip_lab::{Cable, Host, Peer, Process, Seen, Switch};
use autoip_linux::rtnl::Monitor;
use autoip_linux::{PacketSocket, Signals, boottime};
use autoip_wire::{FRAME_LEN, MacAddr};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal as UnixSignal;

use super::screen::Screen;
use super::state_dir::StateDir;
use super::story::{Happening, Story, What};
use super::{Stop, complain};

/// The numbers of the two hosts among the stations.
pub(super) const CAMERA: usize = 0;
pub(super) const LAPTOP: usize = 1;
/// The third station, which uses addresses that are not its own.
const INTRUDER: usize = 2;

pub(super) const NAMES: [&str; 3] = ["camera", "laptop", "intruder"];
const COLOURS: [&str; 3] = ["36", "32", "31"];
/// Chosen, so that the demo shows the same addresses each time.
const MACS: [MacAddr; 3] = [
    MacAddr([0x02, 0xca, 0x3e, 0x7a, 0x00, 0x01]),
    MacAddr([0x02, 0x1a, 0x97, 0x09, 0x00, 0x02]),
    MacAddr([0x02, 0xba, 0xd0, 0xba, 0xd0, 0x03]),
];

const INTERFACE: &str = "eth0";
/// How often a daemon that ended unexpectedly is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The lines of a daemon's log that are shown when something is missing.
const LOG_TAIL: usize = 12;

/// Everything that the demo has made. All of it goes when this is dropped, the daemons first.
pub(super) struct Stage {
    pub(super) screen: Screen,
    signals: Signals,
    started_at: autoip_core::Instant,
    daemons: Vec<Process>,
    hosts: Vec<Actor>,
    intruder: Peer,
    intruder_tap: PacketSocket,
    _switch: Switch,
}

/// A host with its cable, what watches it, and what was seen.
struct Actor {
    host: Host,
    cable: Cable,
    tap: PacketSocket,
    monitor: Monitor,
    story: Story,
}

impl Actor {
    fn new(switch: &Switch, number: usize) -> Result<Self, Stop> {
        let host = Host::new(NAMES[number]);
        let cable = host.connect_with_mac(switch, INTERFACE, MACS[number]);
        let Some(link) = host.link(INTERFACE) else {
            return Err(Stop::Missing(format!("{} has no {INTERFACE}", NAMES[number])));
        };
        let (tap, monitor) = (cable.tap(), host.monitor());
        Ok(Self { host, cable, tap, monitor, story: Story::new(link.index) })
    }
}

impl Stage {
    /// Builds everything and starts the daemons.
    pub(super) fn build(
        screen: Screen,
        signals: Signals,
        state_dir: &StateDir,
    ) -> Result<Self, Stop> {
        let switch = Switch::new();
        let hosts = vec![Actor::new(&switch, CAMERA)?, Actor::new(&switch, LAPTOP)?];
        let intruder = Peer::with_mac(&switch, MACS[INTRUDER]);
        let intruder_tap = intruder.cable().tap();
        let started_at = boottime();
        let start = |actor: &Actor| actor.host.spawn(daemon(state_dir, actor.host.name()));
        let daemons = hosts.iter().map(start).collect();
        Ok(Self {
            screen,
            signals,
            started_at,
            daemons,
            hosts,
            intruder,
            intruder_tap,
            _switch: switch,
        })
    }

    pub(super) fn host(&self, number: usize) -> &Host {
        &self.hosts[number].host
    }

    pub(super) fn cable(&self, number: usize) -> &Cable {
        &self.hosts[number].cable
    }

    /// The address on the host's interface.
    pub(super) fn address(&self, number: usize) -> Option<Ipv4Addr> {
        self.hosts[number].story.address()
    }

    /// The same, once it has been announced to the end.
    pub(super) fn settled(&self, number: usize) -> Option<Ipv4Addr> {
        self.hosts[number].story.settled()
    }

    /// Lets the intruder use `addr`.
    pub(super) fn challenge(&mut self, addr: Ipv4Addr) {
        for actor in &mut self.hosts {
            actor.story.challenge(addr);
        }
        self.intruder.announce(addr);
    }

    /// Prints something that the demo itself knows.
    pub(super) fn say(&self, station: usize, text: &str) -> io::Result<()> {
        self.print(boottime(), station, text)
    }

    /// Ends the daemons as a service manager does; they must obey within `limit`.
    pub(super) fn end_daemons(&mut self, limit: Duration) -> Result<(), Stop> {
        for daemon in &self.daemons {
            daemon.signal(UnixSignal::SIGTERM);
        }
        for (daemon, name) in self.daemons.iter().zip(NAMES) {
            match daemon.ended_within(limit) {
                Some(status) if status.success() => {}
                Some(status) => {
                    return Err(self.missing(&format!("{name}'s daemon failed, {status}")));
                }
                None => return Err(self.missing(&format!("{name}'s daemon does not end"))),
            }
        }
        self.daemons.clear();
        Ok(())
    }

    /// Removes everything but the screen.
    pub(super) fn strike(self) -> Screen {
        self.screen
    }

    /// Shows what happens for a while.
    pub(super) fn pause(&mut self, duration: Duration) -> Result<(), Stop> {
        self.watch(duration, |_, _| false).map(drop)
    }

    /// Shows what happens until `reached`, which is asked after each event. When that does not
    /// come, the demo ends with the sentence `failure`.
    pub(super) fn until(
        &mut self,
        failure: &str,
        limit: Duration,
        reached: impl Fn(&Self, &Happening) -> bool,
    ) -> Result<(), Stop> {
        if self.watch(limit, reached)? {
            return Ok(());
        }
        Err(self.missing(&format!("{failure} (waited {} s for it)", limit.as_secs())))
    }

    /// Shows everything that happens within `limit`, or until `reached`: was it?
    fn watch(
        &mut self,
        limit: Duration,
        reached: impl Fn(&Self, &Happening) -> bool,
    ) -> Result<bool, Stop> {
        let deadline = Instant::now() + limit;
        loop {
            let mut done = false;
            for happening in self.happenings() {
                self.show(&happening)?;
                done |= reached(self, &happening);
            }
            if let Ok(Some(signal)) = self.signals.next() {
                return Err(Stop::Signal(signal));
            }
            if done || Instant::now() >= deadline {
                return Ok(done);
            }
            if self.daemons.iter().any(|daemon| daemon.status().is_some()) {
                return Err(self.missing("a daemon has ended by itself"));
            }
            self.sleep(deadline)?;
        }
    }

    /// Sleeps until something happens, the deadline passes, or the daemons want a look.
    fn sleep(&self, deadline: Instant) -> Result<(), Stop> {
        let mut fds = vec![self.signals.as_fd(), self.intruder_tap.as_fd()];
        for actor in &self.hosts {
            fds.extend([actor.tap.as_fd(), actor.monitor.as_fd()]);
        }
        let mut fds: Vec<_> = fds.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let left = deadline.saturating_duration_since(Instant::now()).min(LOOK_EVERY);
        let timeout = PollTimeout::try_from(left.as_micros().div_ceil(1000));
        match poll(&mut fds, timeout.unwrap_or(PollTimeout::ZERO)) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(Stop::Missing(format!("nothing can be watched: {errno}"))),
        }
    }

    /// What has happened since the last call: the intruder's frames, then changes of the hosts,
    /// then their frames. That is the order of cause and effect, which the times cannot tell
    /// because that of a change is the time at which it was read.
    fn happenings(&mut self) -> Vec<Happening> {
        let mut all = frames(&self.intruder_tap, INTRUDER);
        for (station, actor) in self.hosts.iter_mut().enumerate() {
            while let Ok(Some(event)) = actor.monitor.next() {
                all.push(Happening { at: boottime(), station, what: What::Change(event) });
            }
        }
        let mut sent: Vec<_> = (self.hosts.iter().enumerate())
            .flat_map(|(station, actor)| frames(&actor.tap, station))
            .collect();
        sent.sort_by_key(|happening| happening.at);
        all.append(&mut sent);
        // No effect may seem to come before its cause.
        for index in (1..all.len()).rev() {
            all[index - 1].at = all[index - 1].at.min(all[index].at);
        }
        all
    }

    fn show(&mut self, happening: &Happening) -> io::Result<()> {
        let &Happening { at, station, ref what } = happening;
        let text = match (self.hosts.get_mut(station), what) {
            (Some(actor), what) => actor.story.tell(what),
            (None, What::Frame(seen)) => {
                Some(format!("claims that {} is its own", seen.arp.sender_ip))
            }
            (None, What::Change(_)) => None,
        };
        text.map_or(Ok(()), |text| self.print(at, station, &text))
    }

    fn print(&self, at: autoip_core::Instant, station: usize, text: &str) -> io::Result<()> {
        self.screen.event(at - self.started_at, NAMES[station], COLOURS[station], text)
    }

    /// Ends the demo with a sentence, after the last words of the daemons.
    fn missing(&self, what: &str) -> Stop {
        for (daemon, name) in self.daemons.iter().zip(NAMES) {
            let log = daemon.log();
            for line in log.iter().skip(log.len().saturating_sub(LOG_TAIL)) {
                complain(&format!("{name}'s daemon: {}", line.text));
            }
        }
        Stop::Missing(what.to_owned())
    }
}

/// The ARP frames that the station at the far end has sent since the last call.
fn frames(tap: &PacketSocket, station: usize) -> Vec<Happening> {
    let mut buffer = [0; FRAME_LEN];
    let mut frames = Vec::new();
    while let Ok(Some(received)) = tap.receive(&mut buffer) {
        if let Some(seen) = Seen::from_received(&received).filter(Seen::is_from_host) {
            frames.push(Happening { at: seen.at, station, what: What::Frame(seen) });
        }
    }
    frames
}

/// This program again, as the daemon.
fn daemon(state_dir: &StateDir, name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    // What this machine has in /etc is nobody's business here.
    command.args(["autoipd", "-v", "-i", INTERFACE, "--config", "/dev/null", "--hooks", "none"]);
    command.args(["--control", "none"]);
    command.arg("--state-dir").arg(state_dir.of(name));
    command
}
