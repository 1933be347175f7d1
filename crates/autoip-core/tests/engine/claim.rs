//! A claim on a quiet link: counts, spacing, bytes, and what status says on the way.

use std::time::Duration;

use autoip_core::{
    Action, AddrRange, Config, DEFAULT_KEY, Engine, Instant, LinkLocalAddr, Phase, Sequence, Stage,
};
use autoip_wire::Frame;

use crate::driver::{Driver, NANOSECOND, OWN, PEER, START, before, ll, ms, reply, secs};

/// The deadlines of a claim on a quiet link: three probes, the end of listening, the second
/// announcement.
fn deadlines(seed: u64) -> [Instant; 5] {
    let mut driver = Driver::started_with(Config::new(OWN, seed));
    let deadlines = [(); 5].map(|()| {
        driver.step();
        driver.now
    });
    assert_eq!(driver.engine.poll_timeout(), None);
    deadlines
}

//= test LL-1.2-04
//= test LL-2.2.1-02
//= test LL-2.2.1-04
//= test LL-2.2.1-11
//= test LL-2.4-01
//= test LL-2.4-02
//= test ACD-2.1.1-10
//= test ACD-2.3-01
//= test ACD-2.3-02
//= test ACD-2.3-03
#[test]
fn clean_claim_is_three_probes_two_seconds_of_silence_and_two_announcements() {
    let [first, second, third, claimed, announced] = deadlines(1);
    let mut driver = Driver::started();
    let addr = driver.addr();
    driver.run_for(secs(60));
    let expected = [
        (START, "listen(candidate X)"),
        (START, "candidate(X)"),
        (first, "probe(X)"),
        (second, "probe(X)"),
        (third, "probe(X)"),
        (claimed, "install(X)"),
        (claimed, "announce(X)"),
        (claimed, "listen(claimed X)"),
        (claimed, "acquired(X)"),
        (announced, "announce(X)"),
    ];
    assert_eq!(driver.timeline(addr), expected.map(|(at, words)| (at, words.to_owned())));
    assert_eq!(claimed - third, secs(2) + NANOSECOND, "the last instant still counts");
    assert_eq!(announced - claimed, secs(2));
}

//= test LL-1.2-01
//= test LL-1.2-02
//= test LL-1.2-03
//= test LL-1.2-05
//= test LL-2.2.1-01
//= test LL-2.2.1-03
//= test LL-2.4-03
//= test ACD-1.1-01
//= test ACD-1.1-02
//= test ACD-1.1-03
//= test ACD-1.1-04
//= test ACD-1.1-05
//= test ACD-2.1.1-01
//= test ACD-3-01
#[test]
fn frames_of_a_claim_have_exactly_these_bytes() {
    let config = Config { first: Some(ll(20, 30)), ..Config::new(OWN, 1) };
    let mut driver = Driver::started_with(config);
    driver.run_for(secs(10));
    let probe: Frame = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 1, 0x08, 0x06, // to everybody
        0, 1, 8, 0, 6, 4, 0, 1, // a request for IPv4 over Ethernet
        0x02, 0, 0, 0, 0, 1, 0, 0, 0, 0, // sender: the own MAC address, no IPv4 address
        0, 0, 0, 0, 0, 0, 169, 254, 20, 30, // target: the candidate
    ];
    let mut announcement = probe;
    announcement[28..32].copy_from_slice(&[169, 254, 20, 30]);
    let frame = |&(_, action): &(Instant, Action)| match action {
        Action::Transmit(frame) => Some(frame),
        Action::Listen(_) | Action::Install(_) | Action::Remove(..) | Action::Report(_) => None,
    };
    let frames: Vec<Frame> = driver.log.iter().filter_map(frame).collect();
    assert_eq!(frames, [probe, probe, probe, announcement, announcement]);
}

