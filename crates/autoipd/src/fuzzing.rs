//! A door to the parsers of this crate that read what others wrote, for fuzzers alone. It must
//! never be used by a program.

use std::ffi::OsString;

use autoip_core::LinkLocalAddr;

use crate::guard::conf;
use crate::nfm::OptionList;
use crate::{cli, compat, store};

/// The address in a file of the state directory.
#[must_use]
pub fn remembered(text: &str) -> Option<LinkLocalAddr> {
    store::address(text)
}

/// The number of `name` in a record of an interface's settings.
#[must_use]
pub fn recorded(text: &str, name: &str) -> Option<i32> {
    conf::recorded(text, name)
}

/// The option list of `-o`; `Err` says what is wrong.
///
/// # Errors
///
/// What a user would read.
pub fn option_list(text: &str) -> Result<(), String> {
    OptionList::parse(text).map(drop)
}

/// A command line, the name of the program first: `avahi-autoipd`, `zcip`, or ours. `Err` says what
/// is wrong, or is help.
///
/// # Errors
///
/// What a user would read.
pub fn command_line(args: Vec<OsString>) -> Result<(), String> {
    let ours = || cli::parse(args.clone()).map(drop).map_err(|unparsed| unparsed.to_string());
    compat::check(&args).unwrap_or_else(ours)
}
