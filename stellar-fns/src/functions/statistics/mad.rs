//! Outlier detection by the median absolute deviation over a window of earlier states.
//!
//! A state knows what was added to it, and from the states it was merged of a median and the deviations from it, with which values are compared.

use std::any::Any;

use parking_lot::Mutex;

use crate::value::Object;

use super::digest::Digest;

/// A state of outlier detection; adding locks.
#[derive(Debug)]
pub(super) struct State(Mutex<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    /// What was added here.
    values: Digest,
    deviations: Digest,
    /// Median and median deviation of the states before; NaN where there were none.
    median: f64,
    deviation: f64,
}

impl Object for State {
    fn kind(&self) -> &'static str {
        "outlier state"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl State {
    /// An empty state that compares with what these states were given.
    pub(super) fn merge(states: &[&Self]) -> Self {
        let (mut values, mut deviations) = (Digest::default(), Digest::default());
        for state in states {
            let state = state.0.lock().clone();
            values.merge(&state.values);
            deviations.merge(&state.deviations);
        }
        let (median, deviation) = (values.quantile(0.5), deviations.quantile(0.5));
        Self(Mutex::new(Inner { values: Digest::default(), deviations: Digest::default(), median, deviation }))
    }

    pub(super) fn add(&self, numbers: &[f64]) {
        let mut inner = self.0.lock();
        let median = inner.median;
        for number in numbers {
            inner.values.push(*number);
            inner.deviations.push((number - median).abs());
        }
    }

    /// The modified z-score.
    pub(super) fn score(&self, value: f64, scale: f64) -> f64 {
        let inner = self.0.lock();
        scale * (value - inner.median).abs() / inner.deviation
    }
}
