//! What becomes of an engine's reports: the log, the notices for whoever wants to be told, and the
//! changes to the kernel that follow from a report.

use autoip_core::timing::DEFEND_INTERVAL;
use autoip_core::{ConflictKind, Contest, Event, LinkLocalAddr, Loss, Outcome, ZeroConfState};
use autoip_linux::boottime;
use tracing::{debug, info, warn};

use super::{Device, Feedback};
use crate::edge::Edge;
use crate::marks;
use crate::notice::{Notice, What};

impl Device {
    /// Writes down a change of state. A conflict ends by itself, without an input.
    pub(super) fn note_state(&mut self, edge: &mut Edge) {
        let now = boottime();
        let snapshot = self.engine.snapshot(now);
        if std::mem::replace(&mut self.state, snapshot.state) != snapshot.state {
            self.since = now;
            self.note(edge, snapshot.addr, What::State(snapshot.state));
        }
        let contested = snapshot.state == ZeroConfState::Defending;
        let calm_at = self.calm_at.filter(|&at| at > now).unwrap_or(now + DEFEND_INTERVAL);
        self.calm_at = contested.then_some(calm_at);
    }

    pub(super) fn note(&self, edge: &mut Edge, addr: Option<LinkLocalAddr>, what: What) {
        edge.notices.push(Notice {
            at: boottime(),
            index: self.index,
            interface: self.name.clone(),
            mac: self.mac,
            label: marks::label(&self.name, self.alias),
            addr,
            what,
        });
    }

    pub(super) fn report(&mut self, edge: &mut Edge, event: Event) -> Option<Feedback> {
        let interface = &self.name;
        match event {
            // Nobody has heard of it: it is used when the announcement has gone out.
            Event::Acquired(_) | Event::Restored(_) if self.send_fails => {
                self.unannounced = Some(event);
            }
            Event::Candidate(addr) => {
                if let Some(holder) = self.holder(edge, addr) {
                    debug!(interface, "passing over {addr}: {holder}");
                    return Some(Feedback::Avoid(addr));
                }
                debug!(interface, "probing for {addr}");
            }
            //= ACD-2.3-02 the address is used from the first announcement on
            Event::Acquired(addr) => {
                info!(interface, "claimed {addr}");
                self.in_use = true;
                self.set_gate(edge);
                self.set_routes(edge);
                edge.store.save(self.mac, addr);
                self.remembered = Some(addr);
                self.note(edge, Some(addr), What::Acquired);
            }
            Event::Restored(addr) => {
                info!(interface, "put {addr} back, which somebody had deleted");
                self.in_use = true;
                self.set_gate(edge);
                // Older kernels say nothing of routes that went with the address.
                self.renew_routes(edge);
                self.note(edge, Some(addr), What::Restored);
            }
            Event::Contested(addr, contest) => {
                self.report_contest(addr, contest);
                self.history.push(boottime(), addr.ip(), contest);
                self.note(edge, Some(addr), What::Conflict(contest));
                self.tell_lost(edge);
            }
            Event::Defended(addr) => debug!(interface, "announced {addr} in defence"),
            Event::Denier(mac) => warn!(
                interface,
                "{mac} denies every address: a proxy, or an access point that answers for others"
            ),
            Event::BackedOff => {
                let until = self.engine.poll_timeout().map(|at| at.since(boottime()));
                let seconds = until.unwrap_or_default().as_secs();
                warn!(interface, "no address for now; trying another one in {seconds} s");
            }
        }
        None
    }

    /// Tells of an address that was given up. The engine has that done first and speaks of the
    /// conflict afterwards; whoever is told wants to hear of it the other way round.
    pub(super) fn tell_lost(&mut self, edge: &mut Edge) {
        let Some((addr, loss)) = self.lost.take() else { return };
        let unwanted = loss == Loss::Retired && self.routable.is_none();
        let why = if unwanted { "no address is wanted here" } else { reason(loss) };
        info!(interface = self.name, "gave up {addr}: {why}");
        self.note(edge, Some(addr), What::Lost(loss));
    }

    //= ACD-1-01 a conflict is reported with the MAC address behind it
    //= ACD-1.3-06 the operator learns of a conflict from the log
    fn report_contest(&mut self, addr: LinkLocalAddr, Contest { mac, kind, outcome }: Contest) {
        let interface = &self.name;
        // Anybody can forge conflicts, for ever.
        if !self.contests.allows(boottime()) {
            return debug!(interface, "{mac} contests {addr}: {outcome:?}");
        }
        match (outcome, kind) {
            (Outcome::Dropped, ConflictKind::CompetingProbe) => {
                info!(interface, "{mac} is about to use {addr} too; leaving it");
            }
            (Outcome::Dropped, ConflictKind::InUse | ConflictKind::Late) => {
                info!(interface, "{mac} has {addr}; leaving it");
            }
            (Outcome::Defending | Outcome::Endured, _) => {
                warn!(interface, "{mac} claims {addr}, which is ours; defending it");
            }
            (Outcome::Ceded, _) => warn!(interface, "{mac} insists on {addr}; giving it up"),
        }
        if self.contests.is_used_up() {
            info!(interface, "that is the last conflict that is reported within the hour");
        }
    }
}

/// Why an address was given up, as the end of a sentence.
pub(super) fn reason(loss: Loss) -> &'static str {
    match loss {
        Loss::Conflict => "another host claims it",
        Loss::Carrier => "the link is down",
        Loss::MacChanged => "the MAC address changed",
        Loss::Retired => "a routable address is there",
        Loss::Stopped => "no longer managing the interface",
        Loss::Deleted => "somebody keeps deleting it",
        Loss::OutOfRange => "it is not in the range to choose from any longer",
        Loss::Released => "released on request",
    }
}
