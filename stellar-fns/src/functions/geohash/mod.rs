//! Geohashes: places on earth as short texts, their distances and their middle.

mod distance;
mod geohash_centroid;
mod geohash_dist;
mod geohash_from_latlong;
mod geohash_from_loc;
mod geohash_max_dist;
mod geohash_to_latlong;
mod point;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(geohash_centroid::GeohashCentroid),
    || Arc::new(geohash_dist::GeohashDist),
    || Arc::new(geohash_from_latlong::GeohashFromLatlong),
    || Arc::new(geohash_from_loc::GeohashFromLoc),
    || Arc::new(geohash_max_dist::GeohashMaxDist),
    || Arc::new(geohash_to_latlong::GeohashToLatlong),
];
