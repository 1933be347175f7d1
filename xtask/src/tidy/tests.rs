//! Every rule against small trees: each test fails when its rule is taken off the lists.

use super::*;
use crate::package::{Dependency, Purpose};

const MANIFEST: &str = "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n\n[dependencies]\n";
const CRATE_ROOT: &str = "//! A crate.\n#![forbid(unsafe_code)]\n";

fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}

/// What is found in a tree, each as `path:line: sentence`.
fn lines(tree: &Tree) -> Vec<String> {
    findings(tree).iter().map(Finding::to_string).collect()
}

fn in_source(path: &str, text: &str) -> Vec<String> {
    lines(&Tree { sources: vec![file(path, text)], ..Tree::default() })
}

/// What is found in `source.rs` when `body` follows its opening comment: so from line 2 on.
fn in_body(body: &str) -> Vec<String> {
    in_source("crates/autoip-core/src/source.rs", &format!("//! A source.\n{body}"))
}

fn package(name: &str, dependencies: &[(&str, Purpose, bool)]) -> Package {
    let entry = |(name, ..): &(&str, Purpose, bool)| format!("{name}.workspace = true\n");
    let entries: String = dependencies.iter().map(entry).collect();
    let dependency = |&(name, purpose, is_ours): &(&str, Purpose, bool)| Dependency {
        name: name.to_owned(),
        purpose,
        is_ours,
    };
    Package {
        name: name.to_owned(),
        manifest: file(&format!("crates/{name}/Cargo.toml"), &format!("{MANIFEST}{entries}")),
        crate_roots: vec![format!("crates/{name}/src/lib.rs")],
        dependencies: dependencies.iter().map(dependency).collect(),
    }
}

fn in_package(package: &Package) -> Vec<String> {
    let source = file(&package.crate_roots[0], CRATE_ROOT);
    let reasons = file("CONTRIBUTING.md", "| `nix` | autoip-linux | system calls |\n");
    lines(&Tree {
        sources: vec![source],
        documents: vec![reasons],
        packages: vec![package.clone()],
        ..Tree::default()
    })
}

fn in_document(path: &str, text: &str) -> Vec<String> {
    let paths = ["README.md", "docs", "docs/performance.md"].map(str::to_owned).into();
    lines(&Tree { documents: vec![file(path, text)], paths, ..Tree::default() })
}

fn is_one(found: &[String], at: &str, word: &str) -> bool {
    matches!(found, [one] if one.starts_with(at) && one.contains(word))
}

