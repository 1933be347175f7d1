//! The detector for itself, over addresses that are not link-local: as a router, or beside a
//! DHCP client, would use it.

use std::net::Ipv4Addr;

use autoip_core::{
    Acd, AcdEvent, ConflictKind, Contest, Defend, Instant, Outcome, Phase, Step, Timing,
};
use autoip_wire::{ArpPacket, Frame};

use crate::driver::{NANOSECOND, OWN, PEER, START, before, ms, secs};

const ADDR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

fn acd(defend: Defend) -> Acd {
    Acd::new(OWN, Timing::RFC3927, defend, 1)
}

fn watching(defend: Defend) -> Acd {
    let mut acd = acd(defend);
    acd.watch(ADDR);
    acd
}

fn claim() -> Frame {
    ArpPacket::announcement(PEER, ADDR).to_broadcast()
}

fn contested(kind: ConflictKind, outcome: Outcome) -> Step {
    let event = AcdEvent::Contested(Contest { mac: PEER, kind, outcome });
    Step { transmit: None, event: Some(event) }
}

fn announced(event: Option<AcdEvent>) -> Step {
    Step { transmit: Some(ArpPacket::announcement(OWN, ADDR)), event }
}

/// Jumps to the deadline of `acd`.
fn due(acd: &mut Acd, now: &mut Instant) -> Step {
    *now = acd.poll_timeout().expect("a deadline");
    acd.handle_timeout(*now)
}

//= test ACD-2.1-01
//= test ACD-2.1.1-10
//= test ACD-2.3-01
#[test]
fn any_address_is_probed_and_announced_as_a_link_local_one() {
    let mut acd = acd(Defend::Once);
    let mut now = START;
    acd.probe(now, now, ADDR);
    assert_eq!((acd.phase(), acd.addr()), (Phase::Waiting, Some(ADDR)));
    for _ in 0..3 {
        let probe = Step { transmit: Some(ArpPacket::probe(OWN, ADDR)), event: None };
        assert_eq!(due(&mut acd, &mut now), probe);
    }
    let last_probe = now;
    assert_eq!(due(&mut acd, &mut now), Step { transmit: None, event: Some(AcdEvent::Free) });
    assert_eq!(now, last_probe + secs(2) + NANOSECOND);
    assert_eq!((acd.phase(), acd.poll_timeout()), (Phase::Installing, None));
    assert_eq!(acd.installed(now), announced(Some(AcdEvent::Claimed)));
    assert!(acd.in_use());
    assert_eq!(due(&mut acd, &mut now), announced(None));
    assert_eq!((acd.phase(), acd.poll_timeout()), (Phase::Bound, None));
}

//= test ACD-2.1.1-05
#[test]
fn an_address_found_in_use_is_reported_with_its_owner_and_forgotten() {
    let mut acd = acd(Defend::Always);
    acd.probe(START, START, ADDR);
    let step = acd.handle_frame(START, &claim());
    assert_eq!(step, contested(ConflictKind::InUse, Outcome::Dropped));
    assert_eq!((acd.phase(), acd.addr(), acd.poll_timeout()), (Phase::Idle, None, None));
    assert_eq!(acd.handle_frame(START, &claim()), Step::default());
}

#[test]
fn a_claim_may_be_told_to_wait() {
    let mut acd = acd(Defend::Once);
    acd.probe(START, START + secs(30), ADDR);
    let first = acd.poll_timeout().expect("a deadline");
    assert!((secs(30)..=secs(31)).contains(&(first - START)));
    assert_eq!(
        acd.handle_frame(START, &claim()),
        contested(ConflictKind::InUse, Outcome::Dropped),
        "conflicts count meanwhile"
    );
}

/// A static address is watched without a probe, and defended like any other.
//= test ACD-1.2-02
//= test ACD-2.4-04
//= test ACD-2.4-05
#[test]
fn a_static_address_is_watched_without_a_word_and_defended_once() {
    let mut acd = watching(Defend::Once);
    assert_eq!((acd.phase(), acd.poll_timeout()), (Phase::Bound, None));
    let mut now = START;
    assert_eq!(acd.handle_frame(now, &claim()), contested(ConflictKind::Late, Outcome::Defending));
    assert!(acd.is_contested(now));
    assert_eq!(due(&mut acd, &mut now), announced(Some(AcdEvent::Defended)));
    assert!(now - START <= ms(100));
    assert_eq!(
        acd.handle_frame(now + secs(5), &claim()),
        contested(ConflictKind::Late, Outcome::Ceded)
    );
    assert_eq!((acd.phase(), acd.counters().ceded), (Phase::Idle, 1));
}

