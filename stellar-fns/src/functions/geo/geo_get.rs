//! `GEO_GET`: where an address is.

use super::answer::{Asked, settle};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::services::geo::Place;
use crate::value::{Value, double_text};

/// See [`DOC`].
pub(crate) struct GeoGet;

static DOC: Doc = Doc {
    name: "GEO_GET",
    summary: "Where an IP address is, from the MaxMind database that geo.file of global.json names.",
    parameters: &[
        needs("ip", "the address"),
        takes("fields", "a list of locID, country, city, postalCode, dmaCode, latitude, longitude, location_point"),
    ],
    returns: "a map of texts; with one field its text; an address that is private or not in the database gives {}, with fields null",
    examples: &[
        gives("GEO_GET('81.2.69.142', ['country'])", "'GB'"),
        gives(
            "GEO_GET('81.2.69.142', ['city', 'location_point'])",
            "{'city' : 'London', 'location_point' : '51.5142,-0.0931'}",
        ),
        gives("MAP_GET('dmaCode', GEO_GET('81.2.69.142'))", "''"),
        gives("GEOHASH_FROM_LOC(GEO_GET('81.2.69.142'), 5)", "'gcpvj'"),
        gives("GEO_GET('10.1.2.3')", "{}"),
        gives("GEO_GET('10.1.2.3', ['city'])", "null"),
        gives("GEO_GET('')", "null"),
        fails("GEO_GET('81.2.69.142', ['city'], 1)"),
    ],
    purity: Purity::Ambient,
};

impl Function for GeoGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let asked = Asked::read(arguments, context)?;
        let services = &context.environment().services;
        asked.answer(|address| {
            let found = services.geo.place(address, |failure| services.failed(DOC.name, failure));
            Ok(settle(DOC.name, found, context)?.map(fields))
        })
    }
}

/// The fields under the original's names. What the database does not know is an empty text.
fn fields(place: Place) -> Vec<(&'static str, Value)> {
    let degrees = |degrees: Option<f64>| degrees.map(double_text);
    let (latitude, longitude) = (degrees(place.latitude), degrees(place.longitude));
    let point =
        latitude.as_ref().zip(longitude.as_ref()).map(|(latitude, longitude)| format!("{latitude},{longitude}"));
    let text = |text: Option<String>| Value::from(text.unwrap_or_default());
    vec![
        ("locID", text(place.city_id.map(|id| id.to_string()))),
        ("country", text(place.country)),
        ("city", text(place.city)),
        ("postalCode", text(place.postal_code)),
        ("dmaCode", text(place.metro_code.map(|code| code.to_string()))),
        ("latitude", text(latitude)),
        ("longitude", text(longitude)),
        ("location_point", text(point)),
    ]
}
