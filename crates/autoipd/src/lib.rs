//! `autoipd`, the IPv4 link-local address daemon: the driver around the engine of `autoip-core`.
//!
//! One thread waits for frames, netlink notifications, signals and one timer, feeds each into
//! the engine of the interface that it belongs to, and does what the engine asks for. Rules of
//! the protocol live in `autoip-core`, system calls in `autoip-linux`; what is left for this
//! crate is who gets an address and when (`selection`, `settings`, [`config`]), and keeping the
//! kernel's interfaces and the engines in step (`daemon`, `roster`, `interface`).
#![forbid(unsafe_code)]

mod aside;
mod choice;
mod cli;
mod compat;
pub mod config;
mod control;
mod daemon;
mod device;
mod edge;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod history;
mod hooks;
mod host;
mod interface;
mod limit;
mod log;
mod marks;
mod nfm;
mod notice;
mod role;
mod roster;
mod routes;
mod runner;
mod sandbox;
mod selection;
mod service;
mod settings;
mod siblings;
mod source;
mod store;
mod text;

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use config::Mistake;
use daemon::Daemon;
use hooks::Hooks;
use role::Role;
use sandbox::Sandbox;
use settings::{Settings, Verbosity};
use source::Source;

/// Why the daemon does not run, or does not run any longer.
///
/// Each prints as one sentence that names the thing, the value, what is allowed and the remedy.
#[derive(Debug)]
enum Failure {
    /// An option or its value is wrong.
    Usage(String),
    /// The configuration file has mistakes, at least one.
    Config(Vec<Mistake>),
    /// The system does not let us.
    Permission(String),
    /// An interface cannot be managed, or a system call failed for good.
    Refused(String),
}

impl Failure {
    /// The exit status: 2 for usage, 77 for permission as in sysexits(3), else 1.
    fn status(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Permission(_) => 77,
            Self::Refused(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) | Self::Permission(why) | Self::Refused(why) => f.write_str(why),
            Self::Config(mistakes) => {
                let (first, others) = mistakes.split_first().ok_or(fmt::Error)?;
                write!(f, "{first}")?;
                match others.len() {
                    0 => Ok(()),
                    1 => write!(f, " (and one more mistake)"),
                    count => write!(f, " (and {count} more mistakes)"),
                }
            }
        }
    }
}

impl From<autoip_linux::Error> for Failure {
    fn from(error: autoip_linux::Error) -> Self {
        if error.is_permission() {
            Self::Permission(format!(
                "{error}; run as root, or give the program CAP_NET_ADMIN and CAP_NET_RAW"
            ))
        } else {
            Self::Refused(error.to_string())
        }
    }
}

/// Runs the program that the name in front of the arguments stands for: the daemon until a signal
/// ends it, or what it stands in for.
///
/// Must be called on the main thread before others are started, because it collects signals.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.into_iter().collect();
    if let Some(status) = compat::main(&args) {
        return status;
    }
    let source = match cli::parse(args) {
        Ok(source) => source,
        Err(error) => return error.report(),
    };
    match source.load().and_then(|settings| run(source, settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Does nothing where it runs already.
            log::start(Verbosity::Normal);
            match &failure {
                Failure::Config(mistakes) => {
                    for mistake in mistakes {
                        tracing::error!("{mistake}");
                    }
                }
                Failure::Usage(_) | Failure::Permission(_) | Failure::Refused(_) => {
                    tracing::error!("{failure}");
                }
            }
            ExitCode::from(failure.status())
        }
    }
}

fn run(source: Source, settings: Settings) -> Result<(), Failure> {
    log::start(settings.process.verbosity);
    // Its process is made while there is nothing but this one thread, and nothing is open.
    let hooks = Hooks::start(settings.process.hooks.as_deref())?;
    let sandbox = Sandbox::new(settings.process.sandbox);
    let mut daemon = Daemon::start(source, settings, hooks, Role::default())?;
    daemon.confine(&sandbox);
    daemon.run()
}

/// The definition of the command line, for manuals and completions.
#[must_use]
pub fn command_line() -> clap::Command {
    cli::command()
}
