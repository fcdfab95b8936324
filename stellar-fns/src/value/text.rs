//! Values as text, the way Java's `toString` writes them: `1.0E10`, `[1, a, null]`, `{a=1}`.

use std::fmt::{self, Display, Write};

use super::equality::DEPTH;
use super::{Fuel, Map, MapKind, Value};

/// How many values of a nested one are shown in messages.
const SHOWN: u64 = 10_000;

/// `Double.toString`.
pub fn double_text(double: f64) -> String {
    // The one double for which Java before 19 writes more digits than tell it from others.
    if double.abs().to_bits() == 1 {
        return if double < 0.0 { "-4.9E-324" } else { "4.9E-324" }.to_owned();
    }
    let shortest = whole_digits(double, 53).unwrap_or_else(|| format!("{double:e}"));
    java_decimal(&shortest, double.is_nan())
}

/// `Float.toString`.
pub fn float_text(float: f32) -> String {
    // Where all the bits would be told by one digit, Java writes two.
    let few = float != 0.0 && float.abs() < f32::MIN_POSITIVE;
    let two_digits = few.then(|| format!("{float:.1e}")).filter(|text| text.parse() == Ok(float));
    let shortest = two_digits.or_else(|| whole_digits(f64::from(float), 24)).unwrap_or_else(|| format!("{float:e}"));
    java_decimal(&shortest, float.is_nan())
}

/// The digits that Java before 19 gives for large whole numbers: not the shortest, but without those that are certain to mean nothing for so many bits.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^63")]
fn whole_digits(double: f64, bits: i32) -> Option<String> {
    let magnitude = double.abs();
    if magnitude.fract() != 0.0
        || !(9_007_199_254_740_992.0_f64.min(2.0_f64.powi(bits))..2.0_f64.powi(63)).contains(&magnitude)
    {
        return None;
    }
    let exponent = (magnitude.to_bits() >> 52) as i32 - 1023;
    // As many decimal digits as the bits below the last significant one could tell apart.
    let spare = exponent - bits - 1;
    let dropped = if spare > 1 { (f64::from(spare) * std::f64::consts::LOG10_2) as u32 } else { 0 };
    let power = 10_u64.pow(dropped);
    let whole = magnitude as u64;
    let kept = whole / power + u64::from(dropped > 0 && whole % power >= power / 2);
    let digits = kept.to_string();
    let exponent = digits.len() - 1 + dropped as usize;
    let digits = digits.trim_end_matches('0');
    let (first, rest) = digits.split_at(1);
    let sign = if double < 0.0 { "-" } else { "" };
    Some(format!("{sign}{first}{}{rest}e{exponent}", if rest.is_empty() { "" } else { "." }))
}

/// Rewrites the shortest digits, which Rust gives as `1.5e-7`, into Java's form.
fn java_decimal(shortest: &str, nan: bool) -> String {
    if nan {
        return "NaN".to_owned();
    }
    let (sign, shortest) = shortest.strip_prefix('-').map_or(("", shortest), |rest| ("-", rest));
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return format!("{sign}Infinity");
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match usize::try_from(exponent) {
        Ok(whole) if whole < 7 => {
            let whole = whole + 1;
            let padded = format!("{digits:0<whole$}");
            let (before, after) = padded.split_at(whole);
            format!("{sign}{before}.{}", if after.is_empty() { "0" } else { after })
        }
        Err(_) if exponent >= -3 => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            if digits == "0" { format!("{sign}0.0") } else { format!("{sign}0.{}{digits}", "0".repeat(zeros)) }
        }
        _ => {
            let (before, after) = digits.split_at(1);
            format!("{sign}{before}.{}E{exponent}", if after.is_empty() { "0" } else { after })
        }
    }
}

impl Display for Value {
    /// Java's text form, cut off with `…` where a value is too large or nested too deep to be shown. The functions of the language write all of it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, out, DEPTH, &mut Fuel::new(SHOWN))
    }
}

impl Value {
    /// All of the text form, into something that refuses more than there is room for.
    pub(crate) fn write_whole(&self, out: &mut dyn Write) -> fmt::Result {
        write(self, out, DEPTH, &mut Fuel::new(u64::MAX))
    }
}

fn write(value: &Value, out: &mut dyn Write, depth: u32, fuel: &mut Fuel) -> fmt::Result {
    if fuel.burn(1).is_none() {
        return out.write_char('…');
    }
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(bool) => write!(out, "{bool}"),
        Value::Int(int) => write!(out, "{int}"),
        Value::Long(long) => write!(out, "{long}"),
        Value::Float(float) => out.write_str(&float_text(*float)),
        Value::Double(double) => out.write_str(&double_text(*double)),
        Value::Char(unit) => out.write_char(char::from_u32(u32::from(*unit)).unwrap_or('?')),
        Value::Text(text) => {
            // Long ones count as more values, so that one that is shared often isn't shown for ever.
            fuel.burn_at_most(text.len() as u64 / 1024);
            out.write_str(text)
        }
        Value::List(list) => write_items(&mut list.read().iter(), out, depth, fuel),
        Value::Set(set) => write_items(&mut set.read().iter(), out, depth, fuel),
        Value::Map(map) => write_map(map, out, depth, fuel),
        Value::Lambda(_) => out.write_str("lambda"),
        Value::Object(object) => out.write_str(object.kind()),
    }
}

