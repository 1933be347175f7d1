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
    let sections = "[sections]\n\"RFC 3927 §2.5\" = \"conflicts\"\n\n";
    Tree {
        sources: vec![file("crates/autoip-core/src/source.rs", source)],
        requirements: file("spec/requirements.toml", format!("{sections}{rows}")),
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
fn a_test_annotation_has_a_test() {
    let found = with_source("the_claim() {}\n", "the_claim() {}\n//= test LL-2.5-07\n");
    assert_one(&found, "crates/autoip-core/src/source.rs:8: ", "above a test");
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
        let test = with("//= test LL-2.5-07\nfn a() {}\n");
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
    let second = "//= LL-2.5-07 again\nfn a() {}\n//= test LL-2.5-07\nfn and_another() {}\n";
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
