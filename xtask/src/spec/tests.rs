//! Every rule against small trees: each test fails when its rule is taken off the list.

use super::*;

/// A row that is met, and whose level asks for a test.
const ROW: &str = "\
[[requirement]]
id = \"LL-2.5-07\"
section = \"RFC 3927 §2.5\"
level = \"MUST\"
actor = [\"daemon\"]
text = \"A second conflict ends the claim.\"
status = \"met\"
how = \"The engine cedes.\"
";
/// Code and a test for it.
const SOURCE: &str = "\
//! A source.
//= LL-2.5-07 a second conflict ends the claim
fn cede() {}

//= test LL-2.5-07
#[test]
fn a_second_conflict_ends_the_claim() {}
";
/// The line of the name in the list that [`tree`] makes of [`ROW`].
const AT_ROW: &str = "spec/requirements.toml:5: ";

fn file(path: &str, text: impl Into<String>) -> TextFile {
    TextFile { path: path.to_owned(), text: text.into() }
}

fn tree(rows: &str, source: &str) -> Tree {
    tree_of(rows, rows.matches("[[requirement]]").count(), source)
}

/// The same with a list that says to have so many rows.
fn tree_of(rows: &str, count: usize, source: &str) -> Tree {
    let sections = "[sections]\n\"RFC 3927 §2.5\" = \"conflicts\"\n\n";
    let documents = format!("[documents]\nLL = {{ name = \"RFC 3927\", rows = {count} }}\n");
    Tree {
        sources: vec![
            file("crates/autoip-core/src/source.rs", source),
            file("crates/autoip-core/src/lib.rs", "//! A library.\npub(crate) mod source;\n"),
        ],
        requirements: file("spec/requirements.toml", format!("{sections}{rows}\n{documents}")),
        ..Tree::default()
    }
}

/// What is found, each as `path:line: sentence`; nothing about the page.
fn found(tree: &Tree) -> Vec<String> {
    match Spec::new(tree) {
        Ok(spec) => spec.findings().iter().map(Finding::to_string).collect(),
        Err(finding) => vec![finding.to_string()],
    }
}

/// What is found when a part of [`ROW`] reads otherwise.
fn with_row(old: &str, new: &str) -> Vec<String> {
    assert!(ROW.contains(old), "{old}");
    found(&tree(&ROW.replace(old, new), SOURCE))
}

/// What is found when a part of [`SOURCE`] reads otherwise.
fn with_source(old: &str, new: &str) -> Vec<String> {
    assert!(SOURCE.contains(old), "{old}");
    found(&tree(ROW, &SOURCE.replace(old, new)))
}

fn page(tree: &Tree) -> String {
    Spec::new(tree).unwrap().page().text
}

#[track_caller]
fn assert_one(found: &[String], at: &str, word: &str) {
    let is_one = matches!(found, [one] if one.starts_with(at) && one.contains(word));
    assert!(is_one, "not one finding at {at} about {word}: {found:#?}");
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_row_with_code_and_test_is_well() {
    assert_none(&found(&tree(ROW, SOURCE)));
}

#[test]
fn words_of_the_list_are_known_ones() {
    for (word, what) in [("MUST", "a level"), ("daemon", "an actor"), ("met", "a status")] {
        let found = with_row(&format!("\"{word}\""), "\"odd\"");
        assert_one(&found, "spec/requirements.toml:", &format!("\"odd\" is not {what}"));
    }
    assert_one(&with_row("\"met\"", "\"odd\""), "spec/requirements.toml:10: ", "planned");
}

#[test]
fn a_row_has_all_its_fields_and_no_others() {
    assert_one(&with_row("how =", "why ="), "spec/requirements.toml:11: ", "why");
    assert_one(&with_row("how = \"The engine cedes.\"\n", ""), "spec/requirements.toml:", "how");
    assert_one(&with_row("[[requirement]]", "[["), "spec/requirements.toml:4: ", "");
}

#[test]
fn names_are_good_and_unique() {
    let twice = format!("{ROW}\n{ROW}");
    assert_one(&found(&tree(&twice, SOURCE)), "spec/requirements.toml:14: ", "unique");
    let planned = ROW.replace("\"met\"", "\"planned\"").replace("LL-2.5-07", "LL-2.5.07");
    assert_one(&found(&tree(&planned, "")), AT_ROW, "LL-2.5.07");
}

#[test]
fn sections_are_known() {
    assert_one(&with_row("§2.5", "§2.6"), AT_ROW, "§2.6");
}

#[test]
fn a_row_is_one_short_sentence_and_somebodys_duty() {
    let allowed = format!("{}.", "a".repeat(199));
    for sentence in ["A second conflict ends the claim.", "The engine cedes."] {
        assert_none(&with_row(sentence, &allowed));
        assert_one(&with_row(sentence, &format!("a{allowed}")), AT_ROW, "201 characters");
        assert_one(&with_row(sentence, "No stop"), AT_ROW, "full stop");
    }
    assert_one(&with_row("[\"daemon\"]", "[]"), AT_ROW, "actor");
}

#[test]
fn an_annotation_names_a_row() {
    let found = with_source("//= LL-2.5-07 a", "//= LL-2.5-08 a\n//= LL-2.5-07 a");
    assert_one(&found, "crates/autoip-core/src/source.rs:2: ", "LL-2.5-08");
    let found = with_source("//= test", "//= test LL-2.5-08\n//= test");
    assert_one(&found, "crates/autoip-core/src/source.rs:5: ", "LL-2.5-08");
}

#[test]
fn a_document_keeps_its_rows() {
    let lost = found(&tree_of(ROW, 2, SOURCE));
    assert_one(&lost, "spec/requirements.toml:14: ", "RFC 3927 has 2 requirements, and 1 rows");
    let twice = format!("{ROW}\n{}", ROW.replace("-07", "-08").replace("\"met\"", "\"planned\""));
    assert_none(&found(&tree_of(&twice, 2, SOURCE)));
    assert_one(&found(&tree_of(&twice, 1, SOURCE)), "spec/requirements.toml:23: ", "RFC 3927");
    let foreign = twice.replace("LL-2.5-08", "DNA-2.5-08");
    assert_one(&found(&tree_of(&foreign, 1, SOURCE)), "spec/requirements.toml:14: ", "give DNA");
}

#[test]
fn a_test_annotation_stands_above_a_test() {
    let at = "crates/autoip-core/src/source.rs:8: ";
    let found = with_source("the_claim() {}\n", "the_claim() {}\n//= test LL-2.5-07\n");
    assert_one(&found, at, "above a test");
    let apart = "the_claim() {}\n//= test LL-2.5-07\n\n#[test]\nfn another() {}\n";
    assert_one(&with_source("the_claim() {}\n", apart), at, "above a test");
    let over_a_type = "the_claim() {}\n//= test LL-2.5-07\nstruct A;\n#[test]\nfn another() {}\n";
    assert_one(&with_source("the_claim() {}\n", over_a_type), at, "above a test");
}

#[test]
fn a_test_runs_and_runs_everywhere() {
    let at = "crates/autoip-core/src/source.rs:5: ";
    assert_one(&with_source("#[test]\n", ""), at, "is run by nobody");
    assert_one(&with_source("#[test]\n", "// #[test]\n"), at, "is run by nobody");
    for condition in ["ignore", "ignore = \"slow\"", "cfg(unix)", "cfg_attr(miri, ignore)"] {
        let attributes = format!("#[test]\n#[{condition}]\n");
        assert_one(&with_source("#[test]\n", &attributes), at, "does not run everywhere");
        let above = format!("#[{condition}]\n//= test");
        let at = "crates/autoip-core/src/source.rs:6: ";
        assert_one(&with_source("//= test", &above), at, "does not run everywhere");
    }
    assert_none(&with_source("#[test]\n", "#[test]\n#[expect(\n    a,\n    reason = \"b\"\n)]\n"));
    assert_none(&with_source("//= test LL-2.5-07\n#[test]", "#[test]\n//= test LL-2.5-07"));
}

/// What is found when the test stands in a file of its own, beside these other ones.
fn with_files(path: &str, test: &str, others: &[(&str, &str)]) -> Vec<String> {
    let (code, _) = SOURCE.split_once("//= test").unwrap();
    let mut tree = tree(ROW, code);
    tree.sources.push(file(path, test));
    tree.sources.extend(others.iter().map(|&(path, text)| file(path, text)));
    found(&tree)
}

#[test]
fn a_test_is_a_module_of_a_program() {
    let test = "//= test LL-2.5-07\n#[test]\nfn it_cedes() {}\n";
    let path = "crates/autoip-core/tests/engine/limit/late.rs";
    let at = "crates/autoip-core/tests/engine/limit/late.rs:1: ";
    let with = |main, limit| {
        let limit = ("crates/autoip-core/tests/engine/limit.rs", limit);
        with_files(path, test, &[("crates/autoip-core/tests/engine/main.rs", main), limit])
    };
    assert_none(&with("mod limit;\n", "pub(crate) mod late;\n"));
    assert_one(&with("mod limit;\n", "// mod late;\n"), at, "compiled nowhere");
    assert_one(&with("mod limits;\n", "mod late;\n"), at, "compiled nowhere");
    assert_none(&with_files("crates/autoip-core/tests/alone.rs", test, &[]));
}

#[test]
fn a_program_with_a_main_function_of_its_own_runs_what_it_lists() {
    let test = "//= test LL-2.5-07\npub(crate) fn it_cedes() {}\n";
    let with = |path, test, tests: &str| {
        let main = format!("fn main() {{\n    run(&tests![\n{tests}\n    ])\n}}\n");
        with_files(path, test, &[("crates/autoipd/tests/kernel/main.rs", &main)])
    };
    let path = "crates/autoipd/tests/kernel/control/change.rs";
    let at = "crates/autoipd/tests/kernel/control/change.rs:1: ";
    assert_none(&with(path, test, "        a::b,\n        control::change::it_cedes,"));
    assert_none(&with(path, test, "control::change::it_cedes"));
    for tests in ["", "change::it_cedes,", "// control::change::it_cedes,"] {
        assert_one(&with(path, test, tests), at, "is run by nobody");
    }
    let unlisted = "//= test LL-2.5-07\n#[test]\nfn it_cedes() {}\n";
    assert_one(&with(path, unlisted, ""), at, "is run by nobody");
    let ignored = "//= test LL-2.5-07\n#[cfg(unix)]\nfn it_cedes() {}\n";
    assert_one(&with(path, ignored, "control::change::it_cedes"), at, "does not run everywhere");
    let main =
        "fn main() {\n    run(&tests![it_cedes])\n}\n\n//= test LL-2.5-07\nfn it_cedes() {}\n";
    assert_none(&with_files("crates/autoipd/tests/kernel/main.rs", main, &[]));
    assert_none(&with_files("crates/autoip-lab/tests/demo.rs", main, &[]));
    let unlisted = main.replace("tests![it_cedes]", "tests![]");
    let at = "crates/autoip-lab/tests/demo.rs:5: ";
    assert_one(&with_files("crates/autoip-lab/tests/demo.rs", &unlisted, &[]), at, "by nobody");
}

#[test]
fn a_rule_of_a_property_test_is_listed() {
    let with = |path, list: &str| {
        let test = "//= test LL-2.5-07\nfn it_cedes() {}\n\n";
        let text = format!("{test}const RULES: &[Rule] = &[\n    {list},\n];\n");
        with_files(path, &text, &[("crates/autoip-core/tests/engine/main.rs", "mod rules;\n")])
    };
    let path = "crates/autoip-core/tests/engine/rules.rs";
    assert_none(&with(path, "(\"a\", it_cedes)"));
    for list in ["(\"a\", it_keeps)", "(\"a\", it_keeps),\n    // (\"b\", it_cedes)"] {
        assert_one(&with(path, list), "crates/autoip-core/tests/engine/rules.rs:1: ", "by nobody");
    }
    let shipped = with("crates/autoip-wire/src/lib.rs", "(\"a\", it_cedes)");
    assert_one(&shipped, "crates/autoip-wire/src/lib.rs:1: ", "by nobody");
}

#[test]
fn a_checker_of_the_simulator_is_listed_with_its_row() {
    let checker =
        "//= test LL-2.5-07\npub(super) fn it_cedes() -> Verdict {}\nconst A: B = CEDES;\n";
    let with = |path, rules: &str, whole: &str| {
        let list = format!(
            "mod claim;\nconst RULES: &[Rule] = &[\n{rules}\n];\n\
             const WHOLE_RULES: &[(&str, &str)] = &[\n{whole}\n];\n"
        );
        let lib = ("crates/autoip-sim/src/lib.rs", "mod checker;\nmod run;\n");
        with_files(path, checker, &[lib, ("crates/autoip-sim/src/checker.rs", &list)])
    };
    let path = "crates/autoip-sim/src/checker/claim.rs";
    let at = "crates/autoip-sim/src/checker/claim.rs:1: ";
    let other = "    rule(\"keeps\", \"LL-2.5-06\", claim::it_keeps),\n";
    let rule = |rows, name| format!("{other}    rule(\"cedes\", \"{rows}\", {name}),");
    assert_none(&with(path, &rule("LL-2.5-06 LL-2.5-07", "claim::it_cedes"), ""));
    for (rows, name) in [
        ("LL-2.5-06", "claim::it_cedes"),
        ("LL-2.5-07", "claim::it_keeps"),
        ("LL-2.5-07", "in_use::it_cedes"),
    ] {
        assert_one(&with(path, &rule(rows, name), ""), at, "is run by nobody");
    }
    let path = "crates/autoip-sim/src/run.rs";
    let at = "crates/autoip-sim/src/run.rs:1: ";
    assert_none(&with(path, "", "    (CEDES, \"LL-2.5-07\"),"));
    assert_one(&with(path, "", "    (CEDES, \"LL-2.5-06\"),"), at, "is run by nobody");
    assert_one(&with(path, "", "    (KEEPS, \"LL-2.5-07\"),"), at, "is run by nobody");
}

#[test]
fn a_met_row_has_code() {
    let without = |status: &str| {
        let row = ROW.replace("\"met\"", status);
        found(&tree(&row, &SOURCE.replace("//= LL", "// LL")))
    };
    assert_one(&without("\"met\""), AT_ROW, "annotate code");
    assert_none(&without("\"partly\""));
}

#[test]
fn a_met_must_has_a_test() {
    let without = |level: &str, status: &str| {
        let row = ROW.replace("\"MUST\"", level).replace("\"met\"", status);
        found(&tree(&row, &SOURCE.replace("//= test", "// test")))
    };
    assert_one(&without("\"MUST\"", "\"met\""), AT_ROW, "annotate a test");
    assert_one(&without("\"MUST NOT\"", "\"met\""), AT_ROW, "annotate a test");
    assert_none(&without("\"SHOULD\"", "\"met\""));
    assert_none(&without("\"MUST\"", "\"partly\""));
}

#[test]
fn what_is_not_met_is_not_annotated() {
    for status in ["planned", "elsewhere", "not applicable"] {
        let with =
            |source: &str| found(&tree(&ROW.replace("\"met\"", &format!("\"{status}\"")), source));
        let code = with("//= LL-2.5-07 a second conflict ends the claim\n");
        assert_one(&code, "crates/autoip-core/src/source.rs:1: ", status);
        let test = with("//= test LL-2.5-07\n#[test]\nfn a() {}\n");
        assert_one(&test, "crates/autoip-core/src/source.rs:1: ", status);
        assert_none(&with(""));
    }
}

#[test]
fn the_page_is_fresh() {
    let stale = |documents| {
        let tree = Tree { documents, ..tree(ROW, SOURCE) };
        let finding = Spec::new(&tree).unwrap().stale_page();
        finding.iter().map(Finding::to_string).collect::<Vec<_>>()
    };
    let fresh = page(&tree(ROW, SOURCE));
    let at = |text: &str| vec![file("docs/conformance.md", text)];
    assert_none(&stale(at(&fresh)));
    assert_one(&stale(vec![]), "docs/conformance.md:1: ", "--write");
    let behind = format!("docs/conformance.md:{}: ", fresh.lines().count() + 1);
    assert_one(&stale(at(&format!("{fresh}\n"))), &behind, "");
    assert_one(&stale(at(&fresh.replacen("Conformance", "", 1))), "docs/conformance.md:1: ", "");
}

#[test]
fn the_page_shows_a_row_with_its_code_and_its_tests() {
    let page = page(&tree(ROW, SOURCE));
    assert!(page.contains("\n## RFC 3927 §2.5: conflicts\n"), "{page}");
    let link = "[autoip-core source.rs](../crates/autoip-core/src/source.rs)";
    let row = format!(
        "| LL-2.5-07 | MUST | A second conflict ends the claim. | **met**: The engine cedes. | \
         {link} | {link}: a second conflict ends the claim |\n"
    );
    assert!(page.contains(&row), "{page}");
    assert!(page.contains("| met | 1 | 0 |\n"), "{page}");
}

#[test]
fn the_page_names_a_file_once_and_every_test() {
    let second =
        "//= LL-2.5-07 again\nfn a() {}\n//= test LL-2.5-07\n#[test]\nfn and_another() {}\n";
    let page = page(&tree(ROW, &format!("{SOURCE}{second}")));
    let link = "[autoip-core source.rs](../crates/autoip-core/src/source.rs)";
    let cells = format!("| {link} | {link}: a second conflict ends the claim; and another |\n");
    assert!(page.contains(&cells), "{page}");
}

#[test]
fn the_page_has_a_shorter_table_for_others() {
    for (actor, is_ours) in [
        ("\"daemon\"", true),
        ("\"kernel\"", true),
        ("\"filter\"", true),
        ("\"router\", \"filter\"", true),
        ("\"application\", \"dns\"", false),
        ("\"router\"", false),
        ("\"dhcp\"", false),
        ("\"operator\"", false),
        ("\"link\"", false),
    ] {
        let row = ROW.replace("\"daemon\"", actor).replace("\"met\"", "\"elsewhere\"");
        let page = page(&tree(&row, ""));
        let (above, below) = page.split_once("## Other people's jobs").unwrap();
        let shown = if is_ours { above } else { below };
        assert!(shown.contains("| LL-2.5-07 | MUST |"), "{actor}: {page}");
        assert_eq!(page.matches("LL-2.5-07 | MUST").count(), 1, "{actor}: {page}");
        let whose = format!("| MUST | {} | A second", actor.replace('"', ""));
        assert_eq!(below.contains(&whose), !is_ours, "{actor}: {page}");
    }
}

#[test]
fn the_summary_counts() {
    let tree = tree(ROW, SOURCE);
    assert_eq!(
        Spec::new(&tree).unwrap().to_string(),
        "1 requirements (1 met, 0 partly, 0 planned, 0 elsewhere, 0 not applicable), \
         1 annotations of code and 1 of tests"
    );
}
