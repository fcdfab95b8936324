//! `IS_IP`: whether a value is written as an IP address.

use super::place::{is_ipv4, is_ipv6};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct IsIp;

static DOC: Doc = Doc {
    name: "IS_IP",
    summary: "Whether a value is written as an IP address.",
    parameters: &[
        needs("value", "any value, by its text form"),
        takes("type", "IPV4 or IPV6; anything else means either"),
    ],
    returns: "a boolean; false for null",
    examples: &[
        gives("IS_IP('127.0.0.1')", "true"),
        gives("IS_IP('::1', 'IPV6')", "true"),
        gives("IS_IP('::1', 'IPV4')", "false"),
        gives("IS_IP('256.0.0.1')", "false"),
        gives("IS_IP()", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for IsIp {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let value = arguments.or_null(0);
        if value.is_null() {
            return Ok(Value::Bool(false));
        }
        let text = context.text_of(value)?;
        let is = match arguments.or_null(1).as_text() {
            Some("IPV4") => is_ipv4(&text),
            Some("IPV6") => is_ipv6(&text),
            _ => is_ipv4(&text) || is_ipv6(&text),
        };
        Ok(Value::Bool(is))
    }
}
