//! A report for programs.

use serde::Serialize;

use crate::{Finding, Report};

/// Grows when a key goes away or changes its meaning; new keys and ids may come at any time.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    interfaces: &'r [String],
    findings: &'r [Finding],
}

/// The report as one JSON object, with a line end behind it.
///
/// | Key | Value |
/// | --- | --- |
/// | `version` | 1; another number when a key goes away or changes its meaning |
/// | `interfaces` | the names of the interfaces that were examined |
/// | `findings` | a list, the worst first, of objects with the keys below |
/// | `id` | what kind of finding it is; see [`Id`](crate::Id) |
/// | `severity` | `"problem"`, `"warning"`, `"unknown"` or `"note"` |
/// | `interface` | the interface that it is about, or null |
/// | `what`, `why`, `remedy` | sentences for people, which may change |
/// | `rfc` | where an RFC says so, or null |
/// | `command` | the remedy for a shell, or null |
#[must_use]
pub fn json(report: &Report) -> String {
    let Report { interfaces, findings } = report;
    let document = Document { version: VERSION, interfaces, findings };
    let mut text = serde_json::to_string_pretty(&document)
        .expect("strings, lists and numbers can always be written as JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Id, Severity};
    use serde_json::{Value, json};

    #[test]
    fn the_keys_are_those_that_are_promised() {
        let finding = Finding {
            id: Id::AnswersForAll,
            severity: Severity::Problem,
            interface: Some("eth0".to_owned()),
            what: "W \"\x1b\"".to_owned(),
            why: "Y".to_owned(),
            rfc: Some("RFC 3927 §2.7"),
            remedy: "R".to_owned(),
            command: None,
        };
        let text = json(&Report::new(vec!["eth0".to_owned()], vec![finding]));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read,
            json!({
                "version": 1,
                "interfaces": ["eth0"],
                "findings": [{
                    "id": "answers-for-all",
                    "severity": "problem",
                    "interface": "eth0",
                    "what": "W \"\u{1b}\"",
                    "why": "Y",
                    "rfc": "RFC 3927 §2.7",
                    "remedy": "R",
                    "command": null,
                }],
            })
        );
    }

    #[test]
    fn severities_have_one_name() {
        for severity in Severity::ALL {
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.name());
        }
    }
}
