//! What must hold between the list of requirements, the annotations, and the page made from both.

use std::collections::BTreeSet;

use super::Spec;
use super::page;
use super::requirement::{Requirement, Status, line_of};
use super::trial;
use crate::annotation::{Kind, is_row};
use crate::finding::Finding;

const SENTENCE_CHARACTERS_MAX: usize = 200;

/// A name that annotations could not write, or that stands for two things, is of no use.
pub(super) fn names_are_good_and_unique(spec: &Spec) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for row in &spec.rows {
        let id = row.id();
        if !is_row(id) {
            let sentence = format!("\"{id}\" is no name of a requirement, such as LL-2.5-07");
            found.push(spec.at_row(row, sentence));
        }
        if !seen.insert(id) {
            found.push(spec.at_row(row, format!("{id} is there already; names are unique")));
        }
    }
    found
}

/// A section with a slip of the pen would get a table of its own.
pub(super) fn sections_are_known(spec: &Spec) -> Vec<Finding> {
    let unknown = |row: &&Requirement| !spec.sections.contains_key(&row.section);
    spec.rows
        .iter()
        .filter(unknown)
        .map(|row| {
            let sentence = format!("give \"{}\" its line under [sections]", row.section);
            spec.at_row(row, sentence)
        })
        .collect()
}

/// What a document asks for does not change, so a row that is gone was lost.
pub(super) fn documents_are_complete(spec: &Spec) -> Vec<Finding> {
    let mut found = Vec::new();
    for (prefix, document) in &spec.documents {
        let count = spec.rows.iter().filter(|row| row.document() == prefix).count();
        let (name, expected) = (&document.name, document.rows.get_ref());
        if count != *expected {
            let line = line_of(spec.file, document.rows.span().start);
            let sentence = format!(
                "{name} has {expected} requirements, and {count} rows are named {prefix}-...: \
                 bring back what is gone, or say how many there are now"
            );
            found.push(Finding::new(spec.file, line, sentence));
        }
    }
    for row in spec.rows.iter().filter(|row| !spec.documents.contains_key(row.document())) {
        let sentence = format!("give {} its line under [documents]", row.document());
        found.push(spec.at_row(row, sentence));
    }
    found
}

/// A row that needs more than a sentence is two rows; a row is somebody's duty.
pub(super) fn rows_are_complete_and_short(spec: &Spec) -> Vec<Finding> {
    let mut found = Vec::new();
    for row in &spec.rows {
        for (field, sentence) in [("text", &row.text), ("how", &row.how)] {
            let length = sentence.chars().count();
            if length > SENTENCE_CHARACTERS_MAX {
                let what =
                    format!("{field} has {length} characters, say it in {SENTENCE_CHARACTERS_MAX}");
                found.push(spec.at_row(row, what));
            }
            if !sentence.ends_with(['.', '?']) {
                found.push(spec.at_row(row, format!("make {field} a sentence, with a full stop")));
            }
        }
        if row.actor.is_empty() {
            found.push(spec.at_row(row, "name at least one actor"));
        }
    }
    found
}

/// An annotation that names no row would count for nothing.
pub(super) fn annotations_name_rows(spec: &Spec) -> Vec<Finding> {
    spec.evidence
        .iter()
        .filter(|evidence| spec.row(evidence.row).is_none())
        .map(|evidence| {
            let sentence = format!("{} has no row in {}", evidence.row, spec.file.path);
            Finding::new(evidence.file, evidence.line, sentence)
        })
        .collect()
}

/// A test annotation stands above a test, and one that runs.
pub(super) fn test_annotations_have_tests(spec: &Spec) -> Vec<Finding> {
    let mut found = Vec::new();
    for evidence in spec.evidence.iter().filter(|evidence| evidence.kind == Kind::Test) {
        if let Some(sentence) = trial::idleness(spec.sources, evidence) {
            found.push(Finding::new(evidence.file, evidence.line, sentence));
        }
    }
    found
}

/// "Met" is a claim that points at code.
pub(super) fn met_rows_have_code(spec: &Spec) -> Vec<Finding> {
    missing_evidence(spec, Kind::Code, |row| row.status == Status::Met, "code")
}

/// What binds without exception is shown by a test.
pub(super) fn met_musts_have_tests(spec: &Spec) -> Vec<Finding> {
    let needs = |row: &Requirement| row.status == Status::Met && row.level.is_must();
    missing_evidence(spec, Kind::Test, needs, "a test")
}

fn missing_evidence(
    spec: &Spec,
    kind: Kind,
    needs: impl Fn(&Requirement) -> bool,
    what: &str,
) -> Vec<Finding> {
    spec.rows
        .iter()
        .filter(|row| needs(row) && spec.evidence_of(row, kind).next().is_none())
        .map(|row| {
            let (id, level) = (row.id(), &row.level);
            let sentence =
                format!("{id} ({level}) is said to be met: annotate {what}, or change its status");
            spec.at_row(row, sentence)
        })
        .collect()
}

/// Nothing can meet or show what is still to come, or what is not ours to do.
pub(super) fn unmet_rows_are_not_annotated(spec: &Spec) -> Vec<Finding> {
    let mut found = Vec::new();
    for evidence in &spec.evidence {
        let Some(row) = spec.row(evidence.row) else { continue };
        if !row.status.allows_annotations() {
            let sentence = format!(
                "{} is marked as \"{}\" in {}: change its status, or remove the annotation",
                row.id(),
                row.status,
                spec.file.path
            );
            found.push(Finding::new(evidence.file, evidence.line, sentence));
        }
    }
    found
}

/// The page says what list and annotations say.
pub(super) fn page_is_fresh(spec: &Spec) -> Option<Finding> {
    let fresh = page::render(spec);
    let stale = spec.page.map_or("", |page| page.text.as_str());
    let same = stale.lines().zip(fresh.text.lines()).take_while(|(a, b)| a == b).count();
    let sentence = "the page is out of date: run `cargo xtask spec --write`";
    (stale != fresh.text).then(|| Finding::new(&fresh, same + 1, sentence))
}
