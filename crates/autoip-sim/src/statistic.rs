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

    /// The 95 % confidence interval of the mean, after Student. No value is negative, so neither is
    /// any mean; a single value has no interval.
    pub(crate) fn interval(&self) -> (f64, f64) {
        let (mean, freedom) = (self.mean(), self.0.len().saturating_sub(1));
        if freedom == 0 {
            return (mean, mean);
        }
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / freedom as f64 / self.0.len() as f64).sqrt();
        let reach = quantile(freedom) * error;
        ((mean - reach).max(0.0), mean + reach)
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

/// Student's t that 2.5 % exceed.
fn quantile(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    // For more the beginning of the series in 1/n around the normal distribution's quantile.
    let n = freedom as f64;
    let many = 1.960 + 2.373 / n + 2.82 / (n * n);
    FEW.get(freedom.saturating_sub(1)).copied().unwrap_or(many)
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
    fn the_interval_of_a_mean_is_students() {
        let mut sample = Sample::default();
        [1.0, 2.0, 3.0].into_iter().for_each(|value| sample.add(value));
        let (low, high) = sample.interval();
        assert!(low == 0.0 && (high - 4.484).abs() < 1e-3, "{low} {high}");
        (0..97).for_each(|_| sample.add(2.0));
        let (low, high) = sample.interval();
        assert!((low - 1.9718).abs() < 1e-3 && (high - 2.0282).abs() < 1e-3, "{low} {high}");
        assert!((quantile(11) - 2.201).abs() < 3e-3 && (quantile(30) - 2.042).abs() < 3e-3);
        assert_eq!(Sample::default().interval(), (0.0, 0.0));
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
