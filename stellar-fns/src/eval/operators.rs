//! Arithmetic, comparison and `in`.

use std::cmp::Ordering;

use crate::ast::Comparator;
use crate::error::{Code, Fault};
use crate::function::Context;
use crate::value::{Kind, Number, Operator, Value, order};

/// A side of an arithmetic operator, kept as a number so that no value is made on the way through an expression. It is as large as a number, and so is the
/// result that holds one: both are given back in registers.
#[derive(Clone, Copy)]
pub(super) enum Term {
    Number(Number),
    /// No number, but this.
    Other(Kind),
}

impl Term {
    /// Null counts as the int 0.
    #[inline]
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Number(Number::Int(0)),
            value => value.as_number().map_or_else(|| Self::Other(value.kind()), Self::Number),
        }
    }

    #[inline]
    pub(super) fn number(self) -> Result<Number, Fault> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Other(kind) => Err(Fault::wrong_type(format!("{kind}: a number is needed"))),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Number(number) => Value::from(number).kind(),
            Self::Other(kind) => kind,
        }
    }
}

/// Arithmetic.
#[inline]
pub(super) fn compute(left: Term, operator: Operator, right: Term) -> Result<Number, Fault> {
    if let (Term::Number(left), Term::Number(right)) = (left, right)
        && let Some(number) = left.compute(operator, right)
    {
        return Ok(number);
    }
    Err(uncomputed(left, operator, right))
}

#[cold]
fn uncomputed(left: Term, operator: Operator, right: Term) -> Fault {
    match (left, right) {
        (Term::Number(_), Term::Number(_)) => {
            Fault::new(Code::DivisionByZero, "whole division by zero; one side as a double gives Infinity")
        }
        _ => Fault::wrong_type(format!("{} {} {}: numbers are needed", left.kind(), operator.symbol(), right.kind())),
    }
}

/// A comparison; null is in no order with anything.
#[inline]
pub(super) fn compare(
    left: &Value,
    comparator: Comparator,
    right: &Value,
    context: &mut Context<'_>,
) -> Result<bool, Fault> {
    match comparator {
        Comparator::Equal => equals(left, right, context),
        Comparator::NotEqual => equals(left, right, context).map(|equal| !equal),
        _ => in_order(left, comparator, right, context),
    }
}

/// A comparison by order.
fn in_order(left: &Value, comparator: Comparator, right: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        return Ok(holds(left.cmp(right), comparator));
    }
    if left.is_null() || right.is_null() {
        return Ok(false);
    }
    context.spend_reading(left)?;
    let Some(ordering) = order(left, right) else {
        let message =
            format!("{} {} {}: no order between these", left.type_name(), comparator.symbol(), right.type_name());
        return Err(Fault::wrong_type(message));
    };
    // Without an order, which is NaN, every comparison is false.
    Ok(ordering.is_some_and(|ordering| holds(ordering, comparator)))
}

/// Whether sides in this order compare like that; `==` and `!=` are not asked for.
fn holds(ordering: Ordering, comparator: Comparator) -> bool {
    match comparator {
        Comparator::Less => ordering == Ordering::Less,
        Comparator::LessEqual => ordering != Ordering::Greater,
        Comparator::Greater => ordering == Ordering::Greater,
        _ => ordering != Ordering::Less,
    }
}

#[inline]
fn equals(left: &Value, right: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => same_text(left, right, context),
        _ => context.equals(left, right),
    }
}

/// Java's `equals`, which doesn't promote numbers.
pub(super) fn identical(left: &Value, right: &Value, context: &mut Context<'_>) -> Result<bool, Fault> {
    let too_large = || Fault::new(Code::TooLarge, "these values are too large or too deep to compare");
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => same_text(left, right, context),
        _ => crate::value::identical(left, right, &mut context.fuel).ok_or_else(too_large),
    }
}

/// Texts of different lengths differ without being read.
#[inline]
fn same_text(left: &str, right: &str, context: &mut Context<'_>) -> Result<bool, Fault> {
    if left.len() != right.len() {
        return Ok(false);
    }
    context.spend_reading_text(left)?;
    Ok(left == right)
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
