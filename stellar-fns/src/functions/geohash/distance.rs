//! Distances between places, by three ways to see the earth.

use crate::error::Fault;
use crate::function::Arguments;

use super::place::Place;

/// The mean radius in kilometres.
const RADIUS: f64 = 6371.0088;
/// The ellipsoid of WGS 84 in kilometres.
const EQUATOR: f64 = 6378.137;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Vincenty's iteration settles long before; near antipodes it may not settle at all.
const ITERATIONS: usize = 200;

/// How a distance is computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Strategy {
    /// On a sphere, good also for short distances.
    Haversine,
    /// On a sphere by the law of cosines.
    LawOfCosines,
    /// On an ellipsoid.
    Vincenty,
}

impl Strategy {
    /// The one that an argument names.
    pub(super) fn named(arguments: &Arguments<'_>, index: usize) -> Result<Self, Fault> {
        let Some(name) = arguments.get(index).filter(|name| !name.is_null()) else { return Ok(Self::Haversine) };
        match name.to_string().to_ascii_uppercase().as_str() {
            "HAVERSINE" => Ok(Self::Haversine),
            "LAW_OF_COSINES" => Ok(Self::LawOfCosines),
            // The original's spelling, and the right one.
            "VICENTY" | "VINCENTY" => Ok(Self::Vincenty),
            _ => Err(Fault::argument(format!("no strategy {name}; there are HAVERSINE, LAW_OF_COSINES, VICENTY"))),
        }
    }

    /// Kilometres between two places.
    pub(super) fn between(self, first: Place, second: Place) -> f64 {
        match self {
            Self::Haversine => haversine(first, second),
            Self::LawOfCosines => law_of_cosines(first, second),
            Self::Vincenty => vincenty(first, second).unwrap_or_else(|| haversine(first, second)),
        }
    }
}

fn haversine(first: Place, second: Place) -> f64 {
    let (from, to) = (first.latitude.to_radians(), second.latitude.to_radians());
    let across = ((second.longitude - first.longitude).to_radians() / 2.0).sin();
    let up = ((to - from) / 2.0).sin();
    let chord = up * up + from.cos() * to.cos() * across * across;
    2.0 * RADIUS * chord.sqrt().min(1.0).asin()
}

fn law_of_cosines(first: Place, second: Place) -> f64 {
    let (from, to) = (first.latitude.to_radians(), second.latitude.to_radians());
    let across = (second.longitude - first.longitude).to_radians();
    let cosine = from.sin() * to.sin() + from.cos() * to.cos() * across.cos();
    RADIUS * cosine.clamp(-1.0, 1.0).acos()
}

/// Vincenty's inverse formula; none where it doesn't settle.
fn vincenty(first: Place, second: Place) -> Option<f64> {
    let polar = EQUATOR * (1.0 - FLATTENING);
    let reduced = |latitude: f64| ((1.0 - FLATTENING) * latitude.to_radians().tan()).atan().sin_cos();
    let ((sin_from, cos_from), (sin_to, cos_to)) = (reduced(first.latitude), reduced(second.latitude));
    let across = (second.longitude - first.longitude).to_radians();
    let mut lambda = across;
    for _ in 0..ITERATIONS {
        let (sin_lambda, cos_lambda) = lambda.sin_cos();
        let sin_sigma = (cos_to * sin_lambda).hypot(cos_from * sin_to - sin_from * cos_to * cos_lambda);
        if sin_sigma == 0.0 {
            return Some(0.0);
        }
        let cos_sigma = sin_from * sin_to + cos_from * cos_to * cos_lambda;
        let sigma = sin_sigma.atan2(cos_sigma);
        let sin_alpha = cos_from * cos_to * sin_lambda / sin_sigma;
        let cos_squared = 1.0 - sin_alpha * sin_alpha;
        let middle = if cos_squared == 0.0 { 0.0 } else { cos_sigma - 2.0 * sin_from * sin_to / cos_squared };
        let c = FLATTENING / 16.0 * cos_squared * (4.0 + FLATTENING * (4.0 - 3.0 * cos_squared));
        let turn = sigma + c * sin_sigma * (middle + c * cos_sigma * (2.0 * middle * middle - 1.0));
        let next = across + (1.0 - c) * FLATTENING * sin_alpha * turn;
        let settled = (next - lambda).abs() < 1e-12;
        lambda = next;
        if settled {
            let squared = cos_squared * (EQUATOR * EQUATOR - polar * polar) / (polar * polar);
            let a = 1.0 + squared / 16384.0 * (4096.0 + squared * (-768.0 + squared * (320.0 - 175.0 * squared)));
            let b = squared / 1024.0 * (256.0 + squared * (-128.0 + squared * (74.0 - 47.0 * squared)));
            let inner = cos_sigma * (2.0 * middle * middle - 1.0)
                - b / 6.0 * middle * (4.0 * sin_sigma * sin_sigma - 3.0) * (4.0 * middle * middle - 3.0);
            return Some(polar * a * (sigma - b * sin_sigma * (middle + b / 4.0 * inner)));
        }
    }
    None
}
