//! Conflicts at every time of a claim: what counts, when, and what follows.

use autoip_core::{Config, Defend, Engine, Instant, LinkLocalAddr, MacAddr, Phase, Stage};
use autoip_wire::Frame;

use crate::driver::{
    Driver, GARBAGE, NANOSECOND, OWN, PEER, THIRD, announcement, before, elsewhere, ms, probe,
    reply, request, secs, unicast_probe, unicast_reply, zero_sender_reply,
};

type Say = fn(MacAddr, LinkLocalAddr) -> Frame;

fn request_with_sender(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    request(mac, addr, elsewhere())
}

fn request_for(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    request(mac, elsewhere(), addr)
}

/// A reply whose Ethernet source is another MAC address than its sender.
fn relayed_reply(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    let mut frame = reply(mac, addr);
    frame[6..12].copy_from_slice(&OWN.octets());
    frame
}

/// An ARP frame for `addr` from `mac` with the wrong operation (an RARP reply).
fn rarp(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    let mut frame = announcement(mac, addr);
    frame[21] = 4;
    frame
}

/// Every way of saying "I have this address".
const IN_USE: [Say; 5] = [reply, unicast_reply, request_with_sender, announcement, relayed_reply];
/// What says nothing against an address at any time.
const HARMLESS: [Say; 5] = [request_for, unicast_probe, zero_sender_reply, rarp, |_, _| GARBAGE];

/// Engines at every moment of the time in which conflicts with a candidate count: just begun,
/// and just after each probe; and 1.9 s after the last one.
fn searching() -> Vec<Driver> {
    let moment = |probes: usize, more| {
        let mut driver = Driver::started();
        for _ in 0..probes {
            driver.step();
        }
        driver.run_for(more);
        driver.log.clear();
        driver
    };
    vec![
        moment(0, ms(0)),
        moment(1, ms(0)),
        moment(2, ms(0)),
        moment(3, ms(0)),
        moment(3, ms(1900)),
    ]
}

/// Engines that have claimed: between the announcements, and long after.
fn claimed() -> Vec<Driver> {
    let mut announcing = Driver::started();
    announcing.run_to(Phase::Announcing);
    announcing.log.clear();
    let mut bound = Driver::bound();
    bound.run_for(secs(24 * 3600));
    vec![announcing, Driver::bound(), bound]
}

/// Asserts that nothing at all came of the last input.
fn assert_untouched(driver: &Driver, addr: LinkLocalAddr, before: &[(Instant, Stage)]) {
    assert!(driver.log.is_empty(), "{:?}", driver.log);
    assert_eq!(driver.engine.addr(), Some(addr));
    assert_eq!(driver.engine.snapshot(driver.now).conflicts, 0);
    assert_eq!(before, [(driver.now, driver.stage())]);
}

//= test LL-1.5-01
//= test LL-2.2.1-07
//= test LL-2.2.1-09
//= test ACD-1-01
//= test ACD-2.1.1-04
//= test ACD-2.1.1-05
#[test]
fn a_candidate_in_use_is_dropped_at_any_moment_of_the_search_however_its_owner_shows() {
    for say in IN_USE {
        for mut driver in searching() {
            let addr = driver.addr();
            driver.receive(&say(PEER, addr));
            let expected = ["contested(X InUse Dropped)", "listen(candidate Y)", "candidate(Y)"];
            assert_eq!(driver.told(addr), expected);
            let status = driver.engine.snapshot(driver.now);
            assert_eq!((status.stage, status.conflicts), (Stage::Claim(Phase::Waiting), 1));
            assert_eq!(driver.engine.counters().conflicts_in_use, 1);

            // The next claim is a whole one, from its random wait on.
            let restarted = driver.now;
            let next = driver.addr();
            driver.run_for(secs(10));
            let probes = driver.probe_times();
            assert_eq!(probes.len(), 3);
            assert!(probes[0] - restarted <= secs(1));
            assert_eq!(driver.announcement_times().len(), 2);
            assert_eq!(driver.engine.addr(), Some(next));
        }
    }
}

//= test LL-2.2.1-08
//= test ACD-1.2-03
//= test ACD-2.1.1-06
#[test]
fn a_competing_probe_drops_the_candidate_at_any_moment_of_the_search() {
    for mut driver in searching() {
        let addr = driver.addr();
        driver.receive(&probe(PEER, addr));
        let expected =
            ["contested(X CompetingProbe Dropped)", "listen(candidate Y)", "candidate(Y)"];
        assert_eq!(driver.told(addr), expected);
        assert_eq!(driver.engine.counters().conflicts_competing, 1);
    }
}

/// A clone of our MAC address, or an owner from before: while probing, no echo can look so.
//= test LL-2.2.1-07
#[test]
fn own_mac_with_the_candidate_as_sender_drops_it_while_probing() {
    for mut driver in searching() {
        let addr = driver.addr();
        driver.receive(&reply(OWN, addr));
        assert_eq!(driver.told(addr)[0], "contested(X InUse Dropped)");
    }
}

