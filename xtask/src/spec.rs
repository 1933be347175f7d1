//! The link from requirements to code and tests.
//!
//! `spec/requirements.toml` lists every requirement and how autoip stands to it; annotations in the
//! crates say which code meets one and which test shows it. The rules below hold the two to each
//! other, and to both of them `docs/conformance.md`, the page that is made from them.

mod evidence;
mod page;
mod requirement;
mod rule;
mod trial;

use std::collections::BTreeMap;
use std::fmt;

use crate::annotation::Kind;
use crate::finding::Finding;
use crate::tree::{TextFile, Tree};
use evidence::Evidence;
use requirement::{Document, Requirement, Requirements, Status, line_of};

/// What must hold.
const RULES: [fn(&Spec) -> Vec<Finding>; 9] = [
    rule::names_are_good_and_unique,
    rule::sections_are_known,
    rule::documents_are_complete,
    rule::rows_are_complete_and_short,
    rule::annotations_name_rows,
    rule::test_annotations_have_tests,
    rule::met_rows_have_code,
    rule::met_musts_have_tests,
    rule::unmet_rows_are_not_annotated,
];

/// The requirements and what there is about them.
#[derive(Debug)]
pub(crate) struct Spec<'a> {
    file: &'a TextFile,
    documents: BTreeMap<String, Document>,
    sections: BTreeMap<String, String>,
    rows: Vec<Requirement>,
    evidence: Vec<Evidence<'a>>,
    sources: &'a [TextFile],
    /// The page as it stands on disk.
    page: Option<&'a TextFile>,
}

impl<'a> Spec<'a> {
    /// Takes what belongs to it from `tree`.
    ///
    /// # Errors
    ///
    /// Where the list of requirements cannot be read, and why.
    pub(crate) fn new(tree: &'a Tree) -> Result<Self, Finding> {
        let Requirements { documents, sections, rows } = Requirements::parse(&tree.requirements)?;
        Ok(Self {
            file: &tree.requirements,
            documents,
            sections,
            rows,
            evidence: evidence::collect(&tree.sources),
            sources: &tree.sources,
            page: tree.documents.iter().find(|document| document.path == page::PATH),
        })
    }

    /// Everything that breaks a rule, but for the page.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        RULES.iter().flat_map(|rule| rule(self)).collect()
    }

    /// What is wrong with the page on disk, if anything is.
    pub(crate) fn stale_page(&self) -> Option<Finding> {
        rule::page_is_fresh(self)
    }

    /// The page as it should be.
    pub(crate) fn page(&self) -> TextFile {
        page::render(self)
    }

    fn row(&self, id: &str) -> Option<&Requirement> {
        self.rows.iter().find(|row| row.id() == id)
    }

    fn evidence_of(&self, row: &Requirement, kind: Kind) -> impl Iterator<Item = &Evidence<'a>> {
        self.evidence
            .iter()
            .filter(move |evidence| evidence.kind == kind && evidence.row == row.id())
    }

    /// Something about `row`, in the line of its name.
    fn at_row(&self, row: &Requirement, sentence: impl Into<String>) -> Finding {
        Finding::new(self.file, line_of(self.file, row.id.span().start), sentence)
    }
}

/// How many there are of what.
impl fmt::Display for Spec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |kind| self.evidence.iter().filter(|evidence| evidence.kind == kind).count();
        let counts = Status::ALL.map(|status| {
            let count = self.rows.iter().filter(|row| row.status == status).count();
            format!("{count} {status}")
        });
        write!(
            f,
            "{} requirements ({}), {} annotations of code and {} of tests",
            self.rows.len(),
            counts.join(", "),
            of(Kind::Code),
            of(Kind::Test),
        )
    }
}

#[cfg(test)]
mod tests;
