//! Distances between places, on a sphere by three formulas.

use crate::error::Fault;
use crate::function::Arguments;

use super::place::Place;

/// The mean radius in kilometres.
const RADIUS: f64 = 6_371.008_771_4;

/// How a distance is computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Strategy {
    /// On a sphere, good also for short distances.
    Haversine,
    /// On a sphere by the law of cosines.
    LawOfCosines,
    /// On a sphere by Vincenty's formula.
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
            Self::Vincenty => vincenty(first, second),
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

/// Vincenty's formula for a sphere, which is exact for the shortest and the longest distances too.
fn vincenty(first: Place, second: Place) -> f64 {
    let ((sin_from, cos_from), (sin_to, cos_to)) =
        (first.latitude.to_radians().sin_cos(), second.latitude.to_radians().sin_cos());
    let (sin_across, cos_across) = (second.longitude - first.longitude).to_radians().sin_cos();
    let sine = (cos_to * sin_across).hypot(cos_from * sin_to - sin_from * cos_to * cos_across);
    let cosine = sin_from * sin_to + cos_from * cos_to * cos_across;
    RADIUS * sine.atan2(cosine)
}
