//! What one input costs: `cargo bench -p autoip-core`.
//!
//! An engine is copied where an input would leave it in another stage; `copy_an_engine` tells
//! what that adds.

use autoip_core::{
    Action, AddrRange, ArpPacket, Config, DEFAULT_KEY, Engine, Frame, Instant, LinkLocalAddr,
    MacAddr, Phase, Sequence, Stage,
};
use divan::{Bencher, black_box};

const OWN: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
const PEER: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x02]);
const START: Instant = Instant::from_nanos(1);

fn main() {
    divan::main();
}

/// Takes all actions, as a driver does; an install is acknowledged.
fn drain(engine: &mut Engine, now: Instant) {
    while let Some(action) = engine.poll_action() {
        if let Action::Install(_) = black_box(action) {
            engine.installed(now);
        }
    }
}

/// Claims an address on a quiet link, from the start to the last announcement.
fn claim(engine: &mut Engine) -> Instant {
    let mut now = START;
    engine.start(now);
    drain(engine, now);
    while let Some(deadline) = engine.poll_timeout() {
        now = deadline;
        engine.handle_timeout(now);
        drain(engine, now);
    }
    now
}

fn fresh() -> Engine {
    Engine::new(Config::new(OWN, 1))
}

/// An engine that holds an address, the time, and the address.
fn bound() -> (Engine, Instant, LinkLocalAddr) {
    let mut engine = fresh();
    let now = claim(&mut engine);
    assert_eq!(engine.snapshot(now).stage, Stage::Claim(Phase::Bound));
    let addr = engine.addr().expect("bound");
    (engine, now, addr)
}

/// Hands `frame` to a bound engine that it leaves as it was, again and again.
fn handle(bencher: Bencher<'_, '_>, frame: &[u8]) {
    let (mut engine, now, _) = bound();
    bencher.bench_local(|| {
        engine.handle_frame(now, black_box(frame));
        black_box(engine.poll_action())
    });
}

fn announcement(mac: MacAddr, addr: LinkLocalAddr) -> Frame {
    ArpPacket::announcement(mac, addr.ip()).to_broadcast()
}

#[divan::bench]
fn frame_about_another_address(bencher: Bencher<'_, '_>) {
    handle(bencher, &announcement(PEER, LinkLocalAddr::FIRST));
}

#[divan::bench]
fn frame_that_is_not_arp(bencher: Bencher<'_, '_>) {
    handle(bencher, &[0xa5; 60]);
}

#[divan::bench]
fn own_announcement_come_back(bencher: Bencher<'_, '_>) {
    let (_, _, addr) = bound();
    handle(bencher, &announcement(OWN, addr));
}

#[divan::bench]
fn late_conflict_and_its_actions(bencher: Bencher<'_, '_>) {
    let (engine, now, addr) = bound();
    let frame = announcement(PEER, addr);
    bencher.with_inputs(|| engine.clone()).bench_local_refs(|engine| {
        engine.handle_frame(now, black_box(&frame));
        drain(engine, now);
    });
}

/// The second conflict: address removed, next candidate drawn.
#[divan::bench]
fn ceding_conflict_and_its_actions(bencher: Bencher<'_, '_>) {
    let (mut engine, now, addr) = bound();
    let frame = announcement(PEER, addr);
    engine.handle_frame(now, &frame);
    drain(&mut engine, now);
    bencher.with_inputs(|| engine.clone()).bench_local_refs(|engine| {
        engine.handle_frame(now, black_box(&frame));
        drain(engine, now);
    });
}

#[divan::bench]
fn whole_claim(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(fresh).bench_local_refs(claim);
}

#[divan::bench]
fn candidate_from_the_sequence(bencher: Bencher<'_, '_>) {
    let mut sequence = Sequence::new(OWN, &DEFAULT_KEY, AddrRange::ALL);
    bencher.bench_local(|| sequence.next());
}

#[divan::bench]
fn copy_an_engine(bencher: Bencher<'_, '_>) {
    let (engine, ..) = bound();
    bencher.bench_local(|| black_box(&engine).clone());
}
