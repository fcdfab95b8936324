//! Distances on a sphere of the earth's mean radius, by three formulas that differ only in rounding.

use super::point::Point;
use crate::error::{Fault, shown};
use crate::function::Arguments;

/// Mean radius of the earth in kilometres.
const RADIUS: f64 = 6_371.008_771_4;

/// A formula for the angle between two points.
#[derive(Clone, Copy, Debug)]
pub(super) enum Formula {
    Haversine,
    LawOfCosines,
    Vincenty,
}

impl Formula {
    /// The one that was asked for at this place.
    pub(super) fn read(arguments: &Arguments<'_>, index: usize) -> Result<Self, Fault> {
        if arguments.get(index).is_none() {
            return Ok(Self::Haversine);
        }
        match arguments.text(index)? {
            "HAVERSINE" => Ok(Self::Haversine),
            "LAW_OF_COSINES" => Ok(Self::LawOfCosines),
            // The original's spelling.
            "VICENTY" => Ok(Self::Vincenty),
            other => Err(Fault::argument(format!(
                "no strategy {}; there are HAVERSINE, LAW_OF_COSINES and VICENTY",
                shown(other)
            ))),
        }
    }

    /// Kilometres between two points.
    pub(super) fn kilometres(self, from: Point, to: Point) -> f64 {
        if from == to {
            return 0.0;
        }
        let (latitude, other) = (from.latitude.to_radians(), to.latitude.to_radians());
        let across = to.longitude.to_radians() - from.longitude.to_radians();
        let angle = match self {
            Self::Haversine => {
                let half = ((other - latitude) / 2.0).sin();
                let half_across = (across / 2.0).sin();
                let chord = half * half + latitude.cos() * other.cos() * half_across * half_across;
                2.0 * chord.sqrt().atan2((1.0 - chord).max(0.0).sqrt())
            }
            Self::LawOfCosines => {
                let cosine = latitude.sin() * other.sin() + latitude.cos() * other.cos() * across.cos();
                cosine.clamp(-1.0, 1.0).acos()
            }
            Self::Vincenty => {
                let east = other.cos() * across.sin();
                let north = latitude.cos() * other.sin() - latitude.sin() * other.cos() * across.cos();
                let along = latitude.sin() * other.sin() + latitude.cos() * other.cos() * across.cos();
                east.hypot(north).atan2(along)
            }
        };
        RADIUS * angle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_agree() {
        let (pole, equator) = (Point::new(90.0, 0.0).unwrap(), Point::new(0.0, 77.0).unwrap());
        for formula in [Formula::Haversine, Formula::LawOfCosines, Formula::Vincenty] {
            let quarter = RADIUS * std::f64::consts::FRAC_PI_2;
            assert!((formula.kilometres(pole, equator) - quarter).abs() < 1e-6, "{formula:?}");
            assert_eq!(formula.kilometres(pole, pole).to_bits(), 0.0_f64.to_bits());
        }
    }
}
