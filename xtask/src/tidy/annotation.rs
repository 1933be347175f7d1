//! Annotations that tie code and tests to the rows of the requirements.
//!
//! Only the form is checked here; whether there is such a row is the business of `spec`.

use crate::annotation::Annotation;
use crate::finding::Finding;
use crate::tree::TextFile;

/// An annotation with a slip of the pen would count for no row at all.
pub(super) fn are_well_formed(file: &TextFile) -> Vec<Finding> {
    file.numbered_lines()
        .filter(|(_, line)| matches!(Annotation::parse(line), Some(Err(_))))
        .map(|(at, _)| {
            let sentence = "write the annotation as \"//= LL-2.5-07 what the code does about it\" \
                            or \"//= test LL-2.5-07\"";
            Finding::new(file, at, sentence)
        })
        .collect()
}
