//! The expressions of configurations: parsers, enrichments, global.json, and files of expressions; each with its place in the file.
//!
//! `json` reads JSON so that places are known through escapes, `shapes` knows where configurations keep expressions, `script` takes files of expressions
//! apart, `findings` compiles what was found and says what is wrong, where. What the configurations mean is for those who run them.
//!
//! ```
//! use stellar_fns::Compiler;
//! use stellar_fns::configuration::{Kind, check};
//!
//! let text = r#"{"fieldTransformations": [{"transformation": "STELLAR", "config": {
//!   "host": "TO_UPER(\"a\")",
//!   "port": "1 +"
//! }}]}"#;
//! let checked = check(Kind::Parser, text, &Compiler::default());
//! assert_eq!(checked.expressions, 2);
//! let warning = &checked.warnings[0];
//! assert_eq!((warning.key.as_str(), warning.line, warning.column), ("/fieldTransformations/0/config/host", 2, 12));
//! assert_eq!(checked.errors[0].line, 3);
//! ```

mod findings;
mod json;
mod script;
mod shapes;

pub use findings::{Checked, Finding, check, check_expression};
pub use script::{Assignment, assignment};
#[cfg(feature = "cli")]
pub(crate) use script::{Lines, is_command, is_name, statement_goes_on};
pub use shapes::Kind;

use crate::error::Span;

/// An expression in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Where it stands: a JSON pointer, or the name that a file of expressions gives its value.
    pub key: String,
    /// The expression, without the quotes and escapes of the file.
    pub text: String,
    /// For each byte of the expression, and for its end, the byte of the file that it comes from.
    places: Places,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Places {
    /// As in the file, from this byte on.
    Direct(usize),
    /// Through escapes.
    Mapped(Vec<usize>),
}

impl Expression {
    /// The bytes of the file that a span of the expression comes from.
    pub fn in_file(&self, span: Span) -> Span {
        Span::new(self.place(span.from), self.place(span.to))
    }

    fn place(&self, index: usize) -> usize {
        match &self.places {
            Places::Direct(start) => start + index.min(self.text.len()),
            Places::Mapped(places) => places.get(index).or(places.last()).copied().unwrap_or_default(),
        }
    }

    /// A part of it, as the list form of enrichments needs it.
    fn part(&self, key: String, from: usize) -> Self {
        let places = match &self.places {
            Places::Direct(start) => Places::Direct(start + from),
            Places::Mapped(places) => Places::Mapped(places[from..].to_vec()),
        };
        Self { key, text: self.text[from..].to_owned(), places }
    }
}
