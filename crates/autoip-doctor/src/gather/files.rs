//! Configuration and state that other programs keep in files.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;

use crate::facts::Unseen;

/// No file of interest is longer; a longer one is read so far.
const BYTES_MAX: u64 = 1 << 20;

/// The files below a directory, `/` as a rule. What may not be read is noted.
#[derive(Debug, Default)]
pub(crate) struct Files {
    root: Option<PathBuf>,
    unseen: Vec<Unseen>,
    #[cfg(test)]
    made_up: std::collections::BTreeMap<String, String>,
}

impl Files {
    pub(crate) fn below(root: PathBuf) -> Self {
        Self { root: Some(root), ..Self::default() }
    }

    /// The text of a file, by its path from the root with or without a leading slash; `None`
    /// where it is not there or may not be read.
    pub(crate) fn text(&mut self, path: &str) -> Option<String> {
        let path = path.trim_start_matches('/');
        #[cfg(test)]
        if let Some(text) = self.made_up.get(path) {
            return Some(text.clone());
        }
        let full = self.root.as_ref()?.join(path);
        let read = File::open(full).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        });
        self.noted(path, read)
    }

    /// The paths of what is in a directory, in the order of their names, without hidden files.
    pub(crate) fn list(&mut self, path: &str) -> Vec<String> {
        let path = path.trim_start_matches('/').trim_end_matches('/');
        #[cfg(test)]
        if self.root.is_none() {
            let inside = format!("{path}/");
            let below = self.made_up.keys().filter(|known| known.starts_with(&inside));
            return below.cloned().collect();
        }
        let Some(root) = &self.root else { return Vec::new() };
        let entries = fs::read_dir(root.join(path)).map(|entries| {
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let shown = names.filter(|name| !name.starts_with('.'));
            let mut paths: Vec<_> = shown.map(|name| format!("{path}/{name}")).collect();
            paths.sort_unstable();
            paths
        });
        self.noted(path, entries).unwrap_or_default()
    }

    /// What could not be looked at so far.
    pub(crate) fn into_unseen(self) -> Vec<Unseen> {
        self.unseen
    }

    /// That a file is not there is an answer; that it may not be read is not.
    fn noted<T>(&mut self, path: &str, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let absent =
                    [ErrorKind::NotFound, ErrorKind::NotADirectory, ErrorKind::IsADirectory];
                let what = format!("/{path}");
                let known = self.unseen.iter().any(|unseen| unseen.what == what);
                if !absent.contains(&error.kind()) && !known {
                    self.unseen.push(Unseen {
                        interface: None,
                        what,
                        why: error.to_string(),
                        remedy: "Run the doctor as root.".to_owned(),
                    });
                }
                None
            }
        }
    }
}

#[cfg(test)]
impl Files {
    /// Files that exist in the test alone.
    pub(crate) fn made_up(files: &[(&str, &str)]) -> Self {
        let made_up = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Self { made_up: made_up.collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_no_gap_but_what_is_refused_is() {
        let mut files = Files::below("/".into());
        assert!(files.text("proc/self/comm").is_some());
        assert_eq!(files.text("/no/such/file"), None);
        assert_eq!(files.list("/no/such/directory"), [""; 0]);
        assert_eq!(files.text("/proc"), None);
        assert_eq!(files.noted::<()>("a", Err(ErrorKind::PermissionDenied.into())), None);
        assert_eq!(files.noted::<()>("a", Err(ErrorKind::PermissionDenied.into())), None);
        let unseen = files.into_unseen();
        assert_eq!(unseen.len(), 1);
        assert_eq!(unseen[0].what, "/a");
    }
}