//= test ACD-2.4-03
#[test]
fn a_static_address_that_is_not_to_be_defended_is_given_up() {
    let mut acd = watching(Defend::Never);
    assert_eq!(acd.handle_frame(START, &claim()), contested(ConflictKind::Late, Outcome::Ceded));
    assert_eq!(acd.phase(), Phase::Idle);
}

/// A conflict every second for a minute.
//= test ACD-1.3-02
//= test ACD-1.3-05
//= test ACD-2.4-06
//= test ACD-2.4-08
//= test ACD-2.4-09
#[test]
fn an_address_kept_for_good_is_defended_at_most_once_in_ten_seconds() {
    for seed in 0..100 {
        let mut acd = Acd::new(OWN, Timing::RFC3927, Defend::Always, seed);
        acd.watch(ADDR);
        let (mut defences, mut outcomes) = (Vec::new(), Vec::new());
        for second in 0..60 {
            let at = START + secs(second);
            let step = acd.handle_frame(at, &claim());
            let defending = step == contested(ConflictKind::Late, Outcome::Defending);
            let endured = step == contested(ConflictKind::Late, Outcome::Endured);
            assert!(defending || endured, "{step:?}");
            outcomes.push(defending);
            if let Some(deadline) = acd.poll_timeout() {
                let step = acd.handle_timeout(deadline);
                assert_eq!(step, announced(Some(AcdEvent::Defended)));
                defences.push(deadline);
            }
            assert_eq!(acd.phase(), Phase::Bound);
        }
        assert!((5..=7).contains(&defences.len()), "{}", defences.len());
        assert!(defences.windows(2).all(|pair| pair[1] - pair[0] >= secs(10)), "{defences:?}");
        assert_eq!(outcomes.iter().filter(|&&defending| defending).count(), defences.len());
        assert_eq!(acd.counters().conflicts_late, 60);
    }
}

#[test]
fn an_address_is_contested_for_ten_seconds_after_the_defence() {
    let mut acd = watching(Defend::Always);
    let mut now = START;
    acd.handle_frame(now, &claim());
    due(&mut acd, &mut now);
    let end = now + secs(10);
    assert!(acd.is_contested(before(end, NANOSECOND)));
    assert!(!acd.is_contested(end));
    assert_eq!(acd.handle_frame(end, &claim()), contested(ConflictKind::Late, Outcome::Defending));
}

#[test]
fn an_address_kept_for_good_stays_even_while_it_is_put_back() {
    let mut acd = watching(Defend::Always);
    acd.reinstall();
    assert_eq!(
        acd.handle_frame(START, &claim()),
        contested(ConflictKind::Late, Outcome::Endured),
        "what is not there cannot be defended"
    );
    assert_eq!(acd.installed(START), announced(Some(AcdEvent::Claimed)));
}

/// The doubt that a fast claim leaves until its second round is over is not for an address that
/// is watched after it, be it the same.
#[test]
fn an_address_watched_after_a_fast_claim_is_defended() {
    for phase in [Phase::Waiting, Phase::Listening, Phase::Announcing, Phase::Verifying] {
        let mut acd = Acd::new(OWN, Timing::FAST, Defend::Once, 1);
        let mut now = START;
        acd.probe(now, now, ADDR);
        while acd.phase() != phase {
            if due(&mut acd, &mut now).event == Some(AcdEvent::Free) {
                acd.installed(now);
            }
        }
        acd.watch(ADDR);
        let defending = contested(ConflictKind::Late, Outcome::Defending);
        assert_eq!(acd.handle_frame(now, &claim()), defending, "after {phase:?}");
    }
}

#[test]
fn a_detector_at_rest_does_nothing() {
    let mut acd = acd(Defend::Once);
    assert_eq!(acd.handle_frame(START, &claim()), Step::default());
    assert_eq!(acd.handle_timeout(START), Step::default());
    assert_eq!(acd.installed(START), Step::default());
    acd.reinstall();
    acd.reannounce(START);
    assert_eq!((acd.phase(), acd.addr(), acd.poll_timeout()), (Phase::Idle, None, None));
    acd.watch(ADDR);
    acd.stop();
    assert_eq!((acd.phase(), acd.mac()), (Phase::Idle, OWN));
}
