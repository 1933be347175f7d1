//! The loop: one thread that waits, hands what happened to the interfaces it concerns, and sets
//! one timer for what is due next.
//!
//! The order within a turn matters: a resume from sleep first, since it voids what timers and
//! frames would say; then signals, the kernel's notifications, frames, what is due, and last
//! the clients of the control socket.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use autoip_core::Instant;
use autoip_linux::confine::Keep;
use autoip_linux::rtnl::{Event, Monitor, Rtnl};
use autoip_linux::{
    ClockJump, IfIndex, Poller, Signal, Signals, SuspendWatch, Timer, boottime, capability,
};
use tracing::{debug, info, trace, warn};

use crate::Failure;
use crate::aside::{self, drop_aside};
use crate::control::{Control, Scene};
use crate::device::Device;
use crate::edge::Edge;
use crate::guard::{Ended, Guard};
use crate::hooks::Hooks;
use crate::host::Host;
use crate::interface::Interface;
use crate::role::{End, Role};
use crate::roster::Roster;
use crate::routes::Present;
use crate::runner::Errand;
use crate::sandbox::{self, GivenUp, Sandbox};
use crate::selection::{Rule, Selection};
use crate::service::Service;
use crate::settings::{ProcessSettings, Settings};
use crate::source::Source;
use crate::store::Store;

const TOKEN_SIGNALS: u64 = 0;
const TOKEN_MONITOR: u64 = 1;
const TOKEN_TIMER: u64 = 2;
const TOKEN_CLOCK: u64 = 3;
const TOKEN_HOOKS: u64 = 4;
const TOKEN_SIBLINGS: u64 = 5;
/// The sockets of the first interface; the others follow.
const TOKEN_INTERFACES: u64 = 6;

/// With at least so much time before anything is due, files are written.
const QUIET: Duration = Duration::from_millis(500);

/// After how long everything is read again when that failed.
const RESYNC_PAUSE: Duration = Duration::from_secs(1);

/// The whole daemon.
pub(crate) struct Daemon {
    edge: Edge,
    interfaces: Roster,
    /// Where the settings are read again.
    source: Source,
    process: ProcessSettings,
    signals: Signals,
    monitor: Monitor,
    timer: Timer,
    clock_jump: ClockJump,
    suspend: SuspendWatch,
    /// What is known of the kernel is not what is; when to read everything again.
    stale_until: Option<Instant>,
    hooks: Hooks,
    role: Role,
    service: Service,
    control: Control,
    given_up: GivenUp,
}

impl Daemon {
    /// Opens everything and begins to manage the interfaces that are there.
    ///
    /// # Errors
    ///
    /// A missing capability, an interface that cannot be managed, or a system call that failed.
    pub(crate) fn start(
        source: Source,
        settings: Settings,
        hooks: Hooks,
        role: Role,
    ) -> Result<Self, Failure> {
        let Settings { rules, named, process } = settings;
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
        let mut guard = Guard::start(process.guard, &process.exempt, &process.state_dir)?;
        guard.add_gateways(rtnl.gateways()?);
        let store = Store::new(process.state_dir.clone());
        let mut edge = Edge::new(rtnl, Poller::new()?, host, store, guard);
        edge.by_script = hooks.configure();
        let control = Control::start(process.control.as_deref(), &edge.poller)?;
        let mut daemon = Self {
            edge,
            interfaces: Roster::new(Selection::new(rules, named), TOKEN_INTERFACES),
            source,
            process,
            signals,
            monitor,
            timer: Timer::new()?,
            clock_jump: ClockJump::new()?,
            suspend: SuspendWatch::new(),
            stale_until: None,
            hooks,
            role,
            service: Service::new(),
            control,
            given_up: GivenUp::default(),
        };
        let poller = &daemon.edge.poller;
        poller.add(&daemon.signals, TOKEN_SIGNALS)?;
        poller.add(&daemon.monitor, TOKEN_MONITOR)?;
        poller.add(&daemon.timer, TOKEN_TIMER)?;
        poller.add(&daemon.clock_jump, TOKEN_CLOCK)?;
        let left_over = Present::load(&mut daemon.edge.rtnl)?;
        left_over.remove_strays(&mut daemon.edge.rtnl, &daemon.edge.host)?;
        daemon.edge.left_over = Some(left_over);
        if let Some(line) = daemon.hooks.line() {
            poller.add(line, TOKEN_HOOKS)?;
        }
        if let Err(failure) = daemon.interfaces.start(&mut daemon.edge) {
            daemon.stop();
            return Err(failure);
        }
        daemon.edge.left_over = None;
        Ok(daemon)
    }

    /// Gives up for good what the rest of the daemon's life does not need.
    pub(crate) fn confine(&mut self, sandbox: &Sandbox) {
        let places = sandbox::places(
            &self.process.state_dir,
            self.source.path(),
            self.process.control.as_deref(),
        );
        let drivers = self.interfaces.selection.asks_for_drivers();
        let keep = Keep { worker: self.hooks.runner_pid(), drivers };
        self.given_up = sandbox.close(&places, keep);
    }

