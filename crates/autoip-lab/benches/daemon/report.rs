//! What is printed.

use std::fs;
use std::io::{self, Write};

use crate::figure::Figure;
use crate::program::Program;

/// The report, printed while it grows.
pub(crate) struct Report;

impl Report {
    /// Prints what the figures were taken on.
    pub(crate) fn start(quick: bool) -> io::Result<Self> {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runs = if quick { ", quick" } else { "" };
        Self::say(&format!("Linux {}, {cores} cores{runs}", kernel.trim()))?;
        Ok(Self)
    }

    /// Prints what is measured from here on.
    pub(crate) fn program(&self, program: &Program) -> io::Result<()> {
        Self::say(&format!("\n{}\n{}", program.describe(), Figure::heading()))
    }

    /// Prints some figures; the budgets are for our own program.
    pub(crate) fn section(
        &self,
        title: &str,
        program: &Program,
        figures: Vec<Figure>,
    ) -> io::Result<()> {
        Self::say(title)?;
        for figure in figures {
            let figure = if program.is_ours() { figure } else { figure.budget(None) };
            Self::say(&figure.to_string())?;
        }
        Ok(())
    }

    pub(crate) fn say(line: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{line}")
    }
}
