//! What the fuzz targets share: expressions that call a function with what the fuzzer came up with. `scripts/fuzz.sh` builds and runs them.

use std::sync::LazyLock;

use stellar_fns::{Bound, Compiler, Environment, Limits, Program, Value};

/// Small limits, so that the fuzzer gets far; what is beyond them ends in an error.
pub static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| Environment {
    limits: Limits { steps: 100_000, text: 1 << 20, ..Limits::default() },
    ..Environment::default()
});

/// The usual steps, for long texts: fewer are gone before one is looked at.
static MANY_STEPS: LazyLock<Environment> = LazyLock::new(|| Environment {
    limits: Limits { text: 1 << 20, ..Limits::default() },
    ..Environment::default()
});

/// Expressions over a pattern and a text.
#[derive(Debug)]
pub struct Calls(Vec<Program>);

impl Calls {
    /// Compiles calls that use the variables `pattern` and `text`.
    pub fn new(calls: &[&str]) -> Self {
        let compiler = Compiler::default();
        let program = |call: &&str| compiler.compile(&format!("[pattern, text, {call}]")).expect("the call compiles");
        Self(calls.iter().map(program).collect())
    }

    /// Evaluates all of them. The input is a pattern and a text with a NUL between.
    pub fn run(&self, input: &str) {
        let (pattern, text) = Self::parts(input);
        self.evaluate(pattern, text, &ENVIRONMENT);
    }

    /// Evaluates all of them twice: with the text, and with one of a megabyte that says it over and over.
    pub fn run_with_long_text(&self, input: &str) {
        let (pattern, text) = Self::parts(input);
        self.evaluate(pattern, text, &ENVIRONMENT);
        if !text.is_empty() {
            self.evaluate(pattern, &text.repeat((1 << 20) / text.len()), &MANY_STEPS);
        }
    }

    fn parts(input: &str) -> (&str, &str) {
        input.split_once('\0').unwrap_or((input, "2016-01-05 17:02:30 PST abc"))
    }

    fn evaluate(&self, pattern: &str, text: &str, environment: &Environment) {
        let values = [Value::from(pattern), Value::from(text)];
        for program in &self.0 {
            let _ = program.evaluate(&Bound::new(program.variables(), &values), environment);
        }
    }
}
