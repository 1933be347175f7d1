//! The manual pages and the shell completions, made from the definitions that the programs
//! themselves are run by.
//!
//! A page is a template beside this file, in the language of man(7), with marks where the
//! definition's parts go: the options, the commands, and what the help ends with. The keys of the
//! configuration file come from the commented file that packages install.

mod example;
mod page;

use clap::Command;
use clap_complete::Shell;

use crate::finding::Finding;
use crate::tree::{TextFile, Tree};

/// A program that has a manual page and completions.
struct Program {
    /// The section of the manual.
    section: &'static str,
    /// What its options are.
    command: fn() -> Command,
    /// The page, with marks where parts of the definition go.
    template: &'static str,
}

const PROGRAMS: [Program; 2] = [
    Program {
        section: "8",
        command: autoipd::command_line,
        template: include_str!("manual/autoipd.8"),
    },
    Program {
        section: "1",
        command: autoipctl::command_line,
        template: include_str!("manual/autoipctl.1"),
    },
];

/// The configuration file with a comment for each key.
const CONFIGURATION: &str = include_str!("../../dist/autoipd.toml");
const CONFIGURATION_TEMPLATE: &str = include_str!("manual/autoipd.toml.5");

/// The shells, each with what goes before and after a program's name in the file that it looks for.
const SHELLS: [(Shell, &str, &str); 3] =
    [(Shell::Bash, "", ""), (Shell::Fish, "", ".fish"), (Shell::Zsh, "_", "")];

/// All pages and completions, as they should be.
pub(crate) fn files() -> Vec<TextFile> {
    let mut files: Vec<_> = PROGRAMS.iter().flat_map(Program::files).collect();
    let text = page::of_file("autoipd.toml", "5", CONFIGURATION_TEMPLATE, CONFIGURATION);
    files.push(TextFile { path: "man/autoipd.toml.5".to_owned(), text });
    files
}

/// Those that are not what they should be.
pub(crate) fn stale(tree: &Tree) -> Vec<Finding> {
    let differs =
        |file: &TextFile| tree.read(&file.path).map(|is| is.text) != Ok(file.text.clone());
    let sentence = "is not what the programs' definitions give: run `cargo xtask man`";
    let files = files().into_iter().filter(differs);
    files.map(|file| Finding::new(&file, 1, sentence)).collect()
}

impl Program {
    fn files(&self) -> Vec<TextFile> {
        let mut command = (self.command)();
        command.build();
        let name = command.get_name().to_owned();
        let page = TextFile {
            path: format!("man/{name}.{}", self.section),
            text: page::of_program(&command, self.section, self.template),
        };
        let completions = SHELLS.map(|(shell, before, after)| {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, &*name, &mut script);
            TextFile {
                path: format!("completions/{before}{name}{after}"),
                text: String::from_utf8_lossy(&script).into_owned(),
            }
        });
        completions.into_iter().chain([page]).collect()
    }
}