/// Whether `waits` fill `from` to `to` evenly: ten bins, none further than a fifth off.
fn assert_uniform(name: &str, waits: &[Duration], from: Duration, to: Duration) {
    let width = (to - from) / 10;
    for bin in 0..10 {
        let (low, high) = (from + width * bin, from + width * (bin + 1));
        let count = waits.iter().filter(|&&wait| low <= wait && wait < high).count();
        assert!((320..480).contains(&count), "{name}: {count} of 4000 from {low:?} to {high:?}");
    }
    let inside = |&wait: &Duration| from <= wait && wait <= to;
    assert!(waits.iter().all(inside), "{name} leaves {from:?} to {to:?}");
}

//= test LL-2.2.1-05
//= test LL-2.2.1-06
//= test LL-2.3-01
//= test ACD-2.1.1-02
//= test ACD-2.1.1-03
#[test]
fn waits_are_uniform_and_an_address_is_usable_after_4_to_7_seconds_and_5_5_on_average() {
    let claims: Vec<[Instant; 5]> = (0..4000).map(deadlines).collect();
    let between = |from: usize, to: usize| -> Vec<Duration> {
        claims.iter().map(|claim| claim[to] - claim[from]).collect()
    };
    let first: Vec<Duration> = claims.iter().map(|claim| claim[0] - START).collect();
    assert_uniform("first wait", &first, Duration::ZERO, secs(1));
    assert_uniform("first gap", &between(0, 1), secs(1), secs(2));
    assert_uniform("second gap", &between(1, 2), secs(1), secs(2));
    // Independent gaps: their products average to the product of the averages.
    let product = |claim: &[Instant; 5]| {
        (claim[1] - claim[0]).as_secs_f64() * (claim[2] - claim[1]).as_secs_f64()
    };
    let mean = claims.iter().map(product).sum::<f64>() / 4000.0;
    assert!((mean - 2.25).abs() < 0.03, "{mean}");

    let usable: Vec<Duration> = claims.iter().map(|claim| claim[3] - START).collect();
    assert!(usable.iter().all(|&wait| secs(4) <= wait && wait <= secs(7) + NANOSECOND));
    let mean = usable.iter().sum::<Duration>() / 4000;
    assert!(ms(5450) < mean && mean < ms(5550), "{mean:?}");
}

/// The same seed gives the same instants on every machine and in every version.
#[test]
fn seed_one_waits_exactly_this_long() {
    let nanos = deadlines(1).map(|at| (at - START).as_nanos());
    assert_eq!(nanos, [491_164_442, 1_560_201_984, 2_720_834_052, 4_720_834_053, 6_720_834_053]);
}

//= test LL-2.2-01
//= test LL-2.2-02
//= test ACD-2.5-01
#[test]
fn nothing_is_announced_before_the_address_is_on_the_interface() {
    let mut driver = Driver::started();
    driver.acknowledges = false;
    driver.run_to(Phase::Installing);
    let addr = driver.addr();
    assert_eq!(driver.engine.poll_timeout(), None, "only the driver can go on");
    driver.run_for(secs(30));
    driver.input(Engine::handle_timeout);
    assert!(driver.announcement_times().is_empty());

    driver.log.clear();
    driver.input(Engine::installed);
    assert_eq!(driver.told(addr), ["announce(X)", "listen(claimed X)", "acquired(X)"]);
    driver.input(Engine::installed);
    assert!(driver.log.is_empty(), "a second acknowledgement says nothing new");
}

//= test LL-2.2-04
//= test LL-4-01
//= test ACD-2.1-03
#[test]
fn an_address_in_use_has_no_timer() {
    let mut driver = Driver::bound();
    assert_eq!(driver.engine.poll_timeout(), None);
    for _ in 0..24 {
        driver.run_for(secs(3600));
        driver.input(Engine::handle_timeout);
    }
    assert!(driver.log.is_empty());
}

