//! Waiting for other systems: evaluations that are suspended at a call and resumed with its answer, and the thread on which blocking ones wait.
//!
//! An asking function ([`Purity::Asking`](crate::function::Purity::Asking)) makes a future of its question, which owns all it needs, and gives it to
//! [`Context::ask`](crate::function::Context::ask). How that waits is the evaluation's affair: [`Program::evaluate`](crate::Program::evaluate) runs the
//! future on a [`CallThread`] and blocks; [`Program::evaluate_asking`](crate::Program::evaluate_asking) suspends, and whoever awaits it awaits the future.
//! Either way the function is called once and nothing before it is evaluated again. What is asked, and what becomes of a failure, is left to the functions.

mod suspended;
#[cfg(test)]
mod tests;
mod thread;

pub(crate) use suspended::{Asker, evaluate};
pub use thread::{CallThread, Unanswered};
