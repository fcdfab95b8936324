//! The state behind OUTLIER_MAD: sketches of values and of their distance from the median, of this period and of the window of periods before it.

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Fault;
use crate::function::Arguments;
use crate::functions::statistics::Online;
use crate::value::{Object, Value};

/// Values, and their distances from the median at the time they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Period {
    values: Online,
    distances: Online,
}

impl Period {
    /// Both periods as one.
    pub(super) fn merge(&self, other: &Self) -> Result<Self, Fault> {
        Ok(Self { values: self.values.merge(&other.values)?, distances: self.distances.merge(&other.distances)? })
    }
}

#[derive(Debug, Default)]
struct Parts {
    /// What was added to this state.
    own: Period,
    /// That, and what it was begun with.
    window: Period,
}

/// The state as a value.
#[derive(Debug, Default)]
pub(super) struct Deviation(Mutex<Parts>);

impl Object for Deviation {
    fn kind(&self) -> &'static str {
        "median absolute deviation"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Deviation {
    /// A new value that judges by this window.
    pub(super) fn value(window: Period) -> Value {
        Value::Object(Arc::new(Self(Mutex::new(Parts { own: Period::default(), window }))))
    }

    /// What was added to this state, without what it was begun with.
    pub(super) fn own(&self) -> Period {
        self.0.lock().own.clone()
    }

    /// Adds a value; NaN is skipped. Where one of the periods refuses it, neither has changed.
    pub(super) fn add(&self, value: f64) -> Result<(), Fault> {
        if value.is_nan() {
            return Ok(());
        }
        let mut parts = self.0.lock();
        let distance = (value - parts.window.values.percentile(50.0)?).abs();
        let distance = Some(distance).filter(|distance| !distance.is_nan());
        for period in [&parts.own, &parts.window] {
            period.values.check(value)?;
            distance.map_or(Ok(()), |distance| period.distances.check(distance))?;
        }
        let Parts { own, window } = &mut *parts;
        for period in [own, window] {
            period.values.add(value)?;
            distance.map_or(Ok(()), |distance| period.distances.add(distance))?;
        }
        Ok(())
    }

    /// The distance of a value from the median, divided by the median distance.
    pub(super) fn score(&self, value: f64) -> Result<f64, Fault> {
        let mut parts = self.0.lock();
        let distance = (value - parts.window.values.percentile(50.0)?).abs();
        Ok(distance / parts.window.distances.percentile(50.0)?)
    }
}

/// The state at this place; none for null.
pub(super) fn deviation<'a>(arguments: &Arguments<'a>, index: usize) -> Result<Option<&'a Deviation>, Fault> {
    arguments.nullable_object(index, "a state, which OUTLIER_MAD_STATE_MERGE makes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_the_window_refuses_changes_neither_period() {
        let mut window = Period::default();
        window.values.add(-1.1e77).unwrap();
        let state = Deviation(Mutex::new(Parts { own: Period::default(), window }));
        // The sums of this period have room for it, those of the window have not.
        assert!(state.add(1.1e77).is_err());
        assert!(state.own().values.percentile(50.0).unwrap().is_nan());
        state.add(1.0).unwrap();
        assert_eq!(state.own().values.percentile(50.0).unwrap().to_bits(), 1.0_f64.to_bits());
    }
}
