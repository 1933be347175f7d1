//! Annotations that tie code and tests to the rows of the requirements.
//!
//! Only the form is checked here.

use super::Finding;
use crate::tree::TextFile;

/// An annotation with a slip of the pen would count for no row at all.
pub(super) fn are_well_formed(file: &TextFile) -> Vec<Finding> {
    let is_malformed = |line: &str| {
        line.trim_start().strip_prefix("//=").is_some_and(|annotation| !is_well_formed(annotation))
    };
    file.numbered_lines()
        .filter(|(_, line)| is_malformed(line))
        .map(|(at, _)| {
            let sentence = "write the annotation as \"//= LL-2.5-07 what the code does about it\" \
                            or \"//= test LL-2.5-07\"";
            Finding::new(file, at, sentence)
        })
        .collect()
}

fn is_well_formed(annotation: &str) -> bool {
    let words: Vec<&str> = annotation.split_whitespace().collect();
    annotation.starts_with(' ')
        && match words[..] {
            ["test", row] => is_row(row),
            [row, _, ..] => is_row(row),
            [] | [_] => false,
        }
}

/// Whether `row` is the name of a requirement: `LL-2.2.1-07`, `ACD-5-01`, `DNA-2.3-01`, `BASE-06`.
fn is_row(row: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match row.split('-').collect::<Vec<_>>()[..] {
        ["BASE", number] => is_number(number),
        ["LL" | "ACD" | "DNA", section, number] => {
            section.split('.').all(is_number) && is_number(number)
        }
        [..] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_all_four_documents_are_known() {
        for row in ["LL-2.5-07", "LL-2.2.1-11", "ACD-5-01", "DNA-2.3-01", "BASE-06"] {
            assert!(is_row(row), "{row}");
        }
        for row in ["LL-2.5", "LL-2.5.07", "LL-2..5-07", "BASE-1.2-01", "RFC-2.5-07", "ll-2.5-07"] {
            assert!(!is_row(row), "{row}");
        }
    }

    #[test]
    fn an_annotation_has_a_row_and_words_or_is_a_test_of_a_row() {
        assert!(is_well_formed(" LL-2.5-07 a second conflict ends the claim"));
        assert!(is_well_formed(" test LL-2.5-07"));
        for wrong in ["", " ", " LL-2.5-07", "LL-2.5-07 close", " test", " test LL-2.5"] {
            assert!(!is_well_formed(wrong), "{wrong:?}");
        }
    }
}