    /// Lets whoever waits for it go on: the daemon is up.
    pub(crate) fn report(&mut self) {
        self.role.report();
    }

    /// Runs until a signal asks for the end.
    ///
    /// # Errors
    ///
    /// A system call that the loop itself cannot do without failed.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let mut tokens = Vec::new();
        self.service.ready();
        loop {
            self.edge.siblings.settle(&self.edge.poller, TOKEN_SIBLINGS);
            // Clients never keep files from being written.
            let deadline = self.deadline();
            if deadline.is_none_or(|at| at.since(boottime()) >= QUIET) {
                self.edge.store.flush();
            }
            self.timer.set(deadline.into_iter().chain(self.control.deadline()).min())?;
            self.edge.poller.wait(&mut tokens)?;
            if let Some(slept) = self.suspend.observe() {
                info!("slept for {} s; claiming all addresses again", slept.as_secs());
                self.interfaces.for_each(&mut self.edge, Interface::on_resume);
                self.control.on_resume();
            }
            if tokens.contains(&TOKEN_SIGNALS) && self.handle_signals()? {
                return self.end(End::Asked);
            }
            if tokens.contains(&TOKEN_MONITOR) {
                self.handle_notifications()?;
            }
            if tokens.contains(&TOKEN_CLOCK) {
                self.clock_jump.clear()?;
            }
            if tokens.contains(&TOKEN_HOOKS) {
                self.handle_errands();
            }
            if tokens.contains(&TOKEN_SIBLINGS) {
                self.edge.siblings.on_readable(&self.edge.host);
            }
            if tokens.contains(&TOKEN_TIMER) {
                self.timer.clear()?;
            }
            for token in &tokens {
                self.interfaces.on_readable(&mut self.edge, *token);
            }
            self.interfaces.on_timer(&mut self.edge, boottime());
            self.on_timer();
            self.serve(&tokens);
            self.hand_out();
            self.control.settle();
            self.service.on_turn();
            if let Some(end) = self.role.end(&mut self.interfaces, &mut self.edge) {
                return self.end(end);
            }
        }
    }

    /// Does what is due and belongs to no interface alone.
    fn on_timer(&mut self) {
        if self.stale_until.is_some_and(|at| at <= boottime()) {
            self.resync();
        }
        self.edge.guard.on_timer();
        if self.edge.guard.settle(&mut self.edge.rtnl) {
            self.interfaces.for_each_device(&mut self.edge, Device::on_tier_changed);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.edge.guard.retry_at().into_iter().chain(self.stale_until);
        let own = own.chain(self.service.deadline());
        self.interfaces.deadline().into_iter().chain(own).min()
    }

    /// Tells everybody who wants to know what happened.
    fn hand_out(&mut self) {
        let (notices, dropped) = self.edge.notices.take();
        if dropped > 0 {
            warn!("too much happened at once; nobody is told of the first {dropped} events");
        }
        for notice in &notices {
            trace!("{notice:?}");
            self.hooks.tell(notice);
            self.role.tell(notice);
            self.service.tell(notice);
        }
        let mut scene = Scene { edge: &mut self.edge, roster: &mut self.interfaces };
        self.control.on_notices(&notices, &mut scene);
        if self.edge.by_script && !self.hooks.configure() {
            self.edge.by_script = false;
            self.interfaces.for_each_device(&mut self.edge, Device::take_over);
        }
    }

    /// The script has done something that was waited for.
    fn handle_errands(&mut self) {
        if let Some(Errand { index, addr, wanted }) = self.hooks.on_ready() {
            self.interfaces.with_device(&mut self.edge, index, |device, edge| {
                device.on_errand(edge, addr, wanted);
            });
        }
    }

    /// Lets clients have their turn, after everything that the protocol wants.
    fn serve(&mut self, tokens: &[u64]) {
        let mut scene = Scene { edge: &mut self.edge, roster: &mut self.interfaces };
        for client in self.control.serve(tokens, &mut scene) {
            info!("reading the configuration again for a client");
            let result = self.reload().map_err(|failure| failure.to_string());
            if let Err(why) = &result {
                warn!("{why}; everything stays as it is");
            }
            self.control.reloaded(client, result);
        }
    }

    /// Reads the configuration file again. Addresses that stay valid stay; a file with mistakes
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub(crate) fn reload(&mut self) -> Result<(), Failure> {
        let Settings { rules, named, process } = self.source.load().map_err(|failure| {
            if !self.is_out_of_reach(self.source.path()) {
                return failure;
            }
            Failure::Refused(format!(
                "{failure}; in its sandbox the daemon reads only from the directory that the file \
                 was in at the start, and only what everybody or its own user may read: restart it"
            ))
        })?;
        if self.given_up.drivers && rules.iter().chain(&named).any(Rule::asks_for_driver) {
            return Err(Failure::Refused(
                "the first match by driver needs a restart: the daemon started without need for \
                 drivers, and gave up the system call that asks for them"
                    .to_owned(),
            ));
        }
        let fixed = self.process.keys_that_differ(&process);
        if !fixed.is_empty() {
            warn!("other values of {} take effect at the next start", fixed.join(", "));
        }
        self.interfaces.selection.set_rules(rules, named);
        for failure in self.interfaces.on_change_of_all(&mut self.edge) {
            warn!("{failure}");
        }
        Ok(())
    }

    /// Whether the sandbox keeps a file from being read.
    fn is_out_of_reach(&self, path: &Path) -> bool {
        let is_refused = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        self.given_up.files && File::open(path).is_err_and(is_refused)
    }

    /// Whether the end was asked for.
    fn handle_signals(&mut self) -> Result<bool, Failure> {
        while let Some(signal) = self.signals.next()? {
            match signal {
                Signal::Terminate | Signal::Interrupt => return Ok(true),
                Signal::Hangup => {
                    info!("reading the configuration and announcing all addresses again");
                    if let Err(failure) = self.reload() {
                        warn!("{failure}; everything stays as it is");
                    }
                    self.interfaces.for_each_device(&mut self.edge, |device, edge| {
                        device.drive(edge, |engine| engine.reannounce(boottime()));
                    });
                }
            }
        }
        Ok(false)
    }

    fn handle_notifications(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.monitor.next()? {
            self.edge.host.apply(&event);
            match event {
                Event::LinkChanged(link) => self.sync(link.index),
                Event::LinkRemoved(index) => self.sync(index),
                Event::AddressAdded(address) | Event::AddressRemoved(address) => {
                    self.sync(address.index);
                }
                Event::RouteAdded(route) => self.edge.guard.add_gateways(route.gateway),
                Event::RuleAdded(_) => {}
                Event::RouteRemoved(route) => {
                    self.interfaces.with_device(&mut self.edge, route.index, |device, edge| {
                        device.on_route_removed(edge, &route);
                    });
                }
                Event::RuleRemoved(rule) => {
                    self.interfaces.for_each_device(&mut self.edge, |device, edge| {
                        device.on_rule_removed(edge, &rule);
                    });
                }
                Event::Overrun => self.resync(),
            }
        }
        self.control.on_change(&self.edge.host);
        Ok(())
    }

    /// Brings the interface in step that a change of one link concerns.
    fn sync(&mut self, index: IfIndex) {
        if let Err(failure) = self.interfaces.on_change(&mut self.edge, index) {
            warn!("{failure}");
        }
    }

    /// Notifications were lost: reads everything anew and brings every interface in step.
    fn resync(&mut self) {
        debug!("the kernel's notifications came too fast; reading everything again");
        let is_repeated = self.stale_until.take().is_some();
        if let Err(error) = self.reread() {
            if !is_repeated {
                warn!("{error}; trying again every second");
            }
            self.stale_until = Some(boottime() + RESYNC_PAUSE);
        }
    }

    fn reread(&mut self) -> autoip_linux::Result<()> {
        self.edge.host = Host::load(&mut self.edge.rtnl)?;
        let present = Present::load(&mut self.edge.rtnl)?;
        self.edge.guard.add_gateways(self.edge.rtnl.gateways()?);
        for failure in self.interfaces.on_change_of_all(&mut self.edge) {
            warn!("{failure}");
        }
        self.interfaces.for_each_device(&mut self.edge, |device, edge| {
            device.check_routes(edge, &present);
        });
        Ok(())
    }

    fn end(mut self, end: End) -> Result<(), Failure> {
        self.service.stopping();
        let ended = match &end {
            End::Asked | End::Failed(_) => self.stop(),
            End::Left => self.leave(),
        };
        let siblings = std::mem::take(&mut self.edge.siblings);
        let threads = [drop_aside(ended), drop_aside(siblings)];
        self.interfaces.close();
        aside::join(threads);
        self.hooks.finish();
        match end {
            End::Asked | End::Left => Ok(()),
            End::Failed(failure) => Err(failure),
        }
    }

    /// Leaves all addresses where they are, and takes off everything else.
    fn leave(&mut self) -> Option<Ended> {
        self.interfaces.for_each_device(&mut self.edge, Device::leave);
        let ended = self.edge.guard.end(&mut self.edge.rtnl);
        self.edge.store.flush();
        ended
    }

    /// Takes all addresses off.
    fn stop(&mut self) -> Option<Ended> {
        self.interfaces.for_each(&mut self.edge, Interface::stop);
        self.hand_out();
        if self.edge.by_script {
            // What the script does not take off is taken off when it is done.
            self.hooks.finish();
            self.interfaces.for_each_device(&mut self.edge, Device::take_over);
        }
        let ended = self.edge.guard.end(&mut self.edge.rtnl);
        self.control.stop();
        self.edge.store.flush();
        ended
    }
}
