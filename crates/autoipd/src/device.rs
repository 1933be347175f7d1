//! One kernel interface under management: its engine, its packet socket, and what the engine's
//! actions mean for the kernel.
//!
//! Every input goes through [`Device::drive`], which does all that follows from it before it
//! returns. Whether an address is wanted at all is decided by the caller.

mod installer;
mod report;

use std::collections::{BTreeSet, VecDeque};
use std::net::Ipv4Addr;

use autoip_core::{
    Action, Engine, Event, Instant, Interest, LinkLocalAddr, Loss, MacAddr, ZeroConfState,
};
use autoip_linux::rtnl::{Address, Route, Rtnl, Rule};
use autoip_linux::sock_diag::{Socket, State as SocketState};
use autoip_linux::{ArpFilter, IfIndex, InterfaceLock, PacketSocket, boottime};
use tracing::{debug, error, info, warn};

use self::trace::trace_frame;
use crate::edge::Edge;
use crate::guard::Tier;
use crate::history::History;
use crate::limit::Limit;
use crate::marks;
use crate::notice::What;
use crate::routes::{Present, Routes, Situation};
use crate::settings::{InterfaceSettings, RouteSettings};

mod status;
mod trace;

/// Room for an ARP frame and its padding; what is longer is cut, and no worse for it.
const FRAME_MAX: usize = 128;
/// How many frames of one interface are handled before others get their turn. The kernel queues
/// fewer than this, so a claim never ends before everything has been read that came in time.
const FRAMES_PER_TURN: u32 = 4096;

/// What came of an action, to be told to the engine when it has nothing more to say.
enum Feedback {
    Installed,
    InstallFailed,
    TransmitFailed,
    Avoid(LinkLocalAddr),
}

/// One kernel interface under management.
pub(crate) struct Device {
    pub(crate) index: IfIndex,
    pub(crate) name: String,
    pub(crate) mac: MacAddr,
    /// The number of the alias for labels.
    alias: Option<u16>,
    engine: Engine,
    socket: PacketSocket,
    /// Keeps other daemons away as long as the device is managed.
    lock: Option<InterfaceLock>,
    /// The address held or tried last.
    last: Option<LinkLocalAddr>,
    /// The address that we have put on the interface.
    installed: Option<LinkLocalAddr>,
    /// Whether that address has been announced.
    in_use: bool,
    carrier: bool,
    /// Nothing of ours is wanted any longer, no rules that stand in for the filter either.
    is_stopped: bool,
    /// The routable address that new traffic comes from instead.
    routable: Option<Ipv4Addr>,
    routes: Routes,
    route_settings: RouteSettings,
    /// What was said last about routes that cannot be had.
    route_trouble: Option<String>,
    /// Whether the last frame could not be sent, and a warning was given.
    send_fails: bool,
    /// How many conflicts were reported.
    contests: Limit,
    /// An address that was in use, given up a moment ago. Told when what led to it has been told.
    lost: Option<(LinkLocalAddr, Loss)>,
    /// What is to be reported when the first announcement has gone out at last.
    unannounced: Option<Event>,
    /// The state that was last made known, and since when it is that.
    state: ZeroConfState,
    since: Instant,
    /// What stands in the file of this MAC address, or soon will.
    pub(crate) remembered: Option<LinkLocalAddr>,
    history: History,
    /// When a conflict is over, if there was one.
    calm_at: Option<Instant>,
    /// Whether a script was asked to put the address on, and is not done.
    pending: bool,
    /// Addresses that a script was asked to take off, and that may be there until it is done.
    leaving: BTreeSet<LinkLocalAddr>,
}

impl Device {
    pub(crate) fn new(
        index: IfIndex,
        name: String,
        mac: MacAddr,
        settings: &InterfaceSettings,
        engine: Engine,
        socket: PacketSocket,
        lock: Option<InterfaceLock>,
    ) -> Self {
        Self {
            index,
            name,
            mac,
            alias: settings.alias,
            engine,
            socket,
            lock,
            last: None,
            installed: None,
            in_use: false,
            carrier: false,
            is_stopped: false,
            routable: None,
            routes: Routes::default(),
            route_settings: settings.routes,
            route_trouble: None,
            send_fails: false,
            contests: Limit::per_hour(),
            lost: None,
            unannounced: None,
            state: ZeroConfState::Idle,
            since: boottime(),
            remembered: None,
            history: History::default(),
            calm_at: None,
            pending: false,
            leaving: BTreeSet::new(),
        }
    }

