//! The rules and the requirements that they say they check.

use std::collections::BTreeSet;

use super::*;

/// The rows that a rule names are those that stand before it as annotations, which the list of
/// requirements is made from.
#[test]
fn rules_name_the_rows_of_their_annotations() {
    let sources = [
        include_str!("../checker.rs"),
        include_str!("choice.rs"),
        include_str!("claim.rs"),
        include_str!("in_use.rs"),
        include_str!("wire.rs"),
        include_str!("../run.rs"),
    ];
    let annotated: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.trim_start().strip_prefix("//= test "))
        .collect();
    let rows = RULES.iter().map(|rule| rule.rows).chain(WHOLE_RULES.iter().map(|rule| rule.1));
    let named: BTreeSet<&str> = rows.flat_map(str::split_whitespace).collect();
    assert_eq!(named, annotated);
}

#[test]
fn clocks_may_be_wrong_by_as_much_as_the_options_say_and_no_more() {
    let options = Options { drift_ppm: 1000, busy_ms: 20, ..Options::default() };
    let terms = Terms::new(&options);
    let second = Duration::from_secs(1);
    assert!(terms.shortest(second) < Duration::from_micros(999_000));
    assert!(terms.shortest(second) > Duration::from_micros(998_900));
    assert!(terms.latest(second) > Duration::from_micros(1_001_000));
    assert_eq!(terms.longest(second), terms.latest(second) + Duration::from_millis(20));
}
