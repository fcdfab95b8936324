//! From the text of a capture to a value.

use stellar_fns::Value;
use stellar_fns::value::Text;

use super::Error;

/// What a capture becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Digits a number, anything else text without the quotes around it.
    Guess,
    Int,
    Long,
    Float,
    Double,
    Boolean,
    Text,
}

/// `field`, `field:type` or `field;type`.
pub(super) fn specification(text: &str) -> Result<(Text, Conversion), Error> {
    let (name, kind) = text.split_once([':', ';']).map_or((text, None), |(name, kind)| (name, Some(kind)));
    let conversion = match kind {
        None => Conversion::Guess,
        Some("byte" | "short" | "int" | "integer") => Conversion::Int,
        Some("long") => Conversion::Long,
        Some("float") => Conversion::Float,
        Some("double") => Conversion::Double,
        Some("boolean") => Conversion::Boolean,
        Some("string" | "text") => Conversion::Text,
        Some(other) => return Err(Error::BadType { name: other.to_owned() }),
    };
    Ok((Text::new(name), conversion))
}

impl Conversion {
    /// What can't be converted stays text.
    pub(super) fn convert(self, text: &str) -> Value {
        let converted = match self {
            Self::Guess => whole(text),
            Self::Int => text.parse().ok().map(Value::Int),
            Self::Long => text.parse().ok().map(Value::Long),
            Self::Float => text.parse().ok().map(Value::Float),
            Self::Double => text.parse().ok().map(Value::Double),
            Self::Boolean => Some(Value::Bool(text.eq_ignore_ascii_case("true"))),
            Self::Text => None,
        };
        converted.unwrap_or_else(|| Value::text(unquoted(text)))
    }
}

/// Digits, with a sign or not, as the smallest type that holds them.
fn whole(text: &str) -> Option<Value> {
    if !text.as_bytes().last()?.is_ascii_digit() || text.len() > 20 {
        return None;
    }
    let long: i64 = text.parse().ok()?;
    Some(i32::try_from(long).map_or(Value::Long(long), Value::Int))
}

fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
