//! `GEOHASH_FROM_LATLONG`: the geohash of a latitude and a longitude.

use super::point::{Point, length};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct GeohashFromLatlong;

static DOC: Doc = Doc {
    name: "GEOHASH_FROM_LATLONG",
    summary: "The geohash of a latitude and a longitude.",
    parameters: &[
        takes("latitude", "degrees north"),
        takes("longitude", "degrees east"),
        takes("length", "how many characters, at most 12; 12"),
    ],
    returns: "a text; null if latitude or longitude is missing, null or no number",
    examples: &[
        gives("GEOHASH_FROM_LATLONG(57.64911, 10.4074, 6)", "'u4pruy'"),
        gives("GEOHASH_FROM_LATLONG('57.64911', '10.4074')", "'u4pruydqmvpb'"),
        gives("GEOHASH_FROM_LATLONG(57.64911)", "null"),
        fails("GEOHASH_FROM_LATLONG(91, 0)"),
        fails("GEOHASH_FROM_LATLONG(0, 0, 13)"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashFromLatlong {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        if arguments.or_null(0).is_null() || arguments.or_null(1).is_null() {
            return Ok(Value::Null);
        }
        let length = length(arguments, 2)?;
        let degrees = double_of(arguments.or_null(0)).zip(double_of(arguments.or_null(1)));
        let Some((latitude, longitude)) = degrees else { return Ok(Value::Null) };
        Point::new(latitude, longitude)?.hash(length).map(Value::from)
    }
}
