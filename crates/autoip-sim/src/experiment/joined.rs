//! Two links on which everybody has an address become one: conflicts, addresses given up, and the
//! time until no address has two holders.

use std::collections::BTreeMap;
use std::time::Duration;

use autoip_core::LinkLocalAddr;

use super::trial::seed_of;
use super::{Report, Setup, number};
use crate::clock::SimTime;
use crate::options::{Defence, Options, Replies};
use crate::plot::{Axis, Chart, Point, Scale, Series, Style};
use crate::statistic::{Sample, Share};
use crate::world::World;

/// How many hosts on each link, and how many times.
const SIZES: [(u32, u32); 5] = [(100, 400), (300, 160), (1000, 40), (3000, 12), (10_000, 3)];
/// When the links are joined; by then everybody has an address.
const JOINED_AT: SimTime = SimTime::from_secs(40);
/// How long the joined link is watched.
const WATCHED: Duration = Duration::from_secs(600);
/// Each host looks for another one by ARP so often.
const TALK_S: u32 = 30;
/// How finely the time of healing is seen.
const STEP: Duration = Duration::from_millis(100);

/// What came of joining two links.
#[derive(Default)]
struct Outcome {
    pairs: u32,
    conflicts: u32,
    losses: u32,
    /// Pairs of which neither kept the address.
    both_left: u32,
    /// Pairs that still share it in the end.
    left_over: u32,
    seconds: f64,
}

/// The addresses that two hosts hold, with both.
fn shared(world: &World) -> Vec<(LinkLocalAddr, [usize; 2])> {
    let mut holders: BTreeMap<LinkLocalAddr, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (node, host) in world.hosts.iter().enumerate() {
        if let Some(addr) = host.addr()
            && let Some(other) = holders.insert(addr, node)
        {
            found.push((addr, [other, node]));
        }
    }
    found
}

fn trial(options: &Options, seed: u64) -> Outcome {
    let mut world = World::unwatched(seed, options);
    for (number, port) in (0..).zip(&mut world.net.ports) {
        port.segment = u8::from(number % 2 == 1);
    }
    world.schedule();
    world.run_until(JOINED_AT);
    let count = |world: &World| {
        let records = || world.hosts.iter().map(|host| &host.record);
        let conflicts: u32 = records().map(|record| record.conflicts).sum();
        (conflicts, records().map(|record| record.losses).sum::<u32>())
    };
    let before = count(&world);
    let pairs = shared(&world);
    world.split(1, 0);
    let mut healed_at = JOINED_AT;
    let is_shared = |world: &World, (addr, two): &(LinkLocalAddr, [usize; 2])| {
        two.iter().all(|&node| world.hosts[node].addr() == Some(*addr))
    };
    let mut left = pairs.clone();
    while !left.is_empty() && world.net.now() - JOINED_AT < WATCHED {
        world.run_until(world.net.now() + STEP);
        left.retain(|pair| is_shared(&world, pair));
        healed_at = world.net.now();
    }
    // The last ones may still be about to leave.
    world.run_until(world.net.now() + Duration::from_secs(1));
    let holds = |node: usize, addr| world.hosts[node].addr() == Some(addr);
    let both_left = pairs.iter().filter(|(addr, two)| two.iter().all(|&n| !holds(n, *addr)));
    let after = count(&world);
    Outcome {
        pairs: u32::try_from(pairs.len()).unwrap_or(0),
        conflicts: after.0 - before.0,
        losses: after.1 - before.1,
        both_left: u32::try_from(both_left.count()).unwrap_or(0),
        left_over: u32::try_from(left.len()).unwrap_or(0),
        seconds: (healed_at - JOINED_AT).as_secs_f64(),
    }
}

fn options(hosts: u32, replies: Replies, defence: Defence) -> Options {
    let chaos_s = 1000;
    Options { hosts: hosts * 2, replies, defence, talk_s: TALK_S, chaos_s, ..Options::default() }
}

