//! The price of the fast profile: how often 200 ms are too short for an owner that answers late,
//! and what the second round of probes mends.

use std::rc::Rc;
use std::time::Duration;

use autoip_core::LinkLocalAddr;

use super::trial::{FOREVER, newcomer, seed_of};
use super::{Report, Setup, number};
use crate::options::{Options, Profile};
use crate::plot::{Axis, Chart, Point, Scale, Series, Style};
use crate::statistic::{Sample, Share};

/// How late the owner answers, in milliseconds.
const LATE_MS: [u32; 12] = [1, 20, 60, 100, 120, 140, 160, 200, 300, 500, 1000, 2000];
/// Frames lost on one way, of a thousand.
const LOSS: [u32; 3] = [0, 100, 300];
/// The second round is over by then: two announcements, a random wait, three probes, listening.
const SECOND_ROUND: Duration = Duration::from_secs(12);

/// What became of a claim to an address that somebody has.
#[derive(Clone, Copy)]
enum Fate {
    /// It was noticed in time.
    Noticed,
    /// It was taken, and given up after so many seconds.
    Mended(f64),
    /// It was taken and is still in use.
    Kept,
}

fn trial(seed: u64, options: &Options, taken: &Rc<[bool]>, late: Duration) -> Fate {
    let mut world = newcomer(seed, options, taken, late);
    world.run_until_that(FOREVER, |world| {
        let host = &world.hosts[0];
        host.addr().is_some() || host.record.candidates > 1
    });
    if world.hosts[0].addr().is_none() {
        return Fate::Noticed;
    }
    let taken_at = world.net.now();
    if world.run_until_that(taken_at + SECOND_ROUND, |world| world.hosts[0].addr().is_none()) {
        return Fate::Mended((world.net.now() - taken_at).as_secs_f64());
    }
    Fate::Kept
}

/// For how long two had an address before it was given up: mean and longest, of those cases that
/// ended within the time that is watched.
fn times(missed: &Share, kept: &Share, ended: &Sample) -> [String; 2] {
    if missed.value == 0.0 {
        return ["—", "—"].map(str::to_owned);
    }
    if kept.value == missed.value {
        return ["for good", "for good"].map(str::to_owned);
    }
    [ended.mean(), ended.max()].map(|seconds| number(seconds, 2))
}

pub(super) fn run(setup: &Setup) -> Report {
    let everything: Rc<[bool]> = vec![true; usize::from(LinkLocalAddr::COUNT)].into();
    let mut rows = Vec::new();
    let (mut missed_series, mut kept_series) = (Vec::new(), Vec::new());
    for (profile, name) in [(Profile::Fast, "fast"), (Profile::Rfc, "RFC 3927")] {
        for loss in LOSS {
            let options = Options { hosts: 1, profile, loss, ..Options::default() };
            let (mut missed_points, mut kept_points) = (Vec::new(), Vec::new());
            for late_ms in LATE_MS {
                let trials = setup.trials(10_000);
                let (mut missed, mut kept, mut in_use) = (0, 0, Sample::default());
                let late = Duration::from_millis(late_ms.into());
                for number in 0..trials {
                    let seed = seed_of(setup, [profile as u32, loss, late_ms], number);
                    match trial(seed, &options, &everything, late) {
                        Fate::Noticed => {}
                        Fate::Mended(seconds) => {
                            missed += 1;
                            in_use.add(seconds);
                        }
                        Fate::Kept => {
                            missed += 1;
                            kept += 1;
                        }
                    }
                }
                let (missed, kept) = (Share::of(missed, trials), Share::of(kept, trials));
                missed_points.push(Point::percent(late_ms.into(), &missed));
                kept_points.push(Point::percent(late_ms.into(), &kept));
                let in_use = times(&missed, &kept, &in_use);
                rows.push(vec![
                    name.to_owned(),
                    number(f64::from(loss) / 10.0, 0),
                    late_ms.to_string(),
                    number(missed.value * 100.0, 2),
                    number(kept.value * 100.0, 2),
                    in_use[0].clone(),
                    in_use[1].clone(),
                ]);
            }
            let label = format!("{name}, {} % lost", loss / 10);
            // What the two profiles do is often the same, and one line lies on the other.
            let style = if profile == Profile::Rfc { Style::Dashes } else { Style::Line };
            let series = |points| Series { label: label.clone(), style, points };
            missed_series.push(series(missed_points));
            kept_series.push(series(kept_points));
        }
    }
    let chart = |title, series| Chart {
        title,
        x: Axis { label: "the owner answers so many milliseconds late", scale: Scale::Log },
        y: Axis { label: "claims, %", scale: Scale::Linear },
        series,
    };
    Report {
        columns: &["profile", "lost %", "late ms", "missed %", "kept %", "in use s", "longest s"],
        rows,
        shown: |row| {
            let late = ["1", "60", "100", "120", "140", "160", "200", "1000", "2000"];
            late.contains(&&*row[2])
        },
        charts: vec![
            ("-missed", chart("Addresses taken although somebody has them", missed_series)),
            (
                "-kept",
                chart("Addresses that somebody has, in use 12 s after the claim", kept_series),
            ),
        ],
    }
}
