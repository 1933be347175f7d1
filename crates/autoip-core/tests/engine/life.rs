//! What happens to the link, the interface and the address from outside.

use autoip_core::{
    Action, AddrRange, Config, Counters, DEFAULT_KEY, Engine, Loss, MacAddr, Phase, Sequence, Stage,
};
use autoip_wire::ArpPacket;

use crate::driver::{
    Driver, GARBAGE, NANOSECOND, OWN, PEER, THIRD, announcement, before, elsewhere, ll, ms, probe,
    reply, secs, unicast_probe,
};

fn stop(driver: &mut Driver, loss: Loss) {
    driver.input(|engine, _| engine.stop(loss));
}

fn set_mac(driver: &mut Driver, mac: MacAddr) {
    let sequence = Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL);
    driver.input(|engine, now| engine.set_mac(now, mac, sequence));
}

/// The sender MAC addresses of the frames in the log, without repetitions.
fn senders(driver: &Driver) -> Vec<MacAddr> {
    let packet = |action: &Action| match action {
        Action::Transmit(frame) => ArpPacket::parse(frame).ok(),
        Action::Listen(_) | Action::Install(_) | Action::Remove(..) | Action::Report(_) => None,
    };
    let packets = driver.log.iter().filter_map(|(_, action)| packet(action));
    let mut senders: Vec<MacAddr> = packets.map(|(_, packet)| packet.sender_mac).collect();
    senders.dedup();
    senders
}

//= test LL-2.2-03
//= test ACD-2.1-02
//= test DNA-2.1.1-01
//= test DNA-2.3-01
#[test]
fn when_the_carrier_returns_the_old_address_is_claimed_first_and_in_full() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    stop(&mut driver, Loss::Carrier);
    assert_eq!(driver.told(addr), ["remove(X Carrier)", "deaf"]);
    driver.run_for(secs(10));
    let returned = driver.now;
    driver.input(Engine::start);
    driver.run_for(secs(20));
    assert!(driver.probe_times()[0] - returned <= secs(1), "nothing to damp");
    let expected = [
        "listen(candidate X)",
        "candidate(X)",
        "probe(X)",
        "probe(X)",
        "probe(X)",
        "install(X)",
        "announce(X)",
        "listen(claimed X)",
        "acquired(X)",
        "announce(X)",
    ];
    assert_eq!(driver.told(addr), expected);
}

//= test LL-1.5-01
#[test]
fn an_old_address_that_somebody_took_meanwhile_is_left_to_them() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    stop(&mut driver, Loss::Carrier);
    driver.run_for(secs(10));
    driver.input(Engine::start);
    driver.run_to(Phase::Probing);
    driver.receive(&reply(PEER, addr));
    driver.run_to(Phase::Bound);
    assert_ne!(driver.addr(), addr);
}

//= test DNA-2.3-03
#[test]
fn a_stopped_engine_is_silent_and_waits_for_nothing() {
    for steps in 0..=5 {
        let mut driver = Driver::started();
        for _ in 0..steps {
            driver.step();
        }
        let addr = driver.addr();
        stop(&mut driver, Loss::Carrier);
        driver.log.clear();
        assert_eq!(driver.engine.poll_timeout(), None);
        driver.run_for(secs(3600));
        driver.input(Engine::handle_timeout);
        driver.receive(&reply(PEER, addr));
        assert!(driver.log.is_empty(), "stopped after {steps} steps");
        assert_eq!((driver.stage(), driver.engine.addr()), (Stage::Stopped, None));
        // The candidate is the first one of the next claim as well.
        driver.input(Engine::start);
        assert_eq!(driver.addr(), addr);
    }
}

#[test]
fn a_defence_that_was_pending_goes_with_the_address() {
    let mut driver = Driver::bound();
    driver.receive(&reply(PEER, driver.addr()));
    stop(&mut driver, Loss::Retired);
    driver.run_for(secs(10));
    assert!(driver.announcement_times().is_empty());
    driver.input(Engine::start);
    driver.run_to(Phase::Bound);
    assert_eq!(driver.announcement_times().len(), 2);
}

