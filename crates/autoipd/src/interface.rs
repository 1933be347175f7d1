//! One interface that is wanted: managed while that is possible.
//!
//! [`Interface::sync`] compares what is with what should be and does the difference. It can be
//! called at any time and as often as one likes, so nothing depends on having seen every single
//! notification of the kernel.

use std::time::Duration;

use autoip_core::{Config, DEFAULT_KEY, Engine, Instant, LinkLocalAddr, Loss, MacAddr, Sequence};
use autoip_linux::rtnl::Link;
use autoip_linux::{Acquire, IfIndex, InterfaceLock, PacketSocket, boottime};
use tracing::{debug, info, warn};

use crate::Failure;
use crate::device::Device;
use crate::edge::Edge;
use crate::marks;
use crate::routes::Present;
use crate::selection::{Choice, unsuitable};
use crate::settings::{InterfaceSettings, Mode};

pub(crate) mod status;

/// When an interface is tried again that could not be had: somebody else may have let it go.
const RETRY: Duration = Duration::from_secs(5);

/// One interface that is wanted.
//= LL-3-01 interfaces have nothing in common but the addresses to avoid
pub(crate) struct Interface {
    index: IfIndex,
    choice: Choice,
    state: State,
    /// The address held or tried last, while the device is not managed.
    last: Option<LinkLocalAddr>,
    /// Since when it is not managed.
    since: Instant,
}

enum State {
    /// It cannot be managed at present. Why was said.
    Refused { why: Option<String>, retry_at: Option<Instant> },
    /// Under management; it keeps being so when it is renamed.
    Managed { device: Box<Device>, link: LinkState },
}

/// What was last known of a link.
#[derive(Clone, Copy, Default)]
struct LinkState {
    carrier: bool,
    carrier_changes: u32,
    /// DHCP has its head start until then.
    wait_until: Option<Instant>,
    /// The address is on its way out, because a routable one is there.
    retirement: Option<Retirement>,
    /// Somebody gave the address up; none is wanted until somebody claims one.
    released: bool,
}

/// Open connections keep an address that is no longer wanted.
//= LL-1.9-08 connections that are open go on for a while beside a routable address
//= LL-1.9-03 both kinds of address may be there during a change
//= LL-1.9-09 peers may still connect to an address on its way out
//= LL-2.6.1-02 the address goes on working beside the preferred one
//= LL-2.6.1-03 open connections keep it as their source
//= DNA-2.3-05 a link-local address falls behind a routable one
#[derive(Clone, Copy)]
struct Retirement {
    /// At the latest.
    until: Instant,
    /// When to look for open connections again.
    check_at: Instant,
}

/// How often open connections are looked for.
const RETIREMENT_CHECK: Duration = Duration::from_secs(2);

impl Interface {
    /// An interface that is managed from the first [`Interface::sync`] on. `last` is the address
    /// to begin with.
    pub(crate) fn new(index: IfIndex, choice: Choice, last: Option<LinkLocalAddr>) -> Self {
        let state = State::Refused { why: None, retry_at: None };
        Self { index, choice, state, last, since: boottime() }
    }

    pub(crate) fn index(&self) -> IfIndex {
        self.index
    }

    /// What is wanted of it.
    pub(crate) fn choice(&self) -> &Choice {
        &self.choice
    }

    pub(crate) fn is_managed(&self) -> bool {
        match &self.state {
            State::Refused { .. } => false,
            State::Managed { .. } => true,
        }
    }

