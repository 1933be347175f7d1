//! The keys of the file: which there are, and what each one sets.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::ProcessChoices;
use super::value::{
    self, addr, addrs, alias, boolean, duration, guard, milliseconds, mode, number, path,
    path_or_none, place, policy, profile, range, verbosity,
};
use crate::choice::Choices;

/// A table for certain interfaces.
pub(super) const INTERFACE: &str = "interface";
/// Which ones.
pub(super) const MATCH: &str = "match";
/// Whether they are managed at all.
pub(super) const MANAGE: &str = "manage";

/// Keys at the top and in `[[interface]]`.
const OF_INTERFACE: [&str; 17] = [
    "mode",
    "start",
    "range",
    "defend",
    "timing",
    "probes",
    "probe-wait",
    "probe-min",
    "probe-max",
    "announcements",
    "announce-wait",
    "announce-interval",
    "wait",
    "grace",
    "metric",
    "default-route",
    "alias",
];
/// Keys at the top alone.
const OF_PROCESS: [&str; 7] =
    ["state-dir", "control", "verbosity", "guard", "forward", "hooks", "sandbox"];

/// One letter in so many may be wrong in a word that is still recognised, and no more than so many.
const LETTERS_PER_TYPO: usize = 3;
const TYPOS_MAX: usize = 2;
const DAY: Duration = Duration::from_secs(86_400);

type Key<'a> = Spanned<Cow<'a, str>>;
type Value<'a> = Spanned<DeValue<'a>>;

/// Takes in a key that can be said of interfaces; `None` where it is none of them.
pub(super) fn of_interface(
    choices: &mut Choices,
    key: &Key<'_>,
    value: &Value<'_>,
) -> Option<Result<(), String>> {
    let value = value.get_ref();
    let numbers = &mut choices.numbers;
    Some(match key.get_ref().as_ref() {
        "mode" => set(&mut choices.mode, mode(value)),
        "start" => set(&mut choices.start, addr(value)),
        "range" => set(&mut choices.range, range(value)),
        "defend" => set(&mut choices.defend, policy(value)),
        "timing" => set(&mut choices.profile, profile(value)),
        "probes" => set(&mut numbers.probes, value::count(value)),
        "probe-wait" => set(&mut numbers.probe_wait_ms, milliseconds(value, 0)),
        "probe-min" => set(&mut numbers.probe_min_ms, milliseconds(value, 1)),
        "probe-max" => set(&mut numbers.probe_max_ms, milliseconds(value, 1)),
        "announcements" => set(&mut numbers.announcements, value::count(value)),
        "announce-wait" => set(&mut numbers.announce_wait_ms, milliseconds(value, 1)),
        "announce-interval" => set(&mut numbers.announce_interval_ms, milliseconds(value, 1)),
        "wait" => set(&mut choices.wait, duration(value, Duration::ZERO..=DAY)),
        "grace" => set(&mut choices.grace, duration(value, Duration::ZERO..=DAY)),
        "metric" => set(&mut choices.metric, number(value, 0..=u32::MAX)),
        "default-route" => set(&mut choices.default_route, boolean(value)),
        "alias" => set(&mut choices.alias, alias(value)),
        _ => return None,
    })
}

/// Takes in a key that holds for the whole process; `None` where it is none of them.
pub(super) fn of_process(
    choices: &mut ProcessChoices,
    key: &Key<'_>,
    value: &Value<'_>,
) -> Option<Result<(), String>> {
    let value = value.get_ref();
    Some(match key.get_ref().as_ref() {
        "state-dir" => set(&mut choices.state_dir, path(value).map(PathBuf::from)),
        "control" => set(&mut choices.control, place(value)),
        "verbosity" => set(&mut choices.verbosity, verbosity(value)),
        "guard" => set(&mut choices.guard, guard(value)),
        "forward" => set(&mut choices.exempt, addrs(value)),
        "sandbox" => set(&mut choices.sandbox, boolean(value)),
        "hooks" => set(&mut choices.hooks, path_or_none(value).map(PathBuf::from)),
        _ => return None,
    })
}

fn set<T>(place: &mut Option<T>, read: Result<T, String>) -> Result<(), String> {
    read.map(|value| *place = Some(value))
}

/// Whether a key can be part of a contradiction that [`Choices::settings`] reports.
pub(super) fn may_contradict(key: &str) -> bool {
    matches!(key, "start" | "range" | "probe-min" | "probe-max")
}

/// What is wrong with a key at the top.
pub(super) fn unknown_at_top(key: &str) -> String {
    if [MATCH, MANAGE].contains(&key) {
        return format!("{key} is said of certain interfaces: write [[interface]] above it");
    }
    unknown(key, OF_INTERFACE.iter().chain(&OF_PROCESS).chain(&[INTERFACE]).copied())
}

/// What is wrong with a key in `[[interface]]`.
pub(super) fn unknown_in_interface(key: &str) -> String {
    if OF_PROCESS.contains(&key) {
        return format!("{key} holds for the whole daemon: move it above the first [[interface]]");
    }
    unknown(key, [MATCH, MANAGE].iter().chain(&OF_INTERFACE).copied())
}

fn unknown(key: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let shown = value::key_shown(key);
    let letters = |key: &str| -> String {
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    if let Some(meant) = known.clone().find(|known| letters(known) == letters(key)) {
        return format!("{shown} is not a key: it is written {meant}");
    }
    let distance = |known: &&str| strsim::damerau_levenshtein(known, key);
    let is_near = |known: &&str| {
        distance(known) <= TYPOS_MAX && distance(known) * LETTERS_PER_TYPO <= key.len()
    };
    if let Some(meant) = known.clone().min_by_key(distance).filter(is_near) {
        return format!("{shown} is not a key: did you mean {meant}?");
    }
    let known: Vec<_> = known.collect();
    format!("{shown} is not a key; the keys here are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_listed_is_known() {
        let (text, ()) = ("x = []", ());
        let document = toml::de::DeTable::parse(text).unwrap();
        let (_, value) = document.get_ref().iter().next().unwrap();
        for name in OF_INTERFACE {
            let key = Spanned::new(0..1, Cow::Borrowed(name));
            assert!(of_interface(&mut Choices::default(), &key, value).is_some(), "{name}");
        }
        for name in OF_PROCESS {
            let key = Spanned::new(0..1, Cow::Borrowed(name));
            assert!(of_process(&mut ProcessChoices::default(), &key, value).is_some(), "{name}");
        }
    }
}
