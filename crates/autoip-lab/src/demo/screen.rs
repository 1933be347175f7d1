//! The lines of the demo: a time axis, who, and what.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

const BOLD: &str = "1";
const DIM: &str = "2";

/// Standard output, in colour if that is a terminal and nobody objects.
pub(super) struct Screen {
    colour: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        // See no-color.org: set to anything but nothing, it is an objection.
        let objection = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: io::stdout().is_terminal() && !objection }
    }

    /// Text of its own, without time.
    pub(super) fn text(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }

    /// What comes next.
    pub(super) fn heading(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "\n{}", self.paint(BOLD, text))
    }

    /// One event: `after` the start, `who` in their colour, and what happened.
    pub(super) fn event(
        &self,
        after: Duration,
        who: &str,
        colour: &str,
        text: &str,
    ) -> io::Result<()> {
        let time = self.paint(DIM, &format!("{:6.2}s", after.as_secs_f64()));
        let who = self.paint(colour, &format!("{who:<8}"));
        writeln!(io::stdout(), "{time}  {who}  {text}")
    }

    /// `text` between the escape sequences that set a colour or style and reset it.
    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
