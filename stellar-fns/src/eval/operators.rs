//! Arithmetic, comparison and `in`.

use std::cmp::Ordering;

use crate::ast::Comparator;
use crate::error::{Code, Fault};
use crate::function::Context;
use crate::value::{Number, Operator, Value, order};

/// A side of an arithmetic operator, kept as a number so that no value is made on the way through an expression.
#[derive(Clone, Copy)]
pub(super) enum Term {
    Number(Number),
    /// No number, but this.
    Other(&'static str),
}

impl Term {
    /// Null counts as the int 0.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Number(Number::Int(0)),
            value => value.as_number().map_or_else(|| Self::Other(value.type_name()), Self::Number),
        }
    }

    pub(super) fn number(self) -> Result<Number, Fault> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Other(name) => Err(Fault::wrong_type(format!("{name}: a number is needed"))),
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::Number(number) => Value::from(number).type_name(),
            Self::Other(name) => name,
        }
    }
}

/// Arithmetic.
pub(super) fn compute(left: Term, operator: Operator, right: Term) -> Result<Number, Fault> {
    let (Term::Number(left), Term::Number(right)) = (left, right) else {
        let message = format!("{} {} {}: numbers are needed", left.type_name(), operator.symbol(), right.type_name());
        return Err(Fault::wrong_type(message));
    };
    left.compute(operator, right)
        .ok_or_else(|| Fault::new(Code::DivisionByZero, "whole division by zero; one side as a double gives Infinity"))
}

/// A comparison; null is in no order with anything.
pub(super) fn compare(
    left: &Value,
    comparator: Comparator,
    right: &Value,
    context: &mut Context<'_>,
) -> Result<bool, Fault> {
    match comparator {
        Comparator::Equal => return equals(left, right, context),
        Comparator::NotEqual => return equals(left, right, context).map(|equal| !equal),
        _ if left.is_null() || right.is_null() => return Ok(false),
        _ => {}
    }
    context.spend_reading(left)?;
    let Some(ordering) = order(left, right) else {
        let message =
            format!("{} {} {}: no order between these", left.type_name(), comparator.symbol(), right.type_name());
        return Err(Fault::wrong_type(message));
    };
    // Without an order, which is NaN, every comparison is false.
    Ok(ordering.is_some_and(|ordering| match comparator {
        Comparator::Less => ordering == Ordering::Less,
        Comparator::LessEqual => ordering != Ordering::Greater,
        Comparator::Greater => ordering == Ordering::Greater,
        _ => ordering != Ordering::Less,
    }))
}

fn equals(left: &Value, right: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    match (left, right) {
        (Value::Text(_), Value::Text(_)) => same_text(left, right, context),
        _ => context.equals(left, right),
    }
}

/// Java's `equals`, which doesn't promote numbers.
pub(super) fn identical(left: &Value, right: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    let too_large = || Fault::new(Code::TooLarge, "these values are too large or too deep to compare");
    match (left, right) {
        (Value::Text(_), Value::Text(_)) => same_text(left, right, context),
        _ => crate::value::identical(left, right, &mut context.fuel).ok_or_else(too_large),
    }
}

fn same_text(left: &Value, right: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    context.spend_reading(left)?;
    Ok(left.as_text() == right.as_text())
}

/// `key in container`.
pub(super) fn contains(container: &Value, key: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    match (container, key) {
        (Value::Null, _) => Ok(false),
        (Value::Text(text), Value::Text(key)) => {
            context.spend_reading(container)?;
            Ok(text.contains(key.as_str()))
        }
        (Value::List(list), _) => {
            context.spend(list.len())?;
            let items = list.read();
            for item in items.iter() {
                if identical(item, key, context)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Set(set), _) => {
            context.spend_key(key)?;
            Ok(set.read().contains(key))
        }
        (Value::Map(map), _) => {
            context.spend_key(key)?;
            Ok(map.read().contains_key(key))
        }
        _ => identical(container, key, context),
    }
}
