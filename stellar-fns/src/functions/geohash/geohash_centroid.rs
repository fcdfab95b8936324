//! `GEOHASH_CENTROID`: the middle of several geohashes.

use super::point::{Point, point_of};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Number, Value};

/// See [`DOC`].
pub(crate) struct GeohashCentroid;

static DOC: Doc = Doc {
    name: "GEOHASH_CENTROID",
    summary: "The middle of several geohashes: their centre of gravity, seen from the centre of the earth.",
    parameters: &[
        takes("hashes", "a list or set of geohashes, or a map from geohash to weight; nulls in it are skipped"),
        takes("length", "how many characters, at most 12; 12"),
    ],
    returns: "a geohash; null if there is none, for other types, and without arguments",
    examples: &[
        gives("GEOHASH_CENTROID(['s', 'e'], 2)", "'sh'"),
        gives("GEOHASH_CENTROID({'s' : 1, 'e' : 0}, 1)", "'s'"),
        gives("GEOHASH_CENTROID([])", "null"),
        gives("GEOHASH_CENTROID('s')", "null"),
        fails("GEOHASH_CENTROID([1])"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashCentroid {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        context.spend_items(arguments.or_null(0))?;
        let weighted: Vec<(Value, Value)> = match arguments.or_null(0) {
            Value::List(list) => list.items().into_iter().map(|hash| (hash, Value::Int(1))).collect(),
            Value::Set(set) => set.items().into_iter().map(|hash| (hash, Value::Int(1))).collect(),
            Value::Map(map) => map.read().iter().map(|(hash, weight)| (hash.clone(), weight.clone())).collect(),
            _ => return Ok(Value::Null),
        };
        let mut points = Vec::new();
        for (hash, weight) in &weighted {
            context.spend(hash.as_text().map_or(0, str::len))?;
            let Some(point) = point_of(hash)? else { continue };
            let weight = weight.as_number().map(Number::to_double);
            points.push((point, weight.ok_or_else(|| Fault::wrong_type("a weight must be a number"))?));
        }
        if points.is_empty() {
            return Ok(Value::Null);
        }
        let length = match arguments.get(1) {
            None => 12,
            Some(Value::Int(length)) => *length,
            Some(_) => return Err(arguments.wrong(1, "an int")),
        };
        centroid(&points)?.hash(length).map(Value::from)
    }
}

/// Points as vectors from the centre of the earth, averaged, and back.
fn centroid(points: &[(Point, f64)]) -> Result<Point, Fault> {
    let (mut x, mut y, mut z, mut all) = (0.0, 0.0, 0.0, 0.0);
    for (point, weight) in points {
        let (latitude, longitude) = (point.latitude.to_radians(), point.longitude.to_radians());
        x += latitude.cos() * longitude.cos() * weight;
        y += latitude.cos() * longitude.sin() * weight;
        z += latitude.sin() * weight;
        all += weight;
    }
    let (x, y, z) = (x / all, y / all, z / all);
    Point::new(z.atan2((x * x + y * y).sqrt()).to_degrees(), y.atan2(x).to_degrees())
}
