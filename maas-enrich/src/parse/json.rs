//! Lines that are JSON objects.

use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};

use super::{ORIGINAL, TIMESTAMP, Trouble, flag, now_ms, text};
use crate::config::Error;
use crate::message::Message;

/// What becomes of maps in fields.
#[derive(Debug, Clone, Copy)]
enum Maps {
    Drop,
    Unfold,
    Allow,
    Refuse,
}

/// See the module.
#[derive(Debug)]
pub struct JsonParser {
    maps: Maps,
}

impl JsonParser {
    /// Option: `mapStrategy`, one of DROP, UNFOLD, ALLOW, ERROR.
    pub(super) fn compile(config: &Message) -> Result<Self, Error> {
        if text(config, "jsonpQuery").is_some() || flag(config, "wrapInEntityArray") {
            let message = "several messages a line are not read here; one JSON object a line";
            return Err(Error::value("parserConfig.jsonpQuery", message));
        }
        let maps = match text(config, "mapStrategy").unwrap_or("DROP") {
            "DROP" => Maps::Drop,
            "UNFOLD" => Maps::Unfold,
            "ALLOW" => Maps::Allow,
            "ERROR" => Maps::Refuse,
            other => {
                let message = format!("{other:?} is not known; DROP, UNFOLD, ALLOW or ERROR");
                return Err(Error::value("parserConfig.mapStrategy", message));
            }
        };
        Ok(Self { maps })
    }

    pub(super) fn parse(&self, line: &str, environment: &Environment) -> Result<Message, Trouble> {
        let read = Message::from_json(line.as_bytes()).map_err(Trouble::NotJson)?;
        let mut message = Message::default();
        for (name, value) in read {
            self.put(&mut message, name, value)?;
        }
        message.set_if_absent(ORIGINAL, || Value::text(line));
        message.set_if_absent(TIMESTAMP, || Value::Long(now_ms(environment)));
        Ok(message)
    }

    fn put(&self, message: &mut Message, name: Text, value: Value) -> Result<(), Trouble> {
        match (&value, self.maps) {
            (Value::Map(_), Maps::Drop) => {}
            (Value::Map(_), Maps::Refuse) => return Err(Trouble::HoldsMap { name: name.into() }),
            (Value::Map(map), Maps::Unfold) => {
                for (key, value) in map.read().iter() {
                    self.put(message, format!("{name}.{key}").into(), value.clone())?;
                }
            }
            _ => message.set(name, value),
        }
        Ok(())
    }
}
