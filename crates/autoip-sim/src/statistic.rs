//! What a number of trials says: shares with their confidence, and places in an order.

/// A share with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Share {
    /// `hits` of `trials`, with the interval of Wilson, which is right for rare things as well.
    pub(crate) fn of(hits: u32, trials: u32) -> Self {
        const Z: f64 = 1.959_964;
        let (n, value) = (f64::from(trials.max(1)), f64::from(hits) / f64::from(trials.max(1)));
        let middle = value + Z * Z / (2.0 * n);
        let reach = Z * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Self {
            value,
            low: ((middle - reach) / scale).max(0.0),
            high: ((middle + reach) / scale).min(1.0),
        }
    }

    /// Whether `expected` lies in the interval.
    pub(crate) fn holds(&self, expected: f64) -> bool {
        (self.low..=self.high).contains(&expected)
    }
}

/// Many values, for their mean and their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn mean(&self) -> f64 {
        // From a positive zero: that of nothing would be printed with a minus sign.
        self.0.iter().fold(0.0, |sum, value| sum + value) / self.0.len().max(1) as f64
    }

    pub(crate) fn max(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    /// The value below which `percent` of a hundred lie.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_share_and_shrinks_with_more_trials() {
        let few = Share::of(3, 10);
        let many = Share::of(3000, 10_000);
        assert!(few.holds(0.3) && many.holds(0.3) && !many.holds(0.32));
        assert!(many.high - many.low < few.high - few.low);
        // Known values: 3 of 10 gives 0.1078 to 0.6032.
        assert!((few.low - 0.1078).abs() < 1e-3 && (few.high - 0.6032).abs() < 1e-3, "{few:?}");
        let none = Share::of(0, 100);
        assert!(none.low == 0.0 && none.high > 0.03);
    }

    #[test]
    fn percentiles_are_places_in_the_order() {
        let mut sample = Sample::default();
        (1..=100).rev().for_each(|n| sample.add(f64::from(n)));
        assert_eq!(sample.percentile(50), 51.0);
        assert_eq!(sample.percentile(100), 100.0);
        assert_eq!((sample.mean(), sample.max()), (50.5, 100.0));
        assert_eq!(Sample::default().percentile(50), 0.0);
    }
}
