//! Places on earth and their geohashes.

use geohash::Coord;

use crate::error::Fault;
use crate::function::Arguments;
use crate::value::int_of;

/// A latitude and a longitude in degrees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub latitude: f64,
    pub longitude: f64,
}

impl Place {
    /// None outside of the ranges of degrees.
    pub(super) fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let there = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        there.then_some(Self { latitude, longitude })
    }

    /// The middle of a geohash; of an empty one that of the map.
    pub(super) fn of(hash: &str) -> Option<Self> {
        if hash.is_empty() {
            return Self::new(0.0, 0.0);
        }
        // More characters than these say nothing that a double could hold.
        let hash = hash.get(..hash.len().min(12)).filter(|hash| hash.is_ascii())?;
        let (middle, _, _) = geohash::decode(&hash.to_ascii_lowercase()).ok()?;
        Self::new(middle.y, middle.x)
    }

    pub(super) fn hash(self, precision: usize) -> Option<String> {
        geohash::encode(Coord { x: self.longitude, y: self.latitude }, precision).ok()
    }
}

/// The number of characters that an argument asks for.
pub(super) fn precision(arguments: &Arguments<'_>, index: usize) -> Result<usize, Fault> {
    let Some(value) = arguments.get(index).filter(|value| !value.is_null()) else { return Ok(12) };
    let precision = int_of(value).and_then(|precision| usize::try_from(precision).ok());
    precision
        .filter(|precision| (1..=12).contains(precision))
        .ok_or_else(|| Fault::argument(format!("precision {value} doesn't lie between 1 and 12")))
}

/// The middle of several places by their weight: the mean of their vectors from the middle of the earth. None where that is undefined.
pub(super) fn centroid(places: &[(Place, f64)]) -> Option<Place> {
    let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
    for (place, weight) in places {
        let (latitude, longitude) = (place.latitude.to_radians(), place.longitude.to_radians());
        x += weight * latitude.cos() * longitude.cos();
        y += weight * latitude.cos() * longitude.sin();
        z += weight * latitude.sin();
    }
    if places.is_empty() || (x == 0.0 && y == 0.0 && z == 0.0) {
        return None;
    }
    Place::new(z.atan2(x.hypot(y)).to_degrees(), y.atan2(x).to_degrees())
}
