//! The arguments and answers that GEO_GET and ASN_GET have in common.

use std::net::IpAddr;

use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Outcome};
use crate::services::geo::public_address;
use crate::services::report::{self, Failure};
use crate::value::{Map, MapKind, Value};

/// What is asked: an address, and which of its fields.
pub(super) enum Asked {
    /// Nothing that can be asked: null.
    Nothing,
    /// All fields.
    All(Option<IpAddr>),
    /// These fields.
    Some(Option<IpAddr>, Vec<Value>),
}

impl Asked {
    /// As the original reads its arguments: what is no list of fields asks nothing, and so does a missing or blank address without one.
    pub(super) fn read(arguments: &Arguments<'_>, context: &mut Context<'_>) -> Result<Self, Fault> {
        arguments.expect(0, 2)?;
        let address = |value: &Value| value.as_text().and_then(public_address);
        match (arguments.get(0), arguments.get(1)) {
            (Some(Value::Text(text)), None) if !text.trim().is_empty() => Ok(Self::All(public_address(text))),
            (Some(ip @ (Value::Text(_) | Value::Null)), Some(Value::List(fields))) => {
                context.spend(fields.len())?;
                let fields = fields.items();
                if fields.iter().any(|field| !matches!(field, Value::Text(_) | Value::Null)) {
                    return Err(arguments.wrong(1, "a list of texts"));
                }
                Ok(Self::Some(address(ip), fields))
            }
            (Some(_), Some(Value::List(_))) => Err(arguments.wrong(0, "a text")),
            _ => Ok(Self::Nothing),
        }
    }

    /// The answer, where `ask` gives all fields of an address.
    pub(super) fn answer(
        self,
        ask: impl FnOnce(IpAddr) -> Result<Option<Vec<(&'static str, Value)>>, Fault>,
    ) -> Outcome {
        let (address, fields) = match self {
            Self::Nothing => return Ok(Value::Null),
            Self::All(address) => (address, None),
            Self::Some(address, fields) => (address, Some(fields)),
        };
        let found = address.map(ask).transpose()?.flatten();
        let map = |entries| Value::Map(Map::new(MapKind::Hash, entries));
        let Some(fields) = fields else {
            let all = found.unwrap_or_default().into_iter().map(|(name, value)| (Value::text(name), value));
            return Ok(map(all.collect::<Vec<_>>()));
        };
        let Some(found) = found else { return Ok(Value::Null) };
        let of = |field: &Value| {
            let same = |(name, _): &&(&str, Value)| field.as_text() == Some(name);
            found.iter().find(same).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        match fields.as_slice() {
            [field] => Ok(of(field)),
            fields => Ok(map(fields.iter().map(|field| (field.clone(), of(field))).collect())),
        }
    }
}

/// A database that isn't there is an error of the expression, as in the original; a damaged place in it gives null and is told.
pub(super) fn settle<T>(
    function: &'static str,
    asked: Result<Option<T>, Failure>,
    context: &Context<'_>,
) -> Result<Option<T>, Fault> {
    match asked {
        Ok(found) => Ok(found),
        Err(failure) if failure.outcome == report::Outcome::BadAnswer => {
            context.environment().services.failed(function, &failure);
            Ok(None)
        }
        Err(failure) => Err(Fault::new(Code::Service, failure.message)),
    }
}
