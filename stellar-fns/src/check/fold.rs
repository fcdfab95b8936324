//! Computes what is known while compiling: pure parts whose operands are literals. What would be an error stays, and is one only when it is reached.

use std::sync::LazyLock;

use crate::environment::{Environment, Limits};
use crate::eval::evaluate_counted;
use crate::function::Purity;
use crate::variables::AllNull;

use super::node::{Call, Node};

/// Few steps: folding is for constants, not for work. One computation may take so many, and all of an expression ten times that.
pub(super) const STEPS: u64 = 20_000;
const STEPS_AT_ONCE: u64 = STEPS / 10;

/// The node, or the constant it always is.
pub(super) fn fold(node: Node, steps: &mut u64) -> Node {
    let constant = |node: &Node| node.constant().is_some();
    let foldable = match &node {
        Node::Arithmetic { first, rest, .. } => constant(first) && rest.iter().all(|(_, operand)| constant(operand)),
        Node::Comparison { first, rest, .. } => constant(first) && rest.iter().all(|(_, operand)| constant(operand)),
        Node::Logic { first, rest } => constant(first) && rest.iter().all(|(_, operand)| constant(operand)),
        Node::InItems { key, items, .. } => constant(key) && items.iter().all(constant),
        Node::In { key, container, .. } => constant(key) && constant(container),
        Node::Not(inner) => constant(inner),
        _ => false,
    };
    if foldable { compute(node, steps) } else { node }
}

/// The call, or the constant it always gives; patterns are left until they are needed, since compiling one is work. Containers stay calls, since each evaluation gets its own.
pub(super) fn fold_call(call: Call, steps: &mut u64) -> Node {
    let foldable = call.function.doc().purity == Purity::Pure
        && !call.function.doc().name.starts_with("REGEXP_")
        && call.arguments.iter().all(|argument| argument.constant().is_some());
    let node = Node::Call(call);
    if foldable { compute(node, steps) } else { node }
}

/// Constants depend on none of its parts but the limits.
static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
    let limits = Limits { steps: STEPS_AT_ONCE, text: 4_096, ..Limits::default() };
    Environment { zone: jiff::tz::TimeZone::UTC, limits, ..Environment::default() }
});

fn compute(node: Node, left: &mut u64) -> Node {
    if *left == 0 {
        return node;
    }
    let (outcome, spent) = evaluate_counted(&node, &AllNull, &ENVIRONMENT);
    *left = left.saturating_sub(1 + spent);
    match outcome {
        Ok(value) if value.is_scalar() => Node::Constant(value),
        _ => node,
    }
}
