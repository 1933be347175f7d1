//! Packages as files: those that were built, and for Debian others like them and small ones for
//! tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// A package, taken apart. Gone when dropped.
pub(crate) struct Archive {
    tree: PathBuf,
}

const REMEDY: &str = "make it with dist/build-packages";

/// What the package is made of, from the root of the workspace.
const SOURCES: [&str; 9] = [
    "crates/autoipd",
    "crates/autoipctl",
    "crates/autoip-control/src",
    "crates/autoip-core/src",
    "crates/autoip-doctor/src",
    "crates/autoip-linux/src",
    "crates/autoip-wire/src",
    "dist",
    "man",
];

/// What kind of package.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Deb,
    Rpm,
}

/// Whether there is a package.
pub(crate) fn is_built() -> bool {
    newest(Kind::Deb).is_some()
}

/// The newest package for Debian that `dist/build-packages` has made.
pub(crate) fn built() -> Archive {
    let newest = must_be_built(Kind::Deb);
    let archive = Archive { tree: fresh_directory() };
    dpkg_deb(&["--raw-extract".as_ref(), newest.as_os_str(), archive.tree.as_os_str()]);
    archive
}

/// The newest package for Fedora and its like that `dist/build-packages` has made.
pub(crate) fn built_rpm() -> Vec<u8> {
    fs::read(must_be_built(Kind::Rpm)).unwrap()
}

fn must_be_built(kind: Kind) -> PathBuf {
    let Some(newest) = newest(kind) else {
        autoip_lab::skip(&format!("no package ({kind:?}) is built: {REMEDY}"));
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let newer = SOURCES.iter().find_map(|part| newer_than(&root.join(part), modified(&newest)));
    if let Some(newer) = newer {
        let newer = newer.display();
        autoip_lab::skip(&format!("the package ({kind:?}) is older than {newer}: {REMEDY}"));
    }
    newest
}

fn newest(kind: Kind) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let (folder, begin, end) = match kind {
        Kind::Deb => ("debian", "autoip_", ".deb"),
        Kind::Rpm => ("generate-rpm", "autoip-", ".rpm"),
    };
    // Where it is depends on whether it was made for the target that builds have anyway.
    let targets = paths(target).into_iter().chain([target.to_owned()]);
    let packages = targets.flat_map(|target| paths(&target.join(folder)));
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(begin) && name.ends_with(end))
    };
    packages.filter(is_ours).max_by_key(|path| modified(path))
}

/// What a folder holds, if there is one.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

impl Archive {
    /// A package with nothing in it but one file.
    pub(crate) fn make(name: &str, version: &str, file: &str) -> Self {
        let archive = Self { tree: fresh_directory() };
        archive.describe(name, version, "");
        let path = archive.tree.join(file.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        archive
    }

    /// An empty package that needs another one.
    pub(crate) fn depending(name: &str, on: &str) -> Self {
        let archive = Self { tree: fresh_directory() };
        archive.describe(name, "1", &format!("Depends: {on}\n"));
        archive
    }

    fn describe(&self, name: &str, version: &str, more: &str) {
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n{more}\
             Description: a test\n"
        );
        fs::create_dir_all(self.tree.join("DEBIAN")).unwrap();
        fs::write(self.tree.join("DEBIAN/control"), control).unwrap();
    }

    /// The same with another version.
    pub(crate) fn with_version(self, version: &str) -> Self {
        let path = self.tree.join("DEBIAN/control");
        let control = fs::read_to_string(&path).unwrap();
        let line = |line: &str| match line.strip_prefix("Version: ") {
            Some(_) => format!("Version: {version}\n"),
            None => format!("{line}\n"),
        };
        fs::write(&path, control.lines().map(line).collect::<String>()).unwrap();
        self
    }

    /// The same with a comment more in this file.
    pub(crate) fn with_line(self, file: &str) -> Self {
        let path = self.tree.join(file.trim_start_matches('/'));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}# from the package\n")).unwrap();
        self
    }

    /// The package as dpkg wants it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let file = self.tree.with_extension("deb");
        // Files of the test belong to whoever runs it.
        let (tree, deb) = (self.tree.as_os_str(), file.as_os_str());
        dpkg_deb(&["--root-owner-group".as_ref(), "--build".as_ref(), tree, deb]);
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(file).unwrap();
        bytes
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.tree);
    }
}

fn dpkg_deb(arguments: &[&std::ffi::OsStr]) {
    let output = Command::new("dpkg-deb").args(arguments).output();
    let Ok(output) = output else { autoip_lab::skip("dpkg-deb is not installed") };
    assert!(output.status.success(), "dpkg-deb: {}", String::from_utf8_lossy(&output.stderr));
}

fn fresh_directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("archive{number}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn modified(path: &Path) -> SystemTime {
    path.metadata().and_then(|metadata| metadata.modified()).unwrap()
}

/// A file at or below `path` that was changed later than `time`.
fn newer_than(path: &Path, time: SystemTime) -> Option<PathBuf> {
    if path.is_dir() {
        return paths(path).into_iter().find_map(|entry| newer_than(&entry, time));
    }
    (modified(path) > time).then(|| path.to_owned())
}
