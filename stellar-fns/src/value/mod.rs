//! What expressions work on: the values of the Java original, kept exactly apart (an int is not a long), in 24 bytes each.
//!
//! Neighbours: `number` promotes and computes, `equality` compares and hashes, `container` holds lists, sets and maps, `text` writes values the way
//! Java does, `json` reads and writes JSON. How operators use them is `eval`'s affair.

mod container;
mod convert;
mod equality;
mod json;
mod number;
mod text;

use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::Arc;

pub use container::{Items, List, Map, MapKind, Set, ValueHasher};
pub(crate) use container::{Turn, reaches};
pub use equality::{Fuel, TextKey, equals};
pub use json::{Integers, from_json, parse_json, to_json};
pub use number::{Number, Operator};
pub(crate) use text::java_hash;
pub use text::{double_text, float_text};

pub(crate) use convert::{boolean_of, double_of, float_of, int_of, long_of};
pub(crate) use equality::{FREE_TEXT, identical, key_cost, order, stable_hash};
pub(crate) use json::{Document, LARGEST, Unwritable, to_json_within};

/// Text as UTF-8; up to 24 bytes are held inline. Lengths and indices of the language count UTF-16 units: see [`utf16_len`].
pub type Text = compact_str::CompactString;

/// A value of the language.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value; also that of a missing variable.
    #[default]
    Null,
    /// true or false.
    Bool(bool),
    /// Java's Integer. A Short becomes one as soon as it enters.
    Int(i32),
    /// Java's Long.
    Long(i64),
    /// Java's Float.
    Float(f32),
    /// Java's Double.
    Double(f64),
    /// Java's Character, one UTF-16 unit: what walking over a text gives. It equals no text.
    Char(u16),
    /// Java's String.
    Text(Text),
    /// A list, shared: a function that changes it changes it for all who hold it.
    List(List),
    /// A set in order of insertion, shared like a list.
    Set(Set),
    /// A map, shared like a list.
    Map(Map),
    /// A function value, made by `x -> …`.
    Lambda(Arc<Closure>),
    /// A state that only its own functions understand: a Bloom filter, statistics, a sketch.
    Object(Arc<dyn Object>),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Int,
    Long,
    Float,
    Double,
    Char,
    Text,
    List,
    Set,
    Map,
    Lambda,
    Object,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Char => "char",
            Self::Text => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::Map => "map",
            Self::Lambda => "lambda",
            Self::Object => "object",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A state that only its own functions understand. Those that change in place lock inside.
pub trait Object: Any + Send + Sync + Debug {
    /// What it is, for messages: `Bloom filter`.
    fn kind(&self) -> &'static str;
    /// For the functions that know the type.
    fn as_any(&self) -> &dyn Any;
    /// The containers it keeps its values in, if it holds values: looked through before a container is put into it, so that no circle closes.
    fn held(&self) -> Vec<Value> {
        Vec::new()
    }
    /// Gives up the values it holds; called when nobody else holds the object, so that deep nesting is taken apart in a loop.
    fn release(&mut self) -> Vec<Value> {
        Vec::new()
    }
}

/// A lambda with what it closes over.
#[derive(Debug)]
pub struct Closure {
    pub(crate) body: Arc<crate::check::Lambda>,
    pub(crate) captured: Vec<Value>,
}

impl Drop for Closure {
    fn drop(&mut self) {
        container::unravel(std::mem::take(&mut self.captured));
    }
}

impl Value {
    /// A text value.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Text::new(text))
    }

    /// A new list of these items.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(List::new(items.into_iter().collect()))
    }

    /// The text inside, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number inside, if it is one.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::Int(int) => Some(Number::Int(*int)),
            Self::Long(long) => Some(Number::Long(*long)),
            Self::Float(float) => Some(Number::Float(*float)),
            Self::Double(double) => Some(Number::Double(*double)),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The object inside, if it is one of type `T`.
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// What it is, as messages and the answers of `stellar batch` name it.
    pub fn type_name(&self) -> &'static str {
        self.kind().name()
    }

    /// Which of the types it has.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Long(_) => Kind::Long,
            Self::Float(_) => Kind::Float,
            Self::Double(_) => Kind::Double,
            Self::Char(_) => Kind::Char,
            Self::Text(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Map(_) => Kind::Map,
            Self::Lambda(_) => Kind::Lambda,
            Self::Object(_) => Kind::Object,
        }
    }

    /// Whether it can neither hold other values nor be changed in place.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Set(_) | Self::Map(_) | Self::Lambda(_) | Self::Object(_))
    }

    /// Empty list, set or map.
    pub(crate) fn is_empty_container(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Map(map) => map.is_empty(),
            _ => false,
        }
    }
}

/// Length in UTF-16 units, which is what Java counts.
pub fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i32> for Value {
    fn from(int: i32) -> Self {
        Self::Int(int)
    }
}

impl From<i64> for Value {
    fn from(long: i64) -> Self {
        Self::Long(long)
    }
}

impl From<f64> for Value {
    fn from(double: f64) -> Self {
        Self::Double(double)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_24_bytes() {
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn length_counts_utf16_units() {
        assert_eq!(utf16_len("a😀"), 3);
    }
}
