//! The functions of the language, a directory per group and a file per function.
//!
//! Each file documents its function in `DOC`, whose examples run as tests (`tests`) and print as reference.

mod bloom;
mod conversion;
mod dates;
mod encoding;
#[cfg(feature = "enrichment")]
mod enrichment;
mod entropy;
mod functional;
mod fuzzy;
#[cfg(feature = "geo")]
mod geo;
mod geohash;
mod hashing;
mod hllp;
mod java_random;
mod json;
mod maps;
mod math;
mod network;
#[cfg(feature = "object")]
mod object;
mod ordinal;
mod outlier;
pub(crate) mod regex;
#[cfg(feature = "rest")]
mod rest;
mod sampling;
mod sets;
mod statistics;
mod strings;
mod system;
#[cfg(test)]
mod tests;
mod typosquat;
mod validation;

pub(crate) use dates::known_zone;

use std::sync::Arc;

use crate::function::Function;

/// All of them.
pub(crate) fn all() -> Vec<Arc<dyn Function>> {
    let groups = [
        bloom::ALL,
        conversion::ALL,
        dates::ALL,
        encoding::ALL,
        #[cfg(feature = "enrichment")]
        enrichment::ALL,
        functional::ALL,
        fuzzy::ALL,
        #[cfg(feature = "geo")]
        geo::ALL,
        geohash::ALL,
        hashing::ALL,
        hllp::ALL,
        json::ALL,
        #[cfg(feature = "maas")]
        crate::maas::ALL,
        maps::ALL,
        math::ALL,
        network::ALL,
        #[cfg(feature = "object")]
        object::ALL,
        ordinal::ALL,
        outlier::ALL,
        regex::ALL,
        #[cfg(feature = "rest")]
        rest::ALL,
        sampling::ALL,
        sets::ALL,
        statistics::ALL,
        strings::ALL,
        system::ALL,
        typosquat::ALL,
        validation::ALL,
    ];
    groups.iter().flat_map(|group| group.iter().map(|make| make())).collect()
}
