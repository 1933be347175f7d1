//! What keeps an engine from flooding a hostile link: the rate limit, the denier, and addresses
//! that are not to be tried.

use autoip_core::{
    AddrRange, Config, DEFAULT_KEY, Engine, Event, Instant, LinkLocalAddr, Loss, Phase, Sequence,
    Stage, ZeroConfState,
};

use crate::driver::{Driver, NANOSECOND, OWN, PEER, THIRD, before, elsewhere, ll, ms, reply, secs};

/// Denies the candidate right after its first probe, as soon as there is one.
fn deny(driver: &mut Driver) {
    driver.run_to(Phase::Probing);
    driver.receive(&reply(PEER, driver.addr()));
}

/// Forces the address in use off: waits for the claim, then two conflicts.
fn force_off(driver: &mut Driver) {
    driver.run_to(Phase::Bound);
    driver.receive(&reply(PEER, driver.addr()));
    driver.run_for(secs(1));
    driver.receive(&reply(PEER, driver.addr()));
}

fn conflicts(driver: &Driver) -> u8 {
    driver.engine.snapshot(driver.now).conflicts
}

/// When the first probe of each candidate went out.
fn first_probes(driver: &Driver) -> Vec<Instant> {
    let candidates = driver.event_times(|event| matches!(event, Event::Candidate(_)));
    let probes = driver.probe_times();
    let first = |begun: &Instant| probes.iter().copied().find(|probe| probe >= begun);
    candidates.iter().filter_map(first).collect()
}

fn gaps(times: &[Instant]) -> Vec<std::time::Duration> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn assert_all_different(mut addrs: Vec<LinkLocalAddr>) {
    let count = addrs.len();
    addrs.sort_unstable();
    addrs.dedup();
    assert_eq!(addrs.len(), count, "a candidate came twice");
}

//= test LL-2.2.1-09
//= test LL-2.2.1-10
//= test ACD-2.1.1-08
//= test LL-5-03
#[test]
fn after_ten_conflicts_new_candidates_are_a_minute_apart_and_always_others() {
    let mut driver = Driver::started();
    for denied in 1..=9 {
        deny(&mut driver);
        assert_eq!(conflicts(&driver), denied);
        assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting), "the next one follows at once");
    }
    for denied in 10..=16 {
        let first_probe = driver.deadline();
        deny(&mut driver);
        assert_eq!(conflicts(&driver), denied);
        assert_eq!(driver.stage(), Stage::BackingOff);
        assert_eq!(driver.deadline(), first_probe + secs(60));
        let status = driver.engine.snapshot(driver.now);
        assert_eq!((status.state, status.addr), (ZeroConfState::Probing, None));
        driver.step();
        assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
    }
}

/// A probe that could not be sent is none: the minute runs from the one that went out.
//= test ACD-2.1.1-08
#[test]
fn the_limit_counts_from_a_first_probe_that_went_out() {
    let mut driver = Driver::started();
    for _ in 0..9 {
        deny(&mut driver);
    }
    driver.step();
    for _ in 0..59 {
        driver.input(Engine::transmit_failed);
        driver.step();
    }
    let sent_at = driver.now;
    driver.receive(&reply(PEER, driver.addr()));
    assert_eq!((driver.stage(), driver.deadline()), (Stage::BackingOff, sent_at + secs(60)));
}

//= test LL-2.2.1-10
//= test ACD-2.1.1-08
#[test]
fn first_probes_of_new_candidates_keep_the_distance() {
    let mut driver = Driver::started();
    for _ in 0..20 {
        deny(&mut driver);
    }
    let gaps = gaps(&first_probes(&driver));
    assert!(gaps[..9].iter().all(|&gap| gap <= secs(1)), "{gaps:?}");
    assert!(gaps[9..].iter().all(|&gap| secs(60) <= gap && gap <= secs(61)), "{gaps:?}");
    assert_all_different(driver.candidates());
}

