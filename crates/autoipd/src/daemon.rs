//! The loop: one thread that waits, hands what happened to the interfaces it concerns, and sets
//! one timer for what is due next.
//!
//! The order within a turn matters: a resume from sleep first, since it voids what timers and
//! frames would say; then signals, the kernel's notifications, frames, and last what is due.

use std::thread;
use std::time::Duration;

use autoip_core::Instant;
use autoip_linux::rtnl::{Event, Monitor, Rtnl};
use autoip_linux::{
    ClockJump, IfIndex, Poller, Signal, Signals, SuspendWatch, Timer, boottime, capability,
};
use tracing::{debug, info, trace, warn};

use crate::Failure;
use crate::edge::Edge;
use crate::guard::Guard;
use crate::host::Host;
use crate::interface::Interface;
use crate::settings::Settings;
use crate::store::Store;

const TOKEN_SIGNALS: u64 = 0;
const TOKEN_MONITOR: u64 = 1;
const TOKEN_TIMER: u64 = 2;
const TOKEN_CLOCK: u64 = 3;
/// The socket of interface number 0; the others follow.
const TOKEN_SOCKETS: u64 = 4;

/// With at least so much time before anything is due, files are written.
const QUIET: Duration = Duration::from_millis(500);

/// How many sockets one thread closes at the end.
const CLOSED_BY_ONE: usize = 16;

/// The whole daemon.
pub(crate) struct Daemon {
    edge: Edge,
    interfaces: Vec<Interface>,
    signals: Signals,
    monitor: Monitor,
    timer: Timer,
    clock_jump: ClockJump,
    suspend: SuspendWatch,
}

impl Daemon {
    /// Opens everything and begins to manage the interfaces that are there.
    ///
    /// # Errors
    ///
    /// A missing capability, an interface that cannot be managed, or a system call that failed.
    pub(crate) fn start(settings: Settings) -> Result<Self, Failure> {
        let missing = capability::missing();
        if !missing.is_empty() {
            return Err(Failure::Permission(format!(
                "{} missing: run as root, or give the program CAP_NET_ADMIN and CAP_NET_RAW",
                missing.join(" and ")
            )));
        }
        let signals = Signals::new()?;
        // Before the lists are read, so that nothing can change unnoticed in between.
        let monitor = Monitor::open()?;
        let mut rtnl = Rtnl::open()?;
        let host = Host::load(&mut rtnl)?;
        let guard = Guard::start(settings.guard, &settings.exempt, &settings.state_dir);
        let store = Store::new(settings.state_dir);
        let edge = Edge::new(rtnl, Poller::new()?, host, store, guard);
        let mut daemon = Self {
            edge,
            interfaces: settings.interfaces.into_iter().map(Interface::new).collect(),
            signals,
            monitor,
            timer: Timer::new()?,
            clock_jump: ClockJump::new()?,
            suspend: SuspendWatch::new(),
        };
        let poller = &daemon.edge.poller;
        poller.add(&daemon.signals, TOKEN_SIGNALS)?;
        poller.add(&daemon.monitor, TOKEN_MONITOR)?;
        poller.add(&daemon.timer, TOKEN_TIMER)?;
        poller.add(&daemon.clock_jump, TOKEN_CLOCK)?;
        for (interface, token) in daemon.interfaces.iter_mut().zip(TOKEN_SOCKETS..) {
            if let Err(failure) = interface.sync(&mut daemon.edge, token) {
                daemon.stop();
                return Err(failure);
            }
            if interface.device().is_none() {
                info!(interface = interface.name(), "there is no such interface; waiting for it");
            }
        }
        Ok(daemon)
    }

