//! Sums and central moments, kept in one pass without losing digits.

/// What is known of values after having seen each once.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub count: f64,
    pub sum: f64,
    pub sum_squares: f64,
    pub sum_logs: f64,
    pub min: f64,
    pub max: f64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            count: 0.0,
            sum: 0.0,
            sum_squares: 0.0,
            sum_logs: 0.0,
            min: f64::NAN,
            max: f64::NAN,
            mean: 0.0,
            second: 0.0,
            third: 0.0,
            fourth: 0.0,
        }
    }
}

impl Moments {
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.push(value));
        moments
    }

    pub(super) fn push(&mut self, value: f64) {
        let single = Self {
            count: 1.0,
            sum: value,
            sum_squares: value * value,
            sum_logs: value.ln(),
            min: value,
            max: value,
            mean: value,
            ..Self::default()
        };
        self.merge(&single);
    }

    /// As if all of the other's values had been pushed here (Chan's formulas).
    pub(super) fn merge(&mut self, other: &Self) {
        let (left, right) = (self.count, other.count);
        let count = left + right;
        if right == 0.0 {
            return;
        }
        let delta = other.mean - self.mean;
        let fourth = self.fourth
            + other.fourth
            + delta.powi(4) * left * right * (left * left - left * right + right * right) / count.powi(3)
            + 6.0 * delta * delta * (left * left * other.second + right * right * self.second) / (count * count)
            + 4.0 * delta * (left * other.third - right * self.third) / count;
        let third = self.third
            + other.third
            + delta.powi(3) * left * right * (left - right) / (count * count)
            + 3.0 * delta * (left * other.second - right * self.second) / count;
        self.second += other.second + delta * delta * left * right / count;
        (self.third, self.fourth) = (third, fourth);
        self.mean += delta * right / count;
        self.count = count;
        self.sum += other.sum;
        self.sum_squares += other.sum_squares;
        self.sum_logs += other.sum_logs;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub(super) fn mean(&self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { f64::NAN }
    }

    /// Of a sample; 0 for a single value.
    pub(super) fn variance(&self) -> f64 {
        match self.count {
            0.0 => f64::NAN,
            1.0 => 0.0,
            count => self.second / (count - 1.0),
        }
    }

    pub(super) fn population_variance(&self) -> f64 {
        if self.count > 0.0 { self.second / self.count } else { f64::NAN }
    }

    pub(super) fn skewness(&self) -> f64 {
        let count = self.count;
        if count < 3.0 {
            return f64::NAN;
        }
        if self.variance() < 1e-19 {
            return 0.0;
        }
        count * (count - 1.0).sqrt() / (count - 2.0) * self.third / self.second.powf(1.5)
    }

    pub(super) fn kurtosis(&self) -> f64 {
        let count = self.count;
        if count < 4.0 {
            return f64::NAN;
        }
        if self.variance() < 1e-19 {
            return 0.0;
        }
        let last = (count - 2.0) * (count - 3.0);
        count * (count + 1.0) * (count - 1.0) / last * self.fourth / (self.second * self.second)
            - 3.0 * (count - 1.0) * (count - 1.0) / last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_is_as_good_as_pushing() {
        let values = [2.0, 3.5, -1.0, 8.0, 8.5, 0.25, 100.0];
        let all = Moments::of(values);
        let mut merged = Moments::of(values[..3].iter().copied());
        merged.merge(&Moments::of(values[3..].iter().copied()));
        for (left, right) in [
            (all.variance(), merged.variance()),
            (all.kurtosis(), merged.kurtosis()),
            (all.skewness(), merged.skewness()),
        ] {
            assert!((left - right).abs() < 1e-9, "{left} {right}");
        }
    }
}
