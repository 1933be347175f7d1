//! How often clients may have addresses probed for on a link where that leads to conflicts.
//!
//! The engine keeps to this rule by itself; a client that tries one address after the other would
//! go round it. Must not limit those who meet no conflicts.

use std::collections::BTreeMap;
use std::time::Duration;

use autoip_core::Instant;
use autoip_core::timing::{CONFLICT_MEMORY, MAX_CONFLICTS, RATE_LIMIT_INTERVAL};
use autoip_linux::IfIndex;

/// The probes on all links that have met conflicts lately.
#[derive(Debug, Default)]
pub(super) struct Attempts(BTreeMap<IfIndex, Attempt>);

#[derive(Debug)]
struct Attempt {
    conflicts: u8,
    conflicted_at: Instant,
    /// When the last probe began.
    begun_at: Instant,
}

impl Attempts {
    /// Notes that a probe begins.
    ///
    /// # Errors
    ///
    /// It may not yet: how long to wait.
    //= ACD-2.1.1-08 the limit holds for probes on behalf of clients as well
    pub(super) fn begin(&mut self, index: IfIndex, now: Instant) -> Result<(), Duration> {
        self.0.retain(|_, attempt| now.since(attempt.conflicted_at) < CONFLICT_MEMORY);
        let Some(attempt) = self.0.get_mut(&index) else { return Ok(()) };
        let earliest = attempt.begun_at + RATE_LIMIT_INTERVAL;
        if attempt.conflicts >= MAX_CONFLICTS && now < earliest {
            return Err(earliest.since(now));
        }
        attempt.begun_at = now;
        Ok(())
    }

    /// Notes that a probe that began at `begun_at` met a conflict.
    pub(super) fn conflicted(&mut self, index: IfIndex, begun_at: Instant, now: Instant) {
        let none = Attempt { conflicts: 0, conflicted_at: now, begun_at };
        let attempt = self.0.entry(index).or_insert(none);
        attempt.conflicts = attempt.conflicts.saturating_add(1);
        attempt.conflicted_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_tenth_conflict_on_probes_are_a_minute_apart() {
        let (mut attempts, index) = (Attempts::default(), IfIndex::new(2).unwrap());
        let mut now = Instant::from_nanos(1);
        for _ in 0..MAX_CONFLICTS {
            assert_eq!(attempts.begin(index, now), Ok(()));
            attempts.conflicted(index, now, now);
        }
        assert_eq!(attempts.begin(index, now), Err(RATE_LIMIT_INTERVAL));
        assert_eq!(attempts.begin(IfIndex::new(3).unwrap(), now), Ok(()), "another link");
        now = now + RATE_LIMIT_INTERVAL;
        assert_eq!(attempts.begin(index, now), Ok(()));
        assert!(attempts.begin(index, now).is_err(), "one of them");
        now = now + CONFLICT_MEMORY;
        assert_eq!(attempts.begin(index, now), Ok(()));
        assert_eq!(attempts.begin(index, now), Ok(()), "forgotten");
    }
}
