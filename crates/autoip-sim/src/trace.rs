//! What happened in a run, as one number and, where wanted, as text.
//!
//! It holds what can be seen from outside: frames on the link and addresses on interfaces. Two
//! runs with the same number were the same run.

use std::fmt;

use crate::clock::SimTime;

/// The trace of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    /// Lines of text, where somebody wants to read them.
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(readable: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: readable.then(Vec::new) }
    }

    /// Adds something that happened at `node`: its bytes to the number, its words to the text.
    pub(crate) fn note(&mut self, at: SimTime, node: u32, bytes: &[u8], words: impl fmt::Display) {
        self.mix(&at.nanos().to_le_bytes());
        self.mix(&node.to_le_bytes());
        self.mix(bytes);
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{at} #{node} {words}"));
        }
    }

    /// FNV-1a.
    fn mix(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
