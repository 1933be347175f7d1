//! Chores of the workspace, run as `cargo xtask <chore>`.
//!
//! This file reads the command line, loads the tree and prints; the rules themselves stand in
//! [`tidy`] and know nothing of files or processes.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "findings are this program's output")]
#![expect(clippy::print_stderr, reason = "and standard error is where it says why it cannot run")]

mod package;
mod tidy;
mod tree;

use std::process::ExitCode;

use tree::Tree;

const USAGE: &str = "\
Usage: cargo xtask tidy

  tidy    check the rules of CONTRIBUTING.md that no compiler or linter knows

Exit status: 0 nothing found, 1 something found, 2 the check could not be run.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => run_tidy(),
        ["-h" | "--help"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        [] => usage_error("which chore?"),
        [..] => usage_error(&format!("\"{}\" is not a chore", arguments.join(" "))),
    }
}

fn run_tidy() -> ExitCode {
    let tree = match Tree::load() {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("xtask: {error}");
            return ExitCode::from(2);
        }
    };
    let findings = tidy::findings(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        println!("tidy: {} to mend", findings.len());
        return ExitCode::FAILURE;
    }
    println!(
        "tidy: {} Rust files, {} crates and {} Markdown files checked, nothing found",
        tree.sources.len(),
        tree.packages.len(),
        tree.documents.len(),
    );
    ExitCode::SUCCESS
}

fn usage_error(what: &str) -> ExitCode {
    eprintln!("xtask: {what}\n\n{USAGE}");
    ExitCode::from(2)
}