/// Every claim succeeds and is then forced off with two conflicts.
//= test ACD-2.1.1-09
//= test LL-5-03
#[test]
fn late_conflicts_count_and_a_bind_does_not_forget_them() {
    let mut driver = Driver::started();
    for forced in 1..=5 {
        force_off(&mut driver);
        assert_eq!(conflicts(&driver), 2 * forced);
    }
    for _ in 0..5 {
        assert_eq!(driver.stage(), Stage::BackingOff);
        force_off(&mut driver);
    }
    let gaps = gaps(&first_probes(&driver));
    assert!(gaps[..4].iter().all(|&gap| gap < secs(15)), "{gaps:?}");
    assert!(gaps[4..].iter().all(|&gap| gap >= secs(60)), "{gaps:?}");
    assert_all_different(driver.candidates());
}

#[test]
fn an_attempt_that_is_older_than_the_limit_needs_no_wait() {
    let mut driver = Driver::started();
    for _ in 0..9 {
        deny(&mut driver);
    }
    driver.run_to(Phase::Bound);
    driver.run_for(secs(300));
    force_off(&mut driver);
    assert_eq!(conflicts(&driver), 11, "nothing was forgotten by the bind");
    assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting), "five minutes are enough");
    deny(&mut driver);
    assert_eq!(driver.stage(), Stage::BackingOff);
}

#[test]
fn an_attempt_that_is_exactly_a_minute_old_needs_no_wait() {
    for (age, stage) in
        [(secs(60) - NANOSECOND, Stage::BackingOff), (secs(60), Stage::Claim(Phase::Waiting))]
    {
        let mut driver = Driver::started();
        for _ in 0..9 {
            deny(&mut driver);
        }
        driver.run_to(Phase::Probing);
        driver.acknowledges = false;
        driver.run_for(age);
        driver.receive(&reply(PEER, driver.addr()));
        assert_eq!(driver.stage(), stage, "after {age:?}");
    }
}

#[test]
fn conflicts_are_forgotten_after_ten_quiet_minutes_and_not_before() {
    for (quiet, count) in [(secs(600) - NANOSECOND, 10), (secs(600), 1)] {
        let mut driver = Driver::started();
        for _ in 0..9 {
            deny(&mut driver);
        }
        driver.run_for(quiet);
        driver.receive(&reply(PEER, driver.addr()));
        assert_eq!(conflicts(&driver), count, "after {quiet:?}");
    }
}

/// A frame that is read late is older than what has happened since; the limit must not be.
#[test]
fn a_conflict_that_is_read_late_does_not_shorten_the_limit() {
    let mut driver = Driver::started();
    for _ in 0..8 {
        deny(&mut driver);
    }
    driver.run_to(Phase::Probing);
    let first_probe = driver.now;
    let old = before(first_probe, ms(500));
    for _ in 0..2 {
        let addr = driver.addr();
        driver.input(|engine, _| engine.handle_frame(old, &reply(PEER, addr)));
    }
    assert_eq!(conflicts(&driver), 10);
    assert_eq!(driver.deadline(), first_probe + secs(60));
}

#[test]
fn status_forgets_conflicts_and_the_denier_in_time() {
    let mut driver = Driver::started();
    for _ in 0..5 {
        deny(&mut driver);
    }
    let last = driver.now;
    driver.run_to(Phase::Bound);
    let status = |driver: &Driver, at| {
        let status = driver.engine.snapshot(at);
        (status.conflicts, status.denier)
    };
    assert_eq!(status(&driver, last + (secs(600) - NANOSECOND)), (5, Some(PEER)));
    assert_eq!(status(&driver, last + secs(600)), (0, None));
}

#[test]
fn conflicts_are_forgotten_with_the_carrier_and_with_nothing_else() {
    for (loss, forgets) in [(Loss::Carrier, true), (Loss::Retired, false), (Loss::Stopped, false)] {
        let mut driver = Driver::started();
        for _ in 0..10 {
            deny(&mut driver);
        }
        let until = driver.deadline();
        driver.input(|engine, _| engine.stop(loss));
        driver.run_for(secs(5));
        driver.input(Engine::start);
        if forgets {
            assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting), "after {loss:?}");
            assert_eq!(conflicts(&driver), 0);
        } else {
            assert_eq!(driver.stage(), Stage::BackingOff, "after {loss:?}");
            assert_eq!(driver.deadline(), until);
        }
    }
}