/// Five flaps in ten seconds, and twenty in one.
//= test DNA-2-01
#[test]
fn a_flapping_carrier_starts_at_most_one_claim_a_second() {
    for (flaps, period) in [(5, ms(2000)), (20, ms(50)), (200, ms(333))] {
        let mut driver = Driver::bound();
        for _ in 0..flaps {
            stop(&mut driver, Loss::Carrier);
            driver.run_for(period / 2);
            driver.input(Engine::start);
            driver.run_for(period / 2);
        }
        let last_start = before(driver.now, period / 2);
        driver.run_for(secs(20));
        let probes = driver.probe_times();
        assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= secs(1)), "{probes:?}");
        assert!(
            probes.iter().any(|&probe| { last_start <= probe && probe - last_start <= secs(2) })
        );
        assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
    }
}

//= test DNA-2-01
#[test]
fn a_candidate_that_is_passed_over_does_not_shorten_the_wait() {
    for seed in 0..50 {
        let mut driver = Driver::started_with(Config::new(OWN, seed));
        driver.step();
        let first_probe = driver.probe_times()[0];
        stop(&mut driver, Loss::Carrier);
        driver.input(Engine::start);
        let candidate = driver.addr();
        driver.input(|engine, now| engine.avoid(now, candidate));
        assert_ne!(driver.addr(), candidate);
        driver.step();
        assert!(driver.probe_times()[1] - first_probe >= secs(1), "seed {seed}");
    }
}

//= test ACD-1.3-02
#[test]
fn an_address_claimed_again_is_not_defended_sooner_than_ten_seconds_after_the_last_time() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    driver.receive(&announcement(PEER, addr));
    driver.run_for(ms(100));
    stop(&mut driver, Loss::Carrier);
    driver.input(Engine::start);
    driver.run_to(Phase::Announcing);
    assert_eq!(driver.addr(), addr);
    driver.log.clear();
    driver.receive(&announcement(PEER, addr));
    assert_eq!(driver.told(addr)[..2], ["remove(X Conflict)", "contested(X Late Ceded)"]);
}

//= test DNA-2-01
#[test]
fn a_mac_address_that_keeps_changing_starts_at_most_one_claim_a_second() {
    let mut driver = Driver::bound();
    for change in 0..50 {
        driver.run_for(ms(210));
        set_mac(&mut driver, if change % 2 == 0 { THIRD } else { OWN });
    }
    driver.run_for(secs(20));
    let probes = driver.probe_times();
    assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= secs(1)), "{probes:?}");
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
}

//= test LL-1.2-02
//= test LL-2.2-03
#[test]
fn a_new_mac_address_claims_the_same_address_anew_and_then_its_own_sequence() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    set_mac(&mut driver, THIRD);
    let expected = ["remove(X MacChanged)", "listen(candidate X)", "candidate(X)"];
    assert_eq!(driver.told(addr), expected);
    driver.run_for(secs(20));
    assert_eq!(driver.probe_times().len(), 3);
    assert_eq!(driver.announcement_times().len(), 2);
    assert_eq!(senders(&driver), [THIRD]);
    // The old MAC address is somebody else's from here on.
    driver.receive(&announcement(OWN, addr));
    driver.receive(&announcement(OWN, addr));
    let own = Sequence::new(THIRD, &DEFAULT_KEY, AddrRange::ALL).next();
    assert_eq!(driver.engine.addr(), own);
}

#[test]
fn a_mac_address_that_changes_at_rest_keeps_the_remembered_address() {
    let config = Config { first: Some(ll(20, 30)), ..Config::new(OWN, 1) };
    let mut driver = Driver::new(config);
    set_mac(&mut driver, THIRD);
    assert!(driver.log.is_empty());
    driver.input(Engine::start);
    assert_eq!(driver.addr(), ll(20, 30));
    driver.run_for(secs(20));
    assert_eq!(senders(&driver), [THIRD]);
}