//= test LL-2.2.1-08
//= test ACD-2.1.1-07
#[test]
fn requests_unicast_probes_echoes_and_odd_frames_are_no_conflict_while_probing() {
    let own_probe: Say = |_, addr| probe(OWN, addr);
    for say in HARMLESS.into_iter().chain([own_probe]) {
        for mut driver in searching() {
            let (addr, before) = (driver.addr(), [(driver.now, driver.stage())]);
            driver.receive(&say(PEER, addr));
            assert_untouched(&driver, addr, &before);
        }
    }
}

//= test LL-2.5-01
//= test ACD-2.5-02
#[test]
fn probes_requests_echoes_and_odd_frames_are_no_conflict_once_claimed() {
    let own: [Say; 3] =
        [|_, addr| probe(OWN, addr), |_, addr| announcement(OWN, addr), |_, addr| reply(OWN, addr)];
    for say in HARMLESS.into_iter().chain(own).chain([probe as Say]) {
        for mut driver in claimed() {
            let (addr, before) = (driver.addr(), [(driver.now, driver.stage())]);
            driver.receive(&say(PEER, addr));
            driver.receive(&say(PEER, addr));
            assert_untouched(&driver, addr, &before);
        }
    }
}

#[test]
fn frames_about_other_addresses_mean_nothing_at_any_time() {
    for say in IN_USE.into_iter().chain([probe as Say]) {
        for mut driver in searching().into_iter().chain(claimed()) {
            let (addr, before) = (driver.addr(), [(driver.now, driver.stage())]);
            driver.receive(&say(PEER, elsewhere()));
            assert_untouched(&driver, addr, &before);
        }
    }
}

/// The time at which the frame was received decides, not the time at which it is handed over.
//= test LL-2.2.1-07
//= test LL-2.2.1-11
#[test]
fn the_window_closes_with_the_receive_time_two_seconds_after_the_last_probe() {
    let installing = || {
        let mut driver = Driver::started();
        driver.acknowledges = false;
        driver.run_to(Phase::Listening);
        let last_probe = driver.now;
        driver.run_to(Phase::Installing);
        driver.log.clear();
        driver.run_for(ms(5));
        (driver, last_probe + secs(2))
    };
    let told = |say: Say, past: bool| {
        let (mut driver, end) = installing();
        let at = if past { end + NANOSECOND } else { end };
        let addr = driver.addr();
        driver.input(|engine, _| engine.handle_frame(at, &say(PEER, addr)));
        driver.told(addr)
    };
    let next = ["listen(candidate Y)", "candidate(Y)"];
    for (say, past, contested) in [
        (reply as Say, false, "contested(X InUse Dropped)"),
        (reply as Say, true, "contested(X Late Dropped)"),
        (probe as Say, false, "contested(X CompetingProbe Dropped)"),
    ] {
        assert_eq!(told(say, past), [&["remove(X Conflict)", contested], &next[..]].concat());
    }
    assert!(told(probe, true).is_empty(), "the address is ours by then");
}

/// The same boundary while the timeout is still to come.
#[test]
fn the_window_closes_in_time_when_the_timeout_is_late() {
    let listening = || {
        let mut driver = Driver::started();
        driver.run_to(Phase::Listening);
        driver.log.clear();
        let end = driver.now + secs(2);
        (driver, end)
    };
    for (past, kind) in [(false, "InUse"), (true, "Late")] {
        let (mut driver, end) = listening();
        driver.now = if past { end + NANOSECOND } else { end };
        let addr = driver.addr();
        driver.receive(&reply(PEER, addr));
        assert_eq!(driver.told(addr)[0], format!("contested(X {kind} Dropped)"));
    }
    let (mut driver, end) = listening();
    driver.now = end + NANOSECOND;
    driver.receive(&probe(PEER, driver.addr()));
    assert!(driver.log.is_empty());
}

/// A probe that was already there when the first one of ours was still to come counts as well.
#[test]
fn the_window_opens_with_the_random_wait() {
    let mut driver = Driver::started();
    let addr = driver.addr();
    driver.receive(&probe(PEER, addr));
    assert!(driver.probe_times().is_empty());
    assert_ne!(driver.addr(), addr);
}

//= test LL-2.2-02
#[test]
fn an_address_contested_while_it_is_installed_goes_without_a_word() {
    let mut driver = Driver::started();
    driver.acknowledges = false;
    driver.run_to(Phase::Installing);
    let addr = driver.addr();
    driver.log.clear();
    driver.run_for(ms(1));
    driver.receive(&reply(PEER, addr));
    // An acknowledgement that was on its way is for nothing.
    driver.input(Engine::installed);
    let expected =
        ["remove(X Conflict)", "contested(X Late Dropped)", "listen(candidate Y)", "candidate(Y)"];
    assert_eq!(driver.told(addr), expected);
    assert_eq!(driver.stage(), Stage::Claim(Phase::Waiting));
}

