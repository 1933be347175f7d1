//! What a packet about the address leads to.

use autoip_wire::{ArpPacket, Ethernet, MacAddr};

use super::{Acd, AcdEvent, Contest, Defend, State, Step};
use crate::conflict::{ConflictKind, Meaning, Outcome, meaning};
use crate::counters::bump;
use crate::time::Instant;
use crate::timing::DEFEND_DELAY;

impl Acd {
    pub(super) fn handle_packet(
        &mut self,
        at: Instant,
        ethernet: Ethernet,
        packet: &ArpPacket,
    ) -> Step {
        if self.state == State::Idle {
            return Step::NOTHING;
        }
        let mac = packet.sender_mac;
        match (meaning(self.mac, self.addr, ethernet, packet), self.window_is_open(at)) {
            (Meaning::Nothing, _) => Step::NOTHING,
            // While probing we send nothing but zero senders, so this is no echo: a clone of our
            // MAC address or an owner from before holds the candidate.
            //= LL-2.2.1-07 any ARP with the candidate as sender means that it is in use
            //= ACD-2.1.1-04 any ARP with the candidate as sender means that it is in use
            //= ACD-1.3-03 a plain reply to a probe is enough
            //= ACD-4-01 an announcement is enough, whether or not its sender has probed
            (Meaning::Used | Meaning::UsedByOwnMac, true) => self.drop(mac, ConflictKind::InUse),
            //= LL-2.2.1-08 a probe from another MAC for the same candidate is a conflict
            //= ACD-1.2-03 a probe is also a statement of intent
            //= ACD-2.1.1-06 a probe from another MAC for the same address is a conflict
            (Meaning::Probed, true) => self.drop(mac, ConflictKind::CompetingProbe),
            //= LL-2.5-01 ARP with our address as sender from another MAC is a conflict
            (Meaning::Used, false) => self.contest(at, mac),
            // An address in use is asked for by a probe like by any request; the kernel answers.
            //= ACD-2.5-02 a probe for an address in use is answered like any request
            (Meaning::Probed, false) => Step::NOTHING,
            (Meaning::UsedByOwnMac, false) | (Meaning::OwnProbe, _) => {
                //= ACD-2.1.1-07 our own packets come back from some access points
                bump(&mut self.counters.echoes);
                Step::NOTHING
            }
            (Meaning::UnicastProbe, _) => {
                bump(&mut self.counters.unicast_probes);
                Step::NOTHING
            }
        }
    }

    /// Whether a packet received at `at` falls into the probing time.
    fn window_is_open(&self, at: Instant) -> bool {
        match self.state {
            State::Waiting { .. } | State::Probing { .. } => true,
            State::Listening { until } | State::Installing { probed_until: Some(until) } => {
                at <= until
            }
            State::Idle
            | State::Installing { probed_until: None }
            | State::Announcing { .. }
            | State::Verifying { .. }
            | State::Bound => false,
        }
    }

    //= ACD-2.1.1-05 the owner hears that the address cannot be had
    fn drop(&mut self, mac: MacAddr, kind: ConflictKind) -> Step {
        match kind {
            ConflictKind::InUse => bump(&mut self.counters.conflicts_in_use),
            ConflictKind::CompetingProbe => bump(&mut self.counters.conflicts_competing),
            ConflictKind::Late => bump(&mut self.counters.conflicts_late),
        }
        self.stop();
        Step::event(AcdEvent::Contested(Contest { mac, kind, outcome: Outcome::Dropped }))
    }

    /// A conflict after the claim.
    //= LL-2.5-02 every conflict is answered
    //= ACD-2.4-02 every conflict is answered in one of three ways
    //= ACD-2.4-12 no conflict is ignored
    fn contest(&mut self, at: Instant, mac: MacAddr) -> Step {
        let absent = self.state == State::Installing { probed_until: None };
        if !self.in_use() && !absent {
            // Free but not yet announced: nobody relies on it, so the other host may have it.
            return self.drop(mac, ConflictKind::Late);
        }
        bump(&mut self.counters.conflicts_late);
        let recent = self.is_contested(at);
        let outcome = match self.defend {
            //= LL-2.5-04 an address may be given up at the first conflict
            Defend::Never => Outcome::Ceded,
            // An address that is not on the interface at present cannot be defended.
            Defend::Once if absent => Outcome::Ceded,
            Defend::Always if absent => Outcome::Endured,
            //= LL-2.5-07 a second conflict within DEFEND_INTERVAL ends the claim at once
            //= ACD-2.4-05 a second conflict within DEFEND_INTERVAL ends the use at once
            Defend::Once if recent || self.doubtful => Outcome::Ceded,
            //= ACD-2.4-09 an address kept for good is not defended twice in DEFEND_INTERVAL
            Defend::Always if recent => Outcome::Endured,
            //= ACD-2.4-08 an address kept for good is defended after DEFEND_INTERVAL again
            Defend::Once | Defend::Always => Outcome::Defending,
        };
        match outcome {
            Outcome::Ceded => {
                bump(&mut self.counters.ceded);
                self.stop();
            }
            Outcome::Defending => {
                let delay = self.uniform_nanos(DEFEND_DELAY.as_nanos());
                self.defend_at = Some(at + delay);
                self.defended_at = self.defend_at;
            }
            Outcome::Endured | Outcome::Dropped => {}
        }
        Step::event(AcdEvent::Contested(Contest { mac, kind: ConflictKind::Late, outcome }))
    }
}
