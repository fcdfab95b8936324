//! `GEOHASH_FROM_LOC`: the geohash of a map with latitude and longitude, such as GEO_GET gives.

use super::place::{Place, precision};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct GeohashFromLoc;

static DOC: Doc = Doc {
    name: "GEOHASH_FROM_LOC",
    summary: "The geohash of a map with latitude and longitude, such as GEO_GET gives.",
    parameters: &[
        needs("location", "a map with `latitude` and `longitude`"),
        takes("precision", "characters, 1 to 12; 12 without it"),
    ],
    returns: "a text; null if a coordinate is missing or can't be one",
    examples: &[
        gives("GEOHASH_FROM_LOC({'latitude' : '57.64911', 'longitude' : '10.4074'}, 6)", "'u4pruy'"),
        gives("GEOHASH_FROM_LOC({'latitude' : '57.64911'})", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashFromLoc {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(map) = arguments.nullable_map(0)? else { return Ok(Value::Null) };
        let precision = precision(arguments, 1)?;
        let coordinate = |name: &str| map.get_text(name).and_then(|value| double_of(&value));
        let place = coordinate("latitude")
            .zip(coordinate("longitude"))
            .and_then(|(latitude, longitude)| Place::new(latitude, longitude));
        Ok(place.and_then(|place| place.hash(precision)).into())
    }
}
