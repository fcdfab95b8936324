//! Lines that are JSON objects, or JSON in which a path leads to several.

use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};

use super::json_path::Path;
use super::{MOST_COPIED, ORIGINAL, Parsed, TIMESTAMP, Trouble, flag, now_ms, text};
use crate::config::Error;
use crate::message::{FromJson, Message};

/// What becomes of maps in fields.
#[derive(Debug, Clone, Copy)]
enum Maps {
    Drop,
    Unfold,
    Allow,
    Refuse,
}

/// Messages in a line.
#[derive(Debug)]
struct Several {
    query: Path,
    /// The name of the list that the line is put into before the query; none: the query is of the line itself.
    wrapped: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct JsonParser {
    maps: Maps,
    several: Option<Several>,
    /// Whether the original string is the message instead of the line.
    own_original: bool,
}

impl JsonParser {
    /// Options: `mapStrategy`, one of DROP, UNFOLD, ALLOW, ERROR; `jsonpQuery`, the path to messages in a line; with it `wrapInEntityArray` and
    /// `wrapEntityName`, for lines that are objects with commas between them; `overrideOriginalString`.
    pub(super) fn compile(config: &Message) -> Result<Self, Error> {
        let query = text(config, "jsonpQuery")?.filter(|query| !query.trim().is_empty());
        let query = query.map(|query| Path::read(query.trim())).transpose();
        let query = query.map_err(|wrong| Error::value("parserConfig.jsonpQuery", wrong))?;
        let name = text(config, "wrapEntityName")?.unwrap_or("messages");
        let wrapped = flag(config, "wrapInEntityArray").then(|| name.to_owned());
        if query.is_none() && wrapped.is_some() {
            let message = "is of use only with a query; name the path as jsonpQuery, such as $.messages[*]";
            return Err(Error::value("parserConfig.wrapInEntityArray", message));
        }
        let several = query.map(|query| Several { query, wrapped });
        let maps = match text(config, "mapStrategy")?.unwrap_or("DROP") {
            "DROP" => Maps::Drop,
            "UNFOLD" => Maps::Unfold,
            "ALLOW" => Maps::Allow,
            "ERROR" => Maps::Refuse,
            other => {
                let message = format!("{other:?} is not known; DROP, UNFOLD, ALLOW or ERROR");
                return Err(Error::value("parserConfig.mapStrategy", message));
            }
        };
        Ok(Self { maps, several, own_original: flag(config, "overrideOriginalString") })
    }

    pub(super) fn parse(&self, line: &str, environment: &Environment, came: Option<i64>) -> Result<Parsed, Trouble> {
        let time = || came.unwrap_or_else(|| now_ms(environment));
        match &self.several {
            None => {
                let read = Message::from_json(line.as_bytes()).map_err(Trouble::NotJson)?;
                Ok(Parsed::from_buf([self.message(line, read, time)?]))
            }
            Some(several) => {
                let messages = several.messages(line)?;
                if !self.own_original && messages.len().saturating_mul(line.len()) > MOST_COPIED {
                    return Err(Trouble::TooManyMessages { messages: messages.len(), bytes: line.len() });
                }
                messages.into_iter().map(|read| self.message(line, read, time)).collect()
            }
        }
    }

    fn message(&self, line: &str, read: Message, time: impl FnOnce() -> i64) -> Result<Message, Trouble> {
        let own = self.own_original.then(|| String::from_utf8_lossy(&read.to_json()).into_owned());
        let mut message = Message::default();
        for (name, value) in read {
            self.put(&mut message, name, value)?;
        }
        match own {
            Some(own) => message.set(ORIGINAL, Value::from(own)),
            None => message.set_if_absent(ORIGINAL, || Value::text(line)),
        }
        message.set_if_absent(TIMESTAMP, || Value::Long(time()));
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

impl Several {
    /// The objects that the query leads to, or those of the list that it leads to.
    fn messages(&self, line: &str) -> Result<Vec<Message>, Trouble> {
        let wrapped = self.wrapped.as_ref().map(|name| {
            let line = line.trim();
            format!("{{{}:[{}]}}", serde_json::Value::from(name.as_str()), line.strip_suffix(',').unwrap_or(line))
        });
        let line = wrapped.as_deref().unwrap_or(line);
        let FromJson(document) = serde_json::from_str(line).map_err(Trouble::NotJson)?;
        let mut found = self.query.follow(document).ok_or(Trouble::TooMuchFound)?;
        if self.query.is_single() {
            found = match found.pop() {
                Some(Value::List(list)) => list.read().iter().cloned().collect(),
                Some(one) => vec![one],
                None => return Err(Trouble::NothingThere),
            };
        }
        let message = |value: Value| match value {
            Value::Map(map) => Ok(map.read().iter().map(|(name, value)| (name.to_string(), value.clone())).collect()),
            other => Err(Trouble::NoMessage { kind: other.type_name() }),
        };
        found.into_iter().map(message).collect()
    }
}
