//! The packets that go out, each with what follows from it and when.

use core::num::NonZeroU8;
use core::time::Duration;

use autoip_wire::ArpPacket;
use rand_core::Rng;

use super::{Acd, AcdEvent, Sent, State, Step};
use crate::counters::bump;
use crate::time::Instant;
use crate::timing::Timing;

impl Acd {
    //= LL-2.5-05 a defence is one announcement
    //= LL-2.5-06 after a defence everything goes on as before
    //= ACD-2.4-04 a defence is one announcement, and its time is noted
    pub(super) fn send_defence(&mut self, now: Instant) -> Step {
        self.sent = Sent::Defence;
        self.defend_at = None;
        self.defended_at = Some(now);
        bump(&mut self.counters.defences);
        let packet = ArpPacket::announcement(self.mac, self.addr);
        Step { transmit: Some(packet), event: Some(AcdEvent::Defended) }
    }

    /// Sends one of `left` probes.
    //= LL-2.2.1-06 probes are PROBE_MIN to PROBE_MAX apart, at random
    //= ACD-2.1.1-03 probes are PROBE_MIN to PROBE_MAX apart, uniformly
    pub(super) fn send_probe(&mut self, now: Instant, left: NonZeroU8) -> Step {
        self.sent = Sent::Probe;
        bump(&mut self.counters.probes);
        let timing = self.timing;
        self.state = match NonZeroU8::new(left.get() - 1) {
            Some(left) => State::Probing { left, probe_at: now + self.probe_gap(&timing) },
            None => {
                let wait = Duration::from_millis(self.timing.announce_wait_ms.into());
                State::Listening { until: now + wait }
            }
        };
        Step::transmit(ArpPacket::probe(self.mac, self.addr))
    }

    /// Sends one of `left` announcements.
    //= LL-2.4-02 announcements are ANNOUNCE_INTERVAL apart
    //= ACD-2.3-03 the address is in use between the announcements
    pub(super) fn send_announcement(&mut self, now: Instant, left: NonZeroU8) -> Step {
        self.sent = Sent::Announcement;
        bump(&mut self.counters.announcements);
        self.state = match NonZeroU8::new(left.get() - 1) {
            Some(left) => {
                let gap = Duration::from_millis(self.timing.announce_interval_ms.into());
                State::Announcing { left, announce_at: now + gap }
            }
            None if self.doubtful => {
                let wait = self.uniform(0, Timing::RFC3927.probe_wait_ms);
                let left = Timing::RFC3927.probe_count.get();
                State::Verifying { left, probe_at: now + wait }
            }
            None => State::Bound,
        };
        Step::transmit(ArpPacket::announcement(self.mac, self.addr))
    }

    /// One probe of the second round, or its end.
    pub(super) fn verify(&mut self, now: Instant, left: u8) -> Step {
        let Some(left) = left.checked_sub(1) else {
            self.doubtful = false;
            self.state = State::Bound;
            return Step::NOTHING;
        };
        self.sent = Sent::Probe;
        let gap = if left == 0 {
            Duration::from_millis(Timing::RFC3927.announce_wait_ms.into())
        } else {
            self.probe_gap(&Timing::RFC3927)
        };
        bump(&mut self.counters.probes);
        self.state = State::Verifying { left, probe_at: now + gap };
        Step::transmit(ArpPacket::probe(self.mac, self.addr))
    }

    fn probe_gap(&mut self, timing: &Timing) -> Duration {
        self.uniform(timing.probe_min_ms, timing.probe_max_ms)
    }

    /// A random time between two numbers of milliseconds, uniform to the nanosecond.
    pub(super) fn uniform(&mut self, min_ms: u16, max_ms: u16) -> Duration {
        let min = Duration::from_millis(min_ms.into());
        let span = Duration::from_millis(max_ms.saturating_sub(min_ms).into());
        min + self.uniform_nanos(span.as_nanos())
    }

    pub(super) fn uniform_nanos(&mut self, span: u128) -> Duration {
        let drawn = (u128::from(self.rng.next_u64()) * (span + 1)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX))
    }
}
