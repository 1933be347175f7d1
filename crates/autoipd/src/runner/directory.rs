//! The directory of hooks: which of its files are run, and which are passed over.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

/// Somebody else than the owner may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Somebody may execute.
const EXECUTABLE: u32 = 0o111;

/// A directory of programs to be run in the order of their names.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// What was said already.
    said: BTreeSet<String>,
}

impl Directory {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, said: BTreeSet::new() }
    }

    /// The programs that are in it now and may be run.
    pub(super) fn programs(&mut self) -> Vec<PathBuf> {
        let found = match list(&self.path) {
            Ok(found) => found,
            // Nobody has made it, or it was removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                let dir = self.path.display();
                self.say(format!("no hooks run: {dir} cannot be read ({error})"));
                return Vec::new();
            }
        };
        if let Some(why) = fs::metadata(&self.path).ok().and_then(|dir| objection(&dir)) {
            self.say(format!("no hooks run: {} {why}", self.path.display()));
            return Vec::new();
        }
        let mut programs = Vec::new();
        for path in found {
            match judge(&path) {
                Ok(()) => programs.push(path),
                Err(why) => self.say(format!("passing over hook {}: it {why}", path.display())),
            }
        }
        programs
    }

    /// Says something once.
    fn say(&mut self, sentence: String) {
        if !self.said.contains(&sentence) {
            warn!("{sentence}");
            self.said.insert(sentence);
        }
    }
}

/// The files that somebody means to be run, by name.
fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if !is_left_over(&entry.file_name().to_string_lossy()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Hidden files, and what editors and package managers leave behind: executable as a rule, and
/// meant by nobody.
fn is_left_over(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name.contains(".dpkg-") || name.contains(".rpm")
}

/// Why this one is not run, as the end of a sentence.
fn judge(path: &Path) -> Result<(), String> {
    let file = fs::metadata(path).map_err(|error| format!("cannot be read ({error})"))?;
    if !file.is_file() {
        return Err("is not a file".to_owned());
    }
    if file.permissions().mode() & EXECUTABLE == 0 {
        return Err("is not executable; `chmod 755` makes it so".to_owned());
    }
    objection(&file).map_or(Ok(()), Err)
}

/// Whether others than root could have written what root is to run.
fn objection(file: &Metadata) -> Option<String> {
    let mode = file.permissions().mode();
    if file.uid() != 0 {
        Some(format!("belongs to user {}; it must belong to root", file.uid()))
    } else if mode & WRITABLE_BY_OTHERS != 0 {
        let mode = mode & 0o7777;
        Some(format!("may be written by others (mode {mode:o}); `chmod go-w` mends that"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_and_package_managers_leave_is_no_hook() {
        for name in [".hidden", "hook~", "hook.dpkg-old", "hook.dpkg-dist", "hook.rpmsave"] {
            assert!(is_left_over(name), "{name}");
        }
        for name in ["10-routes", "hook.sh", "README", "a.b"] {
            assert!(!is_left_over(name), "{name}");
        }
    }
}
