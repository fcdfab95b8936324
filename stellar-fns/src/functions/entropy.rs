//! The entropy of what was counted, for STRING_ENTROPY.

/// The Shannon entropy in bits of what was counted; 0 for nothing.
pub(crate) fn entropy(counts: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    let counted = counts.iter().filter(|count| **count > 0.0);
    counted.map(|count| count / total).map(|share| -share * share.log2()).sum::<f64>() + 0.0
}
