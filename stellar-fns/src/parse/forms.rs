//! Which form a piece of an expression is written in, from the tightest to the widest; each place of the grammar admits forms up to one.

/// Forms in order: a place that admits one admits all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// A call, number, name, arithmetic, or one of these or a conditional in parentheses.
    Arithmetic,
    /// A text, list, map, boolean, null, lambda, `exists(…)`.
    Operand,
    /// `a == b`, `not(…)`, anything logical in parentheses.
    Comparison,
    /// `a in b`.
    Membership,
    /// `a and b`.
    Logic,
    /// `a ? b : c` and `if a then b else c`.
    Conditional,
    /// `match{…}`, which stands only where a whole expression does.
    Whole,
}

impl Form {
    /// The form of this one in parentheses.
    pub(crate) fn parenthesized(self) -> Self {
        match self {
            Self::Arithmetic | Self::Conditional => Self::Arithmetic,
            Self::Whole => Self::Whole,
            _ => Self::Comparison,
        }
    }

    /// How messages name it.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Arithmetic => "arithmetic",
            Self::Operand => "a literal, list, map or lambda",
            Self::Comparison => "a comparison",
            Self::Membership => "\"in\"",
            Self::Logic => "\"and\" or \"or\"",
            Self::Conditional => "a conditional",
            Self::Whole => "a match",
        }
    }
}