#[track_caller]
fn assert_one(found: &[String], at: &str, word: &str) {
    assert!(is_one(found, at, word), "not one finding at {at} about {word}: {found:#?}");
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_file_opens_with_a_description() {
    assert_none(&in_source("crates/a/src/a.rs", "//! What it is.\n"));
    assert_one(&in_source("crates/a/src/a.rs", "fn a() {}\n"), "crates/a/src/a.rs:1: ", "//!");
    assert_one(&in_source("crates/a/src/a.rs", ""), "crates/a/src/a.rs:1: ", "//!");
}

#[test]
fn a_file_is_short_unless_it_holds_tests() {
    let allowed = format!("//! A file.\n{}", "\n".repeat(599));
    let long = format!("//! A file.\n{}", "\n".repeat(600));
    assert_none(&in_source("crates/a/src/a.rs", &allowed));
    assert_one(&in_source("crates/a/src/a.rs", &long), "crates/a/src/a.rs:601: ", "601 lines");
    assert_none(&in_source("crates/a/src/a/tests.rs", &long));
    assert_none(&in_source("crates/a/tests/claim.rs", &long));
}

#[test]
fn a_line_is_short_in_characters_not_bytes() {
    assert_none(&in_body(&format!("//{}\n", "§".repeat(98))));
    let found = in_body(&format!("//{}\n", "a".repeat(99)));
    assert_one(&found, "crates/autoip-core/src/source.rs:2: ", "101 columns");
}

#[test]
fn a_line_is_indented_with_spaces() {
    assert_none(&in_body("    // a\tb\n"));
    assert_one(&in_body("  \t// a\n"), "crates/autoip-core/src/source.rs:2: ", "tab");
}

#[test]
fn unfinished_work_is_found_as_a_word() {
    for mark in source::UNFINISHED {
        let rest = if mark.ends_with('(') { "a)" } else { " a" };
        let found = in_body(&format!("\n    let a = 1; // {mark}{rest}\n"));
        assert_one(&found, "crates/autoip-core/src/source.rs:3: ", mark);
    }
    let [word, ..] = source::UNFINISHED;
    assert_none(&in_body(&format!("let {word}_LIST = [\"{word}S\", \"A{word}\"];\n")));
    let scratch = "X".repeat(6);
    assert_none(&in_body(&format!("let scratch = mkdtemp(\"/tmp/autoip-{scratch}\");\n")));
}

#[test]
fn lints_are_expected_not_allowed() {
    for attribute in source::ALLOW {
        let found = in_body(&format!("{attribute}dead_code)]\nstruct A;\n"));
        assert_one(&found, "crates/autoip-core/src/source.rs:2: ", "expect");
    }
    assert_none(&in_body("#[expect(dead_code, reason = \"read by gdb\")]\nstruct A;\n"));
}

#[test]
fn a_file_is_named_after_what_is_in_it() {
    for name in ["common", "helpers", "misc", "types", "utils"] {
        for path in [format!("crates/a/src/{name}.rs"), format!("crates/a/tests/{name}/mod.rs")] {
            assert_one(&in_source(&path, "//! A file.\n"), &format!("{path}:1: "), name);
        }
    }
    assert_none(&in_source("crates/a/src/mistypes.rs", "//! A file.\n"));
}

#[test]
fn a_function_is_short_unless_it_is_a_test() {
    let body = |lines: usize| format!("pub fn a() {{\n{}}}\n", "    b();\n".repeat(lines));
    assert_none(&in_body(&body(68)));
    assert_one(&in_body(&body(69)), "crates/autoip-core/src/source.rs:2: ", "fn a has 71 lines");
    let test = format!("//! Tests.\n{}", body(69));
    assert_none(&in_source("crates/autoip-core/src/source/tests.rs", &test));
}

#[test]
fn an_annotation_names_a_row() {
    assert_none(&in_body("//= LL-2.5-07 a second conflict ends the claim\n//= test ACD-5-01\n"));
    let found = in_body("    //= LL-2.5.07 a second conflict ends the claim\n");
    assert_one(&found, "crates/autoip-core/src/source.rs:2: ", "LL-2.5-07");
}

#[test]
fn dependencies_point_downwards() {
    let use_of = |used: &str, purpose| package("autoip-linux", &[(used, purpose, true)]);
    let at = "crates/autoip-linux/Cargo.toml:8: ";
    assert_none(&in_package(&use_of("autoip-core", Purpose::Normal)));
    assert_one(&in_package(&use_of("autoipd", Purpose::Normal)), at, "stands above");
    assert_one(&in_package(&use_of("autoip-linux", Purpose::Build)), at, "stands above");
    assert_none(&in_package(&use_of("autoip-lab", Purpose::Dev)));
}

#[test]
fn the_order_of_the_crates_is_the_documented_one() {
    for (rank, user) in dependency::ORDER.iter().enumerate().skip(1) {
        for (used_rank, used) in dependency::ORDER.iter().enumerate() {
            let package = package(user, &[(used, Purpose::Normal, true)]);
            let is_proper = used_rank < rank && (*user, *used) != ("autoip-conform", "autoip-core");
            assert_eq!(in_package(&package).is_empty(), is_proper, "{user} on {used}");
        }
    }
}

#[test]
fn a_crate_without_a_place_in_the_order_is_found() {
    let stranger = package("autoip-new", &[]);
    assert_one(&in_package(&stranger), "crates/autoip-new/Cargo.toml:2: ", "ORDER");
    let user = package("autoipd", &[("autoip-new", Purpose::Normal, true)]);
    assert_one(&in_package(&user), "crates/autoipd/Cargo.toml:8: ", "ORDER");
}

#[test]
fn the_wire_crate_has_no_dependencies_but_those_of_its_tests() {
    let found = in_package(&package("autoip-wire", &[("nix", Purpose::Normal, false)]));
    assert_one(&found, "crates/autoip-wire/Cargo.toml:8: ", "not even nix");
    assert_none(&in_package(&package("autoip-wire", &[("proptest", Purpose::Dev, false)])));
}

#[test]
fn the_conformance_tester_keeps_away_from_the_engine() {
    for purpose in [Purpose::Normal, Purpose::Dev] {
        let found = in_package(&package("autoip-conform", &[("autoip-core", purpose, true)]));
        assert_one(&found, "crates/autoip-conform/Cargo.toml:8: ", "judge without");
    }
}

#[test]
fn a_third_party_crate_has_a_row_in_the_table() {
    let use_of = |used: &str, purpose| package("autoip-linux", &[(used, purpose, false)]);
    let at = "crates/autoip-linux/Cargo.toml:8: ";
    assert_none(&in_package(&use_of("nix", Purpose::Normal)));
    assert_one(&in_package(&use_of("libc", Purpose::Normal)), at, "`libc`");
    assert_one(&in_package(&use_of("cc", Purpose::Build)), at, "`cc`");
    assert_none(&in_package(&use_of("proptest", Purpose::Dev)));
}

#[test]
fn a_crate_root_forbids_unsafe_code_except_at_the_kernel_edge() {
    let found_in = |name: &str| {
        let package = package(name, &[]);
        let source = file(&package.crate_roots[0], "//! A crate.\n");
        lines(&Tree { sources: vec![source], packages: vec![package], ..Tree::default() })
    };
    assert_one(&found_in("autoip-core"), "crates/autoip-core/src/lib.rs:1: ", "forbid");
    assert_none(&found_in("autoip-linux"));
    assert_none(&in_package(&package("autoip-core", &[])));
}

#[test]
fn a_crate_inherits_the_lints() {
    let without = |gone: &str| {
        let mut package = package("autoip-core", &[]);
        package.manifest.text = package.manifest.text.replace(gone, "");
        in_package(&package)
    };
    assert_one(&without("[lints]\n"), "crates/autoip-core/Cargo.toml:1: ", "lints");
    assert_one(&without("workspace = true\n"), "crates/autoip-core/Cargo.toml:1: ", "lints");
    assert_none(&without("nothing"));
}

#[test]
fn the_lints_of_another_section_do_not_count() {
    let mut package = package("autoip-core", &[]);
    package.manifest.text = "[package]\n\n[lints]\n\n[other]\nworkspace = true\n".to_owned();
    assert_one(&in_package(&package), "crates/autoip-core/Cargo.toml:1: ", "lints");
}

#[test]
fn a_relative_link_leads_somewhere() {
    let good = "[a](docs/performance.md#idle), [b](docs), [c](#part), [d](https://example.org/d)\n";
    assert_none(&in_document("README.md", good));
    assert_none(&in_document("docs/performance.md", "[up](../README.md)\n"));
    let found = in_document("docs/performance.md", "\n[up](README.md)\n");
    assert_one(&found, "docs/performance.md:2: ", "\"README.md\"");
    assert_one(&in_document("README.md", "[out](../a.md)\n"), "README.md:1: ", "../a.md");
}

#[test]
fn links_in_code_blocks_are_not_links() {
    let text = "```text\n[a](gone.md)\n```\n[b](lost.md)\n";
    assert_one(&in_document("README.md", text), "README.md:4: ", "lost.md");
}
