//! The sketch itself, over the hash that is the same in every process.

use std::any::Any;
use std::hash::{BuildHasherDefault, DefaultHasher};

use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use parking_lot::Mutex;

use crate::error::Fault;
use crate::value::{Object, Value, stable_hash};

type Inner = HyperLogLogPlus<u64, BuildHasherDefault<DefaultHasher>>;

/// A sketch; adding locks.
pub(super) struct Sketch {
    precision: u8,
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Sketch(precision {})", self.precision)
    }
}

impl Object for Sketch {
    fn kind(&self) -> &'static str {
        "cardinality sketch"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Sketch {
    pub(super) fn new(precision: i32) -> Result<Self, Fault> {
        let wrong = || Fault::argument(format!("precision {precision} doesn't lie between 4 and 18"));
        let precision = u8::try_from(precision).map_err(|_| wrong())?;
        let inner = Inner::new(precision, BuildHasherDefault::default()).map_err(|_| wrong())?;
        Ok(Self { precision, inner: Mutex::new(inner) })
    }

    pub(super) fn add(&self, value: &Value) {
        if !value.is_null() {
            self.inner.lock().insert(&stable_hash(value));
        }
    }

    pub(super) fn copy(&self) -> Self {
        Self { precision: self.precision, inner: Mutex::new(self.inner.lock().clone()) }
    }

    pub(super) fn merge(&self, other: &Self) -> Result<(), Fault> {
        let other = other.inner.lock().clone();
        let different = |_| Fault::argument("these sketches have different precisions");
        self.inner.lock().merge(&other).map_err(different)
    }

    /// What looking at it costs, in steps.
    pub(super) fn cost(&self) -> usize {
        1 << self.precision >> 4
    }

    /// The estimate, rounded.
    #[expect(clippy::cast_possible_truncation, reason = "an estimate of what was counted one by one")]
    pub(super) fn cardinality(&self) -> i64 {
        self.inner.lock().count().round() as i64
    }
}
