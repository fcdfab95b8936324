//! `GEOHASH_MAX_DIST`: the greatest distance between any two of several geohashes, in kilometres.

use super::distance::Strategy;
use super::place::Place;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GeohashMaxDist;

static DOC: Doc = Doc {
    name: "GEOHASH_MAX_DIST",
    summary: "The greatest distance between any two of several geohashes, in kilometres.",
    parameters: &[
        needs("hashes", "a list of geohashes; nulls in it are skipped"),
        takes("strategy", "HAVERSINE (also without it), LAW_OF_COSINES or VICENTY"),
    ],
    returns: "a double; NaN for an empty list, null for null",
    examples: &[
        gives("ROUND(GEOHASH_MAX_DIST(['dr5ru6j1xh0b', '9q8yywhj21qe', 'u4pruydqmvpb']))", "8528.0"),
        gives("GEOHASH_MAX_DIST([])", "NaN"),
        gives("GEOHASH_MAX_DIST(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashMaxDist {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let strategy = Strategy::named(arguments, 1)?;
        let Some(hashes) = arguments.list_or_set(0, context)? else { return Ok(Value::Null) };
        let places: Vec<Place> = hashes.iter().filter_map(|hash| Place::of(hash.as_text()?)).collect();
        context.spend(places.len().saturating_mul(places.len()))?;
        let mut greatest = f64::NAN;
        for (index, first) in places.iter().enumerate() {
            // A place is no distance away from itself.
            greatest = greatest.max(0.0);
            for second in &places[index + 1..] {
                greatest = greatest.max(strategy.between(*first, *second));
            }
        }
        Ok(Value::Double(greatest))
    }
}