    /// Runs until a signal asks for the end.
    ///
    /// # Errors
    ///
    /// A system call that the loop itself cannot do without failed.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let mut tokens = Vec::new();
        loop {
            let deadline = self.deadline();
            if deadline.is_none_or(|at| at.since(boottime()) >= QUIET) {
                self.edge.store.flush();
            }
            self.timer.set(deadline)?;
            self.edge.poller.wait(&mut tokens)?;
            if let Some(slept) = self.suspend.observe() {
                info!("slept for {} s; claiming all addresses again", slept.as_secs());
                for interface in &mut self.interfaces {
                    interface.on_resume(&mut self.edge);
                }
            }
            if tokens.contains(&TOKEN_SIGNALS) && self.handle_signals()? {
                self.stop();
                close(self.interfaces);
                return Ok(());
            }
            if tokens.contains(&TOKEN_MONITOR) {
                self.handle_notifications()?;
            }
            if tokens.contains(&TOKEN_CLOCK) {
                self.clock_jump.clear()?;
            }
            if tokens.contains(&TOKEN_TIMER) {
                self.timer.clear()?;
            }
            for token in &tokens {
                self.handle_frames(*token);
            }
            for interface in &mut self.interfaces {
                interface.on_timer(&mut self.edge);
            }
            self.hand_out();
        }
    }

    /// Tells everybody who wants to know what happened.
    fn hand_out(&mut self) {
        let (notices, dropped) = self.edge.notices.take();
        if dropped > 0 {
            warn!("too much happened at once; nobody is told of the first {dropped} events");
        }
        for notice in notices {
            trace!("{notice:?}");
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.interfaces.iter().filter_map(Interface::deadline).min()
    }

    /// Whether the end was asked for.
    fn handle_signals(&mut self) -> Result<bool, Failure> {
        while let Some(signal) = self.signals.next()? {
            match signal {
                Signal::Terminate | Signal::Interrupt => return Ok(true),
                Signal::Hangup => {
                    info!("announcing all addresses again");
                    for interface in &mut self.interfaces {
                        if let Some(device) = interface.device() {
                            device.drive(&mut self.edge, |engine| {
                                engine.reannounce(boottime());
                            });
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    fn handle_notifications(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.monitor.next()? {
            self.edge.host.apply(&event);
            match event {
                Event::LinkChanged(link) => self.sync(link.index, Some(&link.name)),
                Event::LinkRemoved(index) => self.sync(index, None),
                Event::AddressAdded(address) | Event::AddressRemoved(address) => {
                    self.sync(address.index, None);
                }
                Event::RouteAdded(_) | Event::RuleAdded(_) => {}
                Event::RouteRemoved(route) => {
                    for device in self.interfaces.iter_mut().filter_map(Interface::device) {
                        device.on_route_removed(&mut self.edge, &route);
                    }
                }
                Event::RuleRemoved(rule) => {
                    for device in self.interfaces.iter_mut().filter_map(Interface::device) {
                        device.on_rule_removed(&mut self.edge, &rule);
                    }
                }
                Event::Overrun => self.resync(),
            }
        }
        Ok(())
    }

    /// Brings the interfaces in step that a change of one link concerns.
    fn sync(&mut self, index: IfIndex, name: Option<&str>) {
        for (interface, token) in self.interfaces.iter_mut().zip(TOKEN_SOCKETS..) {
            if interface.concerns(index, name)
                && let Err(failure) = interface.sync(&mut self.edge, token)
            {
                warn!("{failure}");
            }
        }
    }

    /// Notifications were lost: reads everything anew and brings every interface in step.
    fn resync(&mut self) {
        debug!("the kernel's notifications came too fast; reading everything again");
        match Host::load(&mut self.edge.rtnl) {
            Ok(host) => self.edge.host = host,
            Err(error) => return warn!("{error}"),
        }
        for (interface, token) in self.interfaces.iter_mut().zip(TOKEN_SOCKETS..) {
            if let Err(failure) = interface.sync(&mut self.edge, token) {
                warn!("{failure}");
            }
            if let Some(device) = interface.device() {
                device.renew_routes(&mut self.edge);
            }
        }
    }

    fn handle_frames(&mut self, token: u64) {
        let slot = token.checked_sub(TOKEN_SOCKETS).and_then(|slot| usize::try_from(slot).ok());
        if let Some(interface) = slot.and_then(|slot| self.interfaces.get_mut(slot)) {
            interface.on_frames(&mut self.edge);
        }
    }

    /// Takes all addresses off.
    fn stop(&mut self) {
        for interface in &mut self.interfaces {
            interface.stop(&mut self.edge);
        }
        self.edge.guard.end(&mut self.edge.rtnl);
        self.hand_out();
        self.edge.store.flush();
    }
}

/// Closes all sockets. Each close of a packet socket waits some ten milliseconds for the kernel;
/// on several threads they wait together.
fn close(mut interfaces: Vec<Interface>) {
    thread::scope(|scope| {
        while !interfaces.is_empty() {
            let rest = interfaces.split_off(interfaces.len().min(CLOSED_BY_ONE));
            let some = std::mem::replace(&mut interfaces, rest);
            scope.spawn(move || drop(some));
        }
    });
}
