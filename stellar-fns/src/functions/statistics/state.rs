//! The object that STATS_INIT makes: either all values in a sketch (`online`), or the latest ones themselves (`window`).

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;

use super::online::Online;
use super::window::Window;
use crate::error::Fault;
use crate::function::{Arguments, Context, Outcome};
use crate::value::{Object, Value};

/// What values are turned into.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Sums and a sketch.
    Online(Online),
    /// The latest values.
    Window(Window),
}

/// Statistics as a value.
#[derive(Debug)]
pub(crate) struct Statistics(Mutex<State>);

impl Object for Statistics {
    fn kind(&self) -> &'static str {
        "statistics"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Statistics {
    /// A new value of this state.
    pub(super) fn value(state: State) -> Value {
        Value::Object(Arc::new(Self(Mutex::new(state))))
    }

    /// The state as it is now.
    pub(super) fn state(&self) -> State {
        self.0.lock().clone()
    }

    /// The sum of the logarithms of the values; a window doesn't have it.
    pub(super) fn sum_of_logs(&self) -> Option<f64> {
        match &*self.0.lock() {
            State::Online(online) => Some(online.sum_of_logs()),
            State::Window(_) => None,
        }
    }

    /// Adds a value.
    pub(super) fn add(&self, value: f64) -> Result<(), Fault> {
        match &mut *self.0.lock() {
            State::Online(online) => online.add(value),
            State::Window(window) => {
                window.add(value);
                Ok(())
            }
        }
    }

    /// The value below which this share of 100 lies.
    pub(super) fn percentile(&self, percent: f64, context: &mut Context<'_>) -> Result<f64, Fault> {
        match &mut *self.0.lock() {
            State::Online(online) => online.percentile(percent),
            State::Window(window) => {
                context.spend(window.len())?;
                window.percentile(percent)
            }
        }
    }

    /// What looking at all of it costs, in steps.
    pub(crate) fn cost(&self) -> usize {
        match &*self.0.lock() {
            State::Online(_) => 1,
            State::Window(window) => window.len() + 1,
        }
    }

    /// The least value, for MIN; NaN if there is none.
    pub(crate) fn min(&self) -> f64 {
        match &*self.0.lock() {
            State::Online(online) => online.min(),
            State::Window(window) => window.min(),
        }
    }

    /// The greatest value, for MAX; NaN if there is none.
    pub(crate) fn max(&self) -> f64 {
        match &*self.0.lock() {
            State::Online(online) => online.max(),
            State::Window(window) => window.max(),
        }
    }
}

/// The statistics at this place; none for null.
pub(super) fn statistics<'a>(arguments: &Arguments<'a>, index: usize) -> Result<Option<&'a Statistics>, Fault> {
    arguments.nullable_object(index, "statistics, which STATS_INIT makes")
}

/// One number about the statistics in the first argument; NaN for null.
pub(super) fn measure(
    arguments: &Arguments<'_>,
    context: &mut Context<'_>,
    online: fn(&Online) -> f64,
    window: fn(&Window) -> f64,
) -> Outcome {
    let Some(statistics) = statistics(arguments, 0)? else { return Ok(Value::Double(f64::NAN)) };
    Ok(Value::Double(match &*statistics.0.lock() {
        State::Online(state) => online(state),
        State::Window(state) => {
            context.spend(state.len())?;
            window(state)
        }
    }))
}

/// Like [`measure`], for what only a window knows.
pub(super) fn measure_window(
    arguments: &Arguments<'_>,
    context: &mut Context<'_>,
    window: fn(&Window) -> f64,
) -> Outcome {
    let Some(statistics) = statistics(arguments, 0)? else { return Ok(Value::Double(f64::NAN)) };
    match &*statistics.0.lock() {
        State::Online(_) => Err(Fault::argument("needs the values themselves; make the statistics with STATS_INIT(n)")),
        State::Window(state) => {
            context.spend(state.len())?;
            Ok(Value::Double(window(state)))
        }
    }
}
