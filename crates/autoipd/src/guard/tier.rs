//! How much of the guard is in force, and what it leaves to the kernel's own ways.

use std::fmt;

/// How much of the guard is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Nothing.
    Off,
    /// What needs no packet filter.
    Sysctl,
    /// Everything.
    Filter,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Sysctl => "sysctl",
            Self::Filter => "nft",
        })
    }
}

/// What only a packet filter can do.
const WITHOUT_FILTER: [&str; 14] = [
    "LL-2.2-02",
    "LL-2.5-09",
    "LL-2.6.2-04",
    "LL-2.7-02",
    "LL-2.7-03",
    "LL-2.7-04",
    "LL-2.7-06",
    "LL-2.10-01",
    "LL-4-02",
    "LL-7-01",
    "LL-7-02",
    "ACD-2.6-03",
    "BASE-05",
    "BASE-12",
];

/// What needs settings of interfaces or routing rules.
const WITHOUT_RULES: [&str; 7] =
    ["LL-2.5-10", "LL-2.6.1-04", "LL-2.6.2-06", "LL-2.6.2-07", "LL-3.1-01", "LL-3.4-02", "BASE-06"];

impl Tier {
    /// The requirements that the tier leaves unmet in whole or in part, by their numbers in
    /// `spec/requirements.toml`.
    pub(crate) fn unmet(self) -> impl Iterator<Item = &'static str> {
        let (without_filter, without_rules): (&[_], &[_]) = match self {
            Self::Filter => (&[], &[]),
            Self::Sysctl => (&WITHOUT_FILTER, &[]),
            Self::Off => (&WITHOUT_FILTER, &WITHOUT_RULES),
        };
        without_filter.iter().chain(without_rules).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const REQUIREMENTS: &str = include_str!("../../../../spec/requirements.toml");
    const FILTER: &str = include_str!("filter.rs");
    const RULES: [&str; 2] = [include_str!("conf.rs"), include_str!("../routes.rs")];

    /// What the filter takes part in, and what is so without it.
    const MET_WITHOUT_FILTER: [&str; 8] = [
        // The kernel's settings and a routing rule see to them.
        "LL-2.5-10",
        "LL-2.6.2-07",
        // An address is on the interface only after it was probed for.
        "DNA-2.1.1-01",
        // What is not link-local is nobody's business.
        "LL-2.5-11",
        "LL-2.8-03",
        "ACD-1.2.1-01",
        "ACD-2.6-01",
        "ACD-2.6-02",
    ];

    fn annotated(code: &'static str) -> BTreeSet<&'static str> {
        let id = |line: &'static str| line.trim().strip_prefix("//= ")?.split(' ').next();
        code.lines().filter_map(id).collect()
    }

    #[test]
    fn every_row_that_the_filter_meets_is_unmet_without_it_or_met_otherwise() {
        let mut without: BTreeSet<_> = Tier::Sysctl.unmet().collect();
        assert!(without.is_disjoint(&MET_WITHOUT_FILTER.into()));
        without.extend(MET_WITHOUT_FILTER);
        assert_eq!(without, annotated(FILTER));
        assert_eq!(Tier::Filter.unmet().count(), 0);
    }

    #[test]
    fn what_is_unmet_without_rules_is_met_by_them() {
        let by_rules: BTreeSet<_> = RULES.into_iter().flat_map(annotated).collect();
        for id in WITHOUT_RULES {
            assert!(by_rules.contains(id), "{id} is annotated neither in settings nor in routes");
        }
        let all: BTreeSet<_> = Tier::Off.unmet().collect();
        assert_eq!(all.len(), WITHOUT_FILTER.len() + WITHOUT_RULES.len(), "each once");
    }

    #[test]
    fn unmet_rows_are_met_with_everything() {
        for id in Tier::Off.unmet() {
            let row = REQUIREMENTS
                .split("[[requirement]]")
                .find(|row| row.lines().any(|line| line == format!("id = \"{id}\"")));
            let row = row.unwrap_or_else(|| panic!("{id} is no requirement"));
            assert!(row.contains("\nstatus = \"met\"\n"), "{id}: {row}");
        }
    }
}
