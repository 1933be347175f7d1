//! Points in time and how long ago they are, as people read them.

use std::time::{Duration, UNIX_EPOCH};

/// A point in time in UTC. `ms` are milliseconds since 1970; what cannot be a date is given as
/// that number.
pub(crate) fn date(ms: i64) -> String {
    let time = u64::try_from(ms)
        .ok()
        .and_then(|ms| UNIX_EPOCH.checked_add(Duration::from_millis(ms)))
        .filter(|_| ms < DATES_END);
    match time {
        Some(time) => humantime::format_rfc3339_millis(time).to_string(),
        None => ms.to_string(),
    }
}

/// The end of the year 9999, after which dates have another form.
const DATES_END: i64 = 253_402_300_800_000;

/// A time of `ms` milliseconds, in the largest unit that it fills.
pub(crate) fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_unit() {
        let spans = [(-5, "0 s"), (0, "0 s"), (59_999, "59 s"), (60_000, "1 min")];
        for (ms, text) in spans {
            assert_eq!(span(ms), text);
        }
        assert_eq!(span(3_599_999), "59 min");
        assert_eq!(span(172_799_999), "47 h");
        assert_eq!(span(172_800_000), "2 d");
        assert_eq!(span(i64::MAX), "106751991167 d");
    }

    #[test]
    fn dates_are_those_of_rfc_3339() {
        assert_eq!(date(1_700_000_000_042), "2023-11-14T22:13:20.042Z");
        assert_eq!(date(DATES_END - 1), "9999-12-31T23:59:59.999Z");
        for ms in [-1, DATES_END, i64::MAX] {
            assert_eq!(date(ms), ms.to_string());
        }
    }
}
