//! Values as the language would write them, cut where they are long: how traces and the shell's list of variables show them.

use crate::print::write_literal;
use crate::value::Value;

/// Characters of a value that are shown.
const LONGEST: usize = 200;

/// The value, cut where it is long.
pub(super) fn literal(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out, 8);
    cut(out)
}

/// The first characters of a text, and a sign that there were more.
pub(super) fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((index, _)) => format!("{}…", &text[..index]),
        None => text,
    }
}

fn write(value: &Value, out: &mut String, depth: usize) {
    // Enough to be cut.
    if out.len() > 4 * LONGEST {
        return;
    }
    if depth == 0 {
        out.push('…');
        return;
    }
    match value {
        Value::Text(text) => quote(text, out),
        Value::Char(_) => quote(&value.to_string(), out),
        Value::List(list) => items(&mut list.read().iter(), out, depth),
        Value::Set(set) => items(&mut set.read().iter(), out, depth),
        Value::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.read().iter().enumerate().take(LONGEST) {
                if index > 0 {
                    out.push_str(", ");
                }
                write(key, out, depth - 1);
                out.push_str(" : ");
                write(value, out, depth - 1);
            }
            out.push('}');
        }
        Value::Lambda(_) => out.push_str("<lambda>"),
        Value::Object(object) => out.push_str(&format!("<{}>", object.kind())),
        // No literal gives it.
        Value::Float(float) if float.is_nan() => out.push_str("NaN"),
        scalar => write_literal(scalar, out),
    }
}

fn items(items: &mut dyn Iterator<Item = &Value>, out: &mut String, depth: usize) {
    out.push('[');
    for (index, item) in items.take(LONGEST).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out, depth - 1);
    }
    out.push(']');
}

/// The text, as far as it can be shown, without what a terminal would obey.
fn quote(text: &str, out: &mut String) {
    let escaped = |char| matches!(char, '\n' | '\r' | '\t');
    let safe = |char: char| if char.is_control() && !escaped(char) { '\u{fffd}' } else { char };
    let shown: String = text.chars().take(LONGEST + 1).map(safe).collect();
    write_literal(&Value::from(shown), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Map, MapKind};

    #[test]
    fn values_are_written_as_literals() {
        let map =
            Value::Map(Map::new(MapKind::Hash, [("k".into(), Value::list([1.into(), Value::Long(2), Value::Null]))]));
        assert_eq!(literal(&map), "{'k' : [1, 2L, null]}");
        for (value, written) in [
            (Value::Float(f32::INFINITY), "1e999f"),
            (Value::Double(f64::NEG_INFINITY), "-1e999"),
            (Value::Float(f32::NAN), "NaN"),
            (Value::Float(1.5), "1.5f"),
        ] {
            assert_eq!(literal(&value), written);
        }
        assert_eq!(literal(&"it's\n\x1b".into()), "'it\\'s\\n\u{fffd}'");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(literal(&"x".repeat(1_000).into()).chars().count(), LONGEST + 1);
        let mut deep = Value::Null;
        for _ in 0..100 {
            deep = Value::list([deep]);
        }
        assert_eq!(literal(&deep), "[[[[[[[[…]]]]]]]]");
    }
}
