//! The tree that the parser makes: what was written, with its places, no names resolved. `print` writes it back, `check` turns it into what is evaluated.

use crate::error::Span;
use crate::value::{Operator, Text, Value};

/// An expression with its place. Places don't count when trees are compared.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

/// What an expression is. Chains of one precedence level are flat, so that long ones don't nest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExprKind {
    /// A number, text, boolean or null.
    Literal(Value),
    /// A variable or parameter.
    Name(Text),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{k : v}`
    Map(Vec<(Expr, Expr)>),
    /// `F(a, b)`
    Call { name: Text, arguments: Vec<Expr> },
    /// `x -> body`
    Lambda { parameters: Vec<Text>, body: Box<Expr> },
    /// `a + b - c`, from the left; also `a / b / c` and `a * b * c`, which bind tighter each.
    Arithmetic { first: Box<Expr>, rest: Vec<(Operator, Expr)> },
    /// `a == b < c`, from the left.
    Comparison { first: Box<Expr>, rest: Vec<(Comparator, Expr)> },
    /// `key in container`
    In { key: Box<Expr>, container: Box<Expr>, negated: bool },
    /// `a and b or c`, from the RIGHT.
    Logic { first: Box<Expr>, rest: Vec<(Connective, Expr)> },
    /// `not(a)`
    Not(Box<Expr>),
    /// `if a then b else c` and `a ? b : c`; an else branch that is itself a conditional continues the arms.
    Conditional { arms: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    /// `match{ a => b, default => c }`
    Match { clauses: Vec<(Expr, Expr)>, default: Box<Expr> },
    /// `exists(name)`
    Exists(Text),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparator {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }
}

/// `and` or `or`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connective {
    And,
    Or,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Expr {
    pub(crate) fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// How many levels there are, this one included.
    pub(crate) fn depth(&self) -> usize {
        let deepest = |children: &mut dyn Iterator<Item = &Self>| children.map(Self::depth).max().unwrap_or(0);
        1 + match &self.kind {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Exists(_) => 0,
            ExprKind::List(items) => deepest(&mut items.iter()),
            ExprKind::Call { arguments, .. } => deepest(&mut arguments.iter()),
            ExprKind::Map(entries) => deepest(&mut entries.iter().flat_map(|(key, value)| [key, value])),
            ExprKind::Lambda { body, .. } => body.depth(),
            ExprKind::Not(inner) => inner.depth(),
            ExprKind::Arithmetic { first, rest } => {
                deepest(&mut std::iter::once(&**first).chain(rest.iter().map(|(_, operand)| operand)))
            }
            ExprKind::Comparison { first, rest } => {
                deepest(&mut std::iter::once(&**first).chain(rest.iter().map(|(_, operand)| operand)))
            }
            ExprKind::Logic { first, rest } => {
                deepest(&mut std::iter::once(&**first).chain(rest.iter().map(|(_, operand)| operand)))
            }
            ExprKind::In { key, container, .. } => key.depth().max(container.depth()),
            ExprKind::Conditional { arms: pairs, otherwise: last }
            | ExprKind::Match { clauses: pairs, default: last } => {
                deepest(&mut std::iter::once(&**last).chain(pairs.iter().flat_map(|(check, branch)| [check, branch])))
            }
        }
    }
}
