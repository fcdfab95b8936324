//! Outliers: how far a value is from the median, measured in median absolute deviations.

mod deviation;
mod outlier_mad_add;
mod outlier_mad_score;
mod outlier_mad_state_merge;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(outlier_mad_add::OutlierMadAdd),
    || Arc::new(outlier_mad_score::OutlierMadScore),
    || Arc::new(outlier_mad_state_merge::OutlierMadStateMerge),
];
