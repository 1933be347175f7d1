//! The rules of CONTRIBUTING.md that no compiler or linter knows.
//!
//! Each rule is a function from a file, or a crate, to what it finds there; the three lists below
//! say which rules there are. A rule looks at lines, not at syntax: `cargo fmt` has been there
//! before, so indentation and line breaks can be relied on.

mod annotation;
mod dependency;
mod document;
mod function;
mod manifest;
mod source;

use crate::finding::Finding;
use crate::package::Package;
use crate::tree::{TextFile, Tree};

/// The rules for one Rust file.
const SOURCE_RULES: [fn(&TextFile) -> Vec<Finding>; 8] = [
    source::opens_with_a_description,
    source::is_short,
    source::has_short_lines,
    source::has_no_unfinished_work,
    source::expects_rather_than_allows,
    source::is_named_after_its_noun,
    function::are_short,
    annotation::are_well_formed,
];

/// The rules for one crate.
const PACKAGE_RULES: [fn(&Package, &Tree) -> Vec<Finding>; 4] = [
    dependency::point_downwards,
    dependency::have_a_reason,
    manifest::forbids_unsafe_code,
    manifest::inherits_the_lints,
];

/// The rules for one Markdown file.
const DOCUMENT_RULES: [fn(&TextFile, &Tree) -> Vec<Finding>; 1] = [document::has_no_dead_links];

/// Everything in `tree` that breaks a rule.
pub(crate) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.sources {
        found.extend(SOURCE_RULES.iter().flat_map(|rule| rule(file)));
    }
    for package in &tree.packages {
        found.extend(PACKAGE_RULES.iter().flat_map(|rule| rule(package, tree)));
    }
    for file in &tree.documents {
        found.extend(DOCUMENT_RULES.iter().flat_map(|rule| rule(file, tree)));
    }
    found
}

#[cfg(test)]
mod tests;
