//! How often something may be done or said before it becomes a nuisance.

use std::time::Duration;

use autoip_core::Instant;

/// How often within the window.
const TIMES_MAX: u8 = 5;

/// At most five times in so much time.
#[derive(Debug)]
pub(crate) struct Limit {
    window: Duration,
    since: Option<Instant>,
    times: u8,
}

impl Limit {
    /// For what harms nobody a few times a minute: putting things back.
    pub(crate) const fn per_minute() -> Self {
        Self { window: Duration::from_secs(60), since: None, times: 0 }
    }

    /// For lines of the log that somebody on the link can cause.
    pub(crate) const fn per_hour() -> Self {
        Self { window: Duration::from_secs(3600), since: None, times: 0 }
    }

    /// Counts one more time, and whether it is allowed.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.since(since) >= self.window) {
            self.since = Some(now);
            self.times = 0;
        }
        self.times = self.times.saturating_add(1);
        self.times <= TIMES_MAX
    }

    /// Whether the time counted last was the last one that is allowed for now.
    pub(crate) fn is_used_up(&self) -> bool {
        self.times == TIMES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_times_in_a_window_and_no_more() {
        let start = Instant::from_nanos(1);
        for mut limit in [Limit::per_minute(), Limit::per_hour()] {
            let window = limit.window;
            let half = start + window / 2;
            let allowed = (0..300u32).filter(|_| limit.allows(half)).count();
            assert_eq!(allowed, 5);
            assert!(!limit.allows(start + window));
            assert!(limit.allows(half + window));
        }
    }

    #[test]
    fn the_last_time_is_known_as_such() {
        let mut limit = Limit::per_minute();
        let now = Instant::from_nanos(1);
        let last: Vec<_> = (0..6).filter(|_| limit.allows(now) && limit.is_used_up()).collect();
        assert_eq!(last, [4]);
    }
}
