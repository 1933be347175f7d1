//! Many hosts powered on together: clashes, frames, and the time until all have an address, with
//! a first candidate that is uniform and with avahi-autoipd's.

use super::trial::{FOREVER, seed_of};
use super::{Report, Setup, number};
use crate::clock::SimTime;
use crate::options::{First, Options};
use crate::plot::{Axis, Chart, Point, Scale, Series, Style};
use crate::statistic::Sample;
use crate::world::World;

/// How many hosts, and how many times.
const SIZES: [(u32, u32); 7] =
    [(10, 4000), (30, 2000), (100, 1000), (300, 400), (1000, 200), (3000, 100), (10_000, 50)];

/// What came of one power-on.
struct Outcome {
    clashed: f64,
    conflicts: f64,
    frames: f64,
    seconds: f64,
}

fn trial(setup: &Setup, hosts: u32, first: First, number: u32) -> Outcome {
    let options = Options { hosts, first, ..Options::default() };
    let seed = seed_of(setup, [hosts, first as u32, 0], number);
    let mut world = World::unwatched(seed, &options);
    world.schedule();
    world.run_to_quiet(FOREVER);
    let records = || world.hosts.iter().map(|host| &host.record);
    let acquired = records().filter_map(|record| record.acquired_at).max();
    Outcome {
        clashed: records().filter(|record| record.conflicts > 0).count() as f64,
        conflicts: records().map(|record| f64::from(record.conflicts)).sum(),
        frames: world.net.frames as f64,
        seconds: acquired.unwrap_or(SimTime::START).secs_f64(),
    }
}

pub(super) fn run(setup: &Setup) -> Report {
    let mut rows = Vec::new();
    let mut charts = [Vec::new(), Vec::new()];
    for (first, label) in [(First::Sequence, "uniform"), (First::Avahi, "avahi-autoipd's sum")] {
        let mut points = [Vec::new(), Vec::new()];
        for (hosts, trials) in SIZES {
            let mut samples: [Sample; 3] = Default::default();
            let (mut any, mut shares) = (0, Sample::default());
            let trials = if setup.quick { 2 } else { trials };
            for trial_number in 0..trials {
                let outcome = trial(setup, hosts, first, trial_number);
                any += u32::from(outcome.clashed > 0.0);
                shares.add(outcome.clashed * 100.0 / f64::from(hosts));
                let Outcome { conflicts, frames, seconds, .. } = outcome;
                for (sample, value) in samples.iter_mut().zip([conflicts, frames, seconds]) {
                    sample.add(value);
                }
            }
            let [conflicts, frames, seconds] = samples;
            let share = shares.mean();
            points[0].push(Point::mean(f64::from(hosts), &shares));
            points[1].push(Point::mean(f64::from(hosts), &seconds));
            rows.push(vec![
                label.to_owned(),
                hosts.to_string(),
                trials.to_string(),
                number(f64::from(any) * 100.0 / f64::from(trials), 1),
                number(share, 2),
                number(conflicts.mean(), 1),
                number(frames.mean() / f64::from(hosts), 2),
                number(seconds.mean(), 1),
                number(seconds.max(), 1),
            ]);
        }
        for (chart, points) in charts.iter_mut().zip(points) {
            chart.push(Series { label: label.to_owned(), style: Style::Line, points });
        }
    }
    let [clashes, times] = charts;
    let x = || Axis { label: "hosts powered on together", scale: Scale::Log };
    let chart =
        |title, label, scale, series| Chart { title, x: x(), y: Axis { label, scale }, series };
    Report {
        columns: &[
            "first choice",
            "hosts",
            "trials",
            "any clash %",
            "hosts that clash %",
            "conflicts",
            "frames a host",
            "all bound s",
            "slowest s",
        ],
        rows,
        shown: |_| true,
        charts: vec![
            ("-clashes", chart("Hosts that meet a conflict", "% of all", Scale::Log, clashes)),
            (
                "-time",
                chart("Time until all hosts have an address", "seconds", Scale::Linear, times),
            ),
        ],
    }
}
