//! Rules for what a crate may depend on.

use crate::finding::Finding;
use crate::package::{Dependency, Package, Purpose};
use crate::tree::Tree;

/// The crates of the workspace from the bottom up: each may use those before it.
pub(super) const ORDER: [&str; 12] = [
    "autoip-wire",
    "autoip-core",
    "autoip-linux",
    "autoip-control",
    "autoip-doctor",
    "autoipd",
    "autoipctl",
    "autoip-lab",
    "autoip-sim",
    "autoip-conform",
    "autoip-fuzz",
    "xtask",
];
const ORDER_IS_IN: &str = "ORDER in xtask/src/tidy/dependency.rs";

/// Where third-party crates are explained.
const REASONS: &str = "CONTRIBUTING.md";

/// Dependencies between our crates run one way, so that each can be read without those above it.
pub(super) fn point_downwards(package: &Package, _tree: &Tree) -> Vec<Finding> {
    let Some(own_rank) = rank(&package.name) else {
        let sentence = format!("give {} its place in {ORDER_IS_IN}", package.name);
        return vec![Finding::new(&package.manifest, package.line_of("name"), sentence)];
    };
    package
        .dependencies
        .iter()
        .filter_map(|dependency| {
            let sentence = objection(package, own_rank, dependency)?;
            let line = package.line_of(&dependency.name);
            Some(Finding::new(&package.manifest, line, sentence))
        })
        .collect()
}

fn objection(package: &Package, own_rank: usize, dependency: &Dependency) -> Option<String> {
    let (user, used) = (package.name.as_str(), dependency.name.as_str());
    if (user, used) == ("autoip-conform", "autoip-core") {
        let sentence = "autoip-conform must judge without autoip-core: a tester that shares the \
                        tested logic proves nothing";
        return Some(sentence.to_owned());
    }
    if dependency.purpose == Purpose::Dev {
        return None;
    }
    if user == "autoip-wire" {
        return Some(format!("autoip-wire has no dependencies, not even {used}"));
    }
    if !dependency.is_ours {
        return None;
    }
    match rank(used) {
        Some(rank) if rank < own_rank => None,
        Some(_) => Some(format!("{user} must not depend on {used}, which stands above it")),
        None => Some(format!("{used} has no place in {ORDER_IS_IN}")),
    }
}

fn rank(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

/// Whoever adds other people's code says what it is for.
pub(super) fn have_a_reason(package: &Package, tree: &Tree) -> Vec<Finding> {
    let reasons = tree.documents.iter().find(|file| file.path == REASONS);
    let is_explained = |name: &str| {
        let row = format!("| `{name}` |");
        reasons.is_some_and(|file| file.text.lines().any(|line| line.starts_with(&row)))
    };
    package
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_ours && dependency.purpose != Purpose::Dev)
        .filter(|dependency| !is_explained(&dependency.name))
        .map(|dependency| {
            let name = &dependency.name;
            let sentence = format!("say in {REASONS}, in a row \"| `{name}` |\", why it is used");
            Finding::new(&package.manifest, package.line_of(name), sentence)
        })
        .collect()
}
