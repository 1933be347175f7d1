//! RFC 3927 §1.3: with 1 300 hosts on a link a newcomer finds a free address at the first try
//! with 98 %, within two tries with 99.96 %.

use std::time::Duration;

use autoip_core::LinkLocalAddr;

use super::trial::{claim, newcomer, owners, seed_of};
use super::{Report, Setup, number};
use crate::options::Options;
use crate::plot::{Axis, Chart, Point, Scale, Series, Style};
use crate::statistic::Share;

const OWNERS: [u32; 7] = [100, 1300, 3000, 6500, 13_000, 26_000, 39_000];

pub(super) fn run(setup: &Setup) -> Report {
    let options = Options { hosts: 1, ..Options::default() };
    let mut rows = Vec::new();
    let mut series: [Vec<Point>; 2] = Default::default();
    for count in OWNERS {
        let trials = setup.trials(if count == 1300 { 500_000 } else { 100_000 });
        let taken = owners(setup.seed, count);
        let mut hits = [0; 2];
        for trial in 0..trials {
            let mut world =
                newcomer(seed_of(setup, [count, 0, 0], trial), &options, &taken, Duration::ZERO);
            claim(&mut world);
            let tries = world.hosts[0].record.candidates;
            hits[0] += u32::from(tries == 1);
            hits[1] += u32::from(tries <= 2);
        }
        let busy = f64::from(count) / f64::from(LinkLocalAddr::COUNT);
        for tries in [0, 1] {
            let share = Share::of(hits[tries], trials);
            let expected = 1.0 - busy.powi(if tries == 0 { 1 } else { 2 });
            // The chart shows who finds none, so that 98 % and 99.96 % can be told apart.
            let failed = Share::of(trials - hits[tries], trials);
            series[tries].push(Point::percent(f64::from(count), &failed));
            rows.push(vec![
                count.to_string(),
                (tries + 1).to_string(),
                trials.to_string(),
                number(share.value * 100.0, 3),
                number(share.low * 100.0, 3),
                number(share.high * 100.0, 3),
                number(expected * 100.0, 3),
            ]);
        }
    }
    let theory = |power: i32| {
        let at = |count: u32| {
            let busy = f64::from(count) / f64::from(LinkLocalAddr::COUNT);
            Point::new(f64::from(count), busy.powi(power) * 100.0)
        };
        [OWNERS[0], OWNERS[OWNERS.len() - 1]].map(at).to_vec()
    };
    let [first, second] = series;
    let chart = Chart {
        title: "A newcomer's chance to find no free address",
        x: Axis { label: "hosts that have an address", scale: Scale::Log },
        y: Axis { label: "newcomers that find none, %", scale: Scale::Log },
        series: vec![
            Series { label: "first try".to_owned(), style: Style::Marks, points: first },
            Series { label: "n/65024".to_owned(), style: Style::Theory, points: theory(1) },
            Series { label: "within two tries".to_owned(), style: Style::Marks, points: second },
            Series { label: "(n/65024)²".to_owned(), style: Style::Theory, points: theory(2) },
        ],
    };
    Report {
        columns: &["owners", "tries", "trials", "success %", "low %", "high %", "expected %"],
        rows,
        shown: |_| true,
        charts: vec![("", chart)],
    }
}
