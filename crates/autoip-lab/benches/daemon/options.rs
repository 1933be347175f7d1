//! The command line of the bench.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::program::Program;

/// Measures the real daemon on virtual hosts. Needs no privileges where the kernel allows user
/// namespaces. Relative paths count from the root of the workspace.
#[derive(Debug, Parser)]
#[command(name = "daemon")]
pub(crate) struct Options {
    /// Fewer runs, and 10 s of idleness instead of 60
    #[arg(long)]
    pub(crate) quick: bool,

    /// The daemon to measure, else this program itself, which is larger by the lab
    #[arg(long, value_name = "PATH")]
    daemon: Option<PathBuf>,

    /// Another program to measure after it: avahi-autoipd=PATH or dhcpcd=PATH (needs root)
    #[arg(long = "peer", value_name = "NAME=PATH", value_parser = Program::parse_peer)]
    pub(crate) peers: Vec<Program>,

    /// Measure these sections only
    #[arg(long, value_name = "SECTION", value_enum, value_delimiter = ',')]
    only: Vec<Section>,

    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// From the start of the process to its first work
    Start,
    /// What is added to the waits that the RFC demands
    Claim,
    /// Conflicts, deletions, carrier, end
    Reaction,
    /// Half a million unrelated frames
    Flood,
    /// A minute in which nothing happens
    Idle,
    /// Memory, and many interfaces
    Many,
}

impl Options {
    pub(crate) fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }

    pub(crate) fn program(&self) -> Program {
        self.daemon.as_deref().map_or(Program::Reexecuted, |path| Program::Autoipd(in_root(path)))
    }

    /// `usual` runs, or less when there is no time.
    pub(crate) fn runs(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(5) } else { usual }
    }

    pub(crate) fn idle_time(&self) -> Duration {
        Duration::from_secs(if self.quick { 10 } else { 60 })
    }
}

/// Cargo runs benches in the folder of their crate, where nobody's paths begin.
pub(crate) fn in_root(path: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
