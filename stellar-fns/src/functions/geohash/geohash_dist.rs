//! `GEOHASH_DIST`: how many kilometres two geohashes are apart.

use super::distance::Formula;
use super::point::Point;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GeohashDist;

static DOC: Doc = Doc {
    name: "GEOHASH_DIST",
    summary: "How many kilometres two geohashes are apart.",
    parameters: &[
        takes("from", "a geohash"),
        takes("to", "another geohash"),
        takes("strategy", "HAVERSINE, LAW_OF_COSINES or VICENTY; HAVERSINE"),
    ],
    returns: "a double; null if a geohash is missing or null",
    examples: &[
        gives("ROUND(GEOHASH_DIST('9q8yywhj21qe', 'dr5ru6j1xh0b'))", "4128.0"),
        gives("ROUND(GEOHASH_DIST('9q8yywhj21qe', 'dr5ru6j1xh0b', 'VICENTY'))", "4128.0"),
        gives("GEOHASH_DIST('9q8', '9q8')", "0.0"),
        gives("GEOHASH_DIST('9q8', null)", "null"),
        fails("GEOHASH_DIST('9q8', '9q8', 'BEELINE')"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashDist {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.len() < 2 {
            return Ok(Value::Null);
        }
        let hashes = arguments.nullable_text(0)?.zip(arguments.nullable_text(1)?);
        let Some((from, to)) = hashes else { return Ok(Value::Null) };
        context.spend(from.len() + to.len())?;
        let (from, to) = (Point::of_hash(from)?, Point::of_hash(to)?);
        Ok(Value::Double(Formula::read(arguments, 2)?.kilometres(from, to)))
    }
}
