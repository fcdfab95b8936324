//! The state behind STATS_*: of all values ever added, or of the last ones.

use std::any::Any;
use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::error::Fault;
use crate::value::{Items, Object, Value, double_of};

use super::digest::Digest;
use super::moments::Moments;

/// The largest window.
const WIDEST: i32 = 1_000_000;

/// Statistics; adding locks.
#[derive(Debug)]
pub(crate) struct Statistics(Mutex<Summary>);

/// What is kept.
#[derive(Clone, Debug)]
pub(super) enum Summary {
    /// Of all values.
    Online { moments: Moments, digest: Digest },
    /// The last values themselves.
    Window { values: VecDeque<f64>, size: usize },
}

impl Object for Statistics {
    fn kind(&self) -> &'static str {
        "statistics"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Statistics {
    /// Statistics of the last values, or of all for 0.
    pub(super) fn new(window: i32) -> Result<Self, Fault> {
        let size = usize::try_from(window).ok().filter(|_| window <= WIDEST);
        let size =
            size.ok_or_else(|| Fault::argument(format!("a window of {window} values; it can have 0 to {WIDEST}")))?;
        Ok(Self(Mutex::new(match size {
            0 => Summary::Online { moments: Moments::default(), digest: Digest::default() },
            size => Summary::Window { values: VecDeque::new(), size },
        })))
    }

    pub(super) fn add(&self, numbers: &[f64]) {
        let mut summary = self.0.lock();
        numbers.iter().for_each(|number| summary.add(*number));
    }

    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().clone()))
    }

    /// Adds all that another knows. A window takes part with the values in it.
    pub(super) fn merge(&self, other: &Self) {
        let other = other.0.lock().clone();
        let mut summary = self.0.lock();
        match (&mut *summary, other) {
            (Summary::Online { moments, digest }, Summary::Online { moments: more, digest: other }) => {
                moments.merge(&more);
                digest.merge(&other);
            }
            (summary, Summary::Window { values, .. }) => values.into_iter().for_each(|value| summary.add(value)),
            (summary, online) => *summary = online,
        }
    }

    /// Asks something of what is kept.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&Summary) -> T) -> T {
        ask(&self.0.lock())
    }

    /// What looking at it costs, in steps.
    pub(crate) fn cost(&self) -> usize {
        match &*self.0.lock() {
            Summary::Online { .. } => 100,
            Summary::Window { values, .. } => values.len() + 1,
        }
    }

    /// The least value.
    pub(crate) fn min(&self) -> f64 {
        self.with(Summary::min)
    }

    /// The greatest value.
    pub(crate) fn max(&self) -> f64 {
        self.with(Summary::max)
    }
}

impl Summary {
    fn add(&mut self, value: f64) {
        match self {
            Self::Online { moments, digest } => {
                moments.push(value);
                digest.push(value);
            }
            Self::Window { values, size } => {
                if values.len() == *size {
                    values.pop_front();
                }
                values.push_back(value);
            }
        }
    }

    fn moments(&self) -> Moments {
        match self {
            Self::Online { moments, .. } => moments.clone(),
            Self::Window { values, .. } => Moments::of(values.iter().copied()),
        }
    }

    /// The moments of a window; statistics of all values don't know them.
    fn of_window(&self, what: &str) -> Result<Moments, Fault> {
        match self {
            Self::Window { .. } => Ok(self.moments()),
            Self::Online { .. } => {
                Err(Fault::argument(format!("the {what} is only known of a window; give STATS_INIT its size")))
            }
        }
    }

    pub(super) fn count(&self) -> f64 {
        self.moments().count
    }

    pub(super) fn mean(&self) -> f64 {
        self.moments().mean()
    }

    pub(super) fn min(&self) -> f64 {
        self.moments().min
    }

    pub(super) fn max(&self) -> f64 {
        self.moments().max
    }

    pub(super) fn sum(&self) -> f64 {
        self.moments().sum
    }

    pub(super) fn sum_squares(&self) -> f64 {
        self.moments().sum_squares
    }

    pub(super) fn variance(&self) -> f64 {
        self.moments().variance()
    }

    pub(super) fn standard_deviation(&self) -> f64 {
        self.moments().variance().sqrt()
    }

    pub(super) fn kurtosis(&self) -> f64 {
        self.moments().kurtosis()
    }

    pub(super) fn skewness(&self) -> f64 {
        self.moments().skewness()
    }

    pub(super) fn geometric_mean(&self) -> Result<f64, Fault> {
        let moments = self.of_window("geometric mean")?;
        Ok((moments.sum_logs / moments.count).exp())
    }

    pub(super) fn population_variance(&self) -> Result<f64, Fault> {
        Ok(self.of_window("population variance")?.population_variance())
    }

    pub(super) fn quadratic_mean(&self) -> Result<f64, Fault> {
        let moments = self.of_window("quadratic mean")?;
        Ok((moments.sum_squares / moments.count).sqrt())
    }

    pub(super) fn sum_logs(&self) -> Result<f64, Fault> {
        match self {
            Self::Online { moments, .. } => Ok(moments.sum_logs),
            Self::Window { .. } => Err(Fault::argument(
                "the sum of logarithms isn't known of a window; STATS_INIT without a size knows it",
            )),
        }
    }

    /// Of a window by the rule of commons-math: at place p (n + 1) of the sorted values, between neighbours in proportion.
    pub(super) fn percentile(&self, percentile: f64) -> Result<f64, Fault> {
        if !(0.0..=100.0).contains(&percentile) {
            return Err(Fault::argument(format!("percentile {percentile} doesn't lie between 0 and 100")));
        }
        let values = match self {
            Self::Online { digest, .. } => return Ok(digest.quantile(percentile / 100.0)),
            Self::Window { values, .. } => values,
        };
        let mut sorted: Vec<f64> = values.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(between(&sorted, percentile))
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place within a window of at most a million values"
)]
fn between(sorted: &[f64], percentile: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return f64::NAN };
    let place = percentile / 100.0 * (sorted.len() as f64 + 1.0);
    if place < 1.0 {
        return *first;
    }
    match (sorted.get(place as usize - 1), sorted.get(place as usize)) {
        (Some(lower), Some(upper)) => lower + place.fract() * (upper - lower),
        _ => *last,
    }
}

/// A number, or the numbers of a list or set; nulls are left out.
pub(super) fn numbers(value: &Value) -> Result<Vec<f64>, Fault> {
    let number = |value: &Value| double_of(value).ok_or_else(|| Fault::wrong_type(format!("{value} is no number")));
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(_) | Value::Set(_) => {
            let items = Items::of(value).into_iter().flatten().filter(|item| !item.is_null());
            items
                .map(|item| {
                    if item.is_scalar() {
                        number(&item)
                    } else {
                        Err(Fault::wrong_type("a list of numbers holds something else"))
                    }
                })
                .collect()
        }
        Value::Map(_) | Value::Lambda(_) | Value::Object(_) => {
            Err(Fault::wrong_type(format!("a {} is no number", value.type_name())))
        }
        value => number(value).map(|number| vec![number]),
    }
}
