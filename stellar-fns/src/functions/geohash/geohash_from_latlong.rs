//! `GEOHASH_FROM_LATLONG`: the geohash of a latitude and a longitude.

use super::place::{Place, precision};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::double_of;

/// See [`DOC`].
pub(crate) struct GeohashFromLatlong;

static DOC: Doc = Doc {
    name: "GEOHASH_FROM_LATLONG",
    summary: "The geohash of a latitude and a longitude.",
    parameters: &[
        needs("latitude", "degrees north"),
        needs("longitude", "degrees east"),
        takes("precision", "characters, 1 to 12; 12 without it"),
    ],
    returns: "a text; null if a coordinate is missing or can't be one",
    examples: &[
        gives("GEOHASH_FROM_LATLONG(57.64911, 10.4074, 6)", "'u4pruy'"),
        gives("GEOHASH_FROM_LATLONG('57.64911', '10.4074')", "'u4pruydqmvpb'"),
        gives("GEOHASH_FROM_LATLONG(57.64911)", "null"),
        fails("GEOHASH_FROM_LATLONG(1, 1, 99)"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashFromLatlong {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let precision = precision(arguments, 2)?;
        let place = double_of(arguments.or_null(0))
            .zip(double_of(arguments.or_null(1)))
            .and_then(|(latitude, longitude)| Place::new(latitude, longitude));
        Ok(place.and_then(|place| place.hash(precision)).into())
    }
}
