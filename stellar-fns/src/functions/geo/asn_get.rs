//! `ASN_GET`: whose network an address is in.

use std::net::IpAddr;

use super::answer::{Asked, settle};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::services::geo::Network;
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct AsnGet;

static DOC: Doc = Doc {
    name: "ASN_GET",
    summary: "Whose network an IP address is in, from the MaxMind database that asn.file of global.json names.",
    parameters: &[
        needs("ip", "the address"),
        takes("fields", "a list of autonomous_system_number, autonomous_system_organization, network"),
    ],
    returns: "a map, in which network is the address itself, as in the original; with one field its value; an address that is private or not in the database gives {}, with fields null",
    examples: &[
        gives("ASN_GET('81.2.69.142', ['autonomous_system_number'])", "20712"),
        gives(
            "ASN_GET('81.2.69.142')",
            "{'autonomous_system_number' : 20712, 'autonomous_system_organization' : 'Andrews & Arnold', 'network' : '81.2.69.142'}",
        ),
        gives("ASN_GET('192.168.1.1')", "{}"),
        gives("ASN_GET('81.2.69.142', ['nonsense'])", "null"),
    ],
    purity: Purity::Ambient,
};

impl Function for AsnGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let asked = Asked::read(arguments, context)?;
        let services = &context.environment().services;
        asked.answer(|address| {
            let found = services.geo.network(address, |failure| services.failed(DOC.name, failure));
            Ok(settle(DOC.name, found, context)?.map(|network| fields(network, address)))
        })
    }
}

fn fields(network: Network, address: IpAddr) -> Vec<(&'static str, Value)> {
    let number = network.number.map(|number| match i32::try_from(number) {
        Ok(number) => Value::Int(number),
        Err(_) => Value::Long(number.into()),
    });
    vec![
        ("network", Value::from(address.to_string())),
        ("autonomous_system_number", number.unwrap_or_default()),
        ("autonomous_system_organization", Value::from(network.organization.unwrap_or_default())),
    ]
}