    /// Takes other settings. What is on the interface stays as far as it can; routes follow with
    /// the next [`Device::set_situation`].
    pub(crate) fn change(&mut self, edge: &mut Edge, settings: &InterfaceSettings) {
        self.alias = settings.alias;
        self.route_settings = settings.routes;
        self.drive(edge, |engine| engine.set_defend(settings.defend));
        self.drive(edge, |engine| engine.set_timing(boottime(), settings.timing));
        self.drive(edge, |engine| engine.set_range(boottime(), settings.range));
    }

    /// The address on the interface that is ours.
    pub(crate) fn installed(&self) -> Option<LinkLocalAddr> {
        self.installed.filter(|_| !self.pending)
    }

    /// The address, once it is announced.
    pub(crate) fn in_use(&self) -> Option<LinkLocalAddr> {
        self.installed.filter(|_| self.in_use)
    }

    /// Takes the address and everything else of ours off the interface.
    pub(crate) fn stop(&mut self, edge: &mut Edge) {
        self.drive(edge, |engine| engine.stop(Loss::Stopped));
        self.is_stopped = true;
        self.set_situation(edge, false, None);
        self.note(edge, None, What::Stopped);
    }

    /// Takes in whether there is a carrier, and the operable routable address.
    //= LL-1.9-06 new traffic comes from the routable address as soon as there is one
    pub(crate) fn set_situation(
        &mut self,
        edge: &mut Edge,
        carrier: bool,
        routable: Option<Ipv4Addr>,
    ) {
        (self.carrier, self.routable) = (carrier, routable);
        self.set_routes(edge);
    }

    /// Whether an open connection uses the address. Where the kernel does not say, none does.
    pub(crate) fn has_connections(&self, edge: &mut Edge) -> bool {
        let (Some(addr), Some(sockets)) = (self.in_use(), &mut edge.sockets) else { return false };
        let open = |socket: &Socket| socket.state == SocketState::Connected;
        sockets.using(addr.ip()).is_ok_and(|found| found.iter().any(open))
    }

    /// The address held or tried last.
    pub(crate) fn last(&self) -> Option<LinkLocalAddr> {
        self.last
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let timeout = self.engine.poll_timeout();
        timeout.into_iter().chain(self.routes.retry_at()).chain(self.calm_at).min()
    }

    /// Gives the engine one input and does what it asks for, to the end.
    pub(crate) fn drive(&mut self, edge: &mut Edge, input: impl FnOnce(&mut Engine)) {
        input(&mut self.engine);
        let mut feedback = VecDeque::new();
        loop {
            while let Some(action) = self.engine.poll_action() {
                feedback.extend(self.perform(edge, action));
            }
            match feedback.pop_front() {
                None => break,
                Some(Feedback::Installed) => self.engine.installed(boottime()),
                Some(Feedback::InstallFailed) => self.engine.install_failed(boottime()),
                Some(Feedback::TransmitFailed) => self.engine.transmit_failed(boottime()),
                Some(Feedback::Avoid(addr)) => self.engine.avoid(boottime(), addr),
            }
        }
        self.tell_lost(edge);
        let addr = self.engine.addr();
        self.last = addr.or(self.last);
        match addr {
            Some(addr) => edge.claims.insert(self.index, addr),
            None => edge.claims.remove(&self.index),
        };
        self.note_state(edge);
    }

    /// Does what is due, after everything that has been received in time.
    //= LL-2.2.1-07 what arrived within the listening time counts, however late it is read
    pub(crate) fn on_timer(&mut self, edge: &mut Edge) {
        if self.deadline().is_none_or(|at| at > boottime()) {
            return;
        }
        if self.routes.retry_at().is_some_and(|at| at <= boottime()) {
            self.renew_routes(edge);
        }
        self.receive(edge);
        while self.engine.poll_timeout().is_some_and(|at| at <= boottime()) {
            self.drive(edge, |engine| engine.handle_timeout(boottime()));
        }
        if self.calm_at.is_some_and(|at| at <= boottime()) {
            self.note_state(edge);
        }
    }

    /// Hands all waiting frames to the engine, and turns away daemons that want the device.
    pub(crate) fn receive(&mut self, edge: &mut Edge) {
        if let Some(lock) = &self.lock {
            lock.turn_away();
        }
        let mut buffer = [0; FRAME_MAX];
        for _ in 0..FRAMES_PER_TURN {
            match self.socket.receive(&mut buffer) {
                Ok(Some(received)) => {
                    trace_frame(&self.name, "received", received.frame);
                    let (at, frame) = (received.at, received.frame);
                    let installed = self.installed.map(LinkLocalAddr::ip);
                    if installed.is_some_and(|ip| edge.host.answers(self.index, ip, frame)) {
                        debug!(interface = self.name, "this host answers for itself elsewhere");
                        continue;
                    }
                    self.drive(edge, |engine| engine.handle_frame(at, frame));
                    self.history.complete(at, frame);
                }
                Ok(None) => return,
                Err(error) => {
                    debug!(interface = self.name, "{error}");
                    return;
                }
            }
        }
    }

