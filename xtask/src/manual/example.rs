//! The commented configuration file as sections of a manual page.
//!
//! In that file `# ` begins prose, `#` alone parts paragraphs as an empty line does, `# --- ` a
//! heading, and a line that is commented out without a space a setting with its default.

use super::page::{argument, escaped};

/// What a line of the file is.
#[derive(Clone, Copy)]
enum Line<'a> {
    Heading(&'a str),
    Prose(&'a str),
    Setting(&'a str),
    Blank,
}

fn line(line: &str) -> Line<'_> {
    let Some(rest) = line.strip_prefix('#') else { return Line::Blank };
    if rest.is_empty() {
        return Line::Blank;
    }
    let Some(prose) = rest.strip_prefix(' ') else { return Line::Setting(rest) };
    match prose.strip_prefix("--- ").and_then(|rest| rest.strip_suffix(" ---")) {
        Some(heading) => Line::Heading(heading),
        None => Line::Prose(prose),
    }
}

/// Everything from the first heading on; what stands before it is about the file as a file.
pub(super) fn render(file: &str) -> String {
    let mut page = String::new();
    let lines = file.lines().map(line);
    let lines: Vec<_> = lines.skip_while(|line| !matches!(line, Line::Heading(_))).collect();
    for paragraph in lines.split(|line| matches!(line, Line::Blank)) {
        page += &self::paragraph(paragraph);
    }
    page
}

fn paragraph(lines: &[Line<'_>]) -> String {
    let (mut headings, mut prose, mut settings) = (String::new(), String::new(), Vec::new());
    for line in lines {
        match line {
            Line::Heading(text) => headings += &format!(".SS {}\n", argument(text)),
            Line::Prose(text) => prose += &format!("{}\n", escaped(text)),
            Line::Setting(text) => settings.push(*text),
            Line::Blank => {}
        }
    }
    let body = match (prose.is_empty(), settings.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(".PP\n{prose}"),
        (true, false) => format!(".PP\n.nf\n{}\n.fi\n", escaped(&settings.join("\n"))),
        (false, false) => {
            let terms: Vec<_> = settings.into_iter().map(argument).collect();
            format!(".TP\n.B {}\n{prose}", terms.join("\n.TQ\n.B "))
        }
    };
    headings + &body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_term_and_its_comment_explains_it() {
        let file = "# The file.\n\n# --- All. ---\n\n# How many,\n# 1 to 3.\n\
                    #probes = 3\n#kind = \"fast\"\n";
        let expected = ".SS \"All.\"\n\
                        .TP\n.B \"probes = 3\"\n.TQ\n.B \"kind = \\(dqfast\\(dq\"\n\
                        How many,\n1 to 3.\n";
        assert_eq!(render(file), expected);
    }

    #[test]
    fn settings_without_a_comment_are_an_example() {
        let file = "# --- Some. ---\n#\n# Which.\n#\n#[[interface]]\n#match = \"*\"\n";
        let expected = ".SS \"Some.\"\n.PP\nWhich.\n.PP\n.nf\n[[interface]]\nmatch = \"*\"\n.fi\n";
        assert_eq!(render(file), expected);
    }
}
