//! The documented sequence, its uniformity, and its independence between hosts (T16).

extern crate std;
use super::*;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

fn sequence(last_octet: u8) -> Sequence {
    Sequence::new(MacAddr([2, 0, 0, 0, 0, last_octet]), &DEFAULT_KEY, AddrRange::ALL)
}

fn texts(sequence: Sequence, count: usize) -> Vec<String> {
    sequence.take(count).map(|addr| addr.to_string()).collect()
}

/// Computed by a separate program, in another language, from the text above alone.
//= test LL-2.1-04
//= test LL-2.1-05
#[test]
fn is_the_documented_sequence() {
    assert_eq!(
        texts(sequence(1), 5),
        ["169.254.172.150", "169.254.99.28", "169.254.237.72", "169.254.78.83", "169.254.103.203"]
    );
    assert_eq!(
        texts(sequence(2), 5),
        [
            "169.254.190.27",
            "169.254.139.164",
            "169.254.40.205",
            "169.254.154.17",
            "169.254.193.240"
        ]
    );
    let mac = MacAddr([0x00, 0x1b, 0x21, 0x3c, 0x4d, 0x5e]);
    let sequence = Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL);
    assert_eq!(
        texts(sequence, 5),
        [
            "169.254.61.173",
            "169.254.41.139",
            "169.254.223.124",
            "169.254.107.62",
            "169.254.134.162"
        ]
    );
    let first = LinkLocalAddr::from_index(9 * 256).unwrap();
    let last = LinkLocalAddr::from_index(9 * 256 + 99).unwrap();
    let range = AddrRange::new(first, last).unwrap();
    let sequence = Sequence::new(MacAddr([2, 0, 0, 0, 0, 1]), &DEFAULT_KEY, range);
    assert_eq!(
        texts(sequence, 5),
        ["169.254.10.46", "169.254.10.44", "169.254.10.32", "169.254.10.95", "169.254.10.31"]
    );
}

/// χ² over the 254 third octets; the limit is the 99.9 % quantile for 253 degrees of freedom.
fn assert_uniform(addrs: impl Iterator<Item = LinkLocalAddr>, what: &str) {
    let mut bins = [0u32; 256];
    let mut total = 0u32;
    for addr in addrs {
        bins[usize::from(addr.ip().octets()[2])] += 1;
        total += 1;
    }
    assert_eq!((bins[0], bins[255]), (0, 0), "{what}: reserved addresses");
    let expected = f64::from(total) / 254.0;
    let chi2: f64 =
        bins[1..255].iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
    assert!(chi2 < 327.0, "{what}: χ² = {chi2}");
}

//= test LL-2.1-01
//= test LL-2.1-02
//= test LL-8-01
#[test]
fn one_sequence_is_uniform() {
    assert_uniform(sequence(1).take(100_000), "one MAC address");
}

//= test LL-2.1-01
#[test]
fn first_candidates_of_neighbouring_mac_addresses_are_uniform() {
    let firsts = (0u32..100_000).map(|n| {
        let [_, a, b, c] = n.to_be_bytes();
        let mac = MacAddr([0x00, 0x1b, 0x21, a, b, c]);
        Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL).draw()
    });
    assert_uniform(firsts, "consecutive MAC addresses");
}

//= test LL-2.1-03
#[test]
fn a_thousand_hosts_have_a_thousand_sequences() {
    let mut all: Vec<Vec<LinkLocalAddr>> = (0u16..1000)
        .map(|n| {
            let [a, b] = n.to_be_bytes();
            Sequence::new(MacAddr([2, 0, 0, 0, a, b]), &DEFAULT_KEY, AddrRange::ALL)
                .take(10)
                .collect()
        })
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1000);
}

#[test]
fn another_key_gives_another_sequence() {
    let mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let other = Sequence::new(mac, b"0123456789abcdef", AddrRange::ALL);
    assert_ne!(texts(other, 5), texts(sequence(1), 5));
}

#[test]
fn a_range_is_covered_whole_and_never_left() {
    let first = LinkLocalAddr::from_index(1000).unwrap();
    for size in [1, 2, 3, 10, 64] {
        let last = LinkLocalAddr::from_index(1000 + size - 1).unwrap();
        let range = AddrRange::new(first, last).unwrap();
        let mac = MacAddr([2, 0, 0, 0, 0, 9]);
        let mut seen = vec![0; usize::from(size)];
        for addr in Sequence::new(mac, &DEFAULT_KEY, range).take(2000) {
            assert!(range.contains(addr));
            seen[usize::from(addr.index() - 1000)] += 1;
        }
        assert!(seen.iter().all(|&n| n > 0), "{}", format!("{size}: {seen:?}"));
    }
    assert_eq!(AddrRange::new(LinkLocalAddr::LAST, LinkLocalAddr::FIRST), None);
}

proptest! {
    /// The hashes that are passed over are exactly those that would favour low places.
    #[test]
    fn choice_is_exactly_uniform_at_the_edge(size in 1u16..=65_024, below in 0u64..70_000) {
        let last = LinkLocalAddr::from_index(size - 1).unwrap();
        let range = AddrRange::new(LinkLocalAddr::FIRST, last).unwrap();
        let n = u128::from(size);
        let hash = u64::MAX - below;
        let kept = u128::from(hash) < (1 << 64) - (1u128 << 64) % n;
        prop_assert_eq!(range.choose(hash).is_some(), kept);
    }
}

#[test]
fn a_range_holds_its_ends_and_what_lies_between() {
    let at = |index| LinkLocalAddr::from_index(index).unwrap();
    let range = AddrRange::new(at(10), at(20)).unwrap();
    for (index, inside) in [(9, false), (10, true), (15, true), (20, true), (21, false)] {
        assert_eq!(range.contains(at(index)), inside, "{index}");
    }
    assert_eq!(range.to_string(), "169.254.1.10-169.254.1.20");
    assert_eq!(Sequence::new(MacAddr::ZERO, &DEFAULT_KEY, range).range(), range);
}

/// 2^64 draws make one place of three too many, and none of 256.
#[test]
fn exactly_the_draws_that_would_favour_low_places_are_refused() {
    let range = |size: u16| {
        let last = LinkLocalAddr::from_index(size - 1).unwrap();
        AddrRange::new(LinkLocalAddr::FIRST, last).unwrap()
    };
    assert_eq!(range(3).choose(u64::MAX), None);
    assert_eq!(range(3).choose(u64::MAX - 1), LinkLocalAddr::from_index(2));
    assert_eq!(range(256).choose(u64::MAX), LinkLocalAddr::from_index(255));
}
