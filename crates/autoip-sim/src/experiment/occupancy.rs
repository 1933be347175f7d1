//! How long a newcomer looks for an address when many are taken, and what it gains from avoiding
//! those that it has seen in use.

use std::rc::Rc;
use std::time::Duration;

use autoip_core::LinkLocalAddr;

use super::trial::{claim, newcomer, owners, seed_of};
use super::{Report, Setup, number};
use crate::options::Options;
use crate::plot::{Axis, Chart, Point, Scale, Series, Style};
use crate::statistic::Sample;
use crate::stream::{Purpose, Stream};

const PERCENT: [u32; 12] = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99];

/// Shares of the owners whose address the newcomer has seen, in percent.
const SEEN: [(u32, &str); 3] = [(0, "avoids none"), (90, "avoids 90 %"), (100, "avoids all")];

/// The part of `taken` that a newcomer has seen.
fn seen(seed: u64, taken: &Rc<[bool]>, percent: u32) -> Rc<[bool]> {
    let mut stream = Stream::new(seed, Purpose::Trial, 2, percent.into());
    taken.iter().map(|&taken| stream.below(100) < percent && taken).collect()
}

pub(super) fn run(setup: &Setup) -> Report {
    let options = Options { hosts: 1, ..Options::default() };
    let trials = setup.trials(5000);
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for (avoided, label) in SEEN {
        let mut mean = Vec::new();
        for percent in PERCENT {
            let count = u32::from(LinkLocalAddr::COUNT) * percent / 100;
            let taken = owners(setup.seed, count);
            let known = seen(setup.seed, &taken, avoided);
            let (mut times, mut tries) = (Sample::default(), Sample::default());
            for trial in 0..trials {
                let seed = seed_of(setup, [avoided, percent, 0], trial);
                let mut world = newcomer(seed, &options, &taken, Duration::ZERO);
                world.hosts[0].avoid(Rc::clone(&known));
                claim(&mut world);
                times.add(world.net.now().secs_f64());
                tries.add(f64::from(world.hosts[0].record.conflicts + 1));
            }
            mean.push(Point::mean(f64::from(percent), &times));
            rows.push(vec![
                avoided.to_string(),
                percent.to_string(),
                number(times.mean(), 1),
                number(times.percentile(50), 1),
                number(times.percentile(95), 1),
                number(times.max(), 0),
                number(tries.mean(), 2),
            ]);
        }
        series.push(Series { label: label.to_owned(), style: Style::Line, points: mean });
    }
    let chart = Chart {
        title: "Time until a newcomer has an address (mean)",
        x: Axis { label: "addresses taken, %", scale: Scale::Linear },
        y: Axis { label: "seconds", scale: Scale::Log },
        series,
    };
    Report {
        columns: &["avoided %", "taken %", "mean s", "median s", "p95 s", "max s", "probed for"],
        rows,
        shown: |row| ["0", "50", "80", "90", "95", "99"].contains(&&*row[1]),
        charts: vec![("", chart)],
    }
}
