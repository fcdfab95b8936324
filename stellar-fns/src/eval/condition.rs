//! Conditions: `if` and `match`, `and`, `or`, `not` and `exists`.

use crate::ast::Connective;
use crate::check::{Arm, Node};
use crate::error::{Code, Fault};
use crate::function::Context;
use crate::value::{Value, boolean_of};

use super::{Evaluated, Frame, see, walk};

/// A boolean, or false for null and for an empty list or map; none for anything else.
fn decided(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(bool) => Some(*bool),
        Value::Null => Some(false),
        _ if value.is_empty_container() => Some(false),
        _ => None,
    }
}

/// The branch of the first arm whose condition holds.
#[inline(never)]
pub(super) fn choose<'a>(
    arms: &'a [Arm],
    otherwise: &'a Node,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Evaluated<'a> {
    for arm in arms {
        let mut made = None;
        let condition = see(&arm.condition, frame, context, &mut made)?;
        match decided(condition) {
            Some(true) => return walk(&arm.branch, frame, context),
            Some(false) => {}
            None => {
                let message = format!("a condition must be true or false, this one is {}", condition.type_name());
                return Err(Fault::new(Code::NoCondition, message).at(arm.span));
            }
        }
    }
    walk(otherwise, frame, context)
}

/// `and` and `or` associate to the right: `a and b or c` is `a and (b or c)`. What is left decides whether the rest is looked at; a left side that is
/// neither a boolean nor empty is converted, but the rest is evaluated all the same.
#[inline(never)]
pub(super) fn logic<'a>(
    first: &'a Node,
    rest: &'a [(Connective, Node)],
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Evaluated<'a> {
    // What the outermost converted left side has already made of everything to its right.
    let mut settled = None;
    let mut operand = first;
    for (connective, next) in rest {
        let deciding = *connective == Connective::Or;
        let mut made = None;
        let value = see(operand, frame, context, &mut made)?;
        match decided(value) {
            Some(bool) if bool == deciding => return Ok(Value::Bool(settled.unwrap_or(bool)).into()),
            Some(_) => {}
            None => {
                if boolean_of(value) == deciding {
                    settled.get_or_insert(deciding);
                }
            }
        }
        operand = next;
    }
    let last = boolean_of(see(operand, frame, context, &mut None)?);
    Ok(Value::Bool(settled.unwrap_or(last)).into())
}

/// `not(…)`
#[inline(never)]
pub(super) fn not<'a>(inner: &'a Node, frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    let inner = boolean_of(see(inner, frame, context, &mut None)?);
    Ok(Value::Bool(!inner).into())
}

/// `exists(…)`: a variable that isn't there is no error, whatever the resolver says.
#[inline(never)]
pub(super) fn exists<'a>(variable: &'a Node, frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    let there = match variable {
        Node::Variable { slot, name, .. } => frame.variable(*slot, name).is_some_and(|value| !value.is_null()),
        other => !see(other, frame, context, &mut None)?.is_null(),
    };
    Ok(Value::Bool(there).into())
}
