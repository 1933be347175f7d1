//! The chance to take an address that somebody has, on a link that loses frames, against the
//! closed form of the Markov model of Zeroconf (Bohnenkamp and others, 2003):
//! P(error) = q·pᴺ / (1 − q·(1 − pᴺ)) for N probes, each unanswered with probability p, when an
//! address is taken with probability q.

use std::time::Duration;

use autoip_core::LinkLocalAddr;

use super::trial::{claim, newcomer, owners, seed_of};
use super::{Report, Setup};
use crate::options::Options;
use crate::plot::{Axis, Chart, Point, Scale, Series, Style};
use crate::statistic::Share;

/// Addresses taken, in percent.
const TAKEN: [u32; 3] = [2, 50, 90];
/// Frames lost on one way, of a thousand.
const LOSS: [u32; 4] = [50, 150, 300, 500];
const PROBES: [u8; 4] = [1, 2, 3, 4];

/// P(error) as the model has it.
fn closed_form(q: f64, p: f64, probes: u8) -> f64 {
    let pn = p.powi(probes.into());
    q * pn / (1.0 - q * (1.0 - pn))
}

pub(super) fn run(setup: &Setup) -> Report {
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for percent in TAKEN {
        let taken = owners(setup.seed, u32::from(LinkLocalAddr::COUNT) * percent / 100);
        let count = u32::try_from(taken.iter().filter(|&&taken| taken).count()).unwrap_or(0);
        let q = f64::from(count) / f64::from(LinkLocalAddr::COUNT);
        for probes in PROBES {
            let mut measured = Vec::new();
            for loss in LOSS {
                // A probe stays unanswered when it or its answer is lost.
                let p = 1.0 - (1.0 - f64::from(loss) / 1000.0).powi(2);
                let expected = closed_form(q, p, probes);
                let trials = setup.trials(if percent == 2 { 500_000 } else { 100_000 });
                let options = Options { hosts: 1, loss, probes, ..Options::default() };
                let errors = (0..trials)
                    .filter(|&trial| {
                        let seed = seed_of(setup, [percent, loss, probes.into()], trial);
                        let mut world = newcomer(seed, &options, &taken, Duration::ZERO);
                        let addr = claim(&mut world);
                        addr.is_some_and(|addr| taken[usize::from(addr.index())])
                    })
                    .count();
                let share = Share::of(u32::try_from(errors).unwrap_or(0), trials);
                let Share { value, low, high } = share;
                measured.push(Point { x: p, y: value, low, high });
                rows.push(vec![
                    format!("{q:.4}"),
                    format!("{p:.4}"),
                    probes.to_string(),
                    trials.to_string(),
                    format!("{value:.5}"),
                    format!("{low:.5}"),
                    format!("{high:.5}"),
                    format!("{expected:.5}"),
                    if share.holds(expected) { "yes" } else { "no" }.to_owned(),
                ]);
            }
            if percent != 2 {
                continue;
            }
            let label = format!("q = 0.02, N = {probes}");
            series.push(Series { label, style: Style::Marks, points: measured });
            let theory = (5..=80).map(|step| f64::from(step) / 100.0);
            let theory = theory.map(|p| Point::new(p, closed_form(q, p, probes))).collect();
            let label = if probes == 1 { "closed form" } else { "" }.to_owned();
            series.push(Series { label, style: Style::Theory, points: theory });
        }
    }
    let chart = Chart {
        title: "Taking an address that somebody has, on a link that loses frames",
        x: Axis { label: "p: a probe stays unanswered", scale: Scale::Linear },
        y: Axis { label: "P(error)", scale: Scale::Log },
        series,
    };
    Report {
        columns: &["q", "p", "N", "trials", "P(error)", "low", "high", "closed form", "within"],
        rows,
        shown: |row| row[2] == "3" || row[0].starts_with("0.5") || row[8] == "no",
        charts: vec![("", chart)],
    }
}