//= test LL-2.5-02
//= test LL-2.5-05
//= test LL-2.5-06
//= test ACD-2.4-04
#[test]
fn one_conflict_is_answered_with_one_announcement_within_100_ms_and_life_goes_on() {
    let mut delays = Vec::new();
    for seed in 0..500 {
        for say in IN_USE {
            let mut driver = Driver::bound_with(Config::new(OWN, seed));
            let (addr, contested) = (driver.addr(), driver.now);
            driver.receive(&say(PEER, addr));
            assert_eq!(driver.told(addr), ["contested(X Late Defending)"]);
            driver.step();
            delays.push(driver.now - contested);
            assert_eq!(driver.told(addr), ["announce(X)", "defended(X)"]);
            driver.run_for(secs(3600));
            assert!(driver.log.is_empty());
            assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
        }
    }
    assert!(delays.iter().all(|&delay| delay <= ms(100)));
    let late = delays.iter().filter(|&&delay| delay > ms(50)).count();
    assert!((1100..1400).contains(&late), "{late} of 2500 in the second half");
}

/// The second conflict within the interval, at several distances from the first.
//= test LL-2.5-07
//= test ACD-2.4-05
#[test]
fn a_second_conflict_within_ten_seconds_ends_the_claim_at_once() {
    for gap in [ms(0), ms(1), secs(2), secs(5), ms(9500), secs(10) - NANOSECOND] {
        let mut driver = Driver::bound();
        let addr = driver.addr();
        driver.receive(&reply(PEER, addr));
        let defended = driver.deadline();
        // From the defence on, if there is one before.
        driver.run_until(if gap < ms(100) { driver.now + gap } else { defended + gap });
        driver.log.clear();
        let second = driver.now;
        driver.receive(&announcement(THIRD, addr));
        let expected = [
            (second, "remove(X Conflict)"),
            (second, "contested(X Late Ceded)"),
            (second, "listen(candidate Y)"),
            (second, "candidate(Y)"),
        ];
        assert_eq!(driver.timeline(addr), expected.map(|(at, words)| (at, words.to_owned())));
        driver.run_for(secs(20));
        assert!(driver.told(addr).iter().all(|words| !words.contains('X')), "after {gap:?}");
        assert_eq!(driver.engine.counters().ceded, 1);
    }
}

/// Two owners that discover each other in the same instant must not evict each other.
#[test]
fn a_second_conflict_during_the_random_delay_cedes_without_a_defence() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    driver.now = before(driver.deadline(), NANOSECOND);
    driver.receive(&reply(PEER, addr));
    driver.run_for(secs(1));
    assert!(driver.announcement_times().is_empty());
    assert_eq!(driver.engine.counters().defences, 0);
}

//= test LL-2.5-05
//= test ACD-1.3-02
#[test]
fn ten_seconds_after_a_defence_the_address_is_defended_again() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    let mut defences = Vec::new();
    for _ in 0..20 {
        driver.receive(&reply(PEER, addr));
        assert_eq!(driver.told(addr), ["contested(X Late Defending)"]);
        driver.step();
        defences.push(driver.now);
        driver.run_for(secs(10));
        assert_eq!(driver.told(addr), ["announce(X)", "defended(X)"]);
    }
    assert!(defences.windows(2).all(|pair| pair[1] - pair[0] >= secs(10)));
}

//= test LL-2.5-03
#[test]
fn conflicts_between_the_announcements_are_defended_and_both_announcements_still_go_out() {
    let mut driver = Driver::started();
    driver.run_to(Phase::Announcing);
    let (addr, announced) = (driver.addr(), driver.now);
    driver.log.clear();
    driver.run_for(ms(500));
    driver.receive(&reply(PEER, addr));
    driver.run_for(secs(5));
    let [defended, second] = driver.announcement_times()[..] else { panic!("{:?}", driver.log) };
    assert!(defended - announced <= ms(600));
    assert_eq!(second - announced, secs(2));
}

//= test LL-2.5-04
//= test ACD-2.4-03
#[test]
fn with_the_policy_never_the_first_conflict_ends_the_claim() {
    let mut driver = Driver::bound_with(Config { defend: Defend::Never, ..Config::new(OWN, 1) });
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    let expected =
        ["remove(X Conflict)", "contested(X Late Ceded)", "listen(candidate Y)", "candidate(Y)"];
    assert_eq!(driver.told(addr), expected);
    driver.run_for(secs(20));
    assert_eq!(driver.engine.counters().defences, 0);
}

//= test ACD-2.4-06
#[test]
fn a_link_local_address_is_never_kept_for_good() {
    let mut driver = Driver::bound_with(Config { defend: Defend::Always, ..Config::new(OWN, 1) });
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    driver.run_for(secs(1));
    driver.receive(&reply(PEER, addr));
    assert_ne!(driver.addr(), addr);
}

/// A newcomer's two announcements are two conflicts, by the letter of RFC 3927 §2.5.
//= test LL-2.5-07
#[test]
fn a_newcomer_that_announces_twice_takes_the_address() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    driver.receive(&announcement(PEER, addr));
    driver.run_for(secs(2));
    driver.receive(&announcement(PEER, addr));
    assert_ne!(driver.addr(), addr);
}
