//! `autoipctl`, the command-line tool of autoipd: asks the daemon, tells it what to do, and shows
//! what it says.
//!
//! `cli` is what was typed, each file of `command` one command, `screen` the way to standard
//! output. What can be answered without a daemon (probe, predict) is answered without one.
//!
//! It must never change anything itself: what it does to the host, the daemon does.
#![forbid(unsafe_code)]

mod acd;
mod cli;
mod command;
mod daemon;
mod exit;
mod moment;
mod screen;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use exit::Exit;
use screen::Screen;

/// Runs the command in these arguments, the program's name first.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::parse(args) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let mut screen = Screen::stdout();
    let ended = command::run(&cli, &mut screen).and_then(|exit| {
        screen.flush()?;
        Ok(exit)
    });
    match ended {
        Ok(exit) => exit.code(),
        // Whoever reads our output has had enough of it.
        Err(failure) if failure.is_broken_pipe() => Exit::Done.code(),
        Err(failure) => {
            failure.report();
            failure.exit().code()
        }
    }
}

/// The definition of the command line, for manuals and completions.
#[must_use]
pub fn command_line() -> clap::Command {
    cli::command()
}
