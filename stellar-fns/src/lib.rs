//! Stellar: the expression language of enrichment pipelines, compatible with the one of Apache Metron.
//!
//! ```
//! use stellar_fns::{Compiler, Environment, Layers, Value, VariableMap};
//!
//! let program = Compiler::default().compile("if TO_UPPER(name) == 'CASEY' then age + 1 else 0")?;
//! let message = VariableMap::from_iter([("name", Value::from("casey")), ("age", Value::from(41))]);
//! let answer = program.evaluate(&Layers::new([&message]), &Environment::default())?;
//! assert_eq!(answer, Value::from(42));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An expression is compiled once ([`Compiler::compile`]) and evaluated often ([`Program::evaluate`]), from as many threads as wanted. Text becomes tokens
//! (`lex`), a tree (`ast`, `parse`, written back by `print`), a checked tree with names bound to slots and functions (`check`), which `eval` walks. What a
//! hostile expression can cost is bounded by [`Bounds`] and [`Limits`].
//!
//! | word | meaning |
//! | --- | --- |
//! | expression | text of the language |
//! | program | a compiled expression |
//! | variables | where names get their values: [`Variables`] |
//! | environment | what evaluation needs beside variables: zone, clock, limits, services, whoever calls models |
//! | function | an implementation of [`Function`], found by name in [`Functions`] |
//! | fault | why a function has no answer; with its place it is an error |

pub mod asking;
mod ast;
pub mod batch;
mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod configuration;
pub mod diagnostic;
mod environment;
pub mod error;
mod eval;
pub mod function;
mod functions;
mod lex;
#[cfg(feature = "maas")]
pub mod maas;
mod parse;
mod print;
mod program;
pub mod regex;
pub mod services;
pub mod trace;
pub mod value;
mod variables;

pub use environment::{Environment, Limits};
pub use error::{Code, Error, Errors, Fault, Span, Stage};
pub use function::{Function, Functions};
pub use parse::Bounds;
pub use program::{Compiler, Program};
pub use value::Value;
pub use variables::{AllNull, Bound, Layers, SharedLayers, Strict, VariableMap, Variables};