/// The link that comes up next may be another one, on which nobody has them.
#[test]
fn addresses_seen_in_use_are_forgotten_with_the_carrier_and_with_nothing_else() {
    for (loss, forgets) in [(Loss::Carrier, true), (Loss::Retired, false), (Loss::Stopped, false)] {
        let mut driver = Driver::started();
        let mut sequence = Config::new(OWN, 1).sequence;
        let [_, second, third] = [(); 3].map(|()| sequence.next().expect("it has no end"));
        driver.input(|engine, now| engine.avoid(now, second));
        driver.input(|engine, _| engine.stop(loss));
        driver.run_for(secs(5));
        driver.input(Engine::start);
        deny(&mut driver);
        assert_eq!(driver.addr(), if forgets { second } else { third }, "after {loss:?}");
    }
}

//= test LL-5-03
#[test]
fn one_mac_that_denies_everything_is_named_at_the_third_denial_and_once() {
    let mut driver = Driver::started();
    for denied in 1..=8 {
        deny(&mut driver);
        let named = (denied >= 3).then_some(PEER);
        assert_eq!(driver.engine.snapshot(driver.now).denier, named, "denial {denied}");
        let reports = driver.event_times(|event| *event == Event::Denier(PEER));
        assert_eq!(reports.len(), usize::from(denied >= 3));
    }
    // It also tells the order: the denial, its author, what comes next.
    let mut driver = Driver::started();
    deny(&mut driver);
    deny(&mut driver);
    driver.run_to(Phase::Probing);
    driver.log.clear();
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    let expected = [
        "contested(X InUse Dropped)",
        "denier(02:00:00:00:00:02)",
        "listen(candidate Y)",
        "candidate(Y)",
    ];
    assert_eq!(driver.told(addr), expected);
}

#[test]
fn owners_that_deny_one_candidate_each_are_no_deniers() {
    let mut driver = Driver::started();
    for denied in 0..8 {
        let owner = if denied % 2 == 0 { PEER } else { THIRD };
        driver.receive(&reply(owner, driver.addr()));
    }
    assert_eq!(driver.engine.snapshot(driver.now).denier, None);
    assert!(driver.event_times(|event| matches!(event, Event::Denier(_))).is_empty());
}

#[test]
fn a_denier_is_forgotten_with_the_carrier() {
    let mut driver = Driver::started();
    for _ in 0..3 {
        deny(&mut driver);
    }
    driver.input(|engine, _| engine.stop(Loss::Carrier));
    assert_eq!(driver.engine.snapshot(driver.now).denier, None);
}

/// Two denials of ten minutes ago do not make the next one the third.
#[test]
fn denials_of_long_ago_make_no_denier() {
    let mut driver = Driver::started();
    for _ in 0..2 {
        deny(&mut driver);
    }
    driver.run_for(secs(600));
    force_off(&mut driver);
    deny(&mut driver);
    assert_eq!(driver.engine.snapshot(driver.now).denier, None, "two in a row since then");
    assert!(driver.event_times(|event| matches!(event, Event::Denier(_))).is_empty());
    deny(&mut driver);
    assert_eq!(driver.engine.snapshot(driver.now).denier, Some(PEER));
}

/// The first two candidates of `sequence`.
fn candidates(mut sequence: Sequence) -> [LinkLocalAddr; 2] {
    [(); 2].map(|()| sequence.next().expect("it has no end"))
}

//= test LL-3.4-03
#[test]
fn a_candidate_that_a_sibling_holds_is_passed_over_and_counts_as_no_conflict() {
    for steps in 0..=3 {
        let mut driver = Driver::started();
        for _ in 0..steps {
            driver.step();
        }
        driver.log.clear();
        let addr = driver.addr();
        driver.input(|engine, now| engine.avoid(now, addr));
        assert_eq!(driver.told(addr), ["listen(candidate Y)", "candidate(Y)"]);
        assert_eq!(conflicts(&driver), 0);
        driver.run_to(Phase::Bound);
        assert_ne!(driver.addr(), addr);
    }
}

