//! What one host has shown to the outside so far: enough to judge what it does next.

use std::net::Ipv4Addr;

use autoip_wire::{ArpPacket, MacAddr, Operation};

use super::number::{
    ANNOUNCEMENTS, BETWEEN_ANNOUNCEMENTS, BETWEEN_DEFENCES, DEFENCE_WITHIN, MEMORY, RETRY,
};
use super::{Fact, Terms};
use crate::clock::SimTime;
use crate::link::Transmission;
use crate::options::Policy;

/// What a frame of a host says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    Probe(Ipv4Addr),
    Announcement(Ipv4Addr),
    /// A kernel's request or reply, or no ARP at all.
    Other,
}

impl Speech {
    pub(super) fn of(packet: &ArpPacket) -> Self {
        if packet.sender_ip.is_unspecified() {
            Self::Probe(packet.target_ip)
        } else if packet.sender_ip == packet.target_ip {
            Self::Announcement(packet.sender_ip)
        } else {
            Self::Other
        }
    }
}

/// What a received frame is to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that matters.
    Nothing,
    /// Its own frame, or one with its own MAC address that is no conflict.
    Echo,
    /// A conflict over the candidate. At the very end of the listening time a host's clock
    /// decides, and then it is not `certain`.
    Denial { certain: bool },
    /// A conflict over the address in use.
    Late,
}

/// The history of one host.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    mac: MacAddr,
    pub(super) started_at: Option<SimTime>,
    /// The address of the last probe.
    pub(super) candidate: Option<Ipv4Addr>,
    pub(super) probes: u8,
    pub(super) last_probe_at: Option<SimTime>,
    /// Somebody denied the candidate then.
    pub(super) denied_at: Option<SimTime>,
    /// The address that was denied last.
    pub(super) denied: Option<Ipv4Addr>,
    /// When the last claim began: with its first probe.
    pub(super) attempt_at: Option<SimTime>,
    /// The address in use when the claim was interrupted, as far as nobody else was heard about it.
    pub(super) home: Option<Ipv4Addr>,
    /// A first probe that could not be sent.
    tried: Option<(Ipv4Addr, SimTime)>,
    /// The claim is over, or there was none: there is a reason for another one.
    pub(super) is_over: bool,
    /// There may be one: a denial came in the very moment in which the listening time ends.
    pub(super) may_be_over: bool,
    /// Frames failed to be sent, so times have shifted.
    pub(super) is_loose: bool,
    /// When there was last a reason to give the address up.
    pub(super) reason_at: Option<SimTime>,
    pub(super) echo_at: Option<SimTime>,
    /// Conflicts that count towards the rate limit.
    pub(super) conflicts: u8,
    conflicted_at: Option<SimTime>,

    addr: Option<Ipv4Addr>,
    /// The claim to the address on the interface has ended, and it should not be there.
    pub(super) is_stale: bool,
    pub(super) placed_at: Option<SimTime>,
    /// It had been deleted by others.
    pub(super) is_restored: bool,
    /// Announcements of the claim.
    pub(super) announcements: u8,
    /// All announcements, defences included, since the address was placed.
    pub(super) announced: u16,
    pub(super) announced_at: Option<SimTime>,
    /// Probes for the address while in use.
    pub(super) second_probes: u8,
    /// Conflicts since the address was placed.
    pub(super) late_conflicts: u16,
    late_at: Option<SimTime>,
    /// A conflict has to be answered by then.
    pub(super) owed_by: Option<SimTime>,
    /// The address has to go by then.
    pub(super) gone_by: Option<SimTime>,
    pub(super) defended: Option<(Ipv4Addr, SimTime)>,
}

impl Ledger {
    pub(super) fn new(mac: MacAddr) -> Self {
        Self {
            mac,
            started_at: None,
            candidate: None,
            probes: 0,
            last_probe_at: None,
            denied_at: None,
            denied: None,
            attempt_at: None,
            home: None,
            tried: None,
            is_over: true,
            may_be_over: false,
            is_loose: false,
            reason_at: None,
            echo_at: None,
            conflicts: 0,
            conflicted_at: None,
            addr: None,
            is_stale: false,
            placed_at: None,
            is_restored: false,
            announcements: 0,
            announced: 0,
            announced_at: None,
            second_probes: 0,
            late_conflicts: 0,
            late_at: None,
            owed_by: None,
            gone_by: None,
            defended: None,
        }
    }

    pub(super) fn mac(&self) -> MacAddr {
        self.mac
    }

    /// The address on the interface.
    pub(super) fn addr(&self) -> Option<Ipv4Addr> {
        self.addr
    }