    /// Puts back a route that somebody else deleted.
    pub(crate) fn on_route_removed(&mut self, edge: &mut Edge, removed: &Route) {
        if removed.index == self.index && self.routes.lost_route(removed) {
            self.restore_routes(edge, "a route");
        }
    }

    /// Puts back the rule that somebody else deleted.
    pub(crate) fn on_rule_removed(&mut self, edge: &mut Edge, removed: &Rule) {
        if self.routes.lost_rule(removed) {
            self.restore_routes(edge, "the routing rule");
        }
    }

    fn restore_routes(&mut self, edge: &mut Edge, what: &str) {
        if self.routes.may_restore(boottime()) {
            info!(interface = self.name, "somebody deleted {what} of ours; it is back");
            self.renew_routes(edge);
        } else {
            debug!(interface = self.name, "somebody keeps deleting {what} of ours");
        }
    }

    /// Makes sure of all routes after changes may have been missed.
    pub(crate) fn renew_routes(&mut self, edge: &mut Edge) {
        self.routes.forget();
        self.set_routes(edge);
    }

    /// The same, where it is known what the kernel has of ours.
    pub(crate) fn check_routes(&mut self, edge: &mut Edge, present: &Present) {
        self.routes.forget_absent(present);
        self.set_routes(edge);
    }