    /// Why it is not managed.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match &self.state {
            State::Refused { why, .. } => why.as_deref(),
            State::Managed { .. } => None,
        }
    }

    /// Its name, while it is managed.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.state {
            State::Refused { .. } => None,
            State::Managed { device, .. } => Some(&device.name),
        }
    }

    /// The address held or tried last.
    pub(crate) fn last(&self) -> Option<LinkLocalAddr> {
        self.last
    }

    /// Does not go back to it from now on.
    pub(crate) fn forget_last(&mut self) {
        self.last = None;
    }

    pub(crate) fn device(&mut self) -> Option<&mut Device> {
        match &mut self.state {
            State::Refused { .. } => None,
            State::Managed { device, .. } => Some(device),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Refused { retry_at, .. } => *retry_at,
            State::Managed { device, link } => {
                let check = link.retirement.map(|retirement| retirement.check_at);
                device.deadline().into_iter().chain(link.wait_until).chain(check).min()
            }
        }
    }

    /// Takes other settings. An address that stays valid under them stays.
    pub(crate) fn change(&mut self, edge: &mut Edge, choice: Choice) {
        let old = std::mem::replace(&mut self.choice, choice);
        let State::Managed { device, .. } = &mut self.state else { return };
        let settings = &self.choice.settings;
        if old.settings != *settings {
            info!(interface = device.name, "has other settings{}", timing_note(settings));
            device.change(edge, settings);
        }
    }

    /// Brings everything in step with what the kernel says: takes the device or lets it go, and
    /// starts or stops its engine. `token` is what the poller reports for its socket; `first` is
    /// tried before the address held last if the device is taken now.
    ///
    /// # Errors
    ///
    /// Why the device cannot be managed. Said once for each reason.
    pub(crate) fn sync(
        &mut self,
        edge: &mut Edge,
        token: u64,
        first: Option<LinkLocalAddr>,
    ) -> Result<(), Failure> {
        let Some(link) = edge.host.link(self.index).cloned() else { return Ok(()) };
        let suitable = unsuitable(&link, &edge.host).is_none();
        if !suitable {
            self.release(edge);
        }
        if let State::Refused { why, retry_at } = &mut self.state {
            match attach(&self.choice.settings, first.or(self.last), &link, edge, token) {
                Ok(device) => {
                    let device = Box::new(device);
                    self.state = State::Managed { device, link: LinkState::default() };
                }
                Err(failure) => {
                    *retry_at = suitable.then(|| boottime() + RETRY);
                    let text = failure.to_string();
                    let known = why.as_ref() == Some(&text);
                    *why = Some(text);
                    return if known { Ok(()) } else { Err(failure) };
                }
            }
        }
        if let State::Managed { device, link } = &mut self.state {
            follow(&self.choice.settings, device, link, edge);
        }
        Ok(())
    }

    /// Does what is due.
    ///
    /// # Errors
    ///
    /// Why the device cannot be managed after another try.
    pub(crate) fn on_timer(&mut self, edge: &mut Edge, token: u64) -> Result<(), Failure> {
        let now = boottime();
        match &mut self.state {
            State::Refused { retry_at, .. } => {
                if retry_at.take_if(|at| *at <= now).is_some() {
                    return self.sync(edge, token, None);
                }
            }
            State::Managed { device, link } => {
                let waited = link.wait_until.take_if(|at| *at <= now).is_some();
                if waited || link.retirement.is_some_and(|retirement| retirement.check_at <= now) {
                    follow(&self.choice.settings, device, link, edge);
                }
                device.on_timer(edge);
                self.after_frames(edge);
            }
        }
        Ok(())
    }

    /// Frames may have come in.
    pub(crate) fn on_frames(&mut self, edge: &mut Edge) {
        let State::Managed { device, .. } = &mut self.state else { return };
        device.receive(edge);
        self.after_frames(edge);
    }

    /// Another host may have taken an address that was on its way out: no new one is wanted.
    fn after_frames(&mut self, edge: &mut Edge) {
        let State::Managed { device, link } = &mut self.state else { return };
        if link.retirement.is_some() && device.in_use().is_none() {
            follow(&self.choice.settings, device, link, edge);
        }
    }

    /// The machine slept: nobody knows what happened on the link meanwhile.
    //= ACD-2.1-02 waking up is a new connection
    pub(crate) fn on_resume(&mut self, edge: &mut Edge) {
        let State::Managed { device, link } = &mut self.state else { return };
        device.drive(edge, |engine| engine.stop(Loss::Carrier));
        link.carrier = false;
        follow(&self.choice.settings, device, link, edge);
    }

    /// Lets the device go: takes everything of ours off it.
    pub(crate) fn release(&mut self, edge: &mut Edge) {
        if let State::Managed { device, .. } = &mut self.state {
            self.last = device.last().or(self.last);
            device.stop(edge);
            edge.guard.release(&mut edge.rtnl, device.index);
            edge.siblings.leave(device.index);
            self.state = State::Refused { why: None, retry_at: None };
            self.since = boottime();
        }
    }

    /// Takes the address off, at the daemon's end.
    pub(crate) fn stop(&mut self, edge: &mut Edge) {
        if let Some(device) = self.device() {
            device.stop(edge);
        }
    }
}

