//! Lines in an envelope: a JSON object one of whose fields is the line, and the others what is known of it.

use std::borrow::Cow;

use stellar_fns::Value;

use super::{ORIGINAL, Trouble, text_of};
use crate::config::Error;
use crate::message::Message;

/// See the module.
#[derive(Debug)]
pub struct Envelope {
    field: String,
}

impl Envelope {
    /// Option of `rawMessageStrategyConfig`: `messageField`, the field that is the line.
    pub(crate) fn compile(config: &Message) -> Result<Self, Error> {
        let field = text_of("rawMessageStrategyConfig", config, "messageField")?.ok_or_else(|| {
            Error::value("rawMessageStrategyConfig.messageField", "is needed; name the field that holds the line")
        })?;
        Ok(Self { field: field.to_owned() })
    }

    /// The line, and what is known of it.
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<(Cow<'static, [u8]>, Message), Trouble> {
        let mut known = Message::from_json(bytes).map_err(Trouble::NotJson)?;
        let Some(Value::Text(line)) = known.remove(&self.field) else {
            return Err(Trouble::EmptyEnvelope { field: self.field.clone() });
        };
        known.retain(|_, value| !value.is_null());
        Ok((line.as_bytes().to_vec().into(), known))
    }
}

/// The line as whoever packed it had it, where the envelope says so.
pub(crate) fn original(metadata: &Message, prefix: &str) -> Option<Value> {
    let name = if prefix.is_empty() { ORIGINAL.to_owned() } else { format!("{prefix}.{ORIGINAL}") };
    metadata.get(&name).filter(|value| matches!(value, Value::Text(_))).cloned()
}
