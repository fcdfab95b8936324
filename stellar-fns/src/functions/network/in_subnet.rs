//! `IN_SUBNET`: whether an IPv4 address lies in one of several networks.
//!
//! The network's own address and its broadcast address don't lie in it, so a /31 or /32 contains nothing.

use std::sync::Arc;

use super::subnet::{Subnet, address};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct InSubnet;

static DOC: Doc = Doc {
    name: "IN_SUBNET",
    summary: "Whether an IPv4 address lies in one of several networks.",
    parameters: &[
        needs("ip", "the address; null lies in no network"),
        needs("networks…", "networks such as 10.0.0.0/8; nulls are skipped"),
    ],
    returns: "a boolean",
    examples: &[
        gives("IN_SUBNET('192.168.0.1', '192.168.0.0/24')", "true"),
        gives("IN_SUBNET('10.0.0.1', '192.168.0.0/24', '10.0.0.0/8')", "true"),
        gives("IN_SUBNET('192.168.0.0', '192.168.0.0/24')", "false"),
        gives("IN_SUBNET(null, '192.168.0.0/24')", "false"),
        fails("IN_SUBNET('a', '192.168.0.0/24')"),
    ],
    purity: Purity::Pure,
};

impl Function for InSubnet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        arguments.expect(2, usize::MAX)?;
        let Some(ip) = arguments.nullable_text(0)? else { return Ok(Value::Bool(false)) };
        for index in 1..arguments.len() {
            let Some(network) = arguments.nullable_text(index)? else { continue };
            if Subnet::parse(network)?.contains(address(ip)?) {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        let networks = literals.get(1..)?.iter().map(|literal| Subnet::parse(literal.as_ref()?.as_text()?).ok());
        let networks = networks.collect::<Option<Vec<_>>>().filter(|networks| !networks.is_empty())?;
        Some(Arc::new(Networks(networks)))
    }
}

/// The networks of a call that names them literally.
struct Networks(Vec<Subnet>);

impl Prepared for Networks {
    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(ip) = arguments.nullable_text(0)? else { return Ok(Value::Bool(false)) };
        let address = address(ip)?;
        Ok(Value::Bool(self.0.iter().any(|network| network.contains(address))))
    }
}
