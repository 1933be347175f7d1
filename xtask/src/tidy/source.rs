//! Rules for a Rust file as a whole and for its lines.

use crate::finding::Finding;
use crate::tree::TextFile;

const FILE_LINES_MAX: usize = 600;
const LINE_COLUMNS_MAX: usize = 100;

/// Marks of unfinished work. Split, so that this file does not hold one itself.
pub(super) const UNFINISHED: [&str; 7] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
];

/// Attributes that silence a lint for ever, even when it has nothing more to say.
pub(super) const ALLOW: [&str; 2] = [concat!("#[al", "low("), concat!("#![al", "low(")];

/// Names under which anything could be kept.
const VAGUE_NAMES: [&str; 5] = ["common", "helpers", "misc", "types", "utils"];

/// A newcomer learns from the first line what the file is.
pub(super) fn opens_with_a_description(file: &TextFile) -> Vec<Finding> {
    if file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![Finding::new(file, 1, "open the file with a //! comment that says what it is")]
}

/// A file is one noun, and one noun does not need hundreds of lines. Tables of tests do.
pub(super) fn is_short(file: &TextFile) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if lines <= FILE_LINES_MAX || file.is_test() {
        return Vec::new();
    }
    let sentence = format!("the file has {lines} lines, split it: {FILE_LINES_MAX} are allowed");
    vec![Finding::new(file, FILE_LINES_MAX + 1, sentence)]
}

/// `cargo fmt` leaves comments and strings as long as they are, and tabs in them too.
pub(super) fn has_short_lines(file: &TextFile) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in file.numbered_lines() {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX {
            let sentence =
                format!("the line has {columns} columns, break it: {LINE_COLUMNS_MAX} are allowed");
            found.push(Finding::new(file, at, sentence));
        }
        if line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t') {
            found.push(Finding::new(file, at, "indent with spaces, not with a tab"));
        }
    }
    found
}

/// What is not finished is not committed.
pub(super) fn has_no_unfinished_work(file: &TextFile) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in file.numbered_lines() {
        for mark in UNFINISHED.iter().filter(|mark| contains_word(line, mark)) {
            let sentence = format!("finish or remove what is marked {mark}");
            found.push(Finding::new(file, at, sentence));
        }
    }
    found
}

/// An expectation with a reason disappears with its cause; an allowance stays.
pub(super) fn expects_rather_than_allows(file: &TextFile) -> Vec<Finding> {
    let is_allowed = |line: &str| ALLOW.iter().any(|attribute| line.contains(attribute));
    file.numbered_lines()
        .filter(|(_, line)| is_allowed(line))
        .map(|(at, _)| {
            Finding::new(file, at, "use #[expect(..., reason = \"...\")] rather than allow")
        })
        .collect()
}

/// A reader who looks for a rule finds it by the name of the file.
pub(super) fn is_named_after_its_noun(file: &TextFile) -> Vec<Finding> {
    let module = file.path.strip_suffix("/mod.rs").or_else(|| file.path.strip_suffix(".rs"));
    let name = module.and_then(|module| module.rsplit('/').next()).unwrap_or_default();
    if !VAGUE_NAMES.contains(&name) {
        return Vec::new();
    }
    let sentence = format!("\"{name}\" names nothing: name the file after what is in it");
    vec![Finding::new(file, 1, sentence)]
}

/// Whether `word` stands in `line`, not as part of a longer identifier.
fn contains_word(line: &str, word: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back().is_some_and(continues);
        let after = line[start + word.len()..].chars().next().is_some_and(continues);
        let ends_open = word.ends_with('(');
        !(before && word.starts_with(continues)) && (ends_open || !after)
    })
}
