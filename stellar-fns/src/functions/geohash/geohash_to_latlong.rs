//! `GEOHASH_TO_LATLONG`: the place in the middle of a geohash.

use super::place::Place;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::{Map, MapKind, Value};

/// See [`DOC`].
pub(crate) struct GeohashToLatlong;

static DOC: Doc = Doc {
    name: "GEOHASH_TO_LATLONG",
    summary: "The place in the middle of a geohash.",
    parameters: &[needs("hash", "the geohash")],
    returns: "a map with `latitude` and `longitude`; null for null and for what is no geohash",
    examples: &[
        gives("ROUND(MAP_GET('latitude', GEOHASH_TO_LATLONG('u4pruydqmvpb')))", "58.0"),
        gives("GEOHASH_TO_LATLONG(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashToLatlong {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(place) = arguments.nullable_text(0)?.and_then(Place::of) else { return Ok(Value::Null) };
        let entries = [("latitude".into(), place.latitude.into()), ("longitude".into(), place.longitude.into())];
        Ok(Value::Map(Map::new(MapKind::Hash, entries)))
    }
}
