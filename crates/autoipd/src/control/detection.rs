//! Probes and watches for clients: conflict detection (RFC 5227) for addresses that the daemon
//! does not manage, each with a socket and a detector of its own.
//!
//! Nothing here changes an address; what is found out is told to the client.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use autoip_control::{Conflict, ProbeReply, Refusal, Reply, WatchReply};
use autoip_core::{Acd, AcdEvent, Contest, Defend, Instant, MacAddr, Outcome, Step, Timing};
use autoip_linux::rtnl::Link;
use autoip_linux::{ArpFilter, IfIndex, PacketSocket, Result, boottime, seed};
use tracing::{debug, warn};

use super::translation::{self, Clock};
use crate::aside::drop_aside;
use crate::host::Host;
use crate::limit::Limit;
use crate::marks;

/// Room for an ARP frame and its padding.
const FRAME_MAX: usize = 128;
/// How many frames of one detection are handled before others get their turn.
const FRAMES_PER_TURN: usize = 256;

/// What is done about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Probe,
    Watch,
}

/// Conflict detection for one client.
pub(super) struct Detection {
    pub(super) purpose: Purpose,
    pub(super) index: IfIndex,
    pub(super) interface: String,
    pub(super) addr: Ipv4Addr,
    pub(super) defend: Defend,
    pub(super) since: Instant,
    /// As it was when this began: a link that was away cannot be relied on.
    carrier_changes: u32,
    pub(super) acd: Acd,
    socket: Option<PacketSocket>,
    send_fails: bool,
    /// How often the log tells of conflicts.
    reports: Limit,
}

/// What a client is to be told, and whether that is all.
pub(super) struct Finding {
    pub(super) reply: Reply,
    pub(super) last: bool,
    /// Nothing follows from it, and anybody on the link can cause it without end: a client that
    /// has not fetched what came before does without.
    pub(super) spare: bool,
}

/// What remains of a watch that has lately defended its address.
pub(super) struct Defended {
    pub(super) index: IfIndex,
    pub(super) addr: Ipv4Addr,
    pub(super) acd: Acd,
}

impl Finding {
    /// The last one, which ends the detection.
    fn refusal(refusal: &Refusal) -> Self {
        Self { reply: refusal.to_reply(), last: true, spare: false }
    }
}

impl Detection {
    /// Begins to probe for `addr` or to watch it.
    pub(super) fn begin(
        purpose: Purpose,
        link: &Link,
        addr: Ipv4Addr,
        timing: Timing,
        defend: Defend,
    ) -> Result<Self> {
        let socket = PacketSocket::arp(link.index)?;
        socket.set_mark(marks::PACKET)?;
        let mut acd = Acd::new(link.mac.unwrap_or(MacAddr::ZERO), timing, defend, seed()?);
        let now = boottime();
        match purpose {
            Purpose::Probe => {
                acd.probe(now, now, addr);
                socket.set_filter(ArpFilter::Candidate(addr))?;
            }
            Purpose::Watch => {
                acd.watch(addr);
                socket.set_filter(ArpFilter::Claimed(addr))?;
            }
        }
        Ok(Self {
            purpose,
            index: link.index,
            interface: link.name.clone(),
            addr,
            defend,
            since: now,
            carrier_changes: link.carrier_changes,
            acd,
            socket: Some(socket),
            send_fails: false,
            reports: Limit::per_hour(),
        })
    }

    pub(super) fn socket(&self) -> Option<&PacketSocket> {
        self.socket.as_ref()
    }

    /// Takes in waiting frames, and then does what is due. What arrived in time counts first.
    pub(super) fn run(&mut self, host: &Host) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut buffer = [0; FRAME_MAX];
        for _ in 0..FRAMES_PER_TURN {
            let Some(socket) = &self.socket else { return findings };
            match socket.receive(&mut buffer) {
                Ok(Some(received)) => {
                    let (at, frame) = (received.at, received.frame);
                    let watched = self.purpose == Purpose::Watch;
                    if watched && host.answers(self.index, self.addr, frame) {
                        continue;
                    }
                    let step = self.acd.handle_frame(at, frame);
                    if self.act(step, Some((at, frame)), &mut findings) {
                        return findings;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    debug!(interface = self.interface, "{error}");
                    break;
                }
            }
        }
        while self.acd.poll_timeout().is_some_and(|at| at <= boottime()) {
            let step = self.acd.handle_timeout(boottime());
            if self.act(step, None, &mut findings) {
                break;
            }
        }
        findings
    }

    /// What another watch of the same address has to know, for as long as that matters.
    //= ACD-2.4-05 a watch that begins anew does not defend sooner
    pub(super) fn defended(&self, now: Instant) -> Option<Defended> {
        let Self { purpose, index, addr, acd, .. } = self;
        let matters = *purpose == Purpose::Watch && acd.is_contested(now);
        matters.then(|| Defended { index: *index, addr: *addr, acd: acd.clone() })
    }

