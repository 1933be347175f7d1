//! `autoipctl metrics`: the counters, for whoever collects them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use autoip_control::Metrics;

use crate::cli::MetricsArgs;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn run(
    args: &MetricsArgs,
    daemon: &Daemon,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let mut replies = daemon.connect()?.call_more(&Metrics {})?;
    replies.set_limit(Some(daemon.limit));
    let mut text = String::new();
    for reply in replies {
        text.push_str(&reply?.text);
    }
    match &args.textfile {
        None => screen.text(&text)?,
        Some(path) => replace(path, &text).map_err(|error| {
            let sentence = format!("{} cannot be written: {error}", path.display());
            Failure::Other(Exit::Output, sentence)
        })?,
    }
    Ok(Exit::Done)
}

/// Writes a file in one step: whoever reads it finds the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Collectors look for names that end in ".prom", so this one is not read half-way.
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(name);
    let written = File::create_new(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
