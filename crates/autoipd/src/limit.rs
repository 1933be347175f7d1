//! How often something may be done before it becomes a nuisance.

use std::time::Duration;

use autoip_core::Instant;

/// How often in [`WINDOW`].
const TIMES_MAX: u8 = 5;
/// The time over which is counted.
const WINDOW: Duration = Duration::from_secs(60);

/// At most five times a minute.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    since: Option<Instant>,
    times: u8,
}

impl Limit {
    /// Counts one more time, and whether it is allowed.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.since(since) >= WINDOW) {
            self.since = Some(now);
            self.times = 0;
        }
        self.times = self.times.saturating_add(1);
        self.times <= TIMES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_times_a_minute_and_no_more() {
        let start = Instant::from_nanos(1);
        let mut limit = Limit::default();
        let allowed = (0..300u32).filter(|_| limit.allows(start + WINDOW / 2)).count();
        assert_eq!(allowed, 5);
        assert!(!limit.allows(start + WINDOW));
        assert!(limit.allows(start + WINDOW / 2 + WINDOW));
    }
}