/// Begins to manage the device `link`.
fn attach(
    settings: &InterfaceSettings,
    last: Option<LinkLocalAddr>,
    link: &Link,
    edge: &mut Edge,
    token: u64,
) -> Result<Device, Failure> {
    let name = &link.name;
    if let Some(why) = unsuitable(link, &edge.host) {
        return Err(Failure::Refused(format!("interface {name} {why}")));
    }
    let mac = link.mac.unwrap_or(MacAddr::ZERO);
    let lock = lock(link)?;
    if let Some(lock) = &lock {
        edge.poller.add(lock, token)?;
    }
    //= LL-3.4-01 every interface has a socket and an engine of its own
    //= ACD-1.3-04 what other links say about the address is not heard
    let socket = open(link.index).map_err(|error| error.on(name))?;
    edge.poller.add(&socket, token)?;
    let seed = autoip_linux::seed()?;
    edge.guard.protect(&mut edge.rtnl, link.index, name, mac);
    edge.siblings.join(link.index, mac);
    let remembered = edge.store.load(mac);
    let left_over = take_left_over(link, remembered, edge);
    let known = [last, settings.start, left_over, remembered].into_iter().flatten();
    let config = Config {
        timing: settings.timing,
        defend: settings.defend,
        first: known.into_iter().find(|&addr| settings.range.contains(addr)),
        sequence: sequence(settings, mac),
        ..Config::new(mac, seed)
    };
    info!(interface = name, "managing {mac}{}", timing_note(settings));
    let engine = Engine::new(config);
    let mut device = Device::new(link.index, name.clone(), mac, settings, engine, socket, lock);
    device.remembered = remembered;
    Ok(device)
}

fn open(index: IfIndex) -> autoip_linux::Result<PacketSocket> {
    let socket = PacketSocket::arp(index)?;
    socket.set_mark(marks::PACKET)?;
    Ok(socket)
}

/// The candidates of an interface.
fn sequence(settings: &InterfaceSettings, mac: MacAddr) -> Sequence {
    Sequence::new(mac, &DEFAULT_KEY, settings.range)
}

fn timing_note(settings: &InterfaceSettings) -> &'static str {
    if settings.timing.is_rfc3927() { "" } else { " (timing: not RFC 3927)" }
}

/// Makes sure that no other daemon manages the device.
fn lock(link: &Link) -> Result<Option<InterfaceLock>, Failure> {
    let name = &link.name;
    match InterfaceLock::acquire(link.index)? {
        Acquire::Held(lock) => Ok(Some(lock)),
        Acquire::Taken { by, command } => {
            let command = command.unwrap_or_else(|| "another daemon".to_owned());
            let process = by.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            Err(Failure::Refused(format!(
                "interface {name} is managed by {command}{process} already; stop that one first"
            )))
        }
        Acquire::Untrusted { uid } => {
            let who = uid.map_or_else(|| "somebody".to_owned(), |uid| format!("user {uid}"));
            warn!(interface = name, "{who} sits on the lock and is no daemon; going on without it");
            Ok(None)
        }
    }
}

/// Takes off what an earlier daemon left on the interface. It is not ours before it has been probed
/// for again.
fn take_left_over(
    link: &Link,
    remembered: Option<LinkLocalAddr>,
    edge: &mut Edge,
) -> Option<LinkLocalAddr> {
    // A script gives its addresses no mark.
    let unmarked = remembered.filter(|_| edge.by_script);
    let unmarked = unmarked.map(|addr| (addr.ip(), marks::PREFIX_LEN));
    let mut found = None;
    for address in edge.host.ours(link.index, marks::PROTOCOL, unmarked) {
        let ip = address.ip;
        info!(interface = link.name, "{ip} was left over from before; probing for it again");
        if let Err(error) = edge.rtnl.remove_address(&address) {
            warn!(interface = link.name, "{error}");
        }
        edge.host.remove(&address);
        found = LinkLocalAddr::new(ip).ok().or(found);
    }
    let looked_for = match edge.left_over {
        Some(_) => Ok(None),
        None => Present::load(&mut edge.rtnl).map(Some),
    };
    let removed = looked_for.and_then(|present| {
        let present = present.as_ref().or(edge.left_over.as_ref());
        present.map_or(Ok(()), |all| all.remove_of(&mut edge.rtnl, link.index, &link.name))
    });
    if let Err(error) = removed {
        warn!(interface = link.name, "{error}");
    }
    found
}

