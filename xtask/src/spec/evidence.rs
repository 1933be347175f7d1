//! Where code and tests say which requirements they meet or show.

use crate::annotation::{Annotation, Kind};
use crate::signature::function_name;
use crate::tree::TextFile;

/// The folder in which annotations count: what is shipped or shows that it works.
const ANNOTATED: &str = "crates/";

/// One annotation and its place.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) kind: Kind,
    /// The requirement that it names.
    pub(super) row: &'a str,
    pub(super) file: &'a TextFile,
    pub(super) line: usize,
    /// The function that it stands before, if any follows.
    pub(super) function: Option<&'a str>,
}

/// All annotations in `sources`, file by file from the top.
pub(super) fn collect(sources: &[TextFile]) -> Vec<Evidence<'_>> {
    sources.iter().filter(|file| file.path.starts_with(ANNOTATED)).flat_map(in_file).collect()
}

fn in_file(file: &TextFile) -> Vec<Evidence<'_>> {
    let mut found = Vec::new();
    for (line, text) in file.numbered_lines() {
        if let Some(Ok(Annotation { kind, row })) = Annotation::parse(text) {
            let function = file.text.lines().skip(line).find_map(function_name);
            found.push(Evidence { kind, row, file, line, function });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
//! A file.

//= LL-2.5-05 a defence is one announcement
fn defend() {}

//= test LL-2.5-05
//= test ACD-3-01
/// Why.
#[test]
fn a_defence_is_one_announcement() {}

//= test LL-2.5-07
";

    fn file(path: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: TEXT.to_owned() }
    }

    #[test]
    fn annotations_are_found_with_their_functions() {
        let sources = [file("crates/a/src/a.rs")];
        let found: Vec<_> =
            collect(&sources).into_iter().map(|e| (e.line, e.kind, e.row, e.function)).collect();
        let test = Some("a_defence_is_one_announcement");
        let expected = [
            (3, Kind::Code, "LL-2.5-05", Some("defend")),
            (6, Kind::Test, "LL-2.5-05", test),
            (7, Kind::Test, "ACD-3-01", test),
            (12, Kind::Test, "LL-2.5-07", None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn only_crates_count() {
        assert!(collect(&[file("xtask/src/a.rs"), file("fuzz/a.rs")]).is_empty());
    }
}