#[test]
fn a_deleted_address_is_back_at_once_and_announced_five_times_in_a_row() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    for _ in 0..5 {
        let deleted = driver.now;
        driver.input(Engine::address_deleted);
        let expected = ["install(X)", "announce(X)", "listen(claimed X)", "restored(X)"];
        assert_eq!(driver.timeline(addr), expected.map(|words| (deleted, words.to_owned())));
        driver.run_for(secs(5));
        assert_eq!(driver.timeline(addr), [(deleted + secs(2), "announce(X)".to_owned())]);
    }
    driver.input(Engine::address_deleted);
    assert_eq!(driver.told(addr), ["remove(X Deleted)", "deaf", "backed-off"]);
    assert_eq!(driver.stage(), Stage::BackingOff);

    // After a minute the same address is claimed in full, and may be restored again.
    assert_eq!(driver.deadline(), driver.now + secs(60));
    driver.run_to(Phase::Bound);
    assert_eq!(driver.addr(), addr);
    assert_eq!(driver.probe_times().len(), 3);
    driver.log.clear();
    driver.input(Engine::address_deleted);
    assert_eq!(driver.told(addr)[0], "install(X)");
}

#[test]
fn a_minute_without_a_deletion_forgets_those_before_and_less_does_not() {
    for (pause, restored) in [(secs(60), 50), (secs(60) - NANOSECOND, 5)] {
        let mut driver = Driver::bound();
        let addr = driver.addr();
        let mut count = 0;
        while count < 50 {
            driver.input(Engine::address_deleted);
            if driver.told(addr)[0] != "install(X)" {
                break;
            }
            count += 1;
            driver.run_for(pause);
            driver.log.clear();
        }
        assert_eq!(count, restored, "every {pause:?}");
    }
}

#[test]
fn while_a_deleted_address_is_put_back_nothing_is_announced() {
    let mut driver = Driver::started();
    driver.run_to(Phase::Announcing);
    driver.acknowledges = false;
    let addr = driver.addr();
    driver.input(Engine::address_deleted);
    driver.log.clear();
    driver.run_for(secs(30));
    assert!(driver.log.is_empty(), "not even the second announcement");
    driver.input(Engine::installed);
    driver.run_for(secs(30));
    let expected = ["announce(X)", "listen(claimed X)", "restored(X)", "announce(X)"];
    assert_eq!(driver.told(addr), expected);
}

#[test]
fn a_conflict_while_a_deleted_address_is_put_back_cedes_it() {
    let mut driver = Driver::bound();
    driver.acknowledges = false;
    let addr = driver.addr();
    driver.input(Engine::address_deleted);
    driver.receive(&reply(PEER, addr));
    driver.input(Engine::installed);
    let expected = [
        "install(X)",
        "remove(X Conflict)",
        "contested(X Late Ceded)",
        "listen(candidate Y)",
        "candidate(Y)",
    ];
    assert_eq!(driver.told(addr), expected);
    assert_eq!(driver.engine.counters().ceded, 1);
}

#[test]
fn a_deleted_address_that_cannot_be_put_back_is_claimed_again_after_a_minute() {
    let mut driver = Driver::bound();
    driver.acknowledges = false;
    let (addr, failed) = (driver.addr(), driver.now);
    driver.input(Engine::address_deleted);
    driver.input(Engine::install_failed);
    let expected = ["install(X)", "remove(X Deleted)", "deaf", "backed-off"];
    assert_eq!(driver.told(addr), expected);
    assert_eq!(driver.deadline(), failed + secs(60));
    // What follows is a new claim, not a restored address.
    driver.acknowledges = true;
    driver.run_to(Phase::Bound);
    assert!(driver.told(addr).contains(&"acquired(X)".to_owned()));
}

