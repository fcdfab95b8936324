//! `GEOHASH_MAX_DIST`: how many kilometres the farthest two of several geohashes are apart.

use super::distance::Formula;
use super::point::point_of;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GeohashMaxDist;

static DOC: Doc = Doc {
    name: "GEOHASH_MAX_DIST",
    summary: "How many kilometres the farthest two of several geohashes are apart.",
    parameters: &[
        takes("hashes", "a list or set of geohashes; nulls in it are skipped"),
        takes("strategy", "HAVERSINE, LAW_OF_COSINES or VICENTY; HAVERSINE"),
    ],
    returns: "a double; NaN if there is no geohash; null for null and without arguments",
    examples: &[
        gives("ROUND(GEOHASH_MAX_DIST(['dr5ru6j1xh0b', null, '9q8yywhj21qe', 'u4pruydqmvpb']))", "8528.0"),
        gives("GEOHASH_MAX_DIST(['9q8'])", "0.0"),
        gives("GEOHASH_MAX_DIST([])", "NaN"),
        gives("GEOHASH_MAX_DIST(null)", "null"),
        fails("GEOHASH_MAX_DIST('9q8')"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashMaxDist {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(hashes) = arguments.list_or_set(0, context)? else { return Ok(Value::Null) };
        let formula = Formula::read(arguments, 1)?;
        let mut points = Vec::new();
        for hash in &hashes {
            context.spend(1 + hash.as_text().map_or(0, str::len))?;
            points.extend(point_of(hash)?);
        }
        let mut greatest = f64::NAN;
        for (index, from) in points.iter().enumerate() {
            // Each pair is looked at, so a long list costs its square.
            context.spend(index)?;
            greatest = points[..=index].iter().map(|to| formula.kilometres(*from, *to)).fold(greatest, f64::max);
        }
        Ok(Value::Double(greatest))
    }
}
