//! Functions on numbers; all but IS_NAN give doubles.

mod abs;
mod ceiling;
mod cos;
mod exp;
mod floor;
mod is_nan;
mod ln;
mod log10;
mod log2;
mod round;
mod sin;
mod sqrt;
mod tan;
mod unary;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(abs::Abs),
    || Arc::new(ceiling::Ceiling),
    || Arc::new(cos::Cos),
    || Arc::new(exp::Exp),
    || Arc::new(floor::Floor),
    || Arc::new(is_nan::IsNan),
    || Arc::new(ln::Ln),
    || Arc::new(log10::Log10),
    || Arc::new(log2::Log2),
    || Arc::new(round::Round),
    || Arc::new(sin::Sin),
    || Arc::new(sqrt::Sqrt),
    || Arc::new(tan::Tan),
];
