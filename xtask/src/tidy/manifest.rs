//! Rules for what every crate switches on.

use crate::finding::Finding;
use crate::package::Package;
use crate::tree::Tree;

/// The one crate that talks to the kernel in the kernel's own terms.
const MAY_BE_UNSAFE: &str = "autoip-linux";
const FORBID: &str = "#![forbid(unsafe_code)]";

/// `forbid` cannot be lifted further down, the workspace's `deny` can.
pub(super) fn forbids_unsafe_code(package: &Package, tree: &Tree) -> Vec<Finding> {
    if package.name == MAY_BE_UNSAFE {
        return Vec::new();
    }
    tree.sources
        .iter()
        .filter(|file| package.crate_roots.contains(&file.path))
        .filter(|file| !file.text.lines().any(|line| line == FORBID))
        .map(|file| Finding::new(file, 1, format!("add {FORBID} below the opening comment")))
        .collect()
}

/// Without this line a crate has no lints at all.
pub(super) fn inherits_the_lints(package: &Package, _tree: &Tree) -> Vec<Finding> {
    let mut lines = package.manifest.text.lines().skip_while(|line| line.trim() != "[lints]");
    lines.next();
    let mut section = lines.take_while(|line| !line.starts_with('['));
    if section.any(|line| line.trim() == "workspace = true") {
        return Vec::new();
    }
    let sentence = "inherit the workspace's lints: a section [lints] with workspace = true";
    vec![Finding::new(&package.manifest, 1, sentence)]
}