/// The first question: how long it takes, by the number of hosts and the way of replies.
pub(super) fn run(setup: &Setup) -> Report {
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for (replies, defence, label) in [
        (Replies::Broadcast, Defence::Delayed, "broadcast"),
        (Replies::Broadcast, Defence::Immediate, "broadcast, no wait"),
        (Replies::Unicast, Defence::Delayed, "unicast"),
        (Replies::Unicast, Defence::Immediate, "unicast, no wait"),
    ] {
        let mut points = Vec::new();
        for (hosts, trials) in SIZES {
            if setup.quick && hosts > 300 {
                continue;
            }
            let options = options(hosts, replies, defence);
            let mut total = Outcome::default();
            let mut seconds = Sample::default();
            let trials = setup.trials(trials);
            for trial_number in 0..trials {
                let seed = seed_of(setup, [hosts, replies as u32, defence as u32], trial_number);
                let outcome = trial(&options, seed);
                if outcome.pairs > 0 {
                    seconds.add(outcome.seconds);
                }
                add(&mut total, &outcome);
            }
            let each = |value: u32| number(f64::from(value) / f64::from(trials), 2);
            points.push(Point::mean(f64::from(hosts), &seconds));
            rows.push(vec![
                label.to_owned(),
                hosts.to_string(),
                trials.to_string(),
                each(total.pairs),
                each(total.conflicts),
                each(total.losses),
                number(f64::from(total.both_left) * 100.0 / f64::from(total.pairs.max(1)), 1),
                total.left_over.to_string(),
                number(seconds.mean(), 1),
                number(seconds.max(), 1),
            ]);
        }
        let is_delayed = defence == Defence::Delayed;
        let style = if is_delayed { Style::Line } else { Style::Dashes };
        series.push(Series { label: label.to_owned(), style, points });
    }
    let chart = Chart {
        title: "Two links joined: time until no address has two holders (mean)",
        x: Axis { label: "hosts on each link", scale: Scale::Log },
        y: Axis { label: "seconds", scale: Scale::Linear },
        series,
    };
    Report {
        columns: &[
            "replies",
            "hosts on each link",
            "trials",
            "shared addresses",
            "conflicts",
            "given up",
            "both left %",
            "never found",
            "healed s",
            "slowest s",
        ],
        rows,
        shown: |_| true,
        charts: vec![("", chart)],
    }
}

/// The second question: how often both holders leave, with and without the random wait before a
/// defence, by the time that a frame takes.
pub(super) fn run_both_leave(setup: &Setup) -> Report {
    const DELAYS_US: [u32; 4] = [100, 1000, 5000, 20_000];
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for (defence, label) in
        [(Defence::Delayed, "0 to 100 ms, random"), (Defence::Immediate, "none")]
    {
        let mut points = Vec::new();
        for delay_us in DELAYS_US {
            let options = Options {
                // Few addresses, so that many are shared.
                range: 6000,
                delay_us,
                ..options(300, Replies::Broadcast, defence)
            };
            let mut total = Outcome::default();
            for trial_number in 0..setup.trials(150) {
                let seed = seed_of(setup, [300, delay_us, defence as u32], trial_number);
                add(&mut total, &trial(&options, seed));
            }
            let share = Share::of(total.both_left, total.pairs);
            points.push(Point::percent(f64::from(delay_us) / 1000.0, &share));
            rows.push(vec![
                label.to_owned(),
                number(f64::from(delay_us) / 1000.0, 1),
                total.pairs.to_string(),
                total.both_left.to_string(),
                number(share.value * 100.0, 2),
                number(share.low * 100.0, 2),
                number(share.high * 100.0, 2),
            ]);
        }
        series.push(Series { label: label.to_owned(), style: Style::Line, points });
    }
    let chart = Chart {
        title: "Both holders of an address leave, by the wait before a defence",
        x: Axis { label: "a frame travels so many milliseconds", scale: Scale::Log },
        y: Axis { label: "shared addresses, %", scale: Scale::Linear },
        series,
    };
    Report {
        columns: &["wait", "travel ms", "shared addresses", "both left", "%", "low %", "high %"],
        rows,
        shown: |_| true,
        charts: vec![("", chart)],
    }
}

fn add(total: &mut Outcome, outcome: &Outcome) {
    total.pairs += outcome.pairs;
    total.conflicts += outcome.conflicts;
    total.losses += outcome.losses;
    total.both_left += outcome.both_left;
    total.left_over += outcome.left_over;
}