    /// Goes on where an earlier watch of the same address ended.
    pub(super) fn take_up(&mut self, mut acd: Acd) {
        acd.set_mac(self.acd.mac());
        acd.set_defend(self.defend);
        acd.watch(self.addr);
        self.acd = acd;
    }

    /// Whether another host was found to have the address, or to try it.
    pub(super) fn has_met_conflict(&self) -> bool {
        let counters = self.acd.counters();
        counters.conflicts_in_use > 0 || counters.conflicts_competing > 0
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.acd.poll_timeout()
    }

    /// Whether the link is as it was and, for a watch, the address is still there; else what the
    /// client is told. A watch follows the link to another MAC address.
    pub(super) fn check(&mut self, host: &Host) -> Option<Finding> {
        let link = host.link(self.index).filter(|link| link.name == self.interface);
        let refusal = match (link, self.purpose) {
            (None, _) => Refusal::NoSuchInterface { interface: self.interface.clone() },
            (Some(link), Purpose::Probe)
                if !link.has_carrier()
                    || link.carrier_changes != self.carrier_changes
                    || link.mac.is_some_and(|mac| mac != self.acd.mac()) =>
            {
                return self.overslept();
            }
            (Some(_), Purpose::Watch) if !host.has(self.index, self.addr, None) => {
                Refusal::NoAddress { interface: self.interface.clone(), addr: Some(self.addr) }
            }
            (Some(link), Purpose::Watch) => {
                self.follow_mac(link);
                return None;
            }
            (Some(_), Purpose::Probe) => return None,
        };
        Some(Finding::refusal(&refusal))
    }

    /// Goes on watching with the MAC address that the link has now: a defence with another one
    /// would send the peers' packets nowhere, and our own frames would look like a conflict.
    fn follow_mac(&mut self, link: &Link) {
        if let Some(mac) = link.mac.filter(|&mac| mac != self.acd.mac()) {
            self.acd.set_mac(mac);
            self.acd.watch(self.addr);
        }
    }

    /// What a client is told whose probe cannot be relied on, because nothing was heard for a
    /// while. A watch goes on.
    pub(super) fn overslept(&self) -> Option<Finding> {
        let reason = format!("the link of {} went away or changed meanwhile", self.interface);
        let finding = Finding::refusal(&Refusal::Refused { reason });
        (self.purpose == Purpose::Probe).then_some(finding)
    }

    /// Does what the detector says. Returns whether that was all.
    fn act(
        &mut self,
        step: Step,
        frame: Option<(Instant, &[u8])>,
        findings: &mut Vec<Finding>,
    ) -> bool {
        if let (Some(packet), Some(socket)) = (step.transmit, &self.socket) {
            match socket.send(&packet.to_broadcast()) {
                Ok(()) => self.send_fails = false,
                Err(error) => {
                    if !std::mem::replace(&mut self.send_fails, true) && !error.is_gone() {
                        warn!(interface = self.interface, "{error}; trying again every second");
                    }
                    self.acd.transmit_failed(boottime());
                    return false;
                }
            }
        }
        let mut spare = false;
        let (reply, last) = match (step.event, self.purpose) {
            (None | Some(AcdEvent::Claimed), _) | (Some(AcdEvent::Free), Purpose::Watch) => {
                return false;
            }
            (Some(AcdEvent::Free), Purpose::Probe) => {
                (Reply::new(&ProbeReply { free: true, conflict: None }), true)
            }
            (Some(AcdEvent::Defended), _) => {
                (Reply::new(&WatchReply { conflict: None, defended: true }), false)
            }
            (Some(AcdEvent::Contested(contest)), purpose) => {
                let conflict = Some(self.conflict(contest, frame));
                match purpose {
                    Purpose::Probe => (Reply::new(&ProbeReply { free: false, conflict }), true),
                    Purpose::Watch => {
                        let last = contest.outcome == Outcome::Ceded;
                        spare = contest.outcome == Outcome::Endured;
                        (Reply::new(&WatchReply { conflict, defended: false }), last)
                    }
                }
            }
        };
        findings.push(Finding { reply, last, spare });
        last
    }

    //= ACD-2.4-07 conflicts over an address kept for good are logged, though not without end
    fn conflict(&mut self, contest: Contest, frame: Option<(Instant, &[u8])>) -> Conflict {
        let (addr, mac) = (self.addr, contest.mac);
        if self.purpose == Purpose::Watch && self.reports.allows(boottime()) {
            warn!(interface = self.interface, "{mac} claims {addr}, which is watched for a client");
        }
        let clock = Clock::now();
        let time = clock.ms(frame.map_or(clock.at(), |(at, _)| at));
        let frame = frame.map_or(&[][..], |(_, frame)| frame);
        translation::conflict(time, &self.interface, addr, contest, frame)
    }
}

impl Drop for Detection {
    /// The kernel takes some ten milliseconds to close a packet socket; nobody is to wait for it.
    fn drop(&mut self) {
        let socket = self.socket.take();
        // Nobody waits for the thread.
        let _ = drop_aside(socket);
    }
}

/// All detections, by their tokens.
pub(super) type Detections = BTreeMap<u64, Detection>;
