//! Estimates of percentiles of more values than are kept: a t-digest, fed with finite numbers only.

use tdigest::TDigest;

/// How many centroids are kept: percentiles are right to well under one percent.
const SIZE: usize = 150;

/// A t-digest.
#[derive(Clone, Debug)]
pub(super) struct Digest(TDigest);

impl Default for Digest {
    fn default() -> Self {
        Self(TDigest::new_with_size(SIZE))
    }
}

impl Digest {
    pub(super) fn push(&mut self, value: f64) {
        if value.is_finite() {
            self.0.push(value);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let mut other = other.0.clone();
        other.flush();
        self.0.flush();
        self.0 = TDigest::merge_digests(vec![std::mem::take(&mut self.0), other]);
    }

    /// The value below which this share, from 0 to 1, of the values lies; NaN without values.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let mut digest = self.0.clone();
        digest.flush();
        digest.estimate_quantile(share.clamp(0.0, 1.0)).unwrap_or(f64::NAN)
    }
}
