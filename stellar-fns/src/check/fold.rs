//! Computes what is known while compiling: pure parts whose operands are literals. What would be an error stays, and is one only when it is reached.

use std::sync::LazyLock;

use crate::environment::{Environment, Limits};
use crate::eval::evaluate_node;
use crate::function::Purity;
use crate::variables::AllNull;

use super::node::{Call, Node};

/// Few steps: folding is for constants, not for work.
const STEPS: u64 = 2_000;

/// The node, or the constant it always is.
pub(super) fn fold(node: Node) -> Node {
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
    if foldable { compute(node) } else { node }
}

/// The call, or the constant it always gives. Containers stay calls, since each evaluation gets its own.
pub(super) fn fold_call(call: Call) -> Node {
    let foldable = call.function.doc().purity == Purity::Pure
        && call.arguments.iter().all(|argument| argument.constant().is_some());
    let node = Node::Call(call);
    if foldable { compute(node) } else { node }
}

/// Constants depend on none of its parts but the limits.
static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
    let limits = Limits { steps: STEPS, text: 4_096, ..Limits::default() };
    Environment { zone: jiff::tz::TimeZone::UTC, limits, ..Environment::default() }
});

fn compute(node: Node) -> Node {
    match evaluate_node(&node, &AllNull, &ENVIRONMENT, None) {
        Ok(value) if value.is_scalar() => Node::Constant(value),
        _ => node,
    }
}