    /// Since when it has had `addr`, if it has it.
    pub(super) fn held_since(&self, addr: Ipv4Addr) -> Option<SimTime> {
        self.placed_at.filter(|_| self.addr == Some(addr))
    }

    /// Whether a received frame can matter to this host.
    pub(super) fn is_concerned(&self, frame: &Transmission) -> bool {
        frame.addrs().any(|about| Some(about) == self.addr || Some(about) == self.candidate)
    }

    /// Whether `probe` opens a new claim.
    pub(super) fn opens(&self, probe: Ipv4Addr) -> bool {
        let is_fresh = self.is_over || self.is_restored || self.candidate != Some(probe);
        self.addr != Some(probe) && is_fresh
    }

    /// When the claim that `probe` opens began: a failed first probe counts.
    pub(super) fn begins_at(&self, now: SimTime, probe: Ipv4Addr) -> SimTime {
        self.tried.filter(|&(addr, _)| addr == probe).map_or(now, |(_, at)| at)
    }

    /// What a received frame is to this host.
    pub(super) fn hear(&self, now: SimTime, frame: &Transmission, terms: &Terms) -> Heard {
        let Some((ethernet, packet)) = frame.arp else { return Heard::Nothing };
        let own = packet.sender_mac == self.mac;
        if self.addr == Some(packet.sender_ip) {
            return if own { Heard::Echo } else { Heard::Late };
        }
        let Some(candidate) = self.candidate.filter(|_| !self.is_over && self.addr.is_none())
        else {
            return Heard::Nothing;
        };
        let since = self.last_probe_at.map_or(std::time::Duration::ZERO, |last| now - last);
        let all_sent = self.probes >= terms.numbers.probes;
        let is_within = !all_sent || since <= terms.shortest(terms.numbers.listen);
        let may_be_within = !all_sent || since <= terms.latest(terms.numbers.listen);
        if packet.sender_ip == candidate {
            // An address that was deleted is still its own: nobody else's is its echo.
            if own && (!may_be_within || self.is_restored) {
                return Heard::Echo;
            }
            return Heard::Denial { certain: !self.is_restored && (is_within || !own) };
        }
        let is_probe = packet.operation == Operation::Request
            && packet.sender_ip.is_unspecified()
            && packet.target_ip == candidate;
        match (is_probe, own, ethernet.destination.is_broadcast()) {
            (true, true, _) => Heard::Echo,
            (true, false, true) if may_be_within && !self.is_restored => {
                Heard::Denial { certain: is_within }
            }
            _ => Heard::Nothing,
        }
    }

    /// Enters a fact that has been judged.
    pub(super) fn enter(&mut self, now: SimTime, fact: &Fact<'_>, terms: &Terms) {
        match *fact {
            Fact::Started => self.started_at = Some(now),
            Fact::Interrupted => self.interrupt(now, terms),
            Fact::LinkLost => self.conflicts = 0,
            Fact::NewMac(mac) => self.mac = mac,
            Fact::Sent(frame) => {
                let Some((_, packet)) = frame.arp else { return };
                match Speech::of(&packet) {
                    Speech::Probe(addr) => self.probed(now, addr),
                    Speech::Announcement(addr) => self.announced(now, addr, terms),
                    Speech::Other => {}
                }
            }
            Fact::NotSent(frame) => self.failed(now, frame, terms),
            Fact::Received(frame) => self.received(now, frame, terms),
            Fact::Placed(addr) => self.placed(now, addr),
            Fact::InstallFailed => self.is_over = true,
            Fact::Deleted => {
                self.reason_at = Some(now);
                self.is_restored = true;
                self.is_over = false;
                self.denied_at = None;
                self.candidate = self.addr;
            }
            Fact::TakenOff => {
                if self.late_at.is_some() && self.late_at == self.reason_at {
                    self.denied = self.addr;
                }
                self.addr = None;
                self.is_stale = false;
                (self.owed_by, self.gone_by) = (None, None);
                self.is_over |= !self.is_restored;
            }
        }
    }

    fn received(&mut self, now: SimTime, frame: &Transmission, terms: &Terms) {
        if frame.addrs().any(|about| Some(about) == self.home) {
            self.home = None;
        }
        match self.hear(now, frame, terms) {
            Heard::Nothing => {}
            Heard::Echo => self.echo_at = Some(now),
            Heard::Denial { certain } => self.denied(now, certain),
            Heard::Late => self.contested(now, terms),
        }
    }

    fn interrupt(&mut self, now: SimTime, terms: &Terms) {
        self.is_over = true;
        self.is_restored = false;
        // What was to come comes later now, or not at all.
        self.is_loose = true;
        self.is_stale = self.addr.is_some();
        // What has arrived and is not read yet may be against the address.
        self.home = self.addr.filter(|_| terms.slack.is_zero()).or(self.home);
        self.reason_at = Some(now);
        self.denied = None;
        (self.owed_by, self.gone_by) = (None, None);
        if !terms.slack.is_zero() {
            // What had arrived and was not read yet is lost and did not count.
            self.conflicts = 0;
        }
    }