#[test]
fn an_address_to_avoid_is_not_even_the_first_candidate() {
    let remembered = ll(20, 30);
    let config = Config { first: Some(remembered), ..Config::new(OWN, 1) };
    let [first, expected] = candidates(config.sequence);
    let mut driver = Driver::new(config);
    driver.input(|engine, now| engine.avoid(now, remembered));
    driver.input(|engine, now| engine.avoid(now, first));
    driver.input(Engine::start);
    assert_eq!(driver.addr(), expected);
}

#[test]
fn an_address_in_use_or_on_its_way_there_stays_when_it_is_to_be_avoided() {
    let mut driver = Driver::started();
    driver.acknowledges = false;
    driver.run_to(Phase::Installing);
    let addr = driver.addr();
    driver.input(|engine, now| engine.avoid(now, addr));
    driver.input(Engine::installed);
    driver.input(|engine, now| engine.avoid(now, addr));
    assert_eq!(driver.engine.addr(), Some(addr));
    // But it is not the first candidate of the next claim.
    driver.input(|engine, _| engine.stop(Loss::Retired));
    driver.input(Engine::start);
    assert_ne!(driver.addr(), addr);
}

/// With two addresses to choose from, the one just denied must not come up again.
#[test]
fn a_denied_address_is_not_drawn_again_while_there_is_another() {
    let range = AddrRange::new(ll(7, 1), ll(7, 2)).expect("a range");
    for first in 0..64 {
        let mut sequence = Sequence::new(OWN, &DEFAULT_KEY, range);
        sequence.nth(first);
        let mut driver = Driver::started_with(Config { sequence, ..Config::new(OWN, 1) });
        let addr = driver.addr();
        deny(&mut driver);
        assert_ne!(driver.addr(), addr);
        // With both in use there is no better choice, and still no end.
        deny(&mut driver);
        assert!(range.contains(driver.addr()));
    }
}

#[test]
fn after_64_refusals_in_a_row_the_engine_rests_for_a_minute() {
    let mut driver = Driver::started();
    for _ in 0..63 {
        driver.input(|engine, now| engine.avoid(now, engine.addr().unwrap_or(elsewhere())));
        assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
    }
    driver.log.clear();
    let addr = driver.addr();
    driver.input(|engine, now| engine.avoid(now, addr));
    assert_eq!(driver.told(addr), ["deaf", "backed-off"]);
    assert_eq!(driver.deadline(), driver.now + secs(60));
    driver.step();
    assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
    assert_eq!(conflicts(&driver), 0);
}

/// It costs a minute for every 64 refusals, not for every one after the first 64.
#[test]
fn after_the_rest_refusals_count_anew() {
    let mut driver = Driver::started();
    for _ in 0..3 {
        for _ in 0..63 {
            driver.input(|engine, now| engine.avoid(now, engine.addr().unwrap_or(elsewhere())));
            assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
        }
        driver.input(|engine, now| engine.avoid(now, engine.addr().unwrap_or(elsewhere())));
        assert_eq!(driver.stage(), Stage::BackingOff);
        driver.step();
    }
}

/// Nothing was on the link for a candidate that was refused at once, so nothing is to be limited.
#[test]
fn a_refused_candidate_costs_no_minute_under_the_limit() {
    let mut driver = Driver::started();
    for _ in 0..10 {
        deny(&mut driver);
    }
    driver.step();
    for _ in 0..10 {
        driver.input(|engine, now| engine.avoid(now, engine.addr().unwrap_or(elsewhere())));
        assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
    }
    // One that was probed has used up its minute.
    driver.step();
    let first_probe = driver.now;
    driver.input(|engine, now| engine.avoid(now, engine.addr().unwrap_or(elsewhere())));
    assert_eq!(driver.stage(), Stage::BackingOff);
    assert_eq!(driver.deadline(), first_probe + secs(60));
}

#[test]
fn refusals_count_only_until_a_candidate_is_probed() {
    let mut driver = Driver::started();
    for refusal in 0..200 {
        if refusal % 50 == 0 {
            driver.run_to(Phase::Probing);
            driver.run_for(ms(1));
        }
        driver.input(|engine, now| engine.avoid(now, engine.addr().unwrap_or(elsewhere())));
        assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting), "refusal {refusal}");
    }
}
