//! Configuration: Metron's own JSON files, read as they stand and compiled into what the stages run.
//!
//! A file a concern: `parser` (parsers/SENSOR.json), `enrichment` (enrichments/SENSOR.json), `indexing` (indexing/SENSOR.json), `global` (global.json), `files`
//! (where they come from). Keys that nobody knows are warned about, never fatal. Reading and compiling only: where the text came from and what becomes of the
//! result is left to `run` and `zk_load_configs`.

pub mod enrichment;
pub mod files;
pub mod global;
pub mod indexing;
pub mod parser;
mod raw;
pub mod sensor;

use std::fmt;

use thiserror::Error as ThisError;

use crate::expression::{BadExpression, Expressions};

pub use files::Files;
pub use global::Global;
pub use indexing::Indexing;
pub use sensor::Sensor;

/// Why a file can't be used.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
pub enum Error {
    /// It is no JSON, or not of the form that is needed.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// An expression does not compile.
    #[error(transparent)]
    Expression(#[from] BadExpression),
    /// A value that can't be used.
    #[error("{key}: {message}")]
    Value {
        /// The key, as a path into the file.
        key: String,
        /// What is wrong with its value, and what to do.
        message: String,
    },
    /// A class of the original's that has no counterpart here: no reason not to keep the file, but it can't be run.
    #[error("{key}: {class} is not known here; {known}")]
    Foreign {
        /// The key, as a path into the file.
        key: String,
        /// The class's name.
        class: String,
        /// What is known.
        known: String,
    },
}

impl Error {
    /// A value that can't be used.
    pub fn value(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Value { key: key.into(), message: message.into() }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // The place is told apart from the message.
        let message = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
        Self::Json { line: error.line(), column: error.column(), message: message.to_owned() }
    }
}

/// Something that is accepted and may not do what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The key, as a path into the file.
    pub key: String,
    /// What is noticed.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.key, self.message)
    }
}

/// What compiling a file needs and collects.
#[derive(Debug, Default)]
pub struct Compile {
    /// Compiles expressions.
    pub expressions: Expressions,
    /// What was noticed so far, unknown functions apart.
    pub warnings: Vec<Warning>,
}

impl Compile {
    /// Notes something.
    pub fn warn(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Warning { key: key.into(), message: message.into() });
    }

    /// All that was noticed, unknown functions too.
    pub fn into_warnings(self) -> Vec<Warning> {
        let unknown = self.expressions.unknown.into_iter().map(|(key, error)| Warning {
            key,
            message: match error.hint {
                Some(hint) => format!("{error}; {hint}", error = error.message),
                None => error.message,
            },
        });
        self.warnings.into_iter().chain(unknown).collect()
    }

    /// Notes the keys that nobody knows.
    pub(crate) fn unknown_keys<'a>(&mut self, at: &str, keys: impl IntoIterator<Item = &'a str>, known: &[&str]) {
        for key in keys {
            let hint = maas_cli::suggest::hint(key, known.iter().copied());
            let path = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
            self.warn(path, format!("no such key here, ignored{hint}"));
        }
    }
}
