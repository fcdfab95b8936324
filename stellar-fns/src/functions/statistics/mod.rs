//! Statistics that are kept while values come in, either of all of them or of the last ones.

mod bin;
mod bins;
mod digest;
mod it_entropy;
mod mad;
mod moments;
mod outlier_mad_add;
mod outlier_mad_score;
mod outlier_mad_state_merge;
mod over;
mod reservoir;
mod sample_add;
mod sample_get;
mod sample_init;
mod sample_merge;
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

use std::sync::Arc;

use crate::function::Function;

pub(crate) use state::Statistics;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(bin::Bin),
    || Arc::new(it_entropy::ItEntropy),
    || Arc::new(outlier_mad_add::OutlierMadAdd),
    || Arc::new(outlier_mad_score::OutlierMadScore),
    || Arc::new(outlier_mad_state_merge::OutlierMadStateMerge),
    || Arc::new(sample_add::SampleAdd),
    || Arc::new(sample_get::SampleGet),
    || Arc::new(sample_init::SampleInit),
    || Arc::new(sample_merge::SampleMerge),
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
