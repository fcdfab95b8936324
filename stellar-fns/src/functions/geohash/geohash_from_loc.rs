//! `GEOHASH_FROM_LOC`: the geohash of a location.

use super::point::{Point, length};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct GeohashFromLoc;

static DOC: Doc = Doc {
    name: "GEOHASH_FROM_LOC",
    summary: "The geohash of a location, such as GEO_GET gives.",
    parameters: &[
        takes("location", "a map with `latitude` and `longitude`, as texts or numbers"),
        takes("length", "how many characters, at most 12; 12"),
    ],
    returns: "a text; null for null, and if latitude or longitude is missing or no number",
    examples: &[
        gives("GEOHASH_FROM_LOC({'latitude' : '57.64911', 'longitude' : '10.4074'}, 6)", "'u4pruy'"),
        gives("GEOHASH_FROM_LOC({'latitude' : '57.64911'})", "null"),
        gives("GEOHASH_FROM_LOC(null)", "null"),
        fails("GEOHASH_FROM_LOC('57.64911')"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashFromLoc {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(location) = arguments.nullable_map(0)? else { return Ok(Value::Null) };
        let length = length(arguments, 1)?;
        let degrees = |key| location.get_text(key).and_then(|degrees| double_of(&degrees));
        let Some((latitude, longitude)) = degrees("latitude").zip(degrees("longitude")) else {
            return Ok(Value::Null);
        };
        Point::new(latitude, longitude)?.hash(length).map(Value::from)
    }
}
