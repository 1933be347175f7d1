//! What each call leads to.

use std::net::Ipv4Addr;

use autoip_control::service::{self, Description, Info};
use autoip_control::{
    AddInterface, AddressAcquired, AddressLost, Call, Claim, Event, Guard, InterfaceRemoved,
    MetricsReply, Nothing, Probe, ProbeReply, Reannounce, Refusal, Reply, Request, StateChanged,
    StatusReply, Watch, WatchReply, Watched, exposition, is_host_addr,
};
use autoip_core::timing::MAX_CONFLICTS;
use autoip_core::{ConflictKind, Contest, Defend, LinkLocalAddr, MacAddr, Outcome, Timing};
use autoip_linux::boottime;
use autoip_linux::rtnl::Link;

use super::detection::{Detection, Purpose};
use super::translation::{self, Clock};
use super::{Control, DETECTIONS_MAX, Scene, Task};
use crate::Failure;
use crate::edge::Edge;
use crate::notice::{Notice, What};
use crate::roster::view::Subject;
use crate::selection::unsuitable;

/// How many interfaces one reply tells of; more take a reply each.
const TOGETHER_MAX: usize = 16;

/// What a call leads to at once.
enum Answer {
    /// This, and no more.
    Reply(Reply),
    /// These, and more to come.
    Begin(Task, Vec<Reply>),
}

