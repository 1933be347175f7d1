//! Standard output: buffered, and with colour where somebody looks at it who wants some.

use std::env;
use std::io::{self, BufWriter, IsTerminal, Write};

/// What a word says about the state of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// A heading, or something that explains the rest.
    Faint,
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// To be looked at.
    Bad,
}

impl Tone {
    /// The parameter of "select graphic rendition".
    fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Faint => Some(2),
            Self::Good => Some(32),
            Self::Busy => Some(33),
            Self::Bad => Some(31),
        }
    }
}

/// Standard output.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    colour: bool,
    terminal: bool,
    /// A terminal that knows how to begin anew.
    clears: bool,
}

impl Screen {
    pub(crate) fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let out = Box::new(BufWriter::new(io::stdout()));
        let clears = terminal && !dumb;
        Self { out, colour: clears && !refused, terminal, clears }
    }

    /// How many characters a line has room for, if there is an end to it. A window may have
    /// another width each time.
    pub(crate) fn columns(&self) -> Option<usize> {
        let size = terminal_size::terminal_size_of(io::stdout()).filter(|_| self.terminal);
        size.map(|(width, _)| usize::from(width.0))
    }

    /// Whether somebody looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether there is to be colour.
    pub(crate) fn has_colour(&self) -> bool {
        self.colour
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(&text)
    }

    /// One line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.line(&text)
    }

    /// `text` as it is to be written in this tone. Names of interfaces may hold controls, which
    /// must not reach a terminal.
    pub(crate) fn toned(&self, tone: Tone, text: &str) -> String {
        let text = text.replace(char::is_control, "?");
        match tone.code().filter(|_| self.colour) {
            Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            None => text,
        }
    }

    /// Begins anew at the top, where somebody looks at it.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        if self.clears { self.text("\u{1b}[H\u{1b}[2J") } else { Ok(()) }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(colour: bool) -> Screen {
        Screen { out: Box::new(io::sink()), colour, terminal: colour, clears: colour }
    }

    #[test]
    fn colour_is_for_those_who_want_it() {
        assert_eq!(screen(true).toned(Tone::Good, "yes"), "\u{1b}[32myes\u{1b}[0m");
        assert_eq!(screen(true).toned(Tone::Plain, "yes"), "yes");
        for tone in [Tone::Plain, Tone::Faint, Tone::Good, Tone::Busy, Tone::Bad] {
            assert_eq!(screen(false).toned(tone, "yes"), "yes");
        }
    }

    #[test]
    fn controls_do_not_get_through() {
        assert_eq!(screen(true).toned(Tone::Plain, "e\u{1b}[2Jth0\r"), "e?[2Jth0?");
    }
}
