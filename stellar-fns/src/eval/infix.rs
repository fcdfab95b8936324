//! Nodes with an operator between their parts: arithmetic, comparison and `in`. What the operators do with values stands in `operators`.

use crate::ast::Comparator;
use crate::check::Node;
use crate::error::{Fault, Span};
use crate::function::Context;
use crate::value::{Number, Operator, Value};

use super::operators::{self, Term};
use super::{Evaluated, Frame, at_hand, see};

/// Operators of one level, as a value.
#[inline(never)]
pub(super) fn computed<'a>(
    first: &'a Node,
    rest: &'a [(Operator, Node)],
    span: Span,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Evaluated<'a> {
    if let Some(int) = ints(first, rest, frame) {
        return Ok(Value::Int(int).into());
    }
    arithmetic(first, rest, span, frame, context).map(|number| Value::from(number).into())
}

/// What [`arithmetic`] gives where all that it needs are ints that lie ready, which are by far the most frequent; none otherwise, and where a division fails.
fn ints<'a>(first: &'a Node, rest: &'a [(Operator, Node)], frame: &Frame<'a>) -> Option<i32> {
    let mut left = int(first, frame)?;
    for (operator, operand) in rest {
        left = operator.of_ints(left, int(operand, frame)?)?;
    }
    Some(left)
}

#[inline]
fn int<'a>(node: &'a Node, frame: &Frame<'a>) -> Option<i32> {
    match node {
        Node::Arithmetic { first, rest, .. } => ints(first, rest, frame),
        _ => match at_hand(node, frame)? {
            Value::Int(int) => Some(*int),
            _ => None,
        },
    }
}

/// Operators of one level, from the left.
fn arithmetic<'a>(
    first: &'a Node,
    rest: &'a [(Operator, Node)],
    span: Span,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Result<Number, Fault> {
    let mut left = term(first, frame, context)?;
    for (operator, operand) in rest {
        let right = term(operand, frame, context)?;
        left = Term::Number(operators::compute(left, *operator, right).map_err(|fault| fault.at(span))?);
    }
    left.number().map_err(|fault| fault.at(span))
}

/// A side of an operator; what lies there already is only looked at.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call takes longer than looking at a number")]
fn term<'a>(node: &'a Node, frame: &Frame<'a>, context: &mut Context<'_>) -> Result<Term, Fault> {
    match node {
        Node::Arithmetic { first, rest, span } => arithmetic(first, rest, *span, frame, context).map(Term::Number),
        _ => see(node, frame, context, &mut None).map(Term::of),
    }
}

/// Comparisons, from the left: `a < b == c` compares the answer of the first with `c`.
#[inline(never)]
pub(super) fn comparison<'a>(
    first: &'a Node,
    rest: &'a [(Comparator, Node)],
    span: Span,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Evaluated<'a> {
    // Most compare once, and what lies ready: nothing is made that would have to be dropped again.
    if let [(comparator, second)] = rest
        && let (Some(left), Some(right)) = (at_hand(first, frame), at_hand(second, frame))
    {
        let holds = operators::compare(left, *comparator, right, context).map_err(|fault| fault.at(span))?;
        return Ok(Value::Bool(holds).into());
    }
    compared(first, rest, span, frame, context)
}

/// [`comparison`] of any sides, as many as there are.
#[inline(never)]
fn compared<'a>(
    first: &'a Node,
    rest: &'a [(Comparator, Node)],
    span: Span,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Evaluated<'a> {
    let mut made = (None, None);
    let left = see(first, frame, context, &mut made.0)?;
    let Some(((comparator, second), rest)) = rest.split_first() else { return Ok(left.clone().into()) };
    let right = see(second, frame, context, &mut made.1)?;
    let mut holds = operators::compare(left, *comparator, right, context).map_err(|fault| fault.at(span))?;
    for (comparator, next) in rest {
        let right = see(next, frame, context, &mut made.1)?;
        holds = operators::compare(&Value::Bool(holds), *comparator, right, context).map_err(|fault| fault.at(span))?;
    }
    Ok(Value::Bool(holds).into())
}

/// `key in container`
#[inline(never)]
pub(super) fn contained<'a>(
    key: &'a Node,
    container: &'a Node,
    span: Span,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Result<bool, Fault> {
    let mut made = (None, None);
    let key = see(key, frame, context, &mut made.0)?;
    let container = see(container, frame, context, &mut made.1)?;
    operators::contains(container, key, context).map_err(|fault| fault.at(span))
}

/// `key in [items]`, of which no list is made. All items are evaluated, as they would be for a list: an error in a later one is an error.
#[inline(never)]
pub(super) fn among<'a>(
    key: &'a Node,
    items: &'a [Node],
    span: Span,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Result<bool, Fault> {
    let mut made = (None, None);
    let key = see(key, frame, context, &mut made.0)?;
    let mut found = false;
    for item in items {
        let item = see(item, frame, context, &mut made.1)?;
        found = found || operators::identical(item, key, context).map_err(|fault| fault.at(span))?;
    }
    Ok(found)
}
