//! Statistics over any number of values in bounded space: sums, central moments, and a sketch of the distribution.
//!
//! Moments are updated and merged by the pairwise formulas of Chan and of Pébay, so two states merge without their values.

use super::digest::Digest;
use crate::error::Fault;

/// What is known about the values so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Online {
    count: f64,
    sum: f64,
    sum_of_squares: f64,
    sum_of_logs: f64,
    extremes: Option<(f64, f64)>,
    mean: f64,
    /// Sums of the second, third and fourth power of the distance from the mean.
    powers: [f64; 3],
    digest: Digest,
}

impl Online {
    /// Adds a value; NaN and what overflows is refused, and then nothing is changed.
    pub(crate) fn add(&mut self, value: f64) -> Result<(), Fault> {
        let joined = self.with(value)?;
        let digest = std::mem::take(&mut self.digest);
        *self = Self { digest, ..joined };
        self.digest.add(value);
        Ok(())
    }

    /// Refuses what [`Self::add`] would refuse.
    pub(crate) fn check(&self, value: f64) -> Result<(), Fault> {
        self.with(value).map(drop)
    }

    /// All but the digest, with one more value.
    fn with(&self, value: f64) -> Result<Self, Fault> {
        if value.is_nan() {
            return Err(Fault::argument("NaN can't be added to statistics; filter it out first"));
        }
        let one = Self {
            count: 1.0,
            sum: value,
            sum_of_squares: value * value,
            sum_of_logs: value.ln(),
            extremes: Some((value, value)),
            mean: value,
            powers: [0.0; 3],
            digest: Digest::default(),
        };
        self.joined(&one)
    }

    /// What is known about the values of both.
    pub(crate) fn merge(&self, other: &Self) -> Result<Self, Fault> {
        let mut merged = self.joined(other)?;
        merged.digest = self.digest.clone();
        merged.digest.merge(&other.digest);
        Ok(merged)
    }

    /// All but the digest, of both.
    fn joined(&self, other: &Self) -> Result<Self, Fault> {
        let [a2, a3, a4] = self.powers;
        let [b2, b3, b4] = other.powers;
        let (a, b) = (self.count, other.count);
        // Two empty states have no mean; the divisor only has to be something.
        let n = (a + b).max(1.0);
        let delta = other.mean - self.mean;
        let step = delta / n;
        let second = a2 + b2 + delta * step * a * b;
        let third = a3 + b3 + delta * step * step * a * b * (a - b) + 3.0 * step * (a * b2 - b * a2);
        let fourth = a4
            + b4
            + delta * step * step * step * a * b * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * b2 + b * b * a2)
            + 4.0 * step * (a * b3 - b * a3);
        let joined = Self {
            count: a + b,
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
            sum_of_logs: self.sum_of_logs + other.sum_of_logs,
            extremes: match (self.extremes, other.extremes) {
                (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
                (left, right) => left.or(right),
            },
            mean: self.mean + step * b,
            powers: [second, third, fourth],
            digest: Digest::default(),
        };
        let sums = [joined.sum_of_squares, joined.mean, second, third, fourth];
        if sums.iter().any(|sum| !sum.is_finite()) || (joined.sum_of_squares == 0.0 && joined.sum > 0.0) {
            return Err(Fault::argument("the sums of these statistics leave the range of a double"));
        }
        Ok(joined)
    }

    pub(super) fn count(&self) -> f64 {
        self.count
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    pub(super) fn sum_of_squares(&self) -> f64 {
        self.sum_of_squares
    }

    pub(super) fn sum_of_logs(&self) -> f64 {
        self.sum_of_logs
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count
    }

    pub(super) fn min(&self) -> f64 {
        self.extremes.map_or(f64::NAN, |(low, _)| low)
    }

    pub(super) fn max(&self) -> f64 {
        self.extremes.map_or(f64::NAN, |(_, high)| high)
    }

    pub(super) fn variance(&self) -> f64 {
        self.powers[0] / (self.count - 1.0)
    }

    pub(super) fn skewness(&self) -> f64 {
        let n = self.count;
        if n < 3.0 {
            return f64::NAN;
        }
        n / ((n - 1.0) * (n - 2.0)) * self.powers[1] / self.variance().sqrt().powi(3)
    }

    pub(super) fn kurtosis(&self) -> f64 {
        let n = self.count;
        if n < 4.0 {
            return f64::NAN;
        }
        let spread = self.powers[2] / self.variance().powi(2);
        n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * spread
            - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
    }

    /// The value below which this share of 100 lies, estimated.
    pub(crate) fn percentile(&mut self, percent: f64) -> Result<f64, Fault> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Fault::argument(format!("a percentile lies between 0 and 100, not {percent}")));
        }
        Ok(self.digest.quantile(percent / 100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Online {
        let mut online = Online::default();
        for value in values {
            online.add(*value).unwrap();
        }
        online
    }

    #[test]
    fn merged_states_say_what_one_state_of_all_values_says() {
        let values = [2.0, 3.5, 11.0, 4.0, 4.0, 17.5, 0.5, 9.0];
        let whole = of(&values);
        for cut in 0..=values.len() {
            let merged = of(&values[..cut]).merge(&of(&values[cut..])).unwrap();
            for measure in [
                Online::count,
                Online::mean,
                Online::min,
                Online::max,
                Online::variance,
                Online::skewness,
                Online::kurtosis,
                Online::sum_of_logs,
            ] {
                assert!((measure(&merged) - measure(&whole)).abs() < 1e-9, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut online = of(&[1.0, 2.0]);
        assert!(online.add(f64::NAN).is_err());
        assert!(online.add(1e300).is_err());
        assert_eq!((online.count(), online.sum()), (2.0, 3.0));
        assert_eq!(online.percentile(50.0).unwrap().to_bits(), 1.5_f64.to_bits());
    }

    #[test]
    fn without_values_nothing_is_known() {
        let empty = Online::default();
        assert!(empty.min().is_nan() && empty.mean().is_nan() && empty.skewness().is_nan());
        assert!(empty.merge(&Online::default()).unwrap().max().is_nan());
    }
}
