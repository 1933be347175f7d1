//! `autoipctl completions`: what a shell wants to know about the command line.

use crate::cli::{CompletionsArgs, command};
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn run(args: &CompletionsArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "autoipctl", &mut text);
    screen.text(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}
