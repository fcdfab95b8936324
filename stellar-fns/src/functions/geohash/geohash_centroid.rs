//! `GEOHASH_CENTROID`: the geohash in the middle of several.

use super::place::{Place, centroid, precision};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct GeohashCentroid;

static DOC: Doc = Doc {
    name: "GEOHASH_CENTROID",
    summary: "The geohash in the middle of several.",
    parameters: &[
        needs("hashes", "a list of geohashes, or a map from geohash to weight; nulls are skipped"),
        takes("precision", "characters, 1 to 12; 12 without it"),
    ],
    returns: "a text; null for null and where there is no geohash",
    examples: &[
        gives("GEOHASH_CENTROID(['u4pruydqmvpb'], 6)", "'u4pruy'"),
        gives("GEOHASH_CENTROID({'u4pruydqmvpb' : 3}, 4)", "'u4pr'"),
        gives("GEOHASH_CENTROID(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for GeohashCentroid {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let precision = precision(arguments, 1)?;
        let weighted = |hash: &Value, weight: &Value| Some((Place::of(hash.as_text()?)?, double_of(weight)?));
        let places: Vec<(Place, f64)> = match arguments.at(0)? {
            Value::Map(map) => map.read().iter().filter_map(|(hash, weight)| weighted(hash, weight)).collect(),
            _ => arguments
                .list_or_set(0, context)?
                .unwrap_or_default()
                .iter()
                .filter_map(|hash| weighted(hash, &Value::Int(1)))
                .collect(),
        };
        context.spend(places.len())?;
        Ok(centroid(&places).and_then(|place| place.hash(precision)).into())
    }
}
