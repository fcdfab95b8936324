//! The checked tree: compact, bound, ready to be walked.

use std::fmt;
use std::sync::Arc;

use crate::ast::{Comparator, Connective};
use crate::error::{Error, Span};
use crate::function::{Function, Prepared};
use crate::value::{Operator, Text, Value};

use super::names::Capture;

/// A checked expression.
pub(crate) enum Node {
    /// A value known while compiling; never a container, since those are made anew at each evaluation.
    Constant(Value),
    /// A variable. Inside a lambda one that isn't there is null, whatever the resolver says.
    Variable { slot: usize, name: Text, lenient: bool, span: Span },
    /// A lambda's parameter or something it captured.
    Local(usize),
    /// `_`
    All,
    /// A list literal.
    List(Box<[Node]>),
    /// A map literal.
    Map(Box<[(Node, Node)]>),
    /// Operators of one level, from the left.
    Arithmetic { first: Box<Node>, rest: Box<[(Operator, Node)]>, span: Span },
    /// Comparisons, from the left.
    Comparison { first: Box<Node>, rest: Box<[(Comparator, Node)]>, span: Span },
    /// `key in container`
    In { key: Box<Node>, container: Box<Node>, negated: bool, span: Span },
    /// `key in [items]`
    InItems { key: Box<Node>, items: Box<[Node]>, negated: bool, span: Span },
    /// `and` and `or`, from the right.
    Logic { first: Box<Node>, rest: Box<[(Connective, Node)]> },
    /// `not(…)`
    Not(Box<Node>),
    /// The branch of the first arm whose condition holds.
    Conditional { arms: Box<[Arm]>, otherwise: Box<Node> },
    /// Like a conditional, but a lambda that comes out is called.
    Match { arms: Box<[Arm]>, otherwise: Box<Node>, span: Span },
    /// `exists(name)`
    Exists(Box<Node>),
    /// A lambda and where what it captures comes from.
    Lambda { lambda: Arc<Lambda>, captures: Box<[Capture]> },
    /// A call.
    Call(Call),
    /// A call of a function that doesn't exist.
    Unknown(Box<Error>),
}

/// A condition and what it guards.
pub(crate) struct Arm {
    pub condition: Node,
    pub branch: Node,
    pub span: Span,
}

/// A bound call.
pub(crate) struct Call {
    pub function: Arc<dyn Function>,
    pub prepared: Option<Arc<dyn Prepared>>,
    pub arguments: Box<[Node]>,
    pub span: Span,
}

/// A lambda's code. Its frame holds its arguments, then what it captured.
pub(crate) struct Lambda {
    pub parameters: usize,
    /// How deep the body is nested.
    pub depth: usize,
    /// How many steps a call of it costs beside what it calls itself: one, and more for a long body.
    pub cost: usize,
    pub body: Node,
}

impl fmt::Debug for Lambda {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Lambda({} parameters)", self.parameters)
    }
}

impl Node {
    pub(crate) fn constant(&self) -> Option<&Value> {
        match self {
            Self::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// A list literal of literals as a value; none for anything else.
    pub(crate) fn literal_list(&self) -> Option<Value> {
        let Self::List(items) = self else { return None };
        items.iter().map(|item| item.constant().cloned()).collect::<Option<Vec<_>>>().map(Value::list)
    }
}
