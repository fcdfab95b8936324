//! Conversions as commons-beanutils does them, which the original uses wherever a type is forced: text is trimmed and must be a plain literal, numbers are
//! cut, a list stands for its first item, and what doesn't fit is no value.

use std::borrow::Cow;

use super::equality::DEPTH;
use super::{Number, Value};

impl Value {
    /// As a boolean, the way the original converts where it needs one: `true yes y on 1` in any case; all else is false.
    pub fn to_boolean(&self) -> bool {
        boolean_of(self)
    }

    /// As a double, the way the original converts where it needs one; none for what is no number and no text of one.
    pub fn to_double(&self) -> Option<f64> {
        double_of(self)
    }
}

/// As a boolean: `true yes y on 1` in any case; all else is false, and so is what is nested deeper than values are looked into.
pub(crate) fn boolean_of(value: &Value) -> bool {
    let mut inner = Cow::Borrowed(value);
    for _ in 0..DEPTH {
        match &*inner {
            Value::List(_) | Value::Set(_) => match first(&inner) {
                Some(item) => inner = Cow::Owned(item),
                None => return false,
            },
            scalar => return scalar_is_true(scalar),
        }
    }
    false
}

fn scalar_is_true(value: &Value) -> bool {
    match value {
        Value::Bool(bool) => *bool,
        Value::Int(int) => *int == 1,
        Value::Long(long) => *long == 1,
        Value::Char(unit) => [b'y', b'Y', b'1'].iter().any(|letter| u16::from(*letter) == *unit),
        Value::Text(text) => ["yes", "y", "true", "on", "1"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

/// As an int.
pub(crate) fn int_of(value: &Value) -> Option<i32> {
    whole(value, |text| text.parse::<i32>().ok().map(i64::from)).and_then(|long| i32::try_from(long).ok())
}

/// As a long.
pub(crate) fn long_of(value: &Value) -> Option<i64> {
    whole(value, |text| text.parse().ok())
}

fn whole(value: &Value, parse: impl Fn(&str) -> Option<i64>) -> Option<i64> {
    match value {
        Value::Bool(bool) => Some(i64::from(*bool)),
        Value::Text(text) => parse(trimmed(text)),
        Value::Char(_) => parse(&value.to_string()),
        Value::List(_) | Value::Set(_) => whole(&scalar_first(value)?, parse),
        _ => match value.as_number()? {
            Number::Int(int) => Some(i64::from(int)),
            Number::Long(long) => Some(long),
            number => Some(number.to_long()),
        },
    }
}

/// As a float.
#[expect(clippy::cast_possible_truncation, reason = "a Java cast")]
pub(crate) fn float_of(value: &Value) -> Option<f32> {
    match value {
        Value::Float(float) => Some(*float),
        Value::Text(text) => java_float_literal(trimmed(text))?.parse().ok(),
        Value::List(_) | Value::Set(_) => float_of(&scalar_first(value)?),
        _ => {
            let double = double_of(value)?;
            // The original looks for numbers that are too large, and not for those that are too small.
            (double.is_nan() || double <= f64::from(f32::MAX)).then_some(double as f32)
        }
    }
}

/// As a double.
pub(crate) fn double_of(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(bool) => Some(if *bool { 1.0 } else { 0.0 }),
        Value::Text(text) => java_float_literal(trimmed(text))?.parse().ok(),
        Value::Char(_) => value.to_string().parse().ok(),
        Value::List(_) | Value::Set(_) => double_of(&scalar_first(value)?),
        _ => value.as_number().map(Number::to_double),
    }
}

/// The decimal literal that `Double.parseDouble` accepts, without its suffix; none for what only Rust would accept (`inf`, `nan` in any case).
fn java_float_literal(text: &str) -> Option<&str> {
    match text {
        "NaN" | "+NaN" | "-NaN" => return Some("NaN"),
        "Infinity" | "+Infinity" => return Some("inf"),
        "-Infinity" => return Some("-inf"),
        _ => {}
    }
    let digits = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)).then_some(digits)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|char| char <= ' ')
}

fn first(value: &Value) -> Option<Value> {
    match value {
        Value::List(list) => list.get(0),
        Value::Set(set) => set.read().first().cloned(),
        _ => None,
    }
}

/// The first item, unless that is a container again: conversion looks one level deep.
fn scalar_first(value: &Value) -> Option<Value> {
    first(value).filter(Value::is_scalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_must_be_a_plain_literal() {
        assert_eq!(int_of(&" 12 ".into()), Some(12));
        assert_eq!(int_of(&"12.7".into()), None);
        assert_eq!(long_of(&"99999999999".into()), Some(99_999_999_999));
        assert_eq!(double_of(&"1e3d".into()), Some(1000.0));
        assert_eq!(double_of(&"inf".into()), None);
    }

    #[test]
    fn numbers_are_cut_and_out_of_range_is_no_value() {
        assert_eq!(int_of(&12.7.into()), Some(12));
        assert_eq!(int_of(&3e9.into()), None);
        assert_eq!(long_of(&1e19.into()), Some(i64::MAX));
        assert_eq!(long_of(&f64::NAN.into()), Some(0));
        assert_eq!(float_of(&f64::INFINITY.into()), None);
        assert_eq!(float_of(&(-1e300).into()), Some(f32::NEG_INFINITY));
        assert_eq!(int_of(&true.into()), Some(1));
        assert_eq!(int_of(&Value::list([7.into()])), Some(7));
    }

    #[test]
    fn few_texts_are_true() {
        assert!(boolean_of(&"YES".into()));
        assert!(boolean_of(&1.into()));
        assert!(!boolean_of(&2.into()));
        assert!(!boolean_of(&1.0.into()));
        assert!(boolean_of(&Value::Char(u16::from(b'Y'))));
        assert!(boolean_of(&Value::list([Value::list(["on".into()])])));
    }
}
