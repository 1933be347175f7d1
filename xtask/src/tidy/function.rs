//! The length of functions.

use crate::finding::Finding;
use crate::signature::function_name;
use crate::tree::TextFile;

pub(super) const FUNCTION_LINES_MAX: usize = 70;

/// A function fits on a screen. Tests may be as long as their story.
pub(super) fn are_short(file: &TextFile) -> Vec<Finding> {
    if file.is_test() {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let Some(length) = body_length(&lines[start..]) else { continue };
        if length > FUNCTION_LINES_MAX {
            let sentence = format!(
                "fn {name} has {length} lines, take it apart: {FUNCTION_LINES_MAX} are allowed"
            );
            found.push(Finding::new(file, start + 1, sentence));
        }
    }
    found
}

/// How many lines the function takes that begins in the first of `lines`, if it has a body there.
///
/// The body opens with the first line of the function's own indentation that ends in a brace, and
/// closes with the next line of that indentation that starts with one.
fn body_length(lines: &[&str]) -> Option<usize> {
    let own_indentation = indentation(lines.first()?);
    let is_own = |line: &str| indentation(line) == own_indentation && !line.trim().is_empty();
    let signature_end = lines.iter().position(|line| ends_signature(line, is_own(line)))?;
    match without_comment(lines[signature_end]).chars().next_back()? {
        '{' => {
            let body = &lines[signature_end + 1..];
            let end =
                body.iter().position(|line| is_own(line) && line.trim_start().starts_with('}'))?;
            Some(signature_end + 1 + end + 1)
        }
        '}' => Some(signature_end + 1),
        _ => None,
    }
}

/// Whether a signature ends in `line`: in a body, in a body of one line, or without a body.
fn ends_signature(line: &str, is_own: bool) -> bool {
    let code = without_comment(line);
    code.ends_with(';') || (is_own && code.ends_with(['{', '}']))
}

fn without_comment(line: &str) -> &str {
    line.split_once(" // ").map_or(line, |(code, _)| code).trim_end()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_from_the_signature_to_the_brace() {
        let length = |text: &str| body_length(&text.lines().collect::<Vec<_>>());
        assert_eq!(length("fn a() {}\n"), Some(1));
        assert_eq!(length("fn a() {\n    b();\n}\nfn c() {}\n"), Some(3));
        assert_eq!(length("fn a() { // why\n    b();\n}\n"), Some(3));
        assert_eq!(length("    fn a() {\n        if b {\n        }\n\n    }\n}\n"), Some(5));
        assert_eq!(length("fn a(\n    b: u8,\n) -> u8 {\n    b\n}\n"), Some(5));
        assert_eq!(length("fn a<T>(b: T)\nwhere\n    T: C,\n{\n    b();\n}\n"), Some(6));
    }

    #[test]
    fn a_declaration_has_no_length() {
        let length = |text: &str| body_length(&text.lines().collect::<Vec<_>>());
        assert_eq!(length("    fn a(&self);\n    fn b() {\n    }\n"), None);
        assert_eq!(length("fn a<T>(b: T)\nwhere\n    T: C;\nfn b() {\n}\n"), None);
    }
}
