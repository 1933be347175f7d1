//! What is checked, as it stands on disk: Rust files, Markdown files, the crates' manifests and the
//! list of requirements.
//!
//! Only loading and writing touch files; the rules see a finished [`Tree`].

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::package::{self, Package};

/// The folders in which Rust files are looked for, those of crates outside the workspace included.
const SOURCE_FOLDERS: [&str; 3] = ["crates/", "xtask/", "fuzz/"];
/// Files and folders that are nobody's source.
const SKIPPED: [&str; 2] = [".git", "target"];
/// The list of requirements.
const REQUIREMENTS: &str = "spec/requirements.toml";

/// A text file, its path relative to the root of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl TextFile {
    /// The lines with their numbers, counted from one.
    pub(crate) fn numbered_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether tests live here, and nothing else.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }
}

/// The workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// Where it is on disk.
    pub(crate) root: PathBuf,
    /// Every file and folder, committed or not: what a relative link may point to.
    pub(crate) paths: BTreeSet<String>,
    pub(crate) sources: Vec<TextFile>,
    pub(crate) documents: Vec<TextFile>,
    pub(crate) packages: Vec<Package>,
    pub(crate) requirements: TextFile,
}

impl Tree {
    /// Reads the workspace that the current folder belongs to.
    pub(crate) fn load() -> Result<Self, String> {
        let metadata = package::metadata()?;
        let root = PathBuf::from(&metadata.root);
        let mut paths = BTreeSet::new();
        walk(&root, "", &mut paths)
            .map_err(|error| format!("cannot list {}: {error}", root.display()))?;
        let sources = paths.iter().filter(|path| is_source(path));
        let documents = paths.iter().filter(|path| is_document(path));
        Ok(Self {
            sources: sources.map(|path| read(&root, path)).collect::<Result<_, _>>()?,
            documents: documents.map(|path| read(&root, path)).collect::<Result<_, _>>()?,
            packages: package::parse(&metadata, |path| read(&root, path))?,
            requirements: read(&root, REQUIREMENTS)?,
            paths,
            root,
        })
    }

    /// Reads a file of the workspace.
    pub(crate) fn read(&self, path: &str) -> Result<TextFile, String> {
        read(&self.root, path)
    }

    /// Writes a file of the workspace, and the folder that it is in.
    pub(crate) fn write(&self, file: &TextFile) -> Result<(), String> {
        let path = self.root.join(&file.path);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, &file.text))
            .map_err(|error| format!("cannot write {}: {error}", file.path))
    }
}

fn is_source(path: &str) -> bool {
    path.ends_with(".rs") && SOURCE_FOLDERS.iter().any(|folder| path.starts_with(folder))
}

fn is_document(path: &str) -> bool {
    path.ends_with(".md") && (!path.contains('/') || path.starts_with("docs/"))
}

fn read(root: &Path, path: &str) -> Result<TextFile, String> {
    let text = fs::read_to_string(root.join(path))
        .map_err(|error| format!("cannot read {path} as text: {error}"))?;
    Ok(TextFile { path: path.to_owned(), text })
}

/// Collects everything below `folder` (a path relative to `root`, empty for the root itself).
fn walk(root: &Path, folder: &str, paths: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type()?.is_dir() {
            walk(root, &path, paths)?;
        }
        paths.insert(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_rust_files_of_crates_xtask_and_fuzz() {
        assert!(is_source("crates/autoip-wire/src/lib.rs"));
        assert!(is_source("xtask/src/main.rs"));
        assert!(is_source("fuzz/fuzz_targets/frame.rs"));
        assert!(!is_source("crates/autoip-wire/Cargo.toml"));
        assert!(!is_source("scratch/a.rs"));
    }

    #[test]
    fn documents_are_markdown_files_at_the_root_and_under_docs() {
        assert!(is_document("README.md"));
        assert!(is_document("docs/man/autoipd.md"));
        assert!(!is_document("crates/autoip-wire/notes.md"));
        assert!(!is_document("LICENSE-MIT"));
    }

    #[test]
    fn this_workspace_loads_without_its_build_output() {
        let tree = Tree::load().unwrap();
        assert!(tree.sources.iter().any(|file| file.path == "xtask/src/tree.rs"));
        assert!(tree.packages.iter().any(|package| package.name == "autoip-wire"));
        assert!(tree.requirements.text.contains("id = \"LL-2.5-07\""));
        assert!(tree.paths.contains("crates/autoip-wire"));
        assert!(!tree.paths.iter().any(|path| path.split('/').any(|name| name == "target")));
    }
}
