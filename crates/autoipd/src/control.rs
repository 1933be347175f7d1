//! The control server: clients on a Unix socket ask where things stand, watch, and change things.
//!
//! It lives in the daemon's loop and has its turn after everything that the protocol wants. In one
//! turn each client has at most one chunk read, one call answered and one part of a long answer
//! made; a turn has an end, and a rest after it that leaves four fifths of the time to others. So
//! no client can hold up a probe or a defence. Clients, calls, replies and waiting times have
//! limits; who passes one is dropped and nobody is told.
//!
//! `client` is a connection, `answer` what calls lead to, `detection` the probes and watches that
//! clients asked for. Must never wait, and never end the daemon.

mod answer;
mod attempt;
mod client;
mod detection;
mod listener;
mod permission;
pub(crate) mod translation;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use autoip_control::{Event, Nothing, Refusal, Reply};
use autoip_core::Instant;
use autoip_linux::{Peer, Poller, Readiness, boottime};
use tracing::{debug, warn};

use attempt::Attempts;
use client::{Client, Gone};
use detection::{Defended, Detection, Detections, Finding, Purpose};
pub(crate) use listener::REGISTRY;

use listener::Listener;
use permission::Permission;
use translation::Clock;

use crate::edge::Edge;
use crate::host::Host;
use crate::notice::Notice;
use crate::roster::Roster;
use crate::roster::view::Subject;

/// The clients and the listener, as the daemon's loop knows them. Far above all tokens of
/// interfaces.
const TOKEN_CONTROL: u64 = 1 << 62;
/// The listener, among the clients.
const TOKEN_LISTENER: u64 = TOKEN_CONTROL + 1;
/// How many clients there may be at a time.
const CLIENTS_MAX: usize = 64;
/// How many of them may be such as cannot change things: the rest is kept for those who can.
const READERS_MAX: usize = 48;
/// How many of these may belong to one user.
const READERS_OF_ONE_MAX: usize = 16;
/// How many probes and watches may run at a time.
const DETECTIONS_MAX: usize = 16;
/// How many clients are let in during one turn.
const ACCEPTED_MAX: usize = 8;
/// After this time no other client has its turn; the next turn begins with it.
const TURN_MAX: Duration = Duration::from_millis(1);
/// How many times as long as a turn clients have to wait for the next one. A daemon that is busy
/// with clients most of the time would be late: the scheduler prefers those that sleep.
const REST_SHARE: u32 = 4;
/// How long nobody is let in after that failed.
const NO_ENTRY: Duration = Duration::from_secs(1);

/// What a client is being told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Task {
    /// Nothing: its next call is welcome.
    Nothing,
    /// Where these stand, one after the other.
    Status { first: bool, rest: Vec<Subject> },
    /// The counters, from this part on, of these; whether they are the first of the part.
    Metrics { part: usize, rest: Vec<Subject>, first: bool },
    /// What happens, on this interface or on all.
    Monitor { interface: Option<String> },
    /// What the detection with this token finds.
    Detection { token: u64 },
    /// How the reading of the configuration went.
    Reload,
}

impl Task {
    /// Whether there is always a next part, made when the one before has been sent.
    fn has_parts(&self) -> bool {
        matches!(self, Self::Status { .. } | Self::Metrics { .. })
    }
}

/// What calls are about.
pub(crate) struct Scene<'d> {
    pub(crate) edge: &'d mut Edge,
    pub(crate) roster: &'d mut Roster,
}

/// The control server.
pub(crate) struct Control {
    listener: Option<Listener>,
    permission: Permission,
    clients: BTreeMap<u64, Client>,
    detections: Detections,
    attempts: Attempts,
    /// Watches that have ended, and may not be taken up as if they had defended nothing.
    defended: Vec<Defended>,
    next_token: u64,
    /// What the listener and the clients are watched by.
    poller: Poller,
    /// Clients have had their share and wait until then.
    rests_until: Option<Instant>,
    /// Nobody is let in before that.
    closed_until: Option<Instant>,
    /// Whose turn is next.
    turn: u64,
}

impl Control {
    /// Listens at `path`, or nowhere. What is in the way is said once; the daemon runs on.
    ///
    /// # Errors
    ///
    /// A system call that never fails failed.
    pub(crate) fn start(path: Option<&Path>, outer: &Poller) -> autoip_linux::Result<Self> {
        let poller = Poller::new()?;
        outer.add(&poller, TOKEN_CONTROL)?;
        let listener = path.and_then(|path| {
            let listener = Listener::open(path).and_then(|listener| {
                let added = poller.add(&listener, TOKEN_LISTENER);
                added.map_err(|error| error.to_string()).map(|()| listener)
            });
            match &listener {
                Ok(_) => debug!("listening at {}", path.display()),
                Err(why) => warn!("no control socket: {why}; going on without it"),
            }
            listener.ok()
        });
        Ok(Self {
            listener,
            permission: Permission::load(),
            clients: BTreeMap::new(),
            detections: Detections::new(),
            attempts: Attempts::default(),
            defended: Vec::new(),
            next_token: TOKEN_LISTENER + 1,
            poller,
            rests_until: None,
            closed_until: None,
            turn: 0,
        })
    }

