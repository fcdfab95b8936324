//! Watching an evaluation: who is told of each call, and what it gave.

use std::fmt::Debug;

use crate::error::Fault;
use crate::function::Arguments;
use crate::value::Value;

/// Who is told of each call of an evaluation, in the order in which they happen. Calls that lambdas make lie inside the call that runs the lambda. What was
/// computed while compiling is no call: see [`Compiler::folding`](crate::Compiler::folding).
pub trait Trace: Send + Sync + Debug {
    /// A call begins; its arguments are evaluated next, and calls in them lie inside it.
    fn begin(&self);

    /// The arguments of the innermost call are known.
    fn call(&self, function: &'static str, arguments: &Arguments<'_>);

    /// The innermost call ends. One whose arguments failed ends without having been made.
    fn end(&self, outcome: Result<&Value, &Fault>);
}
