//! The `autoip-lab` program: the demo.
#![forbid(unsafe_code)]

mod demo;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXIT_STATUS: &str = "\
Exit status of the demo: 0 everything happened as it should, 1 something did not, 77 the system
allows no network namespaces, 130 interrupted.";

/// Virtual hosts on a virtual switch, made of network namespaces. Needs no privileges where the
/// kernel allows user namespaces, and never touches the network of the machine.
#[derive(Parser)]
#[command(name = "autoip-lab", version, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch two hosts claim addresses, defend them, give them up and find them again; less than
    /// a minute
    Demo,
    /// Run the daemon; the demo starts this program again to do so inside a virtual host
    #[command(hide = true, disable_help_flag = true)]
    Autoipd {
        /// The arguments of the daemon
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo => demo::run(),
        Command::Autoipd { arguments } => {
            autoipd::main_with(std::iter::once("autoipd".into()).chain(arguments))
        }
    }
}
