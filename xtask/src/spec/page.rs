//! The page for readers: every requirement, how and where it is met, and which tests show that.

use std::collections::BTreeMap;

use super::Spec;
use super::requirement::{Requirement, Status};
use crate::annotation::Kind;
use crate::tree::TextFile;

/// Where the page is.
pub(super) const PATH: &str = "docs/conformance.md";
/// From the page to the root of the workspace.
const ROOT: &str = "../";

const INTRO: &str = "\
# Conformance: every requirement, and how autoip stands to it

Every requirement that RFC 3927 (IPv4 link-local addresses), RFC 5227 (address conflict detection)
and a few standards around them put on a host, in our own words, with what meets it and what shows
that.

- **Row** is the name of a requirement; code and tests carry it as `//= LL-2.5-07 ...` and
  `//= test LL-2.5-07`. LL stands for RFC 3927, ACD for RFC 5227, DNA for RFC 4436, BASE for others.
- **Level** is the keyword of RFC 2119 where it has capitals, else the kind of text.
- **Status** is one of these:
  - *met*: done, by the code that is linked; a MUST or MUST NOT also has tests.
  - *partly*: some of it is done, and the sentence says what is missing.
  - *planned*: not done, and the sentence says what will do it.
  - *elsewhere*: somebody else's job, or the kernel's by itself.
  - *not applicable*: binds nothing here, and the sentence says why.
- **Code** is where it is met: the files with the annotation.
- **Tests** are those that fail without that code, by name, with spaces where the code has
  underscores. [testing.md](testing.md) says how that was checked.
- Rows that bind nobody but others (applications, name servers, routers, operators) stand at the end
  and say whose they are.

This page is made from [spec/requirements.toml](../spec/requirements.toml) and the annotations.
`cargo xtask spec` fails when it is out of date; `cargo xtask spec --write` makes it anew.
";

/// Makes the page.
pub(super) fn render(spec: &Spec) -> TextFile {
    let (ours, others): (Vec<_>, Vec<_>) = spec.rows.iter().partition(|row| row.is_ours());
    let mut text = INTRO.to_owned();
    text += &counts(&ours, &others);
    for rows in ours.chunk_by(|a, b| a.section == b.section) {
        let section = &rows[0].section;
        let about = spec.sections.get(section).map_or("?", String::as_str);
        text += &format!("\n## {section}: {about}\n\n");
        text += &table(
            &["Row", "Level", "What it asks", "Status and how", "Code", "Tests"],
            rows.iter().map(|row| full(spec, row)),
        );
    }
    text += "\n## Other people's jobs\n\n";
    text += &table(
        &["Row", "Level", "Whose", "What it asks", "Status and why"],
        others.iter().map(|row| short(row)),
    );
    TextFile { path: PATH.to_owned(), text }
}

fn counts(ours: &[&Requirement], others: &[&Requirement]) -> String {
    let count = |rows: &[&Requirement], status| {
        rows.iter().filter(|row| row.status == status).count().to_string()
    };
    let by_status = Status::ALL
        .map(|status| vec![status.to_string(), count(ours, status), count(others, status)]);
    let sum = vec!["all".to_owned(), ours.len().to_string(), others.len().to_string()];
    let heads = ["Status", "Of the daemon, the kernel or the filter", "Of others alone"];
    format!("\n## Counts\n\n{}", table(&heads, by_status.into_iter().chain([sum])))
}

fn full(spec: &Spec, row: &Requirement) -> Vec<String> {
    vec![
        row.id().to_owned(),
        row.level.to_string(),
        row.text.clone(),
        format!("**{}**: {}", row.status, row.how),
        files(spec, row, Kind::Code),
        files(spec, row, Kind::Test),
    ]
}

fn short(row: &Requirement) -> Vec<String> {
    let actors: Vec<_> = row.actor.iter().map(ToString::to_string).collect();
    vec![
        row.id().to_owned(),
        row.level.to_string(),
        actors.join(", "),
        row.text.clone(),
        format!("**{}**: {}", row.status, row.how),
    ]
}

/// The files with annotations of one kind for `row`, each once; those of tests with the tests.
fn files(spec: &Spec, row: &Requirement, kind: Kind) -> String {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for evidence in spec.evidence_of(row, kind) {
        let tests = files.entry(&evidence.file.path).or_default();
        match (kind, evidence.function) {
            (Kind::Test, Some(name)) => tests.push(name.replace('_', " ")),
            (Kind::Test, None) | (Kind::Code, _) => {}
        }
    }
    let link = |(path, tests): (&str, Vec<String>)| {
        let list = if tests.is_empty() { String::new() } else { format!(": {}", tests.join("; ")) };
        format!("[{}]({ROOT}{path}){list}", label(path))
    };
    files.into_iter().map(link).collect::<Vec<_>>().join("<br>")
}

/// A short name for a file: `autoip-core acd/send.rs`, with a space where a line may be broken.
fn label(path: &str) -> String {
    let path = path.strip_prefix("crates/").unwrap_or(path);
    path.replacen("/src/", " ", 1).replacen("/tests/", " ", 1)
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(heads.iter().map(ToString::to_string).collect());
    text += &line(vec!["---".to_owned(); heads.len()]);
    for cells in rows {
        text += &line(cells.into_iter().map(|cell| cell.replace('|', "\\|")).collect());
    }
    text
}
