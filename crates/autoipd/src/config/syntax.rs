//! What to say about text that is no TOML. The parser says what it expected; whoever writes such a
//! file by hand is helped by what they wrote, and by what it should be.

use std::ops::Range;

use super::value::{cut, key_shown};

/// What is wrong at `span`, where the parser says `message`.
pub(super) fn sentence(text: &str, span: &Range<usize>, message: &str) -> String {
    if message == "duplicate key" {
        let key = text.get(span.clone()).unwrap_or_default();
        return format!("{} is said twice: keep one of the two", key_shown(key));
    }
    let line = line_at(text, span.start);
    if let Some((key, value)) = line.split_once('=') {
        let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
        if is_key(key) && value.is_empty() {
            return format!("{key} has no value: write one, or leave the line out");
        }
        if is_key(key) && is_bare_text(value) {
            let value = cut(value);
            return format!("{key} = {value}: put the value in quotes, {key} = \"{value}\"");
        }
    }
    let message = message.lines().collect::<Vec<_>>().join("; ");
    format!("{}: {message}", cut(line))
}

/// The line in which this byte is.
fn line_at(text: &str, at: usize) -> &str {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after.find('\n').map_or(text.len(), |end| at + end);
    text.get(start..end).unwrap_or_default().trim()
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Whether it would be a string if it were in quotes. A number with a mistake is not meant as one.
fn is_bare_text(value: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " .:-_/*?".contains(c);
    value.chars().all(plain) && value.chars().any(|c| !c.is_ascii_digit())
}
