//! A uniform sample of values whose number isn't known beforehand.

use std::any::Any;
use std::hash::{BuildHasher, Hasher, RandomState};

use parking_lot::Mutex;

use crate::error::Fault;
use crate::value::{Object, Value};

/// The largest sample.
const LARGEST: i32 = 1_000_000;

/// A reservoir; adding locks. It keeps single values only, so that it can't hold itself.
#[derive(Debug)]
pub(super) struct Reservoir {
    size: i32,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    kept: Vec<Value>,
    seen: u64,
    random: u64,
}

impl Object for Reservoir {
    fn kind(&self) -> &'static str {
        "sampler"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Reservoir {
    pub(super) fn new(size: i32) -> Result<Self, Fault> {
        if !(1..=LARGEST).contains(&size) {
            return Err(Fault::argument(format!("a sample of {size} values; it can have 1 to {LARGEST}")));
        }
        let random = RandomState::new().build_hasher().finish() | 1;
        Ok(Self { size, inner: Mutex::new(Inner { kept: Vec::new(), seen: 0, random }) })
    }

    pub(super) fn empty_like(&self) -> Result<Self, Fault> {
        Self::new(self.size)
    }

    /// Each value takes a place with the probability that keeps the sample uniform.
    pub(super) fn add(&self, values: Vec<Value>) -> Result<(), Fault> {
        let mut inner = self.inner.lock();
        for value in values {
            if !value.is_scalar() {
                return Err(Fault::wrong_type(format!("a sampler keeps single values, not a {}", value.type_name())));
            }
            inner.seen += 1;
            if inner.kept.len() < usize::try_from(self.size).unwrap_or(0) {
                inner.kept.push(value);
                continue;
            }
            let place = inner.next() % inner.seen;
            if let Some(slot) = usize::try_from(place).ok().and_then(|place| inner.kept.get_mut(place)) {
                *slot = value;
            }
        }
        Ok(())
    }

    pub(super) fn kept(&self) -> Vec<Value> {
        self.inner.lock().kept.clone()
    }
}

impl Inner {
    /// xorshift64*
    fn next(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_values_are_as_likely_as_early_ones() {
        let mut late = 0;
        for _ in 0..200 {
            let reservoir = Reservoir::new(10).unwrap();
            reservoir.add((0..100).map(Value::Int).collect()).unwrap();
            late += reservoir.kept().iter().filter(|value| matches!(value, Value::Int(50..))).count();
        }
        assert!((800..1200).contains(&late), "{late} of 2000 come from the second half");
    }
}
