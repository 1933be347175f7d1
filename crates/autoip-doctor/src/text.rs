//! A report for people.

use crate::{Finding, Report, Severity};

/// Longer lines are tiresome.
const COLUMNS_MAX: usize = 96;
/// In shorter ones no sentence has room.
const COLUMNS_MIN: usize = 40;
/// Under this the sentences of a finding stand.
const INDENT: &str = "         ";

/// The report as text, with colours or without, in lines that fit into `columns` where that is
/// known and reasonable.
///
/// Control characters are shown as escapes: names of programs and interfaces come from others,
/// and a terminal would obey them.
#[must_use]
pub fn text(report: &Report, colour: bool, columns: Option<usize>) -> String {
    let columns = columns.unwrap_or(COLUMNS_MAX).clamp(COLUMNS_MIN, COLUMNS_MAX);
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&paragraph(finding, colour, columns));
        out.push('\n');
    }
    out.push_str(&summary(report));
    out
}

fn paragraph(finding: &Finding, colour: bool, columns: usize) -> String {
    let wrapped = |sentence: &str| wrapped(sentence, columns);
    let severity = format!("{:8}", finding.severity.name());
    let mut out = if colour {
        format!("\x1b[{}m{severity}\x1b[0m ", shade(finding.severity))
    } else {
        format!("{severity} ")
    };
    let what = format!("{} [{}]", finding.what, finding.id);
    out.push_str(wrapped(&what).trim_start());
    let why = match finding.rfc {
        Some(rfc) => format!("Why: {} ({rfc})", finding.why),
        None => format!("Why: {}", finding.why),
    };
    out.push_str(&wrapped(&why));
    out.push_str(&wrapped(&format!("Remedy: {}", finding.remedy)));
    if let Some(command) = &finding.command {
        // Alone on its line and never broken: it is there to be pasted.
        out.push_str(&format!("{INDENT}    {}\n", harmless(command)));
    }
    out
}

fn summary(report: &Report) -> String {
    let counted = Severity::ALL.into_iter().filter_map(|severity| {
        let count = report.count(severity);
        let name = match (severity, count) {
            (_, 0) => return None,
            (Severity::Unknown, _) => "unknown".to_owned(),
            (_, 1) => severity.name().to_owned(),
            _ => format!("{severity}s"),
        };
        Some(format!("{count} {name}"))
    });
    let counts: Vec<_> = counted.collect();
    let found = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
    let on = match report.interfaces.as_slice() {
        [] => "no interface to look at".to_owned(),
        names => format!("looked at {}", names.join(", ")),
    };
    format!("{}\n", harmless(&format!("{found}; {on}")))
}

/// The number of the colour (SGR).
const fn shade(severity: Severity) -> u8 {
    match severity {
        Severity::Problem => 31,
        Severity::Warning => 33,
        Severity::Unknown => 35,
        Severity::Note => 36,
    }
}

/// A sentence in indented lines.
fn wrapped(sentence: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut line = INDENT.to_owned();
    for word in harmless(sentence).split(' ') {
        let is_first = line.len() == INDENT.len();
        if !is_first && line.chars().count() + 1 + word.chars().count() > columns {
            out.push_str(&line);
            out.push('\n');
            line = INDENT.to_owned();
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}

fn harmless(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;

    fn report() -> Report {
        let problem = Finding {
            id: Id::Forwarding,
            severity: Severity::Problem,
            interface: Some("eth0".to_owned()),
            what: "Packets that come in by eth0 are passed on, those with link-local addresses \
                   too."
                .to_owned(),
            why: "They mean something on their own link alone.".to_owned(),
            rfc: Some("RFC 3927 §2.7"),
            remedy: "Switch it off.".to_owned(),
            command: Some("sysctl -w net.ipv4.conf.eth0.forwarding=0".to_owned()),
        };
        let gap = Finding {
            id: Id::CouldNotLook,
            severity: Severity::Unknown,
            what: "Could not see \x1b[2J.".to_owned(),
            rfc: None,
            command: None,
            ..problem.clone()
        };
        Report::new(vec!["eth0".to_owned()], vec![gap, problem])
    }

    #[test]
    fn it_reads_well() {
        assert_eq!(
            text(&report(), false, None),
            "problem  Packets that come in by eth0 are passed on, those with link-local addresses \
             too.\n         [forwarding]\n         \
             Why: They mean something on their own link alone. (RFC 3927 §2.7)\n         \
             Remedy: Switch it off.\n             \
             sysctl -w net.ipv4.conf.eth0.forwarding=0\n\n\
             unknown  Could not see \\u{1b}[2J. [could-not-look]\n         \
             Why: They mean something on their own link alone.\n         \
             Remedy: Switch it off.\n\n\
             1 problem, 1 unknown; looked at eth0\n"
        );
    }

    #[test]
    fn colour_is_for_the_severity_alone() {
        let coloured = text(&report(), true, None);
        assert!(coloured.starts_with("\x1b[31mproblem \x1b[0m Packets"), "{coloured}");
        let plain = coloured.replace("\x1b[31m", "").replace("\x1b[35m", "").replace("\x1b[0m", "");
        assert_eq!(plain, text(&report(), false, None));
    }

    #[test]
    fn a_healthy_host_gets_one_line() {
        let healthy = Report::new(vec!["eth0".to_owned(), "eth1".to_owned()], Vec::new());
        assert_eq!(text(&healthy, true, None), "nothing found; looked at eth0, eth1\n");
        let bare = Report::new(Vec::new(), Vec::new());
        assert_eq!(text(&bare, false, None), "nothing found; no interface to look at\n");
    }

    #[test]
    fn no_line_is_too_long() {
        for columns in [COLUMNS_MIN, 70, COLUMNS_MAX] {
            for line in wrapped(&"words and more words ".repeat(30), columns).lines() {
                assert!(line.chars().count() <= columns, "{line}");
            }
        }
        assert_eq!(text(&report(), false, Some(7)), text(&report(), false, Some(COLUMNS_MIN)));
    }
}