impl Control {
    /// Answers a call.
    pub(super) fn answer(&mut self, id: u64, call: Call, scene: &mut Scene<'_>) {
        let (more, oneway) = (call.more, call.oneway);
        let answer = Request::parse(call).and_then(|request| {
            let may_change = self.clients.get(&id).is_some_and(|client| client.may_change);
            if request.changes() && !may_change {
                return Err(Refusal::PermissionDenied);
            }
            self.perform(request, more, scene)
        });
        match answer {
            Err(refusal) => self.tell(id, &refusal.to_reply(), true),
            Ok(Answer::Reply(reply)) => self.tell(id, &reply, true),
            // Who wants no replies waits for none.
            Ok(Answer::Begin(task, _)) if oneway && task != Task::Reload => {
                if let Task::Detection { token } = task {
                    self.end_detection(token);
                }
            }
            Ok(Answer::Begin(task, replies)) => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.task = task;
                }
                for reply in replies {
                    self.tell(id, &reply, false);
                }
                let Some(client) = self.clients.get(&id) else { return };
                if client.wants_part() {
                    self.send_part(id, scene);
                }
            }
        }
    }

    fn perform(
        &mut self,
        request: Request,
        more: bool,
        scene: &mut Scene<'_>,
    ) -> Result<Answer, Refusal> {
        let done = || Answer::Reply(Reply::new(&Nothing {}));
        match request {
            Request::GetInfo(_) => {
                let info = Info::new("autoipd", env!("CARGO_PKG_VERSION"));
                Ok(Answer::Reply(Reply::new(&info)))
            }
            Request::GetInterfaceDescription(asked) => describe(asked.interface),
            Request::AddInterface(asked) => add(&asked, scene).map(|()| done()),
            Request::RemoveInterface(asked) => {
                known(scene, &asked.interface)?;
                let removed = scene.roster.remove(scene.edge, &asked.interface);
                removed.map(|()| done()).map_err(|failure| refused(&failure))
            }
            Request::Status(asked) => self.status(asked.interface, more, scene),
            Request::Monitor(asked) => monitor(asked.interface, scene),
            Request::Claim(asked) => claim(&asked, scene).map(|()| done()),
            Request::Release(asked) => {
                let interface = asked.interface;
                let given_up = scene.roster.give_up(scene.edge, &interface);
                given_up.map(|()| done()).ok_or_else(|| absent(scene, interface))
            }
            Request::Reannounce(asked) => reannounce(asked, scene).map(|()| done()),
            Request::Probe(asked) => self.probe(&asked, scene),
            Request::Watch(asked) => self.watch(&asked, scene),
            Request::Metrics(_) if more => Ok(Answer::Begin(metrics_from(0, scene), Vec::new())),
            Request::Metrics(_) => {
                let text = exposition::render(&counters(scene)?);
                Ok(Answer::Reply(Reply::new(&MetricsReply { text })))
            }
            Request::Reload(_) => Ok(Answer::Begin(Task::Reload, Vec::new())),
        }
    }

    /// Makes the next part of a long answer.
    pub(super) fn send_part(&mut self, id: u64, scene: &mut Scene<'_>) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match std::mem::replace(&mut client.task, Task::Nothing) {
            Task::Status { first, mut rest } => {
                let clock = Clock::now();
                let mut reply = self.status_of_nothing(scene, first, &clock);
                // Some may have gone since the call.
                while reply.interfaces.is_empty()
                    && let Some(subject) = rest.pop()
                {
                    let status = scene.roster.status(scene.edge, &subject, true, &clock);
                    reply.interfaces.extend(status);
                }
                let last = rest.is_empty();
                self.go_on(id, &Reply::new(&reply), last, Task::Status { first: false, rest });
            }
            Task::Metrics { part, mut rest, first } => {
                let reply = metrics(part, &mut rest, first, scene);
                let next = match rest.is_empty() {
                    false => Task::Metrics { part, rest, first: false },
                    true => metrics_from(part + 1, scene),
                };
                let last = matches!(next, Task::Metrics { part: exposition::PARTS, .. });
                self.go_on(id, &Reply::new(&reply), last, next);
            }
            other @ (Task::Nothing
            | Task::Monitor { .. }
            | Task::Detection { .. }
            | Task::Reload) => client.task = other,
        }
    }

    fn go_on(&mut self, id: u64, reply: &Reply, last: bool, task: Task) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.task = task;
        }
        self.tell(id, reply, last);
    }

    fn status(
        &mut self,
        interface: Option<String>,
        more: bool,
        scene: &mut Scene<'_>,
    ) -> Result<Answer, Refusal> {
        let mut subjects = scene.roster.subjects(scene.edge, interface.as_deref());
        if let (Some(interface), true) = (interface, subjects.is_empty()) {
            return Err(unknown(scene, interface));
        }
        if more {
            // The first is taken from the end.
            subjects.reverse();
            return Ok(Answer::Begin(Task::Status { first: true, rest: subjects }, Vec::new()));
        }
        if subjects.len() > TOGETHER_MAX {
            return Err(too_many_together());
        }
        let clock = Clock::now();
        let mut reply = self.status_of_nothing(scene, true, &clock);
        let status = |subject| scene.roster.status(scene.edge, subject, true, &clock);
        reply.interfaces = subjects.iter().filter_map(status).collect();
        Ok(Answer::Reply(Reply::new(&reply)))
    }

    /// The part of a status that is not about interfaces; watched addresses only where wanted.
    fn status_of_nothing(
        &self,
        scene: &Scene<'_>,
        with_watched: bool,
        clock: &Clock,
    ) -> StatusReply {
        let watches = self.detections.values().filter(|it| it.purpose == Purpose::Watch);
        let watched = |it: &Detection| Watched {
            interface: it.interface.clone(),
            addr: it.addr,
            defend: translation::defend(it.defend),
            since: clock.ms(it.since),
            counters: translation::counters(it.acd.counters()),
        };
        let watched = watches.filter(|_| with_watched).map(watched).collect();
        StatusReply { watched, ..blank(scene, clock) }
    }

    fn probe(&mut self, asked: &Probe, scene: &mut Scene<'_>) -> Result<Answer, Refusal> {
        let link = usable(&asked.interface, scene.edge)?;
        let Probe { addr, profile, .. } = *asked;
        let invalid = |name: &str| Refusal::InvalidParameter { parameter: name.to_owned() };
        if !is_host_addr(addr) {
            return Err(invalid("addr"));
        }
        let timing = profile.map_or(Some(Timing::RFC3927), translation::wanted_timing);
        let timing = timing.ok_or_else(|| invalid("profile"))?;
        let ours = scene.edge.claims.get(&link.index).is_some_and(|claim| claim.ip() == addr);
        if ours || scene.edge.host.has(link.index, addr, None) {
            // Nobody answers a question about an address of one's own.
            let kind = ConflictKind::InUse;
            let mac = link.mac.unwrap_or(MacAddr::ZERO);
            let contest = Contest { mac, kind, outcome: Outcome::Dropped };
            let clock = Clock::now();
            let time = clock.ms(clock.at());
            let conflict = translation::conflict(time, &link.name, addr, contest, &[]);
            let reply = ProbeReply { free: false, conflict: Some(conflict) };
            return Ok(Answer::Reply(Reply::new(&reply)));
        }
        self.attempts.begin(link.index, boottime()).map_err(|wait| {
            let (interface, wait) = (&link.name, wait.as_secs() + 1);
            let reason = format!(
                "probes on {interface} have met {MAX_CONFLICTS} conflicts or more, so there may be \
                 one a minute; try again in {wait} s"
            );
            Refusal::TooMany { reason }
        })?;
        let begin = || Detection::begin(Purpose::Probe, &link, addr, timing, Defend::Never);
        let task = self.detection(begin, scene.edge)?;
        Ok(Answer::Begin(task, Vec::new()))
    }

    fn watch(&mut self, asked: &Watch, scene: &mut Scene<'_>) -> Result<Answer, Refusal> {
        let link = usable(&asked.interface, scene.edge)?;
        let (addr, interface) = (asked.addr, asked.interface.clone());
        if scene.edge.claims.get(&link.index).is_some_and(|claim| claim.ip() == addr) {
            let reason = format!("{addr} is looked after already: {interface} is managed");
            return Err(Refusal::Refused { reason });
        }
        if !scene.edge.host.has(link.index, addr, None) {
            return Err(Refusal::NoAddress { interface, addr: Some(addr) });
        }
        let defend = asked.defend.map_or(Defend::Once, translation::wanted_defence);
        //= LL-2.5-07 nobody keeps a link-local address against a second conflict
        if defend == Defend::Always && addr.is_link_local() {
            let reason = format!(
                "{addr} is link-local and cannot be kept for good: \"defend\" may be \"once\" or \
                 \"never\""
            );
            return Err(Refusal::Refused { reason });
        }
        // Two would defend it twice in the time in which RFC 5227 allows it once.
        let same =
            |it: &Detection| (it.purpose, it.index, it.addr) == (Purpose::Watch, link.index, addr);
        if self.detections.values().any(same) {
            let reason = format!("{addr} on {interface} is watched already, for another client");
            return Err(Refusal::Refused { reason });
        }
        let mut defended = self.defended.iter().rev();
        let before = defended.find(|it| (it.index, it.addr) == (link.index, addr));
        let before = before.map(|it| it.acd.clone());
        let begin = || {
            let begun = Detection::begin(Purpose::Watch, &link, addr, Timing::RFC3927, defend);
            begun.map(|mut detection| {
                before.into_iter().for_each(|acd| detection.take_up(acd));
                detection
            })
        };
        let task = self.detection(begin, scene.edge)?;
        Ok(Answer::Begin(task, vec![Reply::new(&WatchReply::default())]))
    }

    fn detection(
        &mut self,
        begin: impl FnOnce() -> autoip_linux::Result<Detection>,
        edge: &Edge,
    ) -> Result<Task, Refusal> {
        if self.detections.len() >= DETECTIONS_MAX {
            let reason = format!("{DETECTIONS_MAX} probes and watches run already");
            return Err(Refusal::TooMany { reason });
        }
        let token = self.new_token();
        let detection = begin().and_then(|detection| {
            if let Some(socket) = detection.socket() {
                edge.poller.add(socket, token)?;
            }
            Ok(detection)
        });
        let refused = |error: autoip_linux::Error| Refusal::Refused { reason: error.to_string() };
        self.detections.insert(token, detection.map_err(refused)?);
        Ok(Task::Detection { token })
    }
}

