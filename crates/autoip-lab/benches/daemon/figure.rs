//! One measured figure: its samples, and the budget that they are held against.

use std::fmt;
use std::time::Duration;

use autoip_core::Instant;

/// A figure. Prints as one row of a table.
#[derive(Debug)]
pub(crate) struct Figure {
    name: &'static str,
    unit: Unit,
    /// In ascending order.
    samples: Vec<f64>,
    /// Runs in which it did not happen at all.
    missing: usize,
    /// What the 99th percentile should not exceed.
    budget: Option<f64>,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Milliseconds,
    Kibibytes,
    Times,
}

impl Figure {
    /// A time that was taken in many runs; `None` where what should have ended it did not come.
    pub(crate) fn times(
        name: &'static str,
        samples: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        Self::new(name, Unit::Milliseconds, samples)
    }

    /// A figure that was taken once.
    pub(crate) fn value(name: &'static str, unit: Unit, value: impl Into<Option<f64>>) -> Self {
        Self::new(name, unit, [value.into()])
    }

    fn new(name: &'static str, unit: Unit, samples: impl IntoIterator<Item = Option<f64>>) -> Self {
        let (taken, missing): (Vec<_>, Vec<_>) =
            samples.into_iter().partition(|sample| sample.is_some());
        let mut samples: Vec<f64> = taken.into_iter().flatten().collect();
        samples.sort_by(f64::total_cmp);
        Self { name, unit, samples, missing: missing.len(), budget: None }
    }

    pub(crate) fn budget(self, limit: impl Into<Option<f64>>) -> Self {
        Self { budget: limit.into(), ..self }
    }

    /// What stands above the columns.
    pub(crate) fn heading() -> String {
        let [min, median, p99, max] = ["min", "median", "p99", "max"];
        format!("{:57}{min:>9} {median:>9} {p99:>9} {max:>9} {:>6}  budget", "", "runs")
    }

    /// The smallest sample that `percent` per cent of all do not exceed.
    fn percentile(&self, percent: usize) -> Option<f64> {
        let rank = (self.samples.len() * percent).div_ceil(100).max(1);
        self.samples.get(rank - 1).copied()
    }

    fn cell(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => "-".to_owned(),
            (Some(value), Unit::Kibibytes | Unit::Times) => format!("{value:.0}"),
            (Some(value), Unit::Milliseconds) if value.abs() < 100.0 => format!("{value:.3}"),
            (Some(value), Unit::Milliseconds) => format!("{value:.1}"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Milliseconds => "ms",
            Unit::Kibibytes => "KiB",
            Unit::Times => "",
        };
        write!(f, "  {:<51} {unit:<3}", self.name)?;
        let runs = self.samples.len() + self.missing;
        if runs == 1 {
            write!(f, " {:>9} {:>9} {:>9} {:>9}", "", self.cell(self.percentile(50)), "", "")?;
        } else {
            for percent in [0, 50, 99, 100] {
                write!(f, " {:>9}", self.cell(self.percentile(percent)))?;
            }
        }
        write!(f, " {runs:>6}")?;
        if let Some(limit) = self.budget {
            let met = self.percentile(99).is_some_and(|value| value <= limit);
            write!(f, "  ≤ {limit} {}", if met { "met" } else { "ABOVE" })?;
        }
        match self.missing {
            0 => Ok(()),
            missing => write!(f, "  (did not happen in {missing})"),
        }
    }
}

/// Milliseconds from one point in time to another, less than zero if that was before it.
pub(crate) fn ms_between(from: Instant, to: Instant) -> f64 {
    ms(to - from) - ms(from - to)
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