#[test]
fn a_defence_that_was_pending_does_not_go_out_while_a_deleted_address_is_put_back() {
    let mut driver = Driver::bound();
    driver.acknowledges = false;
    driver.receive(&reply(PEER, driver.addr()));
    driver.input(Engine::address_deleted);
    driver.run_for(secs(1));
    assert!(driver.announcement_times().is_empty());
    // The first announcement afterwards answers the conflict as well.
    driver.input(Engine::installed);
    driver.run_for(secs(20));
    assert_eq!(driver.announcement_times().len(), 2);
}

#[test]
fn an_address_that_cannot_be_installed_is_claimed_again_after_a_minute() {
    let mut driver = Driver::started();
    driver.acknowledges = false;
    driver.run_to(Phase::Installing);
    let (addr, failed) = (driver.addr(), driver.now);
    driver.log.clear();
    driver.input(Engine::install_failed);
    assert_eq!(driver.told(addr), ["deaf", "backed-off"]);
    assert_eq!(driver.deadline(), failed + secs(60));
    driver.acknowledges = true;
    driver.run_to(Phase::Bound);
    assert_eq!(driver.addr(), addr);
    assert_eq!(driver.probe_times().len(), 3);
    assert_eq!(driver.engine.snapshot(driver.now).conflicts, 0);
}

/// Steps once and reports that the frame which came out could not be sent.
fn step_and_fail(driver: &mut Driver) {
    driver.step();
    let failed = driver.log.pop();
    assert!(matches!(failed, Some((_, Action::Transmit(_)))), "{failed:?}");
    driver.input(Engine::transmit_failed);
}

//= test LL-2.2.1-06
#[test]
fn probes_that_could_not_be_sent_are_tried_again_after_a_second_and_do_not_count() {
    for failing in 0..3 {
        let mut driver = Driver::started();
        for _ in 0..failing {
            driver.step();
        }
        for _ in 0..4 {
            step_and_fail(&mut driver);
            assert_eq!(driver.deadline(), driver.now + secs(1));
            assert_eq!(driver.stage(), Stage::Claim(Phase::Probing));
        }
        driver.run_to(Phase::Bound);
        let probes = driver.probe_times();
        assert_eq!(probes.len(), 3, "probe {failing} failed");
        assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= secs(1)));
        assert!(driver.announcement_times()[0] - probes[2] > secs(2));
        assert_eq!(driver.engine.counters().transmit_failures, 4);
    }
}

//= test LL-2.4-01
#[test]
fn announcements_that_could_not_be_sent_are_tried_again() {
    let mut driver = Driver::started();
    driver.run_to(Phase::Announcing);
    for _ in 0..3 {
        step_and_fail(&mut driver);
        assert_eq!(driver.deadline(), driver.now + secs(1));
    }
    driver.run_for(secs(20));
    assert_eq!(driver.announcement_times().len(), 2);
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
}

#[test]
fn the_first_announcement_is_tried_again_as_well() {
    let mut driver = Driver::started();
    driver.run_to(Phase::Announcing);
    driver.log.clear();
    driver.input(Engine::transmit_failed);
    let failed = driver.now;
    driver.run_for(secs(20));
    assert_eq!(driver.announcement_times(), [failed + secs(1), failed + secs(3)]);
}

//= test LL-2.5-02
#[test]
fn a_defence_that_could_not_be_sent_is_tried_again() {
    let mut driver = Driver::bound();
    driver.receive(&reply(PEER, driver.addr()));
    driver.step();
    driver.log.clear();
    driver.input(Engine::transmit_failed);
    let failed = driver.now;
    driver.run_for(secs(20));
    assert_eq!(driver.announcement_times(), [failed + secs(1)]);
}

#[test]
fn a_second_conflict_before_the_defence_is_tried_again_ends_the_claim() {
    let mut driver = Driver::bound();
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    driver.step();
    driver.input(Engine::transmit_failed);
    driver.log.clear();
    driver.run_for(ms(500));
    driver.receive(&reply(PEER, addr));
    assert_eq!(driver.told(addr)[0], "remove(X Conflict)");
    driver.run_for(secs(20));
    assert!(driver.told(addr).iter().all(|words| !words.contains('X')));
}