    /// When something is due next; in the past when there is work that waits for its turn.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let works = |client: &Client| client.has_more() || client.wants_part();
        let work = self.clients.values().any(works).then(|| Instant::from_nanos(1));
        let clients = self.clients.values().filter_map(Client::deadline);
        let clients = clients.chain(work).chain(self.closed_until).min();
        // Nothing is due to clients while they wait.
        let clients = match self.rests_until {
            Some(until) => Some(until),
            None => clients,
        };
        let detections = self.detections.values().filter_map(Detection::deadline);
        detections.chain(clients).min()
    }

    /// Has one turn. Returns the clients that want the configuration read again, which
    /// [`Control::reloaded`] tells how it went.
    pub(crate) fn serve(&mut self, tokens: &[u64], scene: &mut Scene<'_>) -> Vec<u64> {
        let now = boottime();
        self.detect(tokens, now, &scene.edge.host);
        if self.rests_until.is_some_and(|until| until > now) {
            return Vec::new();
        }
        if self.rests_until.take().is_some() {
            self.listen_to_clients(true, &scene.edge.poller);
        }
        if !tokens.contains(&TOKEN_CONTROL) && self.deadline().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut ready = Vec::new();
        if let Err(error) = self.poller.ready(&mut ready) {
            debug!("{error}");
        }
        self.serve_clients(&ready, now, scene);
        if self.closed_until.take_if(|at| *at <= now).is_some() {
            self.open(true);
        }
        if ready.contains(&TOKEN_LISTENER) {
            self.accept(now);
        }
        let ended = boottime();
        self.rests_until = Some(ended + (ended - now) * REST_SHARE);
        self.listen_to_clients(false, &scene.edge.poller);
        let reloads = self.clients.iter().filter(|(_, client)| client.task == Task::Reload);
        reloads.map(|(id, _)| *id).collect()
    }

    /// Lets the clients have their turns, as many as there is time for.
    fn serve_clients(&mut self, ready: &[u64], now: Instant, scene: &mut Scene<'_>) {
        let ids: Vec<_> = self.clients.keys().copied().collect();
        let first = ids.partition_point(|id| *id < self.turn);
        for id in ids[first..].iter().chain(&ids[..first]).copied() {
            if boottime() - now > TURN_MAX {
                self.turn = id;
                return;
            }
            if self.serve_client(id, ready.contains(&id), now, scene) == Err(Gone) {
                self.drop_client(id);
            }
        }
    }

    /// Whether the daemon's loop wakes up for clients.
    fn listen_to_clients(&self, on: bool, outer: &Poller) {
        let readiness = Readiness { read: on, write: false };
        if let Err(error) = outer.change(&self.poller, TOKEN_CONTROL, readiness) {
            debug!("{error}");
        }
    }

    /// Tells a client how the reading of the configuration went.
    pub(crate) fn reloaded(&mut self, id: u64, result: Result<(), String>) {
        let reply = match result {
            Ok(()) => Reply::new(&Nothing {}),
            Err(reason) => Refusal::BadConfiguration { reason }.to_reply(),
        };
        self.tell(id, &reply, true);
    }

    /// Tells everybody who watches what happened, all of it by one reading of the clocks: what
    /// came later never seems to have come earlier.
    pub(crate) fn on_notices(&mut self, notices: &VecDeque<Notice>, scene: &mut Scene<'_>) {
        let watches = |client: &Client| matches!(client.task, Task::Monitor { .. });
        if notices.is_empty() || !self.clients.values().any(watches) {
            return;
        }
        let clock = Clock::now();
        for notice in notices {
            if let Some(event) = answer::event(notice, &clock, scene) {
                self.publish(&notice.interface, &event);
            }
        }
    }

    fn publish(&mut self, name: &str, event: &Event) {
        let wants = |client: &Client| {
            let Task::Monitor { interface } = &client.task else { return false };
            interface.as_deref().is_none_or(|wanted| wanted == name)
        };
        let ids: Vec<_> =
            self.clients.iter().filter(|(_, it)| wants(it)).map(|(id, _)| *id).collect();
        for id in ids {
            self.tell(id, &Reply::new(event), false);
        }
    }

    /// Links or addresses may have changed: ends the detections that rely on what is no more.
    pub(crate) fn on_change(&mut self, host: &Host) {
        self.end_detections(|detection| detection.check(host));
    }

    /// The machine slept, and heard nothing meanwhile.
    pub(crate) fn on_resume(&mut self) {
        self.end_detections(|detection| detection.overslept());
    }

    fn end_detections(&mut self, end: impl Fn(&mut Detection) -> Option<Finding>) {
        let ended = |(token, it): (&u64, &mut Detection)| Some((*token, end(it)?));
        let ended: Vec<_> = self.detections.iter_mut().filter_map(ended).collect();
        for (token, finding) in ended {
            self.report(token, &finding);
        }
    }

    /// Says goodbye. What is on its way to clients has to do.
    pub(crate) fn stop(&mut self) {
        self.detections.clear();
        self.clients.clear();
        self.listener = None;
    }

    /// Runs the detections that have frames, or something due.
    fn detect(&mut self, tokens: &[u64], now: Instant, host: &Host) {
        let mut findings = Vec::new();
        for (token, detection) in &mut self.detections {
            if tokens.contains(token) || detection.deadline().is_some_and(|at| at <= now) {
                findings.extend(detection.run(host).into_iter().map(|finding| (*token, finding)));
            }
        }
        for (token, finding) in findings {
            self.report(token, &finding);
        }
    }

    /// Tells what a detection found to the client that asked for it.
    fn report(&mut self, token: u64, finding: &Finding) {
        let task = Task::Detection { token };
        let client = self.clients.iter().find(|(_, client)| client.task == task);
        if let Some((&id, client)) = client
            && !(finding.spare && client.is_behind())
        {
            self.tell(id, &finding.reply, finding.last);
        }
        if finding.last
            && let Some(ended) = self.end_detection(token)
            && ended.purpose == Purpose::Probe
            && ended.has_met_conflict()
        {
            self.attempts.conflicted(ended.index, ended.since, boottime());
        }
    }

    fn end_detection(&mut self, token: u64) -> Option<Detection> {
        let now = boottime();
        let ended = self.detections.remove(&token)?;
        self.defended.retain(|other| other.acd.is_contested(now));
        self.defended.extend(ended.defended(now));
        Some(ended)
    }

    /// Sends a client a reply, after which it is at rest if it is the last.
    fn tell(&mut self, id: u64, reply: &Reply, last: bool) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if last {
            client.task = Task::Nothing;
        }
        let reply = Reply { continues: !last, ..reply.clone() };
        if client.tell(&reply, boottime()) == Err(Gone) {
            self.drop_client(id);
        }
    }

    fn serve_client(
        &mut self,
        id: u64,
        is_ready: bool,
        now: Instant,
        scene: &mut Scene<'_>,
    ) -> Result<(), Gone> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        if is_ready {
            client.on_ready(now)?;
        }
        if client.deadline().is_some_and(|at| at <= now) {
            return Err(Gone);
        }
        if client.wants_part() {
            self.send_part(id, scene);
        } else if let Some(call) = client.next_call(now)? {
            self.answer(id, call, scene);
        }
        Ok(())
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..ACCEPTED_MAX {
            let Some(listener) = &self.listener else { return };
            let stream = match listener.accept() {
                Ok(Some(stream)) => stream,
                Ok(None) => return,
                Err(error) => {
                    // Out of descriptors, perhaps: it would be reported again and again.
                    debug!("a client cannot be let in: {error}");
                    self.closed_until = Some(now + NO_ENTRY);
                    return self.open(false);
                }
            };
            let Ok(peer) = Peer::of(&stream) else { continue };
            let may_change = self.permission.may_change(&peer);
            let mut client = Client::new(stream, &peer, may_change, now);
            if let Some(reason) = self.is_full_for(&client) {
                let _ = client.tell(&Refusal::TooMany { reason }.to_reply(), now);
                continue;
            }
            let id = self.new_token();
            if self.poller.add(&client, id).is_ok() {
                self.clients.insert(id, client);
            }
        }
    }

    /// Whether anybody is let in.
    fn open(&self, on: bool) {
        let readiness = Readiness { read: on, write: false };
        if let Some(listener) = &self.listener
            && let Err(error) = self.poller.change(listener, TOKEN_LISTENER, readiness)
        {
            debug!("{error}");
        }
    }

    /// Why a client cannot be let in at present.
    fn is_full_for(&self, client: &Client) -> Option<String> {
        let readers = || self.clients.values().filter(|other| !other.may_change);
        let full = self.clients.len() >= CLIENTS_MAX
            || !client.may_change
                && (readers().count() >= READERS_MAX
                    || readers().filter(|other| other.uid == client.uid).count()
                        >= READERS_OF_ONE_MAX);
        full.then(|| "the daemon has as many clients as it allows; try again later".to_owned())
    }

    fn new_token(&mut self) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        token
    }

    fn drop_client(&mut self, id: u64) {
        if let Some(client) = self.clients.remove(&id)
            && let Task::Detection { token } = client.task
        {
            self.end_detection(token);
        }
    }

    /// Ends a turn: has the descriptors watched for what is wanted of them from here on.
    pub(crate) fn settle(&mut self) {
        let mut lost = Vec::new();
        for (&id, client) in &mut self.clients {
            if let Some(readiness) = client.new_readiness()
                && self.poller.change(&*client, id, readiness).is_err()
            {
                lost.push(id);
            }
        }
        for id in lost {
            self.drop_client(id);
        }
    }
}
