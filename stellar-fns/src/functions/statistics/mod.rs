//! Statistics over streams of numbers, bins, and entropy.
//!
//! The functions share one object (`state`), which keeps sums and a t-digest (`online`, `digest`) or the latest values (`window`).

mod bin;
mod bins;
mod digest;
mod it_entropy;
mod online;
mod state;
mod stats_add;
mod stats_bin;
mod stats_count;
mod stats_geometric_mean;
mod stats_init;
mod stats_kurtosis;
mod stats_max;
mod stats_mean;
mod stats_merge;
mod stats_min;
mod stats_percentile;
mod stats_population_variance;
mod stats_quadratic_mean;
mod stats_sd;
mod stats_skewness;
mod stats_sum;
mod stats_sum_logs;
mod stats_sum_squares;
mod stats_variance;
mod window;

use std::sync::Arc;

use crate::function::Function;
pub(super) use online::Online;
pub(super) use state::Statistics;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(bin::Bin),
    || Arc::new(it_entropy::ItEntropy),
    || Arc::new(stats_add::StatsAdd),
    || Arc::new(stats_bin::StatsBin),
    || Arc::new(stats_count::StatsCount),
    || Arc::new(stats_geometric_mean::StatsGeometricMean),
    || Arc::new(stats_init::StatsInit),
    || Arc::new(stats_kurtosis::StatsKurtosis),
    || Arc::new(stats_max::StatsMax),
    || Arc::new(stats_mean::StatsMean),
    || Arc::new(stats_merge::StatsMerge),
    || Arc::new(stats_min::StatsMin),
    || Arc::new(stats_percentile::StatsPercentile),
    || Arc::new(stats_population_variance::StatsPopulationVariance),
    || Arc::new(stats_quadratic_mean::StatsQuadraticMean),
    || Arc::new(stats_sd::StatsSd),
    || Arc::new(stats_skewness::StatsSkewness),
    || Arc::new(stats_sum::StatsSum),
    || Arc::new(stats_sum_logs::StatsSumLogs),
    || Arc::new(stats_sum_squares::StatsSumSquares),
    || Arc::new(stats_variance::StatsVariance),
];
