//! A tree as text that parses to the same tree, with parentheses only where the grammar wants them.

use std::fmt::Write;

use crate::ast::{Connective, Expr, ExprKind};
use crate::value::{Operator, Value};

/// The expression as text.
pub(crate) fn print(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, Level::Whole, &mut out);
    out
}

/// What a place admits: a form of the grammar, or within arithmetic only what binds tighter than its operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Factor,
    Product,
    Quotient,
    Sum,
    Operand,
    Compared,
    Comparison,
    Membership,
    Logic,
    Conditional,
    Whole,
}

fn level(expr: &Expr) -> Level {
    match &expr.kind {
        ExprKind::Literal(value) if value.as_number().is_some() => Level::Factor,
        ExprKind::Name(_) | ExprKind::Call { .. } => Level::Factor,
        ExprKind::Arithmetic { rest, .. } => match rest.first().map(|(operator, _)| operator) {
            Some(Operator::Multiply) => Level::Product,
            Some(Operator::Divide) => Level::Quotient,
            _ => Level::Sum,
        },
        ExprKind::Literal(_) | ExprKind::List(_) | ExprKind::Map(_) | ExprKind::Exists(_) => Level::Operand,
        ExprKind::Not(_) => Level::Compared,
        ExprKind::Comparison { .. } => Level::Comparison,
        ExprKind::In { .. } => Level::Membership,
        ExprKind::Logic { .. } => Level::Logic,
        // A lambda's body takes all that follows, so beside an operator it needs parentheses.
        ExprKind::Conditional { .. } | ExprKind::Lambda { .. } => Level::Conditional,
        ExprKind::Match { .. } => Level::Whole,
    }
}

fn write(expr: &Expr, admitted: Level, out: &mut String) {
    if level(expr) > admitted {
        out.push('(');
        write_bare(expr, out);
        out.push(')');
    } else {
        write_bare(expr, out);
    }
}

fn write_bare(expr: &Expr, out: &mut String) {
    match &expr.kind {
        ExprKind::Literal(value) => write_literal(value, out),
        ExprKind::Name(name) => out.push_str(name),
        ExprKind::List(items) => {
            out.push('[');
            write_items(items, out);
            out.push(']');
        }
        ExprKind::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(key, Level::Comparison, out);
                out.push_str(" : ");
                write(value, Level::Whole, out);
            }
            out.push('}');
        }
        ExprKind::Call { name, arguments, .. } => {
            let _ = write!(out, "{name}(");
            write_items(arguments, out);
            out.push(')');
        }
        ExprKind::Lambda { parameters, body } => {
            let _ = write!(out, "({}) -> ", parameters.join(", "));
            write(body, Level::Whole, out);
        }
        ExprKind::Arithmetic { first, rest } => {
            let tighter = match level(expr) {
                Level::Product => Level::Factor,
                Level::Quotient => Level::Product,
                _ => Level::Quotient,
            };
            write(first, tighter, out);
            for (operator, operand) in rest {
                let _ = write!(out, " {} ", operator.symbol());
                write(operand, tighter, out);
            }
        }
        ExprKind::Comparison { first, rest } => {
            write(first, Level::Compared, out);
            for (comparator, operand) in rest {
                let _ = write!(out, " {} ", comparator.symbol());
                write(operand, Level::Compared, out);
            }
        }
        ExprKind::In { key, container, negated } => {
            write(key, Level::Operand, out);
            out.push_str(if *negated { " not in " } else { " in " });
            write(container, Level::Membership, out);
        }
        ExprKind::Logic { first, rest } => {
            write(first, Level::Membership, out);
            for (connective, operand) in rest {
                out.push_str(if *connective == Connective::And { " and " } else { " or " });
                write(operand, Level::Membership, out);
            }
        }
        ExprKind::Not(inner) => {
            out.push_str("not(");
            write(inner, Level::Logic, out);
            out.push(')');
        }
        ExprKind::Conditional { arms, otherwise } => {
            for (condition, branch) in arms {
                out.push_str("if ");
                write(condition, Level::Logic, out);
                out.push_str(" then ");
                write(branch, Level::Whole, out);
                out.push_str(" else ");
            }
            // Without parentheses a conditional here would continue the arms of this one.
            let admitted =
                if matches!(otherwise.kind, ExprKind::Conditional { .. }) { Level::Logic } else { Level::Whole };
            write(otherwise, admitted, out);
        }
        ExprKind::Match { clauses, default } => {
            out.push_str("match{ ");
            for (check, action) in clauses {
                write(check, Level::Conditional, out);
                out.push_str(" => ");
                write(action, Level::Whole, out);
                out.push_str(", ");
            }
            out.push_str("default => ");
            write(default, Level::Whole, out);
            out.push_str(" }");
        }
        ExprKind::Exists(name) => {
            let _ = write!(out, "exists({name})");
        }
    }
}

fn write_items(items: &[Expr], out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        let admitted = if level(item) == Level::Conditional { Level::Conditional } else { Level::Comparison };
        write(item, admitted, out);
    }
}

/// A scalar as the language writes it.
pub(crate) fn write_literal(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => {
            out.push('\'');
            for char in text.chars() {
                match char {
                    '\'' => out.push_str("\\'"),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    _ => out.push(char),
                }
            }
            out.push('\'');
        }
        // Beyond the largest double the literal itself overflows, as it does in the original.
        Value::Double(double) if double.is_infinite() => out.push_str(if *double > 0.0 { "1e999" } else { "-1e999" }),
        Value::Float(float) if float.is_infinite() => out.push_str(if *float > 0.0 { "1e999f" } else { "-1e999f" }),
        Value::Float(_) => {
            let _ = write!(out, "{value}f");
        }
        Value::Long(_) => {
            let _ = write!(out, "{value}L");
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

#[cfg(test)]
mod tests;
