//! Points on earth, and their geohashes.
//!
//! A geohash halves the ranges of longitude and latitude in turn, a bit for each half, five bits a character. Written here and not taken from a crate,
//! since the original also reads hashes of no and of more than twelve characters, and the last bits must be its.

use crate::error::{Fault, shown};
use crate::function::Arguments;
use crate::value::{Value, int_of};

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// Characters of a hash if no other number is asked for, and at most.
const LENGTH: i32 = 12;

/// A point in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

/// A range that is halved bit by bit.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn around_zero(limit: f64) -> Self {
        Self { low: -limit, high: limit }
    }

    fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    fn keep(&mut self, upper: bool) {
        if upper {
            self.low = self.middle();
        } else {
            self.high = self.middle();
        }
    }
}

impl Point {
    /// A point; degrees out of range are refused.
    pub(super) fn new(latitude: f64, longitude: f64) -> Result<Self, Fault> {
        if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
            return Err(Fault::argument(format!(
                "no place has the latitude {latitude} and the longitude {longitude}; they reach to 90 and 180"
            )));
        }
        Ok(Self { latitude, longitude })
    }

    /// The middle of a hash's area.
    pub(super) fn of_hash(hash: &str) -> Result<Self, Fault> {
        let (mut longitudes, mut latitudes) = (Range::around_zero(180.0), Range::around_zero(90.0));
        let mut of_longitude = true;
        for char in hash.chars() {
            let digit = ALPHABET.iter().position(|known| char::from(*known) == char).ok_or_else(|| {
                Fault::argument(format!("{} is no geohash: {char:?} never occurs in one", shown(hash)))
            })?;
            for bit in (0..5).rev() {
                let range = if of_longitude { &mut longitudes } else { &mut latitudes };
                range.keep(digit >> bit & 1 == 1);
                of_longitude = !of_longitude;
            }
        }
        Ok(Self { latitude: latitudes.middle(), longitude: longitudes.middle() })
    }

    /// Its hash of this many characters.
    pub(super) fn hash(self, length: i32) -> Result<String, Fault> {
        if length > LENGTH {
            return Err(Fault::argument(format!("a geohash has at most {LENGTH} characters, not {length}")));
        }
        let (mut longitudes, mut latitudes) = (Range::around_zero(180.0), Range::around_zero(90.0));
        let mut of_longitude = true;
        let mut hash = String::new();
        for _ in 0..length {
            let mut digit = 0;
            for _ in 0..5 {
                let (range, degrees) = match of_longitude {
                    true => (&mut longitudes, self.longitude),
                    false => (&mut latitudes, self.latitude),
                };
                let upper = degrees >= range.middle();
                range.keep(upper);
                digit = digit << 1 | usize::from(upper);
                of_longitude = !of_longitude;
            }
            hash.push(char::from(ALPHABET[digit]));
        }
        Ok(hash)
    }
}

/// The point of a hash as an item of a list or map; none for null.
pub(super) fn point_of(item: &Value) -> Result<Option<Point>, Fault> {
    match item {
        Value::Null => Ok(None),
        Value::Text(hash) => Point::of_hash(hash).map(Some),
        other => Err(Fault::wrong_type(format!("a geohash must be a text, not {}", other.type_name()))),
    }
}

/// The number of characters that was asked for at this place.
pub(super) fn length(arguments: &Arguments<'_>, index: usize) -> Result<i32, Fault> {
    match arguments.get(index) {
        None => Ok(LENGTH),
        Some(value) => int_of(value).ok_or_else(|| arguments.wrong(index, "a number of characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_near_the_point() {
        for (latitude, longitude) in [(57.64911, 10.4074), (-89.999, 179.999), (0.0, 0.0), (90.0, -180.0)] {
            let point = Point::new(latitude, longitude).unwrap();
            let back = Point::of_hash(&point.hash(12).unwrap()).unwrap();
            assert!((back.latitude - latitude).abs() < 1e-6 && (back.longitude - longitude).abs() < 1e-6, "{back:?}");
        }
    }

    #[test]
    fn the_empty_hash_is_the_whole_earth() {
        assert_eq!(Point::of_hash(""), Point::new(0.0, 0.0));
        assert_eq!(Point::new(1.0, 2.0).unwrap().hash(0).unwrap(), "");
    }
}
