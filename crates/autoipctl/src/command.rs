//! The commands, a file each; those that are one call stand here.

mod completions;
mod doctor;
mod metrics;
mod monitor;
mod predict;
mod probe;
mod start;
mod status;
mod validate;
mod watch;

use autoip_control::{Reannounce, Release, Reload, RemoveInterface};

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

/// Does what was asked for.
pub(crate) fn run(cli: &Cli, screen: &mut Screen) -> Result<Exit, Failure> {
    let daemon = cli.daemon();
    match &cli.command {
        Command::Status(args) => status::run(args, &daemon, screen),
        Command::Monitor(args) => monitor::run(args, &daemon, screen),
        Command::Add(args) => start::add(args, &daemon, screen),
        Command::Claim(args) => start::claim(args, &daemon, screen),
        Command::Probe(args) => probe::run(args, &daemon, screen),
        Command::Watch(args) => watch::run(args, &daemon, screen),
        Command::Predict(args) => predict::run(args, screen),
        Command::Doctor(args) => doctor::run(args, &daemon, screen),
        Command::Validate(args) => validate::run(args, screen),
        Command::Metrics(args) => metrics::run(args, &daemon, screen),
        Command::Completions(args) => completions::run(args, screen),
        Command::Remove(args) => {
            daemon.call(&RemoveInterface { interface: args.interface.clone() })?;
            Ok(Exit::Done)
        }
        Command::Release(args) => {
            daemon.call(&Release { interface: args.interface.clone() })?;
            Ok(Exit::Done)
        }
        Command::Reannounce(args) => {
            daemon.call(&Reannounce { interface: args.interface.clone() })?;
            Ok(Exit::Done)
        }
        Command::Reload => {
            daemon.call(&Reload {})?;
            Ok(Exit::Done)
        }
    }
}
