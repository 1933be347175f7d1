//! What to say about text that is no TOML. The parser says what it expected; whoever writes such a
//! file by hand is helped by what they wrote, and by what it should be.

use std::ops::Range;

use super::key::{INTERFACE, MANAGE};
use super::value::{cut, key_shown};

/// Keys whose values are true or false.
const SWITCHES: [&str; 3] = [MANAGE, "default-route", "sandbox"];
/// Keys whose values are numbers.
const NUMBERS: [&str; 3] = ["metric", "probes", "announcements"];

/// What is wrong at `span`, where the parser says `message`.
pub(super) fn sentence(text: &str, span: &Range<usize>, message: &str) -> String {
    if message == "duplicate key" {
        return twice(text.get(span.clone()).unwrap_or_default());
    }
    let (line, at) = line_at(text, span.start);
    if line.trim().is_empty() {
        return "a text or a list that was begun above is not ended".to_owned();
    }
    if let Some(advice) = about_value(line, at) {
        return advice;
    }
    let message = message.lines().collect::<Vec<_>>().join("; ");
    let bracketed = line.contains('=') && line.contains(['[', '{']) && !line.starts_with('[');
    let hint = if bracketed { "; texts, such as names and addresses, stand in quotes" } else { "" };
    format!("{}: {message}{hint}", cut(line.trim()))
}

fn twice(key: &str) -> String {
    match key.trim_matches(['"', '\'']) {
        INTERFACE => "interface is one of many: write [[interface]], with two brackets".to_owned(),
        key => format!("{} is said twice: keep one of the two", key_shown(key)),
    }
}

/// What to say where the mistake is in the value of a line `key = value`: at its byte `at`.
fn about_value(line: &str, at: usize) -> Option<String> {
    let (before, after) = line.split_once('=')?;
    let (key, value) = (before.trim(), after.split('#').next().unwrap_or_default().trim());
    if at <= before.len() || !is_key(key) {
        return None;
    }
    let shown = cut(value);
    if value.is_empty() {
        Some(format!("{key} has no value: write one, or leave the line out"))
    } else if SWITCHES.contains(&key) {
        Some(format!("{key} = {shown}: give true or false"))
    } else if NUMBERS.contains(&key) {
        Some(format!("{key} = {shown}: give a whole number, without quotes"))
    } else if is_text(value) {
        Some(format!("{key} = {shown}: put the value in quotes, {key} = \"{shown}\""))
    } else {
        None
    }
}

/// The line in which this byte is, and where in it.
fn line_at(text: &str, at: usize) -> (&str, usize) {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after.find('\n').map_or(text.len(), |end| before.len() + end);
    (text.get(start..end).unwrap_or_default(), before.len() - start)
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Whether it would be a text if it were in quotes: no number with a mistake, and nothing that the
/// parser takes as it is.
fn is_text(value: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " .:-_/*?".contains(c);
    let number = value.parse::<f64>().is_ok() || value.chars().all(|c| c.is_ascii_digit());
    value.chars().all(plain) && !number && !matches!(value, "true" | "false")
}
