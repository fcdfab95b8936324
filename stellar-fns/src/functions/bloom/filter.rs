//! The filter itself: bits set by several hashes of a value.
//!
//! Hashes are the same in every process, so that filters made in one place can be merged in another.

use std::any::Any;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Fault;
use crate::value::{Object, Value, stable_hash};

/// Larger filters are refused: 64 MiB.
const MOST_BITS: f64 = 536_870_912.0;

/// A Bloom filter; adding needs no lock.
#[derive(Debug)]
pub(super) struct Filter {
    words: Box<[AtomicU64]>,
    hashes: u32,
}

impl Object for Filter {
    fn kind(&self) -> &'static str {
        "Bloom filter"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Filter {
    /// A filter for this many items with this rate of false positives.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both are checked to lie in a small range"
    )]
    pub(super) fn new(items: i32, rate: f64) -> Result<Self, Fault> {
        if items < 0 || !(rate > 0.0 && rate < 1.0) {
            return Err(Fault::argument(format!(
                "{items} items at a rate of {rate}: items can't be negative, the rate lies between 0 and 1"
            )));
        }
        let items = f64::from(items.max(1));
        let ln2 = std::f64::consts::LN_2;
        let bits = (-items * rate.ln() / (ln2 * ln2)).ceil().max(64.0);
        if bits > MOST_BITS {
            return Err(Fault::argument(format!(
                "{items} items at a rate of {rate} need {bits} bits; the limit is {MOST_BITS}"
            )));
        }
        let hashes = (bits / items * ln2).round().clamp(1.0, 255.0);
        let words = (bits / 64.0).ceil() as usize;
        Ok(Self { words: (0..words).map(|_| AtomicU64::new(0)).collect(), hashes: hashes as u32 })
    }

    /// What making or copying it costs.
    pub(super) fn cost(&self) -> usize {
        self.words.len() / 2
    }

    pub(super) fn add(&self, value: &Value) {
        for (word, bit) in self.places(value) {
            self.words[word].fetch_or(bit, Ordering::Relaxed);
        }
    }

    pub(super) fn has(&self, value: &Value) -> bool {
        self.places(value).all(|(word, bit)| self.words[word].load(Ordering::Relaxed) & bit != 0)
    }

    fn places(&self, value: &Value) -> impl Iterator<Item = (usize, u64)> {
        let first = stable_hash(value);
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(first);
        let second = hasher.finish() | 1;
        let bits = self.words.len() as u64 * 64;
        (0..u64::from(self.hashes)).map(move |index| {
            let place = first.wrapping_add(index.wrapping_mul(second)) % bits;
            (usize::try_from(place / 64).unwrap_or(0), 1 << (place % 64))
        })
    }

    pub(super) fn copy(&self) -> Self {
        Self {
            words: self.words.iter().map(|word| AtomicU64::new(word.load(Ordering::Relaxed))).collect(),
            hashes: self.hashes,
        }
    }

    /// Adds all values of another filter of the same size.
    pub(super) fn merge(&self, other: &Self) -> Result<(), Fault> {
        if (self.words.len(), self.hashes) != (other.words.len(), other.hashes) {
            return Err(Fault::argument("these filters have different sizes; make all with the same arguments"));
        }
        for (word, more) in self.words.iter().zip(&other.words) {
            word.fetch_or(more.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        Ok(())
    }
}
