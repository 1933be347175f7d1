//! How fast the daemon reacts to what happens to its address.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use autoip_core::Instant;
use autoip_lab::{Change, Process, Recording, Seen, Signal, Way};
use autoip_linux::boottime;
use autoip_linux::rtnl::Event;

use crate::figure::{Figure, ms_between};
use crate::program::{Program, Timing};
use crate::station::{Station, announced, in_parallel};

/// After this a reaction counts as missing.
const LIMIT: Duration = Duration::from_secs(3);

/// The reactions of one daemon, in milliseconds; `None` where one did not come.
#[derive(Default)]
struct Life {
    conflict_to_defence: Option<f64>,
    /// From the second conflict, or the first where that was not defended against.
    conflict_to_last_frame: Option<f64>,
    conflict_to_removal: Option<f64>,
    carrier_to_removal: Option<f64>,
    deletion_to_address: Option<f64>,
    deletion_to_announcement: Option<f64>,
    term_to_exit: Option<f64>,
}

/// The daemons claim at the same time, but are disturbed one after the other.
pub(crate) fn measure(program: &Program, runs: usize) -> Vec<Figure> {
    let stations = Station::several(runs);
    let turn = Mutex::new(());
    let lives = in_parallel(&stations, |station| Subject::live(program, station, &turn));
    let figure =
        |name, value: fn(&Life) -> Option<f64>| Figure::times(name, lives.iter().map(value));
    vec![
        figure("conflict to defence (0-100 ms of it drawn)", |life| life.conflict_to_defence)
            .budget(105.0),
        figure("2nd conflict to last frame with the address", |life| life.conflict_to_last_frame)
            .budget(5.0),
        figure("2nd conflict to address removed", |life| life.conflict_to_removal),
        figure("carrier lost to address removed", |life| life.carrier_to_removal),
        figure("deleted by others to address back", |life| life.deletion_to_address).budget(50.0),
        figure("deleted by others to announced again", |life| life.deletion_to_announcement)
            .budget(50.0),
        figure("SIGTERM to exit, address removed", |life| life.term_to_exit).budget(50.0),
    ]
}

/// A daemon under observation.
struct Subject<'s> {
    station: &'s Station,
    wire: Recording<Seen>,
    changes: Recording<Change>,
    settle_time: Duration,
    turn: &'s Mutex<()>,
}

impl<'s> Subject<'s> {
    /// Starts a daemon, disturbs it in every way, and ends it.
    fn live(program: &Program, station: &'s Station, turn: &'s Mutex<()>) -> Life {
        let mut subject = Self {
            station,
            wire: station.cable.capture(),
            changes: station.host.changes(),
            settle_time: program.settle_time(),
            turn,
        };
        let daemon = station.start(program, Timing::Short);
        let mut life = Life::default();
        let Some(addr) = subject.claimed() else { return life };
        subject.contest(addr, &mut life);
        if let Some(addr) = subject.claimed() {
            life.carrier_to_removal = subject.unplug(addr);
        }
        if let Some(addr) = subject.claimed() {
            subject.delete(addr, &mut life);
        }
        life.term_to_exit = subject.end(&daemon);
        life
    }

    fn take_turn(&self) -> MutexGuard<'s, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is an address, announced to the end.
    fn claimed(&mut self) -> Option<Ipv4Addr> {
        if self.station.address().is_none() {
            let _ = announced(&mut self.wire);
        }
        thread::sleep(self.settle_time);
        self.station.address()
    }

    /// A conflict, and a second one if the first is defended against.
    fn contest(&mut self, addr: Ipv4Addr, life: &mut Life) {
        let _turn = self.take_turn();
        self.changes.skip_to_end();
        let Some(mut at) = self.challenge(addr) else { return };
        let is_defence = |seen: &Seen| seen.is_from_host() && seen.is_announcement_of(addr);
        if let Some(defence) = self.wire.wait(LIMIT, is_defence) {
            life.conflict_to_defence = Some(ms_between(at, defence.at));
            let Some(second_at) = self.challenge(addr) else { return };
            at = second_at;
        }
        let removed = self.changes.wait(LIMIT, |change| change.is_removed(addr));
        life.conflict_to_removal = removed.map(|change| ms_between(at, change.at));
        life.conflict_to_last_frame = self.last_frame(addr, at);
    }

    /// Lets somebody else use `addr`: when that frame reached the host.
    fn challenge(&mut self, addr: Ipv4Addr) -> Option<Instant> {
        self.wire.skip_to_end();
        self.station.peer.announce(addr);
        let is_conflict = |seen: &Seen| seen.way == Way::ToHost && seen.arp.sender_ip == addr;
        self.wire.wait(LIMIT, is_conflict).map(|seen| seen.at)
    }

    /// How long after `since` the host still sent frames with `addr` as sender; zero if it sent
    /// none.
    fn last_frame(&self, addr: Ipv4Addr, since: Instant) -> Option<f64> {
        let frames = self.wire.from_host();
        let last = frames.iter().rfind(|seen| seen.arp.sender_ip == addr)?;
        Some(ms_between(since, last.at.max(since)))
    }

    /// Pulls the cable, and puts it back for what follows.
    fn unplug(&mut self, addr: Ipv4Addr) -> Option<f64> {
        let _turn = self.take_turn();
        self.changes.skip_to_end();
        self.station.cable.pull();
        let lost = self.changes.wait(LIMIT, is_carrier_loss);
        let removed = self.changes.wait(LIMIT, |change| change.is_removed(addr));
        self.wire.skip_to_end();
        self.station.cable.put_back();
        Some(ms_between(lost?.at, removed?.at))
    }

    /// Takes the address off, as an administrator might.
    fn delete(&mut self, addr: Ipv4Addr, life: &mut Life) {
        let _turn = self.take_turn();
        self.changes.skip_to_end();
        self.wire.skip_to_end();
        let at = boottime();
        self.station.host.remove_address(&self.station.interface, addr);
        let back = self.changes.wait(LIMIT, |change| change.is_added(addr));
        life.deletion_to_address = back.map(|change| ms_between(at, change.at));
        let is_announcement = |seen: &Seen| seen.is_from_host() && seen.is_announcement_of(addr);
        let announcement = self.wire.wait(LIMIT, is_announcement);
        life.deletion_to_announcement = announcement.map(|seen| ms_between(at, seen.at));
    }

    fn end(&self, daemon: &Process) -> Option<f64> {
        let _turn = self.take_turn();
        let at = boottime();
        daemon.signal(Signal::SIGTERM);
        daemon.ended_within(LIMIT)?;
        let ended_at = boottime();
        self.station.address().is_none().then(|| ms_between(at, ended_at))
    }
}

fn is_carrier_loss(change: &Change) -> bool {
    matches!(&change.event, Event::LinkChanged(link) if !link.has_carrier())
}
