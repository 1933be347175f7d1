//! What a program wrote, held against what a page says.
//!
//! MAC addresses and link-local addresses may be others than on the page, but the same where the
//! page has the same. Times and decimal fractions may be any. `...` stands for anything within a
//! line, and alone in a line for any number of lines. How wide a space is does not matter.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What may follow a number that is a time.
const UNITS: [&str; 4] = [" s", " min", " h", " d"];

/// What the values of the page are in this run.
#[derive(Clone, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

/// How far the output is what the page says.
pub(crate) enum Verdict {
    /// It is, and this is what the values are then; so many lines follow that the page has not.
    Whole(Values, usize),
    /// It may become so: this line of the page has not come yet.
    Lacking(String),
    /// It is not: the line of the page, and what came instead.
    Wrong(String, String),
}

impl Values {
    /// A command of the page with the values of this run.
    pub(crate) fn fill_in(&self, command: &str) -> String {
        let mut filled = String::new();
        let mut rest = command;
        while let Some(next) = rest.chars().next() {
            let word = word(rest);
            let value = self.0.get(word).map_or(word, String::as_str);
            filled.push_str(value);
            rest = &rest[word.len()..];
            if word.is_empty() {
                filled.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        filled
    }

    /// Holds `actual` against the whole of `page`.
    pub(crate) fn compare<'a>(
        &self,
        page: &[String],
        mut actual: impl Iterator<Item = &'a str>,
        exact: bool,
    ) -> Verdict {
        let mut values = self.clone();
        let mut skipping = false;
        for expected in page {
            if expected.trim() == "..." {
                skipping = true;
                continue;
            }
            loop {
                let Some(line) = actual.next() else { return Verdict::Lacking(expected.clone()) };
                let line = without_peer(line);
                let mut found = values.clone();
                if found.line(expected.trim(), line.trim(), exact) {
                    values = found;
                    break;
                }
                if !skipping {
                    return Verdict::Wrong(expected.clone(), line);
                }
            }
            skipping = false;
        }
        Verdict::Whole(values, if skipping { 0 } else { actual.count() })
    }

    /// Whether a line can be what the page says, and notes its values.
    fn line(&mut self, page: &str, actual: &str, exact: bool) -> bool {
        if let Some(rest) = page.strip_prefix("...") {
            let starts = actual.char_indices().map(|(at, _)| at).chain([actual.len()]);
            return starts.into_iter().any(|at| {
                let mut found = self.clone();
                let fits = found.line(rest, &actual[at..], exact);
                if fits {
                    *self = found;
                }
                fits
            });
        }
        let (expected, word) = (word(page), word(actual));
        if !expected.is_empty() {
            return self.word(expected, word, exact)
                && self.line(&page[expected.len()..], &actual[word.len()..], exact);
        }
        match (page.chars().next(), actual.chars().next()) {
            (None, None) => true,
            (Some(a), Some(b)) if a.is_whitespace() && b.is_whitespace() => {
                self.line(page.trim_start(), actual.trim_start(), exact)
            }
            (Some(a), Some(b)) if a == b => {
                self.line(&page[a.len_utf8()..], &actual[b.len_utf8()..], exact)
            }
            _ => false,
        }
    }

    fn word(&mut self, page: &str, actual: &str, exact: bool) -> bool {
        let kind = Kind::of(page);
        if kind == Kind::Fixed || (exact && page != actual) {
            return page == actual;
        }
        if kind == Kind::Time {
            return Kind::of(actual) == kind;
        }
        if kind != Kind::of(actual) {
            return false;
        }
        let known = self.0.entry(page.to_owned()).or_insert_with(|| actual.to_owned());
        known == actual && self.0.values().filter(|value| *value == actual).count() == 1
    }
}

/// What a word of an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mac,
    Address,
    /// A time of day, or a number with a fraction.
    Time,
    Fixed,
}

impl Kind {
    fn of(word: &str) -> Self {
        if word.contains([' ', '-']) {
            return Self::Time;
        }
        let parts: Vec<_> = word.split(':').collect();
        let hex = |part: &&str| part.len() == 2 && u8::from_str_radix(part, 16).is_ok();
        if parts.len() == 6 && parts.iter().all(hex) {
            let same = parts.iter().all(|part| part == &parts[0]);
            return if same { Self::Fixed } else { Self::Mac };
        }
        if let Ok(addr) = word.parse::<Ipv4Addr>() {
            let claimable =
                addr.octets()[..2] == [169, 254] && (1..255).contains(&addr.octets()[2]);
            return if claimable { Self::Address } else { Self::Fixed };
        }
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let clock = number.split(':').count() == 3;
        let fraction = number.split('.').count() == 2;
        let plain = number.split([':', '.']).all(digits);
        if plain && (clock || fraction) { Self::Time } else { Self::Fixed }
    }
}

/// The word that `text` begins with: what an address, a time or a name is made of. A date, and a
/// number with a unit of time, are words too.
fn word(text: &str) -> &str {
    let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if form.starts_with("0000-00-00T00:00:00") {
        let end = form.find('Z').unwrap_or(form.len());
        return &text[..end];
    }
    let digits = form.len() - form.trim_start_matches('0').len();
    let unit = UNITS.into_iter().find(|unit| {
        let rest = form[digits..].strip_prefix(unit);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    });
    if let Some(unit) = unit.filter(|_| digits > 0) {
        return &text[..digits + unit.len()];
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || c == ':' || c == '.';
    let end = text.find(|c| !inside(c)).unwrap_or(text.len());
    text[..end].trim_end_matches([':', '.'])
}

/// `eth0@if7` is how a virtual interface is shown where a real one is `eth0`.
fn without_peer(line: &str) -> String {
    let Some((before, after)) = line.split_once("@if") else { return line.to_owned() };
    format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}
