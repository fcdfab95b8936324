//! `GEOHASH_DIST`: how far the places of two geohashes are apart, in kilometres.

use super::distance::Strategy;
use super::place::Place;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};

/// See [`DOC`].
pub(crate) struct GeohashDist;

static DOC: Doc = Doc {
    name: "GEOHASH_DIST",
    summary: "How far the places of two geohashes are apart, in kilometres.",
    parameters: &[
        needs("first", "a geohash"),
        needs("second", "a geohash"),
        takes("strategy", "HAVERSINE (also without it), LAW_OF_COSINES or VICENTY"),
    ],
    returns: "a double; null if one is null or no geohash",
    examples: &[
        gives("ROUND(GEOHASH_DIST('dr5ru6j1xh0b', '9q8yywhj21qe'))", "4128.0"),
        gives("GEOHASH_DIST(null, 'u4')", "null"),
        fails("GEOHASH_DIST('u4', 'u5', 'CROW')"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashDist {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let strategy = Strategy::named(arguments, 2)?;
        let (first, second) =
            (arguments.nullable_text(0)?.and_then(Place::of), arguments.nullable_text(1)?.and_then(Place::of));
        Ok(first.zip(second).map(|(first, second)| strategy.between(first, second)).into())
    }
}
