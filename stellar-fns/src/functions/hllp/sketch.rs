//! The estimator as a value.
//!
//! The estimating is done by a crate, whose sparse form always works at precision 25; a sparse precision that was asked for is only checked. Items count
//! as the same if their texts are the same, as in the original.

use std::any::Any;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use parking_lot::Mutex;

use super::murmur::hash64;
use crate::error::Fault;
use crate::function::{Arguments, Context};
use crate::value::{Object, Value};

/// Precision of an estimator that was made without one: 16,384 registers, an error of about 0.8 %.
pub(super) const PRECISION: i32 = 14;

/// Precisions that the crate knows the bias for.
const PRECISIONS: std::ops::RangeInclusive<i32> = 4..=18;

type Inner = HyperLogLogPlus<u64, Ready>;

/// The estimator.
pub(super) struct Sketch(Mutex<Inner>);

impl std::fmt::Debug for Sketch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Sketch")
    }
}

impl Object for Sketch {
    fn kind(&self) -> &'static str {
        "HyperLogLog++"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Sketch {
    /// A new value with this many bits for registers.
    pub(super) fn value(precision: i32) -> Result<Value, Fault> {
        let made = u8::try_from(precision)
            .ok()
            .filter(|_| PRECISIONS.contains(&precision))
            .and_then(|bits| Inner::new(bits, Ready).ok());
        let inner = made.ok_or_else(|| {
            Fault::argument(format!(
                "p must lie between {} and {}, not {precision}",
                PRECISIONS.start(),
                PRECISIONS.end()
            ))
        })?;
        Ok(Self::wrapped(inner))
    }

    fn wrapped(inner: Inner) -> Value {
        Value::Object(Arc::new(Self(Mutex::new(inner))))
    }

    /// Counts an item, unless it was counted before.
    pub(super) fn add(&self, item: &Value, context: &mut Context<'_>) -> Result<(), Fault> {
        let hash = match item {
            Value::Null => 0,
            item => hash64(context.text_of(item)?.as_bytes()),
        };
        context.spend(1)?;
        self.0.lock().insert(&hash);
        Ok(())
    }

    /// How many different items there were, estimated.
    #[expect(clippy::cast_possible_truncation, reason = "no estimate leaves the range of a long")]
    pub(super) fn cardinality(&self) -> i64 {
        self.0.lock().count().round() as i64
    }

    /// A new value that has counted what all of these have.
    pub(super) fn merged(&self, others: &[&Self]) -> Result<Value, Fault> {
        let mut merged = self.0.lock().clone();
        for other in others {
            merged.merge(&other.0.lock()).map_err(|_| {
                Fault::argument("these estimators have different precisions; make all with the same arguments")
            })?;
        }
        Ok(Self::wrapped(merged))
    }
}

/// The estimator at this place; none for null.
pub(super) fn sketch<'a>(arguments: &Arguments<'a>, index: usize) -> Result<Option<&'a Sketch>, Fault> {
    arguments.nullable_object(index, "an estimator, which HLLP_INIT makes")
}

/// Hands the hash through that the item already is.
#[derive(Clone, Debug, Default)]
struct Ready;

/// See [`Ready`].
struct HandedThrough(u64);

impl BuildHasher for Ready {
    type Hasher = HandedThrough;

    fn build_hasher(&self) -> HandedThrough {
        HandedThrough(0)
    }
}

impl Hasher for HandedThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