/// A status of no interface.
fn blank(scene: &Scene<'_>, clock: &Clock) -> StatusReply {
    StatusReply {
        now: clock.ms(clock.at()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        guard: guard(scene.edge),
        interfaces: Vec::new(),
        watched: Vec::new(),
    }
}

/// The metrics from part `part` on, of all interfaces, the first of which stands at the end.
fn metrics_from(part: usize, scene: &Scene<'_>) -> Task {
    let mut rest = scene.roster.subjects(scene.edge, None);
    rest.reverse();
    Task::Metrics { part, rest, first: true }
}

/// Metric `part` of some more interfaces.
fn metrics(part: usize, rest: &mut Vec<Subject>, first: bool, scene: &Scene<'_>) -> MetricsReply {
    let clock = Clock::now();
    let begin = || exposition::beginning(part, &blank(scene, &clock), rest.len());
    let mut text = if first { begin() } else { String::new() };
    if part == 0 {
        // It is about no interface.
        rest.clear();
    }
    let some = rest.split_off(rest.len().saturating_sub(TOGETHER_MAX));
    let status = |subject| scene.roster.status(scene.edge, subject, false, &clock);
    let interfaces: Vec<_> = some.iter().rev().filter_map(status).collect();
    text.push_str(&exposition::samples(part, &interfaces));
    MetricsReply { text }
}

/// All interfaces, without their conflicts, where they are few.
fn counters(scene: &Scene<'_>) -> Result<StatusReply, Refusal> {
    let subjects = scene.roster.subjects(scene.edge, None);
    if subjects.len() > TOGETHER_MAX {
        return Err(too_many_together());
    }
    let clock = Clock::now();
    let status = |subject| scene.roster.status(scene.edge, subject, false, &clock);
    let interfaces = subjects.iter().filter_map(status).collect();
    Ok(StatusReply { interfaces, ..blank(scene, &clock) })
}

fn too_many_together() -> Refusal {
    let reason = format!(
        "there are more than {TOGETHER_MAX} interfaces: call with \"more\", for a reply each"
    );
    Refusal::TooMany { reason }
}

fn describe(interface: String) -> Result<Answer, Refusal> {
    let description = match interface.as_str() {
        autoip_control::INTERFACE => autoip_control::DESCRIPTION,
        service::INTERFACE => service::DESCRIPTION,
        _ => return Err(Refusal::InterfaceNotFound { interface }),
    };
    Ok(Answer::Reply(Reply::new(&Description { description: description.to_owned() })))
}

fn guard(edge: &Edge) -> Guard {
    let tier = edge.guard.tier();
    Guard { tier: translation::tier(tier), unmet: tier.unmet().map(str::to_owned).collect() }
}

fn refused(failure: &Failure) -> Refusal {
    Refusal::Refused { reason: failure.to_string() }
}

/// Whether an interface of this name is managed or waited for.
fn known(scene: &Scene<'_>, interface: &str) -> Result<(), Refusal> {
    if scene.roster.subjects(scene.edge, Some(interface)).is_empty() {
        return Err(unknown(scene, interface.to_owned()));
    }
    Ok(())
}

/// What is said of a name that nobody cares for.
fn unknown(scene: &Scene<'_>, interface: String) -> Refusal {
    match scene.edge.host.link_named(&interface) {
        Some(_) => Refusal::NotManaged { interface },
        None => Refusal::NoSuchInterface { interface },
    }
}

/// Why nothing can be done with an interface for which nobody cares at present.
fn absent(scene: &Scene<'_>, interface: String) -> Refusal {
    let subject = scene.roster.subjects(scene.edge, Some(&interface)).into_iter().next();
    let status = |subject| scene.roster.status(scene.edge, &subject, false, &Clock::now());
    match subject.and_then(status) {
        None => unknown(scene, interface),
        Some(_) if scene.edge.host.link_named(&interface).is_none() => {
            Refusal::NoSuchInterface { interface }
        }
        Some(status) => {
            let reason =
                status.reason.unwrap_or_else(|| format!("{interface} is not managed at present"));
            Refusal::Refused { reason }
        }
    }
}

/// An interface of this host on which ARP can be spoken at present.
fn usable(interface: &str, edge: &Edge) -> Result<Link, Refusal> {
    let interface = interface.to_owned();
    let Some(link) = edge.host.link_named(&interface) else {
        return Err(Refusal::NoSuchInterface { interface });
    };
    let why = unsuitable(link, &edge.host);
    match why.or_else(|| (!link.has_carrier()).then(|| "is down or has no link".to_owned())) {
        Some(reason) => Err(Refusal::Unsuitable { interface, reason }),
        None => Ok(link.clone()),
    }
}

fn add(asked: &AddInterface, scene: &mut Scene<'_>) -> Result<(), Refusal> {
    let choices = translation::choices(asked)?;
    let interface = asked.interface.clone();
    let Some(link) = scene.edge.host.link_named(&interface) else {
        return Err(Refusal::NoSuchInterface { interface });
    };
    if let Some(reason) = unsuitable(link, &scene.edge.host) {
        return Err(Refusal::Unsuitable { interface, reason });
    }
    if scene.roster.is_managed(link.index) {
        return Err(Refusal::AlreadyManaged { interface });
    }
    scene.roster.add(scene.edge, &interface, &choices).map_err(|failure| refused(&failure))
}

fn claim(asked: &Claim, scene: &mut Scene<'_>) -> Result<(), Refusal> {
    let invalid = |_| Refusal::InvalidParameter { parameter: "addr".to_owned() };
    let addr = asked.addr.map(LinkLocalAddr::new).transpose().map_err(invalid)?;
    match scene.roster.claim(scene.edge, &asked.interface, addr) {
        None => Err(absent(scene, asked.interface.clone())),
        Some(claimed) => claimed.map_err(|reason| Refusal::Refused { reason }),
    }
}

fn reannounce(asked: Reannounce, scene: &mut Scene<'_>) -> Result<(), Refusal> {
    let Some(interface) = asked.interface else {
        scene.roster.for_each_device(scene.edge, |device, edge| {
            device.drive(edge, |engine| engine.reannounce(boottime()));
        });
        return Ok(());
    };
    let announced = scene.roster.with_device_named(scene.edge, &interface, |device, edge| {
        device.drive(edge, |engine| engine.reannounce(boottime()));
        device.in_use().is_some()
    });
    match announced {
        None => Err(absent(scene, interface)),
        Some(false) => Err(Refusal::NoAddress { interface, addr: None }),
        Some(true) => Ok(()),
    }
}

/// Begins with the present state of each interface.
fn monitor(interface: Option<String>, scene: &mut Scene<'_>) -> Result<Answer, Refusal> {
    let subjects = scene.roster.subjects(scene.edge, interface.as_deref());
    if let (Some(interface), true) = (&interface, subjects.is_empty()) {
        return Err(unknown(scene, interface.clone()));
    }
    let clock = Clock::now();
    let statuses =
        subjects.iter().filter_map(|it| scene.roster.status(scene.edge, it, false, &clock));
    let replies = statuses.map(|status| {
        Reply::new(&Event::StateChanged(StateChanged {
            time: clock.ms(clock.at()),
            interface: status.interface,
            state: status.state,
            state_number: status.state_number,
            addr: status.addr,
        }))
    });
    Ok(Answer::Begin(Task::Monitor { interface }, replies.collect()))
}

/// A notice in the words of the protocol; `None` for what is between us and a script.
//= LL-6.1-02 programs that watch are told when an address changes, and why
pub(super) fn event(notice: &Notice, clock: &Clock, scene: &mut Scene<'_>) -> Option<Event> {
    let (time, interface) = (clock.ms(notice.at), notice.interface.clone());
    let (alias, addr) = (notice.label.clone(), notice.addr.map(Ipv4Addr::from));
    // Notices about an address name it.
    let named = addr.unwrap_or(Ipv4Addr::UNSPECIFIED);
    Some(match notice.what {
        What::Acquired | What::Restored => {
            Event::AddressAcquired(AddressAcquired { time, interface, alias, addr: named })
        }
        What::Lost(loss) => {
            let loss = translation::loss(loss);
            Event::AddressLost(AddressLost { time, interface, alias, addr: named, loss })
        }
        What::State(state) => Event::StateChanged(StateChanged {
            time,
            interface,
            state: translation::state(state),
            state_number: state.number(),
            addr,
        }),
        What::Conflict(contest) => {
            let mut frame = Vec::new();
            scene.roster.with_device(scene.edge, notice.index, |device, _| {
                frame = device.frame_of(named, contest);
            });
            let conflict = translation::conflict(time, &interface, named, contest, &frame);
            Event::Conflict(conflict)
        }
        What::Stopped => Event::InterfaceRemoved(InterfaceRemoved { time, interface }),
        What::Wanted | What::Unwanted(_) => return None,
    })
}
