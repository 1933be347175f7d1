//! Timing profiles other than RFC 3927's.

use std::num::NonZeroU8;
use std::time::Duration;

use autoip_core::{Config, Engine, Instant, Phase, Stage, Timing};

use crate::driver::{Driver, NANOSECOND, OWN, PEER, START, ms, probe, reply, secs};

fn with(timing: Timing, seed: u64) -> Config {
    Config { timing, ..Config::new(OWN, seed) }
}

#[test]
fn draft_07_sends_four_probes_two_seconds_apart() {
    for seed in 0..200 {
        let mut driver = Driver::started_with(with(Timing::DRAFT_07, seed));
        driver.run_for(secs(30));
        let probes = driver.probe_times();
        assert_eq!(probes.len(), 4);
        assert!(probes[0] - START <= secs(2));
        assert!(probes.windows(2).all(|pair| pair[1] - pair[0] == secs(2)));
        let announced = driver.announcement_times();
        assert_eq!(announced.len(), 2);
        assert_eq!(announced[0] - probes[3], secs(2) + NANOSECOND);
        assert!((secs(8)..=secs(10) + NANOSECOND).contains(&(announced[0] - START)));
        assert!(!driver.engine.snapshot(driver.now).timing.is_rfc3927());
    }
}

//= test LL-2.3-01
#[test]
fn fast_is_usable_within_200_ms_and_then_probes_a_full_round_while_in_use() {
    for seed in 0..200 {
        let mut driver = Driver::started_with(with(Timing::FAST, seed));
        driver.run_for(secs(30));
        let (probes, announced) = (driver.probe_times(), driver.announcement_times());
        assert_eq!((probes.len(), announced.len()), (3 + 3, 2));
        assert!(announced[0] - START <= ms(200));
        assert_eq!(announced[1] - announced[0], secs(2));
        assert!(probes[3] - announced[1] <= secs(1));
        for pair in probes[3..].windows(2) {
            assert!((secs(1)..=secs(2)).contains(&(pair[1] - pair[0])));
        }
        assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
        assert!(!driver.engine.snapshot(driver.now).timing.is_rfc3927());
    }
}

/// A driver in the second round, after so many of its probes.
fn verifying(probes: usize) -> Driver {
    let mut driver = Driver::started_with(with(Timing::FAST, 1));
    driver.run_to(Phase::Verifying);
    for _ in 0..probes {
        driver.step();
    }
    driver.run_for(ms(1));
    driver.log.clear();
    driver
}

#[test]
fn an_owner_found_in_the_second_round_gets_the_address_at_once() {
    for probes in 0..=3 {
        let mut driver = verifying(probes);
        let (addr, found) = (driver.addr(), driver.now);
        driver.receive(&reply(PEER, addr));
        let expected = [
            "remove(X Conflict)",
            "contested(X Late Ceded)",
            "listen(candidate Y)",
            "candidate(Y)",
        ];
        assert_eq!(driver.timeline(addr), expected.map(|words| (found, words.to_owned())));
    }
}

#[test]
fn the_second_round_listens_two_seconds_after_its_last_probe() {
    let mut driver = verifying(3);
    driver.run_for(secs(2) - ms(2));
    assert_eq!(driver.stage(), Stage::Claim(Phase::Verifying));
    driver.run_for(ms(2));
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
    driver.receive(&reply(PEER, driver.addr()));
    assert_eq!(driver.told(driver.addr()), ["contested(X Late Defending)"]);
}

#[test]
fn a_probe_of_a_newcomer_in_the_second_round_is_no_conflict() {
    let mut driver = verifying(1);
    driver.receive(&probe(PEER, driver.addr()));
    assert!(driver.log.is_empty());
}

/// Until the second round is over the address is in doubt, whatever it is just doing.
#[test]
fn an_owner_found_between_the_announcements_gets_the_address_at_once() {
    let mut driver = Driver::started_with(with(Timing::FAST, 1));
    driver.run_to(Phase::Announcing);
    driver.log.clear();
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    assert_eq!(driver.told(addr)[..2], ["remove(X Conflict)", "contested(X Late Ceded)"]);
}

#[test]
fn failed_frames_around_the_second_round_are_tried_again_as_what_they_were() {
    let mut driver = Driver::started_with(with(Timing::FAST, 1));
    driver.run_to(Phase::Verifying);
    driver.log.clear();
    // The second announcement fails, and then every probe of the round, once each.
    let addr = driver.addr();
    for again in ["announce(X)", "probe(X)", "probe(X)", "probe(X)"] {
        driver.input(Engine::transmit_failed);
        let failed = driver.now;
        driver.step();
        assert_eq!(driver.timeline(addr), [(failed + secs(1), again.to_owned())]);
        driver.step();
        driver.log.clear();
    }
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
}

#[test]
fn the_second_round_comes_once_in_a_claim() {
    let mut driver = Driver::started_with(with(Timing::FAST, 1));
    driver.run_to(Phase::Bound);
    driver.log.clear();
    driver.input(Engine::reannounce);
    driver.run_for(secs(30));
    driver.input(Engine::address_deleted);
    driver.run_for(secs(30));
    assert_eq!(driver.announcement_times().len(), 4);
    assert!(driver.probe_times().is_empty());
}

#[test]
fn announcing_again_during_the_second_round_begins_it_anew() {
    let mut driver = verifying(2);
    driver.input(Engine::reannounce);
    driver.run_for(secs(30));
    assert_eq!((driver.announcement_times().len(), driver.probe_times().len()), (2, 3));
}

/// The option for a single probe and hardly any wait.
#[test]
fn a_single_probe_and_a_single_announcement_make_a_claim_too() {
    let timing = Timing {
        probe_wait_ms: 0,
        probe_count: NonZeroU8::MIN,
        probe_min_ms: 300,
        probe_max_ms: 200,
        announce_wait_ms: 200,
        announce_count: NonZeroU8::MIN,
        ..Timing::RFC3927
    };
    let mut driver = Driver::started_with(with(timing, 1));
    driver.run_for(secs(10));
    assert_eq!(driver.probe_times(), [START]);
    assert_eq!(driver.announcement_times(), [START + ms(200) + NANOSECOND]);
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
}

#[test]
fn the_shortest_gap_holds_where_the_longest_is_shorter() {
    let timing = Timing { probe_min_ms: 300, probe_max_ms: 200, ..Timing::RFC3927 };
    let mut driver = Driver::started_with(with(timing, 1));
    driver.run_to(Phase::Listening);
    let gap = |pair: &[Instant]| pair[1] - pair[0];
    let gaps: Vec<Duration> = driver.probe_times().windows(2).map(gap).collect();
    assert_eq!(gaps, [ms(300), ms(300)]);
}

/// Nothing waits and everything is counted to its end: a profile of zeros still makes progress.
#[test]
fn a_profile_of_zeros_ends_as_well() {
    let timing = Timing {
        probe_wait_ms: 0,
        probe_count: NonZeroU8::MAX,
        probe_min_ms: 0,
        probe_max_ms: 0,
        announce_wait_ms: 0,
        announce_count: NonZeroU8::MAX,
        announce_interval_ms: 0,
        second_round: false,
    };
    let mut driver = Driver::new(with(timing, 1));
    driver.input(Engine::start);
    driver.run_for(NANOSECOND);
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
    assert_eq!(driver.probe_times().len(), 255);
    assert_eq!(driver.announcement_times().len(), 255);
}
