//! Other programs that this one stands in for, when it is called by their names: by a link, or as
//! `autoipd NAME …`.
//!
//! Each keeps its command line, its files and its script; the protocol and the guard are ours.
//! Where an original breaks a rule of RFC 3927, such as giving up without a defence, this one does
//! not.

mod avahi;
mod pid_file;
mod zcip;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autoip_core::LinkLocalAddr;
use autoip_linux::rtnl::{Link, Rtnl};

use crate::choice::{Alias, Choices};
use crate::config::ProcessChoices;
use crate::selection::Pattern;
use crate::settings::{Mode, Place, Verbosity};
use crate::source::{Selector, Source};

/// Runs the program that these arguments call for, its name first; `None` where that is `autoipd`.
pub(crate) fn main(args: &[OsString]) -> Option<ExitCode> {
    let own = program(args.first()?);
    let args = match args {
        [_, name, ..] if own == "autoipd" && matches!(program(name), "avahi-autoipd" | "zcip") => {
            &args[1..]
        }
        _ => args,
    };
    match program(args.first()?) {
        "avahi-autoipd" => Some(avahi::main(args)),
        "zcip" => Some(zcip::main(args)),
        _ => None,
    }
}

/// Reads the command line of such a program and does nothing; `Err` says what is wrong, or is help.
pub(crate) fn check(args: &[OsString]) -> Option<Result<(), String>> {
    match program(args.first()?) {
        "avahi-autoipd" => Some(avahi::check(args)),
        "zcip" => Some(zcip::check(args)),
        _ => None,
    }
}

fn program(path: &OsStr) -> &str {
    Path::new(path).file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// Where the settings of a program come from that has one interface and few options.
fn source(
    interface: &str,
    mode: Mode,
    start: Option<LinkLocalAddr>,
    state_dir: &str,
    verbosity: Verbosity,
) -> Result<Source, String> {
    // Labels are the script's business.
    let alias = Some(Alias(None));
    Ok(Source {
        selectors: vec![Selector {
            pattern: Pattern::parse(interface)?,
            choices: Choices::default(),
        }],
        choices: Choices { mode: Some(mode), start, alias, ..Choices::default() },
        process: ProcessChoices {
            state_dir: Some(PathBuf::from(state_dir)),
            verbosity: Some(verbosity),
            // Nor do they have a socket; and there may be one of them for each interface.
            control: Some(Place(None)),
            ..ProcessChoices::default()
        },
        // The originals know nothing of our file.
        config: Some(PathBuf::from("/dev/null")),
    })
}

/// The interface called `name`, which must be there.
fn find(name: &str) -> Result<Link, String> {
    let mut rtnl = Rtnl::open().map_err(|error| error.to_string())?;
    let links = rtnl.links().map_err(|error| error.to_string())?;
    let found = links.into_iter().find(|link| link.name == name);
    found.ok_or_else(|| format!("there is no interface {name}"))
}
