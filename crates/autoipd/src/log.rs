//! Log lines for people: `eth0: claimed 169.254.7.9`, one each, on standard error, or in the
//! system's log (`syslog`).
//!
//! A line has the time and the level in front, unless it goes to a log that adds both.

pub(crate) mod syslog;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};
use std::time::{Duration, SystemTime};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::settings::Verbosity;

/// Sends log lines to standard error from now on. A second call does nothing.
pub(crate) fn start(verbosity: Verbosity) {
    let level = match verbosity {
        Verbosity::Normal => Level::INFO,
        Verbosity::Debug => Level::DEBUG,
        Verbosity::Trace => Level::TRACE,
    };
    let journal = std::env::var_os("JOURNAL_STREAM").is_some() && !io::stderr().is_terminal();
    let lines = Lines { journal };
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| Lossy)
        .event_format(lines)
        .try_init();
}

/// Standard error or the system's log, where a line that cannot be written is lost and nothing
/// more: a full disk or a reader that has gone must not end the daemon.
struct Lossy;

impl io::Write for Lossy {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !syslog::send(line) {
            let _ = io::stderr().write_all(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How an event becomes a line.
struct Lines {
    /// A log takes the level from a number in angle brackets and has its own clock.
    journal: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        if self.journal || syslog::is_on() {
            write!(writer, "<{}>", priority(level))?;
        } else {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            write!(writer, "{} {level:<5} ", Clock(now.unwrap_or_default()))?;
        }
        let mut line = Line::default();
        event.record(&mut line);
        writeln!(writer, "{line}")
    }
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
