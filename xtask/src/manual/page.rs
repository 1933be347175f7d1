//! One manual page, in the language of man(7).

use clap::Command;
use clap_mangen::Man;

use super::example;

const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
const MANUAL: &str = "autoip manual";
/// The longest text before a colon that is a heading in the help, in bytes.
const HEADING_MAX: usize = 20;

/// The page of a program whose command line is `command`, which has been built: `template` with
/// each line that is a mark replaced.
pub(super) fn of_program(command: &Command, section: &str, template: &str) -> String {
    fill(template, |mark| match mark {
        "@TITLE@" => Some(title(command.get_name(), section)),
        "@USAGE@" => Some(usage(command)),
        "@OPTIONS@" => Some(options(command)),
        "@COMMANDS@" => Some(commands(command)),
        "@HELP@" => Some(end_of_help(command)),
        _ => None,
    })
}

/// The page of a file, of which `example` explains the keys.
pub(super) fn of_file(name: &str, section: &str, template: &str, example: &str) -> String {
    fill(template, |mark| match mark {
        "@TITLE@" => Some(title(name, section)),
        "@KEYS@" => Some(example::render(example)),
        _ => None,
    })
}

fn fill(template: &str, part: impl Fn(&str) -> Option<String>) -> String {
    template.lines().map(|line| part(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

fn title(name: &str, section: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    // Without a date: the page would differ from day to day. The rest defines the string that
    // stands for an apostrophe in what is made from the definition.
    format!(".TH {name} {section} \"\" \"autoip {version}\" \"{MANUAL}\"\n{APOSTROPHE}")
}

/// The line that shows how the command is called, its name in bold.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let (name, rest) = usage.split_once(" [").unwrap_or((usage, ""));
    format!(".B {}\n[{}\n", argument(name), escaped(rest))
}

/// The options of `command`, without a heading.
fn options(command: &Command) -> String {
    let mut section = Vec::new();
    let rendered = Man::new(command.clone()).render_options_section(&mut section);
    rendered.expect("memory can be written to");
    let section = String::from_utf8_lossy(&section);
    let body = section.split_once(".SH OPTIONS\n").map(|(_, body)| body);
    body.unwrap_or_default().to_owned()
}

/// What each subcommand is for, and its own options.
fn commands(command: &Command) -> String {
    let known = command.get_subcommands().filter(|each| !each.is_hide_set());
    known.filter(|each| each.get_name() != "help").map(subcommand).collect()
}

fn subcommand(command: &Command) -> String {
    // Options that every subcommand has are described once, with the program.
    let own = command.clone().mut_args(|arg| {
        let shared = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(shared)
    });
    let usage = own.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    format!(".SS {}\n{}.\n{}", argument(usage), escaped(&about), options(&own))
}

/// What follows the options in the help: paragraphs, of which one such as `Examples:` is a section
/// of its own.
fn end_of_help(command: &Command) -> String {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let section = |paragraph: &str| {
        let heading = paragraph.split_once(':').filter(|(start, _)| start.len() <= HEADING_MAX);
        let Some((heading, body)) = heading else {
            return format!(".PP\n{}\n", escaped(paragraph));
        };
        let heading = heading.to_uppercase();
        match body.strip_prefix('\n') {
            // A table, of which every line stands for itself.
            Some(lines) => format!(".SH \"{heading}\"\n.nf\n{}\n.fi\n", escaped(lines)),
            None => format!(".SH \"{heading}\"\n{}\n", escaped(body.trim_start())),
        }
    };
    text.split("\n\n").map(section).collect()
}

/// Text in which nothing is taken for a request or an escape.
pub(super) fn escaped(text: &str) -> String {
    let line = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The same where it is the argument of a request, in which a quotation mark has a meaning.
pub(super) fn argument(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('"', "\\(dq"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn program() -> Command {
        let probe = Command::new("probe")
            .about("Find out whether it is free")
            .arg(Arg::new("addr").value_name("ADDR").help("The address"));
        let mut program = Command::new("tool")
            .about("Does things")
            .arg(Arg::new("socket").long("socket").global(true).help("Where the daemon listens"))
            .after_help(
                "Examples:\n  tool probe -\n\nElse what is\nwritten counts.\n\n\
                 Exit status: 0 is fine\n.",
            )
            .subcommand(probe)
            .subcommand(Command::new("secret").hide(true));
        program.build();
        program
    }

    fn page() -> String {
        let template = "@TITLE@\n.SH SYNOPSIS\n@USAGE@\n.SH OPTIONS\n@OPTIONS@\n.SH COMMANDS\n\
                        @COMMANDS@\n@HELP@\n.SH FILES\nNone.";
        of_program(&program(), "1", template)
    }

    #[test]
    fn the_definition_goes_where_the_marks_are() {
        let page = page();
        let headings: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        let help = ["\"EXAMPLES\"", "\"EXIT STATUS\""];
        assert_eq!(headings[..3], ["SYNOPSIS", "OPTIONS", "COMMANDS"]);
        assert_eq!((&headings[3..5], headings[5]), (&help[..], "FILES"));
        assert!(page.starts_with(".TH tool 1 \"\" \"autoip "), "{page}");
        assert!(page.contains(".B \"tool\"\n[OPTIONS]"), "{page}");
        assert!(page.contains("Where the daemon listens"));
        assert!(!page.contains('@'));
    }

    #[test]
    fn a_subcommand_has_its_own_options_and_none_of_the_others() {
        let page = page();
        let (_, commands) = page.split_once(".SH COMMANDS\n").unwrap();
        assert!(commands.starts_with(".SS \"tool probe [ADDR]\"\nFind out whether it is free.\n"));
        assert!(commands.contains("The address") && !commands.contains("socket"), "{commands}");
        assert!(!page.contains("secret"));
    }

    #[test]
    fn help_is_no_request_of_the_formatter() {
        let page = page();
        assert!(
            page.contains("\n.nf\n  tool probe \\-\n.fi\n.PP\nElse what is\nwritten counts.\n")
        );
        assert!(page.contains("0 is fine\n\\&.\n"));
    }
}
