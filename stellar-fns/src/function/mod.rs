//! What a function is: its documentation, its answer, what may be prepared when its arguments are literals.
//!
//! A file per function below `functions`; [`Functions`] finds them by name. Functions get values and a [`Context`]; they never see the expression.

mod arguments;
mod context;
mod registry;
mod utf16;

use std::sync::Arc;

pub use arguments::Arguments;
pub use context::Context;
pub use registry::Functions;
pub(crate) use utf16::slice_utf16;

use crate::error::Fault;
use crate::value::Value;

/// What a function gives.
pub type Outcome = Result<Value, Fault>;

/// What the answer of a call depends on, beside what its arguments hold at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purity {
    /// Depends on nothing but its arguments, which it may change where they are lists, maps, sets or states (`LIST_ADD`). A call whose arguments are literals,
    /// which nobody can change, is computed while compiling.
    Pure,
    /// Depends on the environment too: zone, clock, process.
    Ambient,
    /// Asks another system and may wait for it.
    Asking,
}

/// What a reference page says about a function.
#[derive(Clone, Copy, Debug)]
pub struct Doc {
    /// Its name, in capitals.
    pub name: &'static str,
    /// What it does, one sentence.
    pub summary: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    /// What it gives.
    pub returns: &'static str,
    /// Calls with their answers; they run as tests.
    pub examples: &'static [Example],
    /// Whether calls can be computed while compiling.
    pub purity: Purity,
}

/// A parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name; `…` at the end says that it repeats.
    pub name: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A parameter that must be given.
pub(crate) const fn needs(name: &'static str, meaning: &'static str) -> Parameter {
    Parameter { name, meaning, optional: false }
}

/// A parameter that may be left out.
pub(crate) const fn takes(name: &'static str, meaning: &'static str) -> Parameter {
    Parameter { name, meaning, optional: true }
}

/// A call and what it gives.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The call.
    pub call: &'static str,
    /// An expression of the same value; none if the call is an error.
    pub gives: Option<&'static str>,
}

/// An example with its answer.
pub(crate) const fn gives(call: &'static str, gives: &'static str) -> Example {
    Example { call, gives: Some(gives) }
}

/// An example that is an error.
pub(crate) const fn fails(call: &'static str) -> Example {
    Example { call, gives: None }
}

/// A function of the language.
pub trait Function: Send + Sync {
    /// What the reference says about it.
    fn doc(&self) -> &'static Doc;

    /// Its answer. Arguments were evaluated from left to right, all of them.
    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome;

    /// Prepares calls in which some arguments are literals or lists of literals (given here by position): a pattern is compiled, a network parsed. None if there is nothing to
    /// prepare; then, and when preparing fails, every call goes through [`Function::call`].
    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        let _ = literals;
        None
    }
}

/// A function prepared for a call with literal arguments; the arguments are given all the same.
pub trait Prepared: Send + Sync {
    /// Its answer.
    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome;
}
