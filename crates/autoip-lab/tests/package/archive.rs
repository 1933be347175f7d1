//! Packages for Debian as files: the one that was built, others like it, and small ones for tests.

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
const SOURCES: [&str; 6] = [
    "crates/autoipd",
    "crates/autoipctl",
    "crates/autoip-core/src",
    "crates/autoip-linux/src",
    "dist",
    "man",
];

/// Whether there is a package.
pub(crate) fn is_built() -> bool {
    newest().is_some()
}

/// The newest package that `dist/build-packages` has made.
pub(crate) fn built() -> Archive {
    let Some(newest) = newest() else {
        autoip_lab::skip(&format!("no package is built: {REMEDY}"));
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let newer = SOURCES.iter().find_map(|part| newer_than(&root.join(part), modified(&newest)));
    if let Some(newer) = newer {
        let newer = newer.display();
        autoip_lab::skip(&format!("the package is older than {newer}: {REMEDY}"));
    }
    let archive = Archive { tree: fresh_directory() };
    dpkg_deb(&["--raw-extract".as_ref(), newest.as_os_str(), archive.tree.as_os_str()]);
    archive
}

fn newest() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let files = fs::read_dir(target.join("debian")).into_iter().flatten().map(Result::unwrap);
    let is_ours = |name: &str| name.starts_with("autoip_") && name.ends_with(".deb");
    let packages = files.filter(|file| file.file_name().to_str().is_some_and(is_ours));
    packages.map(|file| file.path()).max_by_key(|path| modified(path))
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
        let mut entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.find_map(|entry| newer_than(&entry, time));
    }
    (modified(path) > time).then(|| path.to_owned())
}
