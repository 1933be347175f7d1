//! That the test of the pages would notice: what may differ from a page, and what may not.

use std::panic::catch_unwind;
use std::path::Path;

use crate::page::Page;
use crate::transcript::{Values, Verdict};

/// All of them, with their names.
pub(crate) const ALL: [(&str, fn()); 5] = [
    ("addresses_and_times_may_differ", addresses_and_times_may_differ),
    ("an_address_is_the_same_everywhere", an_address_is_the_same_everywhere),
    ("everything_else_is_as_on_the_page", everything_else_is_as_on_the_page),
    ("commands_get_the_addresses_of_the_run", commands_get_the_addresses_of_the_run),
    ("fences_that_say_nothing_are_refused", fences_that_say_nothing_are_refused),
];

fn compare(page: &str, actual: &str) -> Verdict {
    let page: Vec<_> = page.lines().map(str::to_owned).collect();
    Values::default().compare(&page, actual.lines(), false)
}

#[track_caller]
fn fits(page: &str, actual: &str) {
    assert!(matches!(compare(page, actual), Verdict::Whole(_, 0)), "{page:?} and {actual:?}");
}

#[track_caller]
fn differs(page: &str, actual: &str) {
    assert!(!matches!(compare(page, actual), Verdict::Whole(_, 0)), "{page:?} and {actual:?}");
}

fn addresses_and_times_may_differ() {
    fits("02:49:19.646Z eth0: claimed 169.254.7.7", "13:00:00.001Z eth0: claimed 169.254.9.9");
    fits("at 02:00:5e:10:00:01, in 4 s.", "at 4e:d1:1f:43:de:45, in 12 min.");
    fits("2026-11-24T13:51:50.913Z eth0 idle", "2027-01-01T00:00:00.000Z eth0 idle");
    fits("a   b\n...\ntime=0.045 ms", "a b\n1\n2\ntime=1.2 ms");
    fits("2: eth0: <UP>", "2: eth0@if1007: <UP>");
    fits("link ... eth0:9", "link proto 169 eth0:9");
}

fn an_address_is_the_same_everywhere() {
    fits("169.254.7.7 and 169.254.7.7", "169.254.9.9 and 169.254.9.9");
    differs("169.254.7.7 and 169.254.7.7", "169.254.9.9 and 169.254.9.8");
    differs("169.254.7.7 and 169.254.7.8", "169.254.9.9 and 169.254.9.9");
}

fn everything_else_is_as_on_the_page() {
    differs("claimed 169.254.7.7", "gave up 169.254.7.7");
    differs("169.254.0.0/16 metric 1002", "169.254.0.0/16 metric 1003");
    differs("src 192.0.2.7", "src 192.0.2.8");
    differs("to ff:ff:ff:ff:ff:ff", "to 02:00:5e:10:00:01");
    differs("one line", "one line\nand another");
    differs("one line\nand another", "one line");
    differs("claimed 169.254.7.7", "claimed 10.0.0.1");
}

fn commands_get_the_addresses_of_the_run() {
    let Verdict::Whole(values, 0) = compare("claimed 169.254.7.7.", "claimed 169.254.9.9.") else {
        panic!("the lines fit");
    };
    assert_eq!(values.fill_in("ping -c 1 169.254.7.7"), "ping -c 1 169.254.9.9");
    assert_eq!(values.fill_in("ping 169.254.7.70"), "ping 169.254.7.70");
}

fn fences_that_say_nothing_are_refused() {
    let parse = |text: &str| {
        let text = text.to_owned();
        catch_unwind(move || Page::parse(Path::new("page.md"), &text).blocks.len()).ok()
    };
    assert_eq!(parse("```console\n$ true\n```\n"), Some(1));
    assert_eq!(parse("```console not-runnable: it needs a printer\n$ lp\n```\n"), Some(0));
    assert_eq!(parse("```text\nlook\n```\n"), Some(0));
    assert_eq!(parse("```console not-runnable\n$ true\n```\n"), None, "no reason");
    assert_eq!(parse("```sh\ntrue\n```\n"), None, "neither run nor marked");
    assert_eq!(parse("```console goes-of\n$ true\n```\n"), None, "an unknown word");
}
