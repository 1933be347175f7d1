//! Log lines for people: `eth0: claimed 169.254.7.9`, one each, on standard error, or in the
//! system's log (`syslog`).
//!
//! A line has the time and the level in front, unless it goes to a log that adds both.

pub(crate) mod syslog;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write as _};
use std::time::{Duration, SystemTime};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::settings::Verbosity;

/// Sends log lines to standard error from now on. A second call does nothing.
pub(crate) fn start(verbosity: Verbosity) {
    let level = match verbosity {
        Verbosity::Normal => Level::INFO,
        Verbosity::Debug => Level::DEBUG,
        Verbosity::Trace => Level::TRACE,
    };
    let journal = std::env::var_os("JOURNAL_STREAM").is_some() && !io::stderr().is_terminal();
    let _ = tracing::subscriber::set_global_default(Lines { level, journal });
}

/// Makes a line of each event.
struct Lines {
    /// The least important that is of interest.
    level: Level,
    /// A log takes the level from a number in angle brackets and has its own clock.
    journal: bool,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(self.level))
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = *event.metadata().level();
        let text = if self.journal || syslog::is_on() {
            format!("<{}>{line}\n", priority(level))
        } else {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            format!("{} {level:<5} {line}\n", Clock(now.unwrap_or_default()))
        };
        // A line that cannot be written is lost and nothing more: a full disk or a reader that has
        // gone must not end the daemon.
        if !syslog::send(text.as_bytes()) {
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }

    // There are no spans here.

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The priority of syslog(3).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// The parts of a line: the interface first, then the sentence, then other values.
#[derive(Default)]
struct Line {
    interface: String,
    message: String,
    values: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "interface" => write!(self.interface, "{value:?}: "),
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.values, " {name}={value:?}"),
        };
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of interfaces and files come from outside: no line breaks, no terminal commands.
        for part in [&self.interface, &self.message, &self.values] {
            for c in part.chars() {
                f.write_char(if c.is_control() { '?' } else { c })?;
            }
        }
        Ok(())
    }
}

/// The time of day in UTC, to the millisecond.
struct Clock(Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.as_secs() % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{hour:02}:{minute:02}:{second:02}.{:03}Z", self.0.subsec_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_the_time_of_day() {
        assert_eq!(Clock(Duration::from_millis(86_399_999)).to_string(), "23:59:59.999Z");
        assert_eq!(Clock(Duration::from_millis(86_400_000)).to_string(), "00:00:00.000Z");
    }

    #[test]
    fn a_line_cannot_be_broken_from_outside() {
        let line = Line {
            interface: "eth\n0: ".to_owned(),
            message: "claimed \u{1b}[2J".to_owned(),
            values: String::new(),
        };
        assert_eq!(line.to_string(), "eth?0: claimed ?[2J");
    }
}
