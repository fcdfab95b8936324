//! IP_PROTOCOL: the name of a protocol's number, as the function PROTOCOL_TO_NAME has it.

use std::sync::Arc;

use stellar_fns::{Environment, Value};

use crate::config::{Compile, Error};
use crate::expression::{Expression, Scope};
use crate::message::Message;

const VARIABLE: &str = "protocol";

pub(super) fn compile(key: &str, with: &mut Compile) -> Result<Expression, Error> {
    Ok(with.expressions.compile(key, &format!("PROTOCOL_TO_NAME({VARIABLE})"))?)
}

/// The name; none where the number has none.
pub(super) async fn name(expression: &Expression, value: &Value, environment: &Arc<Environment>) -> Option<Value> {
    let variables = Message::from_iter([(VARIABLE, value.clone())]);
    let name = expression.value(&Scope::new([&variables]), environment).await.ok()?;
    matches!(name, Value::Text(_)).then_some(name)
}
