//! What a script writes, as lines of the log: as many as help, and no more.

/// How many lines of one run are shown.
const LINES_MAX: usize = 100;
/// How many bytes of a line are shown.
const LINE_MAX: usize = 512;

/// Cuts bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Output {
    line: Vec<u8>,
    count: usize,
}

impl Output {
    /// Takes in what was read, and gives each line that is complete to `show`.
    pub(super) fn take(&mut self, bytes: &[u8], mut show: impl FnMut(&str)) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line(&mut show);
            } else if self.line.len() < LINE_MAX {
                self.line.push(byte);
            }
        }
    }

    /// Gives the last line to `show`, if it has no end.
    pub(super) fn end(&mut self, mut show: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.end_line(&mut show);
        }
    }

    fn end_line(&mut self, show: &mut impl FnMut(&str)) {
        let line = std::mem::take(&mut self.line);
        self.count = self.count.saturating_add(1);
        if self.count <= LINES_MAX {
            show(&String::from_utf8_lossy(&line));
        } else if self.count == LINES_MAX + 1 {
            show("(and more, which is not shown)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut output, mut lines) = (Output::default(), Vec::new());
        for chunk in chunks {
            output.take(chunk, |line| lines.push(line.to_owned()));
        }
        output.end(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_put_together_from_pieces() {
        assert_eq!(lines(&[b"one\ntw", b"o\n", b"\nlast"]), ["one", "two", "", "last"]);
        assert_eq!(lines(&[]), Vec::<String>::new());
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn there_is_an_end_to_lines_and_their_length() {
        let long = vec![b'x'; 10_000];
        assert_eq!(lines(&[&long])[0].len(), LINE_MAX);
        let many = lines(&[&b"y\n".repeat(5000)]);
        assert_eq!((many.len(), many[LINES_MAX].contains("more")), (LINES_MAX + 1, true));
    }
}
