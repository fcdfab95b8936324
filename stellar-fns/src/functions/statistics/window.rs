//! Statistics over the latest values, which are all kept: exact, with the estimators of commons-math.

use std::collections::VecDeque;

use crate::error::Fault;

/// The latest values.
#[derive(Clone, Debug)]
pub(super) struct Window {
    size: usize,
    values: VecDeque<f64>,
}

impl Window {
    /// For this many values; the oldest one goes when one more comes.
    pub(super) fn new(size: usize) -> Self {
        Self { size, values: VecDeque::new() }
    }

    pub(super) fn add(&mut self, value: f64) {
        if self.values.len() >= self.size {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// How many there are, which is also what looking through them costs.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    #[expect(clippy::cast_precision_loss, reason = "a window has fewer values than a double counts exactly")]
    pub(super) fn count(&self) -> f64 {
        self.values.len() as f64
    }

    fn total(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.values.iter().map(|value| of(*value)).fold(0.0, |sum, value| sum + value)
    }

    pub(super) fn sum(&self) -> f64 {
        self.total(|value| value)
    }

    pub(super) fn sum_of_squares(&self) -> f64 {
        self.total(|value| value * value)
    }

    pub(super) fn mean(&self) -> f64 {
        let first = self.sum() / self.count();
        // A second pass takes back what rounding cost the first.
        first + self.total(|value| value - first) / self.count()
    }

    pub(super) fn geometric_mean(&self) -> f64 {
        (self.total(f64::ln) / self.count()).exp()
    }

    pub(super) fn quadratic_mean(&self) -> f64 {
        (self.sum_of_squares() / self.count()).sqrt()
    }

    /// NaN counts as no extreme, unless there is nothing else.
    pub(super) fn min(&self) -> f64 {
        self.values.iter().copied().fold(f64::NAN, f64::min)
    }

    /// See [`Window::min`].
    pub(super) fn max(&self) -> f64 {
        self.values.iter().copied().fold(f64::NAN, f64::max)
    }

    pub(super) fn variance(&self) -> f64 {
        self.spread(self.count() - 1.0)
    }

    pub(super) fn population_variance(&self) -> f64 {
        self.spread(self.count())
    }

    /// The squared distances from the mean divided by this; a single value has no spread.
    fn spread(&self, divisor: f64) -> f64 {
        match self.values.len() {
            0 => return f64::NAN,
            1 => return 0.0,
            _ => {}
        }
        let mean = self.mean();
        let squares = self.total(|value| (value - mean) * (value - mean));
        let rest = self.total(|value| value - mean);
        (squares - rest * rest / self.count()) / divisor
    }

    pub(super) fn skewness(&self) -> f64 {
        let n = self.count();
        if n < 3.0 {
            return f64::NAN;
        }
        let (mean, deviation) = (self.mean(), self.variance().sqrt());
        n / ((n - 1.0) * (n - 2.0)) * self.total(|value| ((value - mean) / deviation).powi(3))
    }

    pub(super) fn kurtosis(&self) -> f64 {
        let n = self.count();
        if n < 4.0 {
            return f64::NAN;
        }
        let (mean, deviation) = (self.mean(), self.variance().sqrt());
        let fourth = self.total(|value| ((value - mean) / deviation).powi(4));
        n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * fourth
            - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
    }

    /// The value at the place p·(n + 1) / 100 of the sorted ones, interpolated.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the place was checked to lie between the first and the last"
    )]
    pub(super) fn percentile(&self, percent: f64) -> Result<f64, Fault> {
        if !(percent > 0.0 && percent <= 100.0) {
            return Err(Fault::argument(format!("a percentile in a window lies above 0 and up to 100, not {percent}")));
        }
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(least), Some(greatest)) = (sorted.first(), sorted.last()) else { return Ok(f64::NAN) };
        #[expect(clippy::cast_precision_loss, reason = "a window has fewer values than a double counts exactly")]
        let count = sorted.len() as f64;
        let place = percent * (count + 1.0) / 100.0;
        if place < 1.0 {
            return Ok(*least);
        }
        if place >= count {
            return Ok(*greatest);
        }
        let (lower, upper) = (sorted[place as usize - 1], sorted[place as usize]);
        Ok(lower + place.fract() * (upper - lower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(size: usize, values: &[f64]) -> Window {
        let mut window = Window::new(size);
        for value in values {
            window.add(*value);
        }
        window
    }

    #[test]
    fn the_oldest_value_goes_first() {
        let window = of(2, &[1.0, 2.0, 3.0]);
        assert_eq!((window.count(), window.min(), window.max()), (2.0, 2.0, 3.0));
    }

    #[test]
    fn percentiles_are_interpolated_between_neighbours() {
        let window = of(10, &[40.0, 10.0, 30.0, 20.0]);
        assert_eq!(window.percentile(50.0), Ok(25.0));
        assert_eq!(window.percentile(1.0), Ok(10.0));
        assert_eq!(window.percentile(100.0), Ok(40.0));
        assert!(window.percentile(0.0).is_err());
    }

    #[test]
    fn an_empty_window_knows_nothing_and_one_value_has_no_spread() {
        let empty = Window::new(3);
        assert!(empty.mean().is_nan() && empty.variance().is_nan() && empty.geometric_mean().is_nan());
        assert_eq!(of(3, &[7.0]).variance().to_bits(), 0.0_f64.to_bits());
    }
}