//= test LL-2.1-04
#[test]
fn candidates_are_those_of_the_sequence_in_order() {
    let mut driver = Driver::started();
    for _ in 0..8 {
        driver.receive(&reply(PEER, driver.addr()));
    }
    let sequence = Sequence::new(OWN, &DEFAULT_KEY, AddrRange::ALL);
    assert_eq!(driver.candidates(), sequence.take(9).collect::<Vec<_>>());
}

//= test LL-2.1-07
#[test]
fn a_remembered_address_is_the_first_candidate_and_the_sequence_follows() {
    let first = ll(20, 30);
    let mut driver = Driver::started_with(Config { first: Some(first), ..Config::new(OWN, 1) });
    driver.receive(&reply(PEER, first));
    driver.receive(&reply(PEER, driver.addr()));
    let sequence = Sequence::new(OWN, &DEFAULT_KEY, AddrRange::ALL);
    let expected: Vec<LinkLocalAddr> = [first].into_iter().chain(sequence.take(2)).collect();
    assert_eq!(driver.candidates(), expected);
}

#[test]
fn timeouts_called_too_early_change_nothing() {
    let mut driver = Driver::started();
    while driver.stage() != Stage::Claim(Phase::Bound) {
        let deadline = driver.deadline();
        for early in [driver.now, before(deadline, NANOSECOND)] {
            driver.now = early.max(driver.now);
            driver.input(Engine::handle_timeout);
        }
        driver.step();
    }
    let mut punctual = Driver::started();
    punctual.run_to(Phase::Bound);
    assert_eq!(driver.log, punctual.log);
}

#[test]
fn timeouts_called_late_delay_the_claim_and_shorten_nothing() {
    let mut driver = Driver::started();
    while driver.stage() != Stage::Claim(Phase::Bound) {
        driver.now = driver.deadline() + ms(1700);
        driver.input(Engine::handle_timeout);
    }
    let [first, second, third] = driver.probe_times()[..] else { panic!("three probes") };
    let [announced, again] = driver.announcement_times()[..] else { panic!("two announcements") };
    assert!(second - first >= secs(1) + ms(1700) && third - second >= secs(1) + ms(1700));
    assert_eq!(announced - third, secs(2) + NANOSECOND + ms(1700));
    assert_eq!(again - announced, secs(2) + ms(1700));
}

#[test]
fn status_names_and_numbers_every_stage() {
    let mut driver = Driver::new(Config::new(OWN, 1));
    driver.acknowledges = false;
    let mut seen = Vec::new();
    let mut look = |driver: &Driver| {
        let status = driver.engine.snapshot(driver.now);
        assert_eq!(status.deadline, driver.engine.poll_timeout());
        assert_eq!(status.addr, driver.engine.addr());
        assert!(status.timing.is_rfc3927());
        seen.push(format!("{} {} {}", status.state.number(), status.state, status.stage));
    };
    look(&driver);
    driver.input(Engine::start);
    for phase in [Phase::Waiting, Phase::Probing, Phase::Listening, Phase::Installing] {
        driver.run_to(phase);
        look(&driver);
    }
    driver.input(Engine::installed);
    look(&driver);
    driver.run_to(Phase::Bound);
    look(&driver);
    driver.receive(&reply(PEER, driver.addr()));
    look(&driver);
    driver.step();
    look(&driver);
    let defended = driver.now;
    driver.now = before(defended + secs(10), NANOSECOND);
    look(&driver);
    driver.now = defended + secs(10);
    look(&driver);
    let expected = [
        "0 idle stopped",
        "1 probing waiting",
        "1 probing probing",
        "1 probing listening",
        "1 probing installing",
        "2 announcing announcing",
        "3 configured bound",
        "4 defending bound",
        "4 defending bound",
        "4 defending bound",
        "3 configured bound",
    ];
    assert_eq!(seen, expected);
    assert_eq!(driver.stage(), Stage::Claim(Phase::Bound));
}