    /// Brings routes and rules in step with everything else.
    fn set_routes(&mut self, edge: &mut Edge) {
        let situation = Situation {
            index: self.index,
            name: &self.name,
            carrier: self.carrier,
            addr: self.in_use(),
            routable: self.routable,
            tier: if self.is_stopped { Tier::Off } else { edge.guard.tier_of(self.index) },
            exempt: edge.guard.exempt(),
        };
        let set = self.routes.set(&mut edge.rtnl, &situation, self.route_settings);
        let trouble = set
            .err()
            .filter(|error| !error.is_gone() && !self.is_source_gone(&mut edge.rtnl))
            .map(|error| error.to_string());
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != self.route_trouble) {
            warn!(interface = self.name, "{trouble}");
        }
        self.route_trouble = trouble;
    }

    /// Whether a source of our routes has just gone, so that the kernel takes none with it. The
    /// notification that says so will set everything right.
    fn is_source_gone(&self, rtnl: &mut Rtnl) -> bool {
        let sources = self.routable.into_iter().chain(self.in_use().map(LinkLocalAddr::ip));
        let Ok(addresses) = rtnl.addresses() else { return false };
        let is_there =
            |ip| addresses.iter().any(|address| (address.index, address.ip) == (self.index, ip));
        !sources.into_iter().all(is_there)
    }

    /// Takes in that another tier of the guard is in force.
    pub(crate) fn on_tier_changed(&mut self, edge: &mut Edge) {
        self.set_routes(edge);
    }

    /// Guards the interface anew under its present name and MAC address.
    pub(crate) fn guard_anew(&self, edge: &mut Edge) {
        edge.guard.release(&mut edge.rtnl, self.index);
        edge.guard.protect(&mut edge.rtnl, self.index, &self.name, self.mac);
        edge.siblings.join(self.index, self.mac);
        self.set_gate(edge);
    }

    /// Lets out what may leave the interface: our address once it is announced, and addresses
    /// that somebody else is responsible for.
    pub(crate) fn set_gate(&self, edge: &mut Edge) {
        let ours = self.in_use().map(|addr| addr.ip());
        // Older kernels forget the mark of ours.
        let installed = self.installed.map(|addr| addr.ip());
        let foreign = edge.host.foreign(self.index, marks::PROTOCOL);
        let is_leaving = |ip| self.leaving.iter().any(|addr| addr.ip() == ip);
        let foreign = foreign.filter(|&ip| Some(ip) != installed && !is_leaving(ip));
        let addrs = foreign.chain(ours).collect();
        edge.guard.admit(self.index, addrs);
    }

    fn perform(&mut self, edge: &mut Edge, action: Action) -> Option<Feedback> {
        match action {
            Action::Listen(interest) => {
                self.listen(interest);
                None
            }
            Action::Transmit(frame) => self.transmit(edge, &frame),
            Action::Install(addr) if edge.by_script => {
                self.ask_for(edge, addr);
                None
            }
            Action::Install(addr) => Some(self.put_on(edge, addr)),
            Action::Remove(addr, loss) => {
                self.remove(edge, addr, loss);
                None
            }
            Action::Report(event) => self.report(edge, event),
        }
    }

    fn listen(&self, interest: Interest) {
        let filter = match interest {
            Interest::Nothing => ArpFilter::Nothing,
            Interest::Candidate(addr) => ArpFilter::Candidate(addr.ip()),
            Interest::Claimed(addr) => ArpFilter::Claimed(addr.ip()),
        };
        if let Err(error) = self.socket.set_filter(filter) {
            // The engine checks every frame itself, so this costs time and nothing else.
            warn!(interface = self.name, "{error}");
        }
    }

    fn transmit(&mut self, edge: &mut Edge, frame: &[u8]) -> Option<Feedback> {
        match self.socket.send(frame) {
            Ok(()) => {
                trace_frame(&self.name, "sent", frame);
                self.send_fails = false;
                match self.unannounced.take() {
                    None => None,
                    Some(event) => self.report(edge, event),
                }
            }
            Err(error) => {
                // A link that is going away says so in its own event.
                let known = std::mem::replace(&mut self.send_fails, true);
                if !error.is_gone() && !known {
                    warn!(interface = self.name, "{error}; trying again every second");
                }
                Some(Feedback::TransmitFailed)
            }
        }
    }

    fn put_on(&mut self, edge: &mut Edge, addr: LinkLocalAddr) -> Feedback {
        let address = self.address(edge, addr);
        match edge.rtnl.add_address(&address) {
            Ok(()) => {
                edge.host.add(address);
                self.installed = Some(addr);
                Feedback::Installed
            }
            Err(error) => {
                if error.is_permission() {
                    error!(interface = self.name, "{error}: CAP_NET_ADMIN is missing");
                } else if !error.is_gone() {
                    warn!(interface = self.name, "{error}; claiming again in a minute");
                }
                Feedback::InstallFailed
            }
        }
    }

    fn remove(&mut self, edge: &mut Edge, addr: LinkLocalAddr, loss: Loss) {
        if loss == Loss::Conflict && self.in_use {
            self.reset_connections(edge, addr);
        }
        let in_use = std::mem::take(&mut self.in_use);
        self.unannounced = None;
        let may_stay = edge.by_script && self.ask_off(edge, addr, loss);
        // From here on nothing leaves with the address.
        self.set_gate(edge);
        if !may_stay {
            self.take_off(edge, addr);
        }
        self.installed = None;
        self.set_routes(edge);
        if in_use {
            self.lost = Some((addr, loss));
        }
    }

    fn take_off(&mut self, edge: &mut Edge, addr: LinkLocalAddr) {
        let address = self.address(edge, addr);
        if let Err(error) = edge.rtnl.remove_address(&address) {
            warn!(interface = self.name, "{error}");
        }
        edge.host.remove(&address);
    }

    /// Ends the connections of an address that another host will have: they could not go on, and
    /// whoever is there now must not get them. Resets can leave only as long as the address may.
    //= LL-2.5-08 connections are reset before their address is given up
    //= ACD-2.4-10 connections are reset before their address is given up
    //= LL-5-04 nobody inherits connections together with an address
    //= ACD-5-01 nobody inherits connections together with an address
    fn reset_connections(&self, edge: &mut Edge, addr: LinkLocalAddr) {
        let Some(sockets) = &mut edge.sockets else { return };
        match sockets.reset_all(addr.ip()) {
            Ok(resets) => {
                if resets.count > 0 {
                    info!(interface = self.name, "reset {} connections of {addr}", resets.count);
                }
                if let Some(error) = resets.failures.first() {
                    let left = resets.failures.len();
                    warn!(interface = self.name, "{left} connections stay: {error}");
                }
            }
            Err(error) => warn!(interface = self.name, "{error}"),
        }
    }

    /// Who else has `addr` or tries it, as far as this host can know without asking.
    fn holder(&self, edge: &mut Edge, addr: LinkLocalAddr) -> Option<String> {
        let sibling = edge.claims.iter().find(|&(&index, &a)| a == addr && index != self.index);
        if let Some((index, _)) = sibling {
            return Some(format!("interface {index} of this host holds or tries it"));
        }
        if let Some(link) = edge.host.elsewhere(self.index, addr.ip()) {
            return Some(format!("{} of this host has it", link.name));
        }
        if edge.host.has(self.index, addr.ip(), None) && !self.leaving.contains(&addr) {
            return Some("somebody has put it on this interface already".to_owned());
        }
        //= LL-3.2-02 neighbours on other links may have the address
        let neighbours = edge.rtnl.neighbours(self.index).unwrap_or_default();
        neighbours.contains(&addr.ip()).then(|| "a neighbour has it".to_owned())
    }

    fn address(&self, edge: &Edge, addr: LinkLocalAddr) -> Address {
        let address = marks::address(self.index, &self.name, self.alias, addr);
        // The kernel wants one scope for all addresses of a network on an interface.
        match edge.host.neighbouring_scope(&address) {
            Some(scope) => Address { scope, ..address },
            None => address,
        }
    }
}
