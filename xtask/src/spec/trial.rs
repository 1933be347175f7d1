//! Whether the function below a test annotation is one that runs: a `#[test]`, one that the list of
//! its test program has, or a rule that a property test or the simulator checks.
//!
//! Sources are read line by line, in the layout that `rustfmt` gives them.

use super::evidence::Evidence;
use crate::signature::function_name;
use crate::tree::TextFile;

/// Where the simulator has its checkers, and where they are listed.
const SIMULATOR: &str = "crates/autoip-sim/src/";
const CHECKERS: &str = "crates/autoip-sim/src/checker.rs";

/// How lists of rules begin and end.
const RULES: &str = "const RULES:";
const WHOLE_RULES: &str = "const WHOLE_RULES:";
const END: &str = "\n];";

/// Why nothing ever runs what `evidence` stands above; `None` where something does.
pub(super) fn idleness(sources: &[TextFile], evidence: &Evidence<'_>) -> Option<String> {
    let (Some(name), Some(attributes)) = (evidence.function, attributes(evidence)) else {
        return Some("put the annotation above a test function".to_owned());
    };
    let conditions = ["ignore", "cfg(", "cfg_attr("];
    let is_condition = |line: &&str| conditions.iter().any(|start| line[2..].starts_with(start));
    if attributes.iter().any(is_condition) {
        return Some(format!("{name} does not run everywhere: take off what keeps it from that"));
    }
    let file = evidence.file;
    let program = Program::of(sources, file);
    let runs = match &program {
        Some(program) if program.has_own_main() => program.lists(name),
        Some(_) | None => {
            if !is_module(sources, file) {
                return Some(format!("{name} is compiled nowhere: no program has it as a module"));
            }
            attributes.contains(&"#[test]")
                || is_property(file, name)
                || is_checker(sources, evidence, name)
        }
    };
    let sentence = "make it a #[test], or enter it in the list of its program, or of rules";
    (!runs).then(|| format!("{name} is run by nobody: {sentence}"))
}

/// The attributes of the function that `evidence` stands above; `None` where it stands above
/// something else.
fn attributes<'a>(evidence: &Evidence<'a>) -> Option<Vec<&'a str>> {
    let lines: Vec<&str> = evidence.file.text.lines().map(str::trim).collect();
    let (above, below) = lines.split_at(evidence.line);
    let function = below.iter().position(|line| function_name(line).is_some())?;
    let below = &below[..function];
    if below.iter().any(|line| ends_an_item(line)) {
        return None;
    }
    let above = above.iter().rev().take_while(|line| !ends_an_item(line));
    Some(above.chain(below).copied().filter(|line| line.starts_with("#[")).collect())
}

fn ends_an_item(line: &str) -> bool {
    line.is_empty() || !line.starts_with("//") && line.ends_with(['{', '}', ';'])
}

/// A program of tests, and where in it a file has its functions.
struct Program<'a> {
    main: &'a TextFile,
    /// The modules that lead to the file.
    modules: Vec<&'a str>,
}

impl<'a> Program<'a> {
    /// The program in a folder `tests` that `file` is a part of.
    fn of(sources: &'a [TextFile], file: &'a TextFile) -> Option<Self> {
        let (folder, within) = file.path.split_once("/tests/")?;
        if folder.contains("/src") {
            return None;
        }
        let modules: Vec<_> = within.trim_end_matches(".rs").split('/').collect();
        let path = match modules[..] {
            [_] => file.path.clone(),
            [first, ..] => format!("{folder}/tests/{first}/main.rs"),
            [] => return None,
        };
        let main = sources.iter().find(|source| source.path == path)?;
        let modules = modules.into_iter().skip(1).filter(|&module| module != "main").collect();
        Some(Self { main, modules })
    }

    /// Without one, the test harness finds what is a `#[test]`; with one, it finds nothing.
    fn has_own_main(&self) -> bool {
        self.main.text.lines().any(|line| function_name(line) == Some("main"))
    }

    /// Whether `name` in the file is in the list `tests![...]`.
    fn lists(&self, name: &str) -> bool {
        let path = [&self.modules[..], &[name]].concat().join("::");
        block(self.main, "tests![", "]").split([',', '[']).any(|test| test.trim() == path)
    }
}

/// Whether `file` is the root of a program or library, or a module that one comes to.
fn is_module(sources: &[TextFile], file: &TextFile) -> bool {
    let path = file.path.trim_end_matches(".rs");
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    if matches!(name, "main" | "lib") || folder.ends_with("/tests") {
        return true;
    }
    let parents = ["main.rs", "lib.rs"].map(|name| format!("{folder}/{name}"));
    let is_parent = |source: &&TextFile| {
        source.path == format!("{folder}.rs") || parents.contains(&source.path)
    };
    let declares = |source: &TextFile| {
        source.text.lines().any(|line| {
            let named = line.trim().strip_suffix(';').and_then(|line| line.rsplit_once("mod "));
            matches!(named, Some((before, module)) if module == name
                && (before.is_empty() || before.starts_with("pub")))
        })
    };
    sources.iter().filter(is_parent).any(|parent| declares(parent) && is_module(sources, parent))
}

/// Whether `name` is one of the rules that a property test holds against every run.
fn is_property(file: &TextFile, name: &str) -> bool {
    file.is_test() && words(&block(file, RULES, END)).any(|known| known == name)
}

/// Whether `name` is a checker that every run of the simulator asks, and is said to check the row:
/// one of the list `RULES`, or part of a file that decides about one of `WHOLE_RULES`.
fn is_checker(sources: &[TextFile], evidence: &Evidence<'_>, name: &str) -> bool {
    let file = evidence.file;
    let Some(list) = sources.iter().find(|source| source.path == CHECKERS) else { return false };
    let Some(within) = file.path.strip_prefix(SIMULATOR) else { return false };
    let module = within.trim_end_matches(".rs").rsplit('/').next().unwrap_or_default();
    let checker = format!("{module}::{name}");
    let has = |text: &str, word: &str| words(text).any(|known| known == word);
    let rules = block(list, RULES, END);
    let mut rules = rules.split("rule(");
    let whole = block(list, WHOLE_RULES, END);
    let mut whole = whole.lines().filter(|line| has(line, evidence.row));
    rules.any(|rule| has(rule, &checker) && has(rule, evidence.row))
        || whole.any(|rule| words(rule).next().is_some_and(|rule| has(&file.text, rule)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty())
}

/// What stands in `file` from `start` to `end`, comments apart.
fn block(file: &TextFile, start: &str, end: &str) -> String {
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let code: Vec<_> = file.text.lines().filter(|line| !is_comment(line)).collect();
    let code = code.join("\n");
    let from = code.split_once(start).map_or("", |(_, rest)| rest);
    from.split_once(end).map_or("", |(within, _)| within).to_owned()
}
