//! What every command shares: option letters, exit codes, errors, JSON, logging.
//!
//! A program's `main` reads: rewrite Metron's option letters ([`argv`]), let clap parse them, set up [`logging`],
//! run, and print the [`errors::Failure`] it got, if any. Data goes through [`output`] to stdout, all else to stderr.
//! This crate knows nothing of models beyond the names of the errors that concern them.

pub mod argv;
pub mod code;
pub mod completions;
pub mod errors;
pub mod exit;
pub mod logging;
pub mod options;
pub mod output;
pub mod parse;
pub mod suggest;
pub mod who;
pub mod zookeeper;

pub use code::ErrorCode;
pub use errors::Failure;