    fn probed(&mut self, now: SimTime, addr: Ipv4Addr) {
        if self.addr == Some(addr) {
            self.second_probes = self.second_probes.saturating_add(1);
            return;
        }
        if self.opens(addr) {
            self.attempt_at = Some(self.begins_at(now, addr));
            self.home = None;
            self.is_loose = self.tried.take().is_some();
            self.candidate = Some(addr);
            self.probes = 0;
            self.denied_at = None;
            (self.is_over, self.may_be_over) = (false, false);
            self.is_restored = false;
            self.echo_at = None;
        }
        self.probes = self.probes.saturating_add(1);
        self.last_probe_at = Some(now);
    }

    /// Whether an announcement now would be one of the claim's own.
    pub(super) fn is_regular(&self, now: SimTime, terms: &Terms) -> bool {
        let Some(last) = self.announced_at else { return true };
        let gap = now - last;
        self.announcements < ANNOUNCEMENTS
            && gap >= terms.shortest(BETWEEN_ANNOUNCEMENTS)
            && (gap <= terms.longest(BETWEEN_ANNOUNCEMENTS) || self.owed_by.is_none())
    }

    fn announced(&mut self, now: SimTime, addr: Ipv4Addr, terms: &Terms) {
        if self.addr != Some(addr) {
            return;
        }
        if self.is_regular(now, terms) {
            self.announcements += 1;
            self.announced_at = Some(now);
        } else {
            self.owed_by = None;
            self.defended = Some((addr, now));
        }
        self.announced = self.announced.saturating_add(1);
        if self.is_loose {
            // Which announcement is which cannot be told any more.
            self.owed_by = None;
        }
    }

    fn failed(&mut self, now: SimTime, frame: &[u8], terms: &Terms) {
        self.is_loose = true;
        let Ok((_, packet)) = ArpPacket::parse(frame) else { return };
        match Speech::of(&packet) {
            Speech::Probe(addr) if self.opens(addr) => {
                let first = self.tried.filter(|&(tried, _)| tried == addr);
                self.tried = first.or(Some((addr, now)));
            }
            Speech::Probe(_) | Speech::Other => {}
            Speech::Announcement(_) => {
                let again = now + terms.longest(RETRY);
                self.owed_by = self.owed_by.map(|_| again);
            }
        }
    }

    fn denied(&mut self, now: SimTime, certain: bool) {
        self.reason_at = Some(now);
        self.may_be_over = true;
        if certain {
            self.is_over = true;
            self.denied_at = Some(now);
            self.denied = self.candidate;
            self.count(now);
        }
    }

    fn contested(&mut self, now: SimTime, terms: &Terms) {
        self.reason_at = Some(now);
        self.late_conflicts = self.late_conflicts.saturating_add(1);
        // With a second round of probes ahead the first conflict may be enough, and what comes in
        // before the host has noticed does not count.
        let may_be_gone = terms.numbers.second_probes > 0 && self.owed_by.is_some();
        if self.gone_by.is_none() && !may_be_gone {
            self.count(now);
        }
        let recent = self.late_at.is_some_and(|last| now - last < terms.shortest(BETWEEN_DEFENCES));
        if recent || terms.policy == Policy::Never {
            self.gone_by.get_or_insert(now + terms.slack);
        }
        self.owed_by.get_or_insert(now + terms.longest(DEFENCE_WITHIN));
        self.late_at = Some(now);
    }

    fn count(&mut self, now: SimTime) {
        if self.conflicted_at.is_none_or(|last| now - last >= MEMORY) {
            self.conflicts = 0;
        }
        self.conflicts = self.conflicts.saturating_add(1);
        self.conflicted_at = Some(now);
    }

    /// How many conflicts count at `now`.
    pub(super) fn conflicts(&self, now: SimTime) -> u8 {
        let remembers = self.conflicted_at.is_some_and(|last| now - last < MEMORY);
        if remembers { self.conflicts } else { 0 }
    }

    fn placed(&mut self, now: SimTime, addr: Ipv4Addr) {
        if !self.is_restored {
            (self.late_conflicts, self.late_at) = (0, None);
        }
        self.second_probes = 0;
        self.addr = Some(addr);
        self.placed_at = Some(now);
        (self.announcements, self.announced) = (0, 0);
        self.announced_at = None;
        self.is_restored = false;
        self.is_loose = false;
        (self.owed_by, self.gone_by) = (None, None);
    }
}