fn write_items(
    items: &mut dyn Iterator<Item = &Value>,
    out: &mut dyn Write,
    depth: u32,
    fuel: &mut Fuel,
) -> fmt::Result {
    let Some(depth) = depth.checked_sub(1) else { return out.write_char('…') };
    out.write_char('[')?;
    for (index, item) in items.enumerate() {
        if fuel.left() == 0 {
            return out.write_str("…]");
        }
        if index > 0 {
            out.write_str(", ")?;
        }
        write(item, out, depth, fuel)?;
    }
    out.write_char(']')
}

fn write_map(map: &Map, out: &mut dyn Write, depth: u32, fuel: &mut Fuel) -> fmt::Result {
    let Some(depth) = depth.checked_sub(1) else { return out.write_char('…') };
    let table = map.read();
    let mut entries: Vec<_> = table.iter().collect();
    if map.kind() == MapKind::Hash {
        // Three quarters of the buckets may be filled before there are twice as many.
        let buckets = (entries.len() * 4).div_ceil(3).next_power_of_two().max(16);
        entries.sort_by_cached_key(|(key, _)| java_bucket(key, buckets));
    }
    out.write_char('{')?;
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if fuel.left() == 0 {
            return out.write_str("…}");
        }
        if index > 0 {
            out.write_str(", ")?;
        }
        write(key, out, depth, fuel)?;
        out.write_char('=')?;
        write(value, out, depth, fuel)?;
    }
    out.write_char('}')
}

/// In which bucket of Java's `HashMap` a key lies, as far as its hash is known here; keys of one bucket keep their order.
fn java_bucket(key: &Value, buckets: usize) -> usize {
    let hash = java_hash(key);
    (hash ^ (hash >> 16)) as usize & (buckets - 1)
}

/// `hashCode`. What can't be known here (lambdas, opaque objects) or is nested too deep counts as 0.
pub(crate) fn java_hash(value: &Value) -> u32 {
    hash(value, DEPTH, &mut Fuel::new(SHOWN))
}

fn hash(value: &Value, depth: u32, fuel: &mut Fuel) -> u32 {
    let fold = |bits: u64| u32::try_from((bits ^ (bits >> 32)) & 0xffff_ffff).unwrap_or(0);
    let (Some(()), Some(depth)) = (fuel.burn(1), depth.checked_sub(1)) else { return 0 };
    match value {
        Value::Null | Value::Lambda(_) | Value::Object(_) => 0,
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Int(int) => int.cast_unsigned(),
        Value::Long(long) => fold(long.cast_unsigned()),
        Value::Double(double) if double.is_nan() => 0x7ff8_0000,
        Value::Double(double) => fold(double.to_bits()),
        Value::Float(float) if float.is_nan() => 0x7fc0_0000,
        Value::Float(float) => float.to_bits(),
        Value::Char(unit) => u32::from(*unit),
        Value::Text(text) => {
            text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
        }
        Value::List(list) => {
            list.read().iter().fold(1_u32, |sum, item| sum.wrapping_mul(31).wrapping_add(hash(item, depth, fuel)))
        }
        Value::Set(set) => set.read().iter().fold(0_u32, |sum, item| sum.wrapping_add(hash(item, depth, fuel))),
        Value::Map(map) => map
            .read()
            .iter()
            .fold(0_u32, |sum, (key, value)| sum.wrapping_add(hash(key, depth, fuel) ^ hash(value, depth, fuel))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (double, text) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e10, "1.0E10"),
            (1.5e-7, "1.5E-7"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1_234_567.5, "1234567.5"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (f64::from_bits(1), "4.9E-324"),
            (-f64::from_bits(1), "-4.9E-324"),
            (f64::from_bits(3), "1.5E-323"),
            (f64::from_bits(4), "2.0E-323"),
        ] {
            assert_eq!(double_text(double), text);
        }
        for (float, text) in [
            (1.1, "1.1"),
            (1.4e-45, "1.4E-45"),
            (1e-44, "9.8E-45"),
            (1e-40, "1.0E-40"),
            (3e-42, "3.0E-42"),
            (0.0, "0.0"),
        ] {
            assert_eq!(float_text(float), text);
        }
    }

    #[test]
    fn containers_are_written_as_java_writes_them() {
        let map =
            Map::new(MapKind::Hash, [("b".into(), Value::Null), ("a".into(), Value::list([1.into(), "x".into()]))]);
        assert_eq!(Value::Map(map).to_string(), "{a=[1, x], b=null}");
    }
}
