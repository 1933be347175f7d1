//! Settings that change while the engine runs: what is in use stays where it can.

use autoip_core::{
    AddrRange, Config, DEFAULT_KEY, Defend, Engine, LinkLocalAddr, Loss, Phase, Sequence, Stage,
    Timing,
};

use crate::driver::{Driver, OWN, PEER, ll, ms, reply, secs};

fn set_timing(driver: &mut Driver, timing: Timing) {
    driver.input(|engine, now| engine.set_timing(now, timing));
}

fn set_range(driver: &mut Driver, first: LinkLocalAddr, last: LinkLocalAddr) {
    let range = AddrRange::new(first, last).expect("in order");
    driver.input(|engine, now| engine.set_range(now, range));
}

#[test]
fn another_timing_leaves_an_address_in_use_alone() {
    let mut driver = Driver::bound();
    set_timing(&mut driver, Timing::FAST);
    driver.run_for(secs(60));
    assert!(driver.log.is_empty(), "{:?}", driver.log);
    assert_eq!(driver.engine.snapshot(driver.now).timing, Timing::FAST);
}

#[test]
fn another_timing_holds_for_the_next_claim() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    set_timing(&mut driver, Timing::DRAFT_07);
    driver.input(|engine, _| engine.stop(Loss::Carrier));
    driver.run_for(secs(10));
    driver.input(Engine::start);
    driver.run_to(Phase::Bound);
    assert_eq!((driver.probe_times().len(), driver.addr()), (4, addr));
}

/// A round of quick probes may not pass for the end of a careful one, nor go without the second
/// round that makes up for it.
#[test]
fn a_claim_under_way_begins_anew_with_another_timing() {
    let mut driver = Driver::started();
    let addr = driver.addr();
    driver.run_to(Phase::Listening);
    let before = driver.probe_times();
    driver.log.clear();
    set_timing(&mut driver, Timing::FAST);
    assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
    driver.run_to(Phase::Bound);
    assert_eq!((driver.addr(), driver.probe_times().len()), (addr, 3 + 3));
    assert!(driver.probe_times()[0] - before[0] >= secs(1), "claims are a second apart");
}

#[test]
fn the_same_timing_disturbs_no_claim() {
    let mut driver = Driver::started();
    driver.run_to(Phase::Probing);
    driver.log.clear();
    set_timing(&mut driver, Timing::RFC3927);
    assert_eq!((driver.log.len(), driver.stage()), (0, Stage::Claim(Phase::Probing)));
}

#[test]
fn another_policy_holds_for_the_next_conflict() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    driver.input(|engine, _| engine.set_defend(Defend::Never));
    assert!(driver.log.is_empty());
    driver.receive(&reply(PEER, addr));
    assert_eq!(driver.told(addr)[0], "remove(X Conflict)");

    let mut driver = Driver::bound_with(Config { defend: Defend::Never, ..Config::new(OWN, 1) });
    let addr = driver.addr();
    driver.input(|engine, _| engine.set_defend(Defend::Always));
    for conflict in 0..2 {
        driver.receive(&reply(PEER, addr));
        driver.run_for(secs(1));
        assert_eq!(driver.announcement_times().len(), 1, "after conflict {conflict}");
    }
    assert_ne!(driver.addr(), addr, "once, and not for good");
}

#[test]
fn an_address_within_the_new_range_stays() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    set_range(&mut driver, addr, addr);
    driver.run_for(secs(60));
    assert!(driver.log.is_empty(), "{:?}", driver.log);
}

#[test]
fn an_address_outside_the_new_range_is_given_up_for_one_inside() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    let (first, last) = (ll(10, 0), ll(10, 255));
    assert!(!(first..=last).contains(&addr));
    set_range(&mut driver, first, last);
    let inside = driver.addr();
    assert!((first..=last).contains(&inside), "{inside}");
    let sequence = Sequence::new(OWN, &DEFAULT_KEY, AddrRange::new(first, last).unwrap());
    assert!(sequence.take(3).any(|candidate| candidate == inside), "from the same sequence");
    assert_eq!(
        driver.told(addr)[..3],
        ["remove(X OutOfRange)", "listen(candidate Y)", "candidate(Y)"]
    );
    driver.run_to(Phase::Bound);
    assert_eq!(driver.addr(), inside);
}

#[test]
fn a_candidate_outside_the_new_range_is_left() {
    let mut driver = Driver::started();
    let addr = driver.addr();
    driver.run_to(Phase::Probing);
    driver.log.clear();
    set_range(&mut driver, ll(10, 0), ll(10, 255));
    assert!(driver.told(addr).iter().all(|words| !words.contains('X')), "nothing to take off");
    driver.run_to(Phase::Bound);
    assert_eq!(driver.addr().ip().octets()[2], 10);
}

/// An address remembered for the next start must lie in the range as well.
#[test]
fn a_range_holds_for_an_engine_at_rest_too() {
    let mut driver = Driver::bound();
    driver.input(|engine, _| engine.stop(Loss::Retired));
    driver.log.clear();
    set_range(&mut driver, ll(10, 0), ll(10, 255));
    driver.run_for(ms(100));
    assert!(driver.log.is_empty() && driver.engine.poll_timeout().is_none());
    driver.input(Engine::start);
    assert_eq!(driver.addr().ip().octets()[2], 10);
}

/// Somebody who asks for an address gets it tried, also where it was seen in use before.
#[test]
fn a_preferred_address_is_the_next_candidate() {
    let mut driver = Driver::started();
    let lost = driver.addr();
    driver.run_to(Phase::Listening);
    driver.receive(&reply(PEER, lost));
    driver.run_to(Phase::Bound);
    let other = driver.addr();
    assert_ne!(other, lost);
    driver.input(|engine, _| engine.prefer(lost));
    driver.run_for(secs(60));
    assert_eq!(driver.addr(), other, "it is only heeded at rest");
    driver.input(|engine, _| engine.stop(Loss::Released));
    driver.input(|engine, _| engine.prefer(lost));
    driver.input(Engine::start);
    driver.run_to(Phase::Bound);
    assert_eq!(driver.addr(), lost);
}