/// Brings the engine in step with its link.
fn follow(
    settings: &InterfaceSettings,
    device: &mut Device,
    state: &mut LinkState,
    edge: &mut Edge,
) {
    let Some(link) = edge.host.link(device.index).cloned() else { return };
    if device.name != link.name {
        info!(interface = device.name, "is called {} now", link.name);
        device.name.clone_from(&link.name);
        device.guard_anew(edge);
    }
    if let Some(mac) = link.mac.filter(|&mac| mac != device.mac) {
        info!(interface = device.name, "has the MAC address {mac} now");
        device.mac = mac;
        device.remembered = edge.store.load(mac);
        let sequence = sequence(settings, mac);
        device.drive(edge, |engine| engine.set_mac(boottime(), mac, sequence));
        device.guard_anew(edge);
    }
    device.set_gate(edge);
    follow_carrier(settings, device, state, edge, &link);

    //= LL-1.9-04 the state of the interface decides, and nothing else
    //= LL-2.2-05 whether an address is wanted is asked anew after every change
    //= LL-2.11-01 no DHCP client is looked at or changed
    //= LL-1.9-05 nor does anything become of one because there is an address
    let routable = edge.host.routable(device.index);
    device.set_situation(edge, state.carrier, routable);
    //= LL-1.4-01 unless told otherwise, no address beside a routable one
    let wanted = match settings.mode {
        Mode::Always => true,
        Mode::Fallback => routable.is_none(),
        Mode::Route => false,
    };
    if wanted || !state.carrier {
        state.retirement = None;
    }
    if !state.carrier {
        device.drive(edge, |engine| engine.stop(Loss::Carrier));
    } else if state.released {
        device.drive(edge, |engine| engine.stop(Loss::Released));
    } else if !wanted {
        retire(settings, device, state, edge);
    } else if state.wait_until.is_none() {
        //= LL-1.9-10 an address is claimed when the routable one is lost
        //= DNA-2.3-04 a claim does not wait for DHCP, unless told to
        device.drive(edge, |engine| engine.start(boottime()));
    }
    //= LL-1.5-02 the address is looked after for as long as it is in use
    if device
        .installed()
        .is_some_and(|addr| !edge.host.has(device.index, addr.ip(), Some(marks::PREFIX_LEN)))
    {
        device.drive(edge, |engine| engine.address_deleted(boottime()));
    }
}

/// Gives an address up that is not wanted beside a routable one, once nobody uses it.
//= LL-1.9-01 a routable and a link-local address do not stay side by side
//= LL-1.9-02 no address is claimed while a routable one is there
fn retire(
    settings: &InterfaceSettings,
    device: &mut Device,
    state: &mut LinkState,
    edge: &mut Edge,
) {
    let now = boottime();
    let until = state.retirement.map_or(now + settings.grace, |retirement| retirement.until);
    if now < until && device.has_connections(edge) {
        if let (None, Some(addr)) = (state.retirement, device.in_use()) {
            let grace = settings.grace.as_secs();
            info!(
                interface = device.name,
                "a routable address is there; {addr} goes when its connections end, or in {grace} s"
            );
        }
        let check_at = until.min(now + RETIREMENT_CHECK);
        state.retirement = Some(Retirement { until, check_at });
    } else {
        state.retirement = None;
        //= LL-1.9-01 the address goes when a routable one comes
        device.drive(edge, |engine| engine.stop(Loss::Retired));
    }
}

/// Notices every loss of the carrier, also one that was over before anybody looked.
fn follow_carrier(
    settings: &InterfaceSettings,
    device: &mut Device,
    state: &mut LinkState,
    edge: &mut Edge,
    link: &Link,
) {
    let carrier = link.has_carrier();
    let flapped = state.carrier && carrier && state.carrier_changes != link.carrier_changes;
    if flapped {
        debug!(interface = device.name, "the link went down and up");
        device.drive(edge, |engine| engine.stop(Loss::Carrier));
    }
    if carrier && (!state.carrier || flapped) {
        debug!(interface = device.name, "the link is up");
        state.wait_until = (!settings.wait.is_zero()).then(|| boottime() + settings.wait);
    } else if !carrier && state.carrier {
        info!(interface = device.name, "the link is down");
        state.wait_until = None;
    }
    if !carrier || flapped {
        edge.siblings.part(device.index);
    }
    state.carrier = carrier;
    state.carrier_changes = link.carrier_changes;
}
