//! Finds what breaks IPv4 link-local networking on this host, and says how to mend it.
//!
//! [`examine`] gathers facts about the network namespace of the calling thread and judges them;
//! it changes nothing, and sends nothing unless a [`Request`] asks for that. What comes out is a
//! [`Report`] of [`Finding`]s, which [`text()`] makes readable for people and [`json()`] for
//! programs.
//!
//! ```no_run
//! use autoip_doctor::{Request, examine, text};
//!
//! let report = examine(&Request::default())?;
//! print!("{}", text(&report, false, None));
//! std::process::exit(report.exit_status().into());
//! # Ok::<(), autoip_doctor::Error>(())
//! ```
//!
//! Inside, `gather` does all of the looking and fills `Facts`, which are plain data; each file of
//! `check` is a judgement about one noun and nothing but a function of them. What could not be
//! looked at is a finding as well, never a silent gap.
#![forbid(unsafe_code)]

mod check;
mod command;
mod facts;
mod finding;
mod gather;
mod json;
mod manager;
mod numbers;
mod report;
mod request;
mod resolver;
mod text;

pub use finding::{Finding, Id, Severity};
pub use json::json;
pub use report::Report;
pub use request::{Daemon, Error, Request, Tier};
pub use text::text;

/// Examines the network namespace of this thread.
///
/// With [`Request::probe`] it takes about one and a half seconds, with [`Request::ask_resolver`]
/// up to two for each name server that does not answer, and else a few milliseconds.
pub fn examine(request: &Request) -> Result<Report, Error> {
    let facts = gather::gather(request)?;
    let interfaces = facts.examined().map(|interface| interface.name().to_owned()).collect();
    Ok(Report::new(interfaces, check::findings(&facts)))
}
