//! Chores of the workspace, run as `cargo xtask <chore>`.
//!
//! This file reads the command line, loads the tree and prints; the rules themselves stand in
//! [`tidy`], [`spec`] and [`manual`] and know nothing of files or processes.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "findings are this program's output")]
#![expect(clippy::print_stderr, reason = "and standard error is where it says why it cannot run")]

mod annotation;
mod finding;
mod manual;
mod package;
mod signature;
mod spec;
mod tidy;
mod tree;

use std::process::ExitCode;

use finding::Finding;
use spec::Spec;
use tree::Tree;

const USAGE: &str = "\
Usage: cargo xtask tidy
       cargo xtask spec [--write]
       cargo xtask man [--check]

  tidy    check the rules of CONTRIBUTING.md that no compiler or linter knows
  spec    check spec/requirements.toml against the annotations in code and tests, and
          docs/conformance.md against both; --write makes that page anew
  man     write the manual pages and shell completions that the programs' definitions give;
          --check only compares them

Exit status: 0 nothing found, 1 something found, 2 the check could not be run.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chore: fn(&Tree) -> Result<Outcome, String> =
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["tidy"] => run_tidy,
            ["spec"] => check_spec,
            ["spec", "--write"] => write_spec,
            ["man"] => write_manual,
            ["man", "--check"] => check_manual,
            ["-h" | "--help"] => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            [] => return usage_error("which chore?"),
            [..] => return usage_error(&format!("\"{}\" is not a chore", arguments.join(" "))),
        };
    match Tree::load().and_then(|tree| chore(&tree)) {
        Ok(outcome) => outcome.print(),
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

/// What a chore has to say.
struct Outcome {
    chore: &'static str,
    findings: Vec<Finding>,
    /// The last line where nothing was found.
    summary: String,
}

impl Outcome {
    fn print(&self) -> ExitCode {
        for finding in &self.findings {
            println!("{finding}");
        }
        if self.findings.is_empty() {
            println!("{}: {}", self.chore, self.summary);
            ExitCode::SUCCESS
        } else {
            println!("{}: {} to mend", self.chore, self.findings.len());
            ExitCode::FAILURE
        }
    }
}

fn run_tidy(tree: &Tree) -> Result<Outcome, String> {
    let summary = format!(
        "{} Rust files, {} crates and {} Markdown files checked, nothing found",
        tree.sources.len(),
        tree.packages.len(),
        tree.documents.len(),
    );
    Ok(Outcome { chore: "tidy", findings: tidy::findings(tree), summary })
}

fn check_spec(tree: &Tree) -> Result<Outcome, String> {
    run_spec(tree, |spec| Ok(spec.stale_page()))
}

fn write_spec(tree: &Tree) -> Result<Outcome, String> {
    run_spec(tree, |spec| tree.write(&spec.page()).map(|()| None))
}

fn check_manual(tree: &Tree) -> Result<Outcome, String> {
    let summary =
        format!("{} manual pages and completions are as they should be", manual::files().len());
    Ok(Outcome { chore: "man", findings: manual::stale(tree), summary })
}

fn write_manual(tree: &Tree) -> Result<Outcome, String> {
    let files = manual::files();
    files.iter().try_for_each(|file| tree.write(file))?;
    let summary = format!("{} manual pages and completions written", files.len());
    Ok(Outcome { chore: "man", findings: Vec::new(), summary })
}

/// Checks the requirements, and does with the page what `page` does.
fn run_spec(
    tree: &Tree,
    page: impl FnOnce(&Spec) -> Result<Option<Finding>, String>,
) -> Result<Outcome, String> {
    let outcome = |findings, summary| Outcome { chore: "spec", findings, summary };
    let spec = match Spec::new(tree) {
        Ok(spec) => spec,
        Err(finding) => return Ok(outcome(vec![finding], String::new())),
    };
    let mut findings = spec.findings();
    findings.extend(page(&spec)?);
    Ok(outcome(findings, spec.to_string()))
}

fn usage_error(what: &str) -> ExitCode {
    eprintln!("xtask: {what}\n\n{USAGE}");
    ExitCode::from(2)
}
