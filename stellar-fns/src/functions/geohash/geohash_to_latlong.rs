//! `GEOHASH_TO_LATLONG`: the latitude and longitude of a geohash.

use super::point::Point;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Map, MapKind, Value};

/// See [`DOC`].
pub(crate) struct GeohashToLatlong;

static DOC: Doc = Doc {
    name: "GEOHASH_TO_LATLONG",
    summary: "The latitude and longitude of the middle of a geohash.",
    parameters: &[takes("hash", "the geohash")],
    returns: "a map with `latitude` and `longitude`, doubles; null for null and without an argument",
    examples: &[
        gives("GEOHASH_TO_LATLONG('s')", "{'latitude' : 22.5, 'longitude' : 22.5}"),
        gives("GEOHASH_TO_LATLONG('')", "{'latitude' : 0.0, 'longitude' : 0.0}"),
        gives("GEOHASH_TO_LATLONG(null)", "null"),
        fails("GEOHASH_TO_LATLONG('a')"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashToLatlong {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(hash) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        context.spend(hash.len())?;
        let point = Point::of_hash(hash)?;
        let entries = [("longitude", point.longitude), ("latitude", point.latitude)];
        Ok(Value::Map(Map::new(
            MapKind::Hash,
            entries.map(|(key, degrees)| (Value::from(key), Value::Double(degrees))),
        )))
    }
}
