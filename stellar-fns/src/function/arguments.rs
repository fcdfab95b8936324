//! The arguments of a call, with the checks that most functions begin with.

use crate::error::{Code, Fault};
use crate::function::Context;
use crate::value::{Items, Map, Object, Text, Value};

use crate::eval::Operand;

/// The arguments of a call.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(pub(crate) &'a [Operand<'a>]);

impl<'a> Arguments<'a> {
    /// How many were given.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.0.iter().map(|operand| &**operand)
    }

    /// The one at `index`, if given.
    pub fn get(&self, index: usize) -> Option<&'a Value> {
        self.0.get(index).map(|operand| &**operand)
    }

    /// The one at `index`, null if not given.
    pub fn or_null(&self, index: usize) -> &'a Value {
        self.get(index).unwrap_or(&Value::Null)
    }

    /// The one at `index`; not giving it is an error.
    pub fn at(&self, index: usize) -> Result<&'a Value, Fault> {
        self.get(index).ok_or_else(|| self.missing(index))
    }

    /// Refuses calls with fewer than `least` or more than `most` arguments.
    pub fn expect(&self, least: usize, most: usize) -> Result<(), Fault> {
        if (least..=most).contains(&self.len()) {
            return Ok(());
        }
        let wanted = match most {
            _ if least == most => least.to_string(),
            usize::MAX => format!("at least {least}"),
            _ => format!("{least} to {most}"),
        };
        let noun = if matches!(wanted.as_str(), "1" | "at least 1") { "argument" } else { "arguments" };
        Err(Fault::new(Code::ArgumentCount, format!("takes {wanted} {noun}, got {}", self.len())))
    }

    fn missing(&self, index: usize) -> Fault {
        Fault::new(Code::ArgumentCount, format!("argument {} is missing", index + 1))
    }

    /// The fault for an argument of the wrong type.
    pub fn wrong(&self, index: usize, wanted: &str) -> Fault {
        let given = match self.or_null(index) {
            // As `wanted` calls it.
            Value::Text(_) => "text",
            other => other.type_name(),
        };
        Fault::wrong_type(format!("argument {} must be {wanted}, not {given}", index + 1))
    }

    /// A text; null and anything else is an error.
    pub fn text(&self, index: usize) -> Result<&'a str, Fault> {
        self.at(index)?.as_text().ok_or_else(|| self.wrong(index, "a text"))
    }

    /// A text or null; not giving it is an error.
    pub fn nullable_text(&self, index: usize) -> Result<Option<&'a str>, Fault> {
        match self.at(index)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong(index, "a text")),
        }
    }

    /// An object of this kind, or null; not giving it is an error.
    pub(crate) fn nullable_object<T: Object>(&self, index: usize, wanted: &str) -> Result<Option<&'a T>, Fault> {
        let value = self.at(index)?;
        match value.as_object() {
            None if value.is_null() => Ok(None),
            None => Err(self.wrong(index, wanted)),
            found => Ok(found),
        }
    }

    /// An int or null; not giving it is an error.
    pub fn nullable_int(&self, index: usize) -> Result<Option<i32>, Fault> {
        match self.at(index)? {
            Value::Null => Ok(None),
            Value::Int(int) => Ok(Some(*int)),
            _ => Err(self.wrong(index, "an int")),
        }
    }

    /// An int from any number, as Java's `intValue` makes it, or null; not giving it is an error.
    pub fn nullable_int_value(&self, index: usize) -> Result<Option<i32>, Fault> {
        match self.at(index)? {
            Value::Null => Ok(None),
            value => Ok(Some(value.as_number().ok_or_else(|| self.wrong(index, "a number"))?.to_int())),
        }
    }

    /// A text, or the text form of any other value but null; not giving it is an error.
    pub fn nullable_text_form(&self, index: usize, context: &mut Context<'_>) -> Result<Option<Text>, Fault> {
        context.text_or_none(self.at(index)?)
    }

    /// A double from any number; null is NaN, anything else an error.
    pub fn double_or_nan(&self, index: usize) -> Result<f64, Fault> {
        match self.or_null(index) {
            Value::Null => Ok(f64::NAN),
            value => Ok(value.as_number().ok_or_else(|| self.wrong(index, "a number"))?.to_double()),
        }
    }

    /// A map or null; not giving it is an error.
    pub fn nullable_map(&self, index: usize) -> Result<Option<&'a Map>, Fault> {
        match self.at(index)? {
            Value::Null => Ok(None),
            Value::Map(map) => Ok(Some(map)),
            _ => Err(self.wrong(index, "a map")),
        }
    }

    /// The items of a list, set or text, or null; anything else is an error. Each item costs a step.
    pub fn nullable_items(&self, index: usize, context: &mut Context<'_>) -> Result<Option<Items>, Fault> {
        let value = self.at(index)?;
        context.spend_items(value)?;
        if value.is_null() {
            return Ok(None);
        }
        let items = Items::of(value).ok_or_else(|| self.wrong(index, "a list, a set or a text"))?;
        context.spend_copies(items.iter())?;
        Ok(Some(items))
    }

    /// The items of a list or set, or null; anything else, also a text, is an error. Each item costs a step.
    pub fn list_or_set(&self, index: usize, context: &mut Context<'_>) -> Result<Option<Vec<Value>>, Fault> {
        let value = self.at(index)?;
        context.spend_items(value)?;
        let items = match value {
            Value::Null => return Ok(None),
            Value::List(list) => list.items(),
            Value::Set(set) => set.items(),
            _ => return Err(self.wrong(index, "a list or a set")),
        };
        context.spend_copies(&items)?;
        Ok(Some(items))
    }
}
