//! Annotations that tie code and tests to the rows of the requirements: what one looks like.

/// What an annotation says about the code that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It meets the requirement.
    Code,
    /// It is a test that shows that the requirement is met.
    Test,
}

/// One annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Annotation<'a> {
    pub(crate) kind: Kind,
    /// The requirement that it names.
    pub(crate) row: &'a str,
}

/// A line that looks like an annotation and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'a> Annotation<'a> {
    /// The annotation that stands in `line`, if there is one.
    pub(crate) fn parse(line: &'a str) -> Option<Result<Self, Malformed>> {
        let text = line.trim_start().strip_prefix("//=")?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let (kind, row) = match words[..] {
            ["test", row] => (Kind::Test, row),
            [row, _, ..] => (Kind::Code, row),
            [] | [_] => return Some(Err(Malformed)),
        };
        let is_well_formed = text.starts_with(' ') && is_row(row);
        Some(if is_well_formed { Ok(Self { kind, row }) } else { Err(Malformed) })
    }
}

/// Whether `row` is the name of a requirement: `LL-2.2.1-07`, `ACD-5-01`, `DNA-2.3-01`, `BASE-06`.
pub(crate) fn is_row(row: &str) -> bool {
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
        let parsed = |line| Annotation::parse(line).map(|a| a.map(|a| (a.kind, a.row)));
        let code = parsed("    //= LL-2.5-07 a second conflict ends the claim");
        assert_eq!(code, Some(Ok((Kind::Code, "LL-2.5-07"))));
        assert_eq!(parsed("//= test LL-2.5-07"), Some(Ok((Kind::Test, "LL-2.5-07"))));
        for text in ["", " ", " LL-2.5-07", "LL-2.5-07 close", " test", " test LL-2.5"] {
            let line = format!("//={text}");
            assert_eq!(Annotation::parse(&line), Some(Err(Malformed)), "{line:?}");
        }
        assert_eq!(parsed("// LL-2.5-07 a second conflict ends the claim"), None);
        assert_eq!(parsed("let a = \"//= test LL-2.5-07\";"), None);
    }
}