/// The time of the next defence runs from the last one that may have been heard.
#[test]
fn a_failed_defence_is_forgotten_while_a_deleted_address_is_put_back() {
    let mut driver = Driver::bound();
    driver.acknowledges = false;
    driver.receive(&reply(PEER, driver.addr()));
    driver.step();
    let defended = driver.now;
    driver.run_for(secs(5));
    driver.input(Engine::address_deleted);
    driver.input(Engine::transmit_failed);
    assert_eq!(driver.engine.poll_timeout(), None);
    driver.input(Engine::installed);
    driver.run_until(defended + secs(10));
    driver.log.clear();
    let addr = driver.addr();
    driver.receive(&reply(PEER, addr));
    assert_eq!(driver.told(addr), ["contested(X Late Defending)"]);
}

/// A failure that is told too late, or of a frame long gone, must not revive anything.
#[test]
fn a_failed_frame_of_a_claim_that_has_ended_changes_nothing() {
    let mut driver = Driver::bound();
    driver.receive(&reply(PEER, driver.addr()));
    driver.step();
    stop(&mut driver, Loss::Retired);
    driver.input(Engine::transmit_failed);
    assert_eq!(driver.engine.poll_timeout(), None);
    driver.input(Engine::start);
    let deadline = driver.deadline();
    driver.input(Engine::transmit_failed);
    assert_eq!((driver.stage(), driver.deadline()), (Stage::Claim(Phase::Waiting), deadline));
}

#[test]
fn an_address_announced_again_on_request_is_announced_twice() {
    let mut driver = Driver::bound();
    let asked = driver.now;
    driver.input(Engine::reannounce);
    driver.run_for(secs(20));
    assert_eq!(driver.announcement_times(), [asked, asked + secs(2)]);
    assert_eq!(driver.log.len(), 2, "nothing else comes of it");
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
}

/// Somebody who asks fifty times gets what asking once gives.
//= test LL-2.4-02
#[test]
fn announcements_that_are_asked_for_in_a_burst_keep_their_distance() {
    let mut driver = Driver::bound();
    for _ in 0..50 {
        driver.input(Engine::reannounce);
        driver.run_for(ms(10));
    }
    driver.run_for(secs(10));
    let times = driver.announcement_times();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= secs(2)), "{times:?}");
}

#[test]
fn counters_tell_the_whole_story() {
    let mut driver = Driver::started();
    driver.receive(&probe(OWN, driver.addr()));
    driver.receive(&unicast_probe(PEER, driver.addr()));
    driver.receive(&reply(PEER, driver.addr()));
    driver.receive(&probe(PEER, driver.addr()));
    driver.receive(&GARBAGE);
    driver.receive(&[]);
    driver.run_to(Phase::Bound);
    driver.receive(&announcement(OWN, driver.addr()));
    driver.receive(&probe(PEER, driver.addr()));
    driver.receive(&reply(PEER, elsewhere()));
    driver.receive(&reply(PEER, driver.addr()));
    driver.step();
    driver.input(Engine::transmit_failed);
    driver.run_for(secs(5));
    driver.receive(&reply(PEER, driver.addr()));
    let expected = Counters {
        probes: 3,
        announcements: 2,
        defences: 2,
        conflicts_in_use: 1,
        conflicts_competing: 1,
        conflicts_late: 2,
        ceded: 1,
        echoes: 2,
        unicast_probes: 1,
        frames_refused: 2,
        transmit_failures: 1,
    };
    assert_eq!(*driver.engine.counters(), expected);
}

#[test]
#[should_panic = "the actions of the last input were not taken"]
fn a_driver_that_leaves_actions_in_the_queue_is_stopped() {
    let mut driver = Driver::new(Config::new(OWN, 1));
    driver.engine.start(driver.now);
    driver.engine.handle_timeout(driver.now);
}
