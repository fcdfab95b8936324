//! Compiling an expression, and the program that comes of it.

use std::fmt;
use std::sync::Arc;

use crate::asking;
use crate::check::{Checked, check};
use crate::environment::Environment;
use crate::error::{Code, Error, Errors, Span};
use crate::eval::evaluate;
use crate::function::{Functions, Purity};
use crate::parse::{Bounds, parse};
use crate::value::{Text, Value};
use crate::variables::{AllNull, Variables};

/// Compiles expressions with a set of functions, within bounds.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// What expressions may call.
    pub functions: Functions,
    /// How large they may be.
    pub bounds: Bounds,
    /// Whether what never changes is computed while compiling, which is so by default. Without it every call is made when it is reached, as a trace shows it.
    pub folding: bool,
}

impl Default for Compiler {
    fn default() -> Self {
        Self { functions: Functions::standard(), bounds: Bounds::default(), folding: true }
    }
}

impl Compiler {
    /// Compiles an expression. One that is blank is null, as a rule true. Unknown functions are an error only when a call is reached;
    /// [`Program::unknown_functions`] lists them.
    pub fn compile(&self, source: &str) -> Result<Program, Errors> {
        let tree = parse(source, self.bounds)?;
        let checked = tree.map(|tree| check(&tree, &self.functions, self.folding)).transpose()?;
        Ok(Program { source: source.into(), checked: checked.map(Arc::new) })
    }

    /// Checks only the grammar.
    pub fn parses(&self, source: &str) -> Result<(), Errors> {
        parse(source, self.bounds).map(drop)
    }

    /// The expression as it is written with no needless parentheses and blanks; it means the same.
    pub fn format(&self, source: &str) -> Result<String, Errors> {
        Ok(parse(source, self.bounds)?.map(|tree| crate::print::print(&tree)).unwrap_or_default())
    }
}

/// A compiled expression; it can be shared and evaluated by many threads at once.
pub struct Program {
    source: Box<str>,
    checked: Option<Arc<Checked>>,
}

impl Program {
    /// The expression.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value of the expression. Where it asks another system, the thread is blocked until the answer is there; asynchronous programs use
    /// [`Program::evaluate_asking`]. The limits on nesting keep what it needs of the thread's stack below a megabyte, more in a build without optimization.
    pub fn evaluate(&self, variables: &dyn Variables, environment: &Environment) -> Result<Value, Error> {
        match &self.checked {
            None => Ok(Value::Null),
            Some(checked) => evaluate(checked, variables, environment),
        }
    }

    /// The value of the expression. While it waits for another system it is suspended and holds up no thread; nothing is evaluated twice.
    ///
    /// An expression that asks nobody is evaluated at once. One that asks runs on a stack of its own, which can't change threads, so this future is not `Send`: it
    /// belongs on a current-thread runtime or in a `tokio::task::LocalSet`, as many at once as wanted. A program with several threads has one of these on
    /// each, for which `tokio_util::task::LocalPoolHandle` is made. Dropping it ends the evaluation where it is.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use stellar_fns::{Compiler, Environment, SharedLayers, Value, VariableMap};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let program = Compiler::default().compile("TO_UPPER(name)")?;
    /// let message = Arc::new(VariableMap::from_iter([("name", Value::from("casey"))]));
    /// let environment = Arc::new(Environment::default());
    /// let answer = program.evaluate_asking(SharedLayers::new([message]), &environment).await?;
    /// assert_eq!(answer, Value::from("CASEY"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn evaluate_asking(
        &self,
        variables: impl Variables + 'static,
        environment: &Arc<Environment>,
    ) -> Result<Value, Error> {
        match &self.checked {
            Some(checked) if self.asks() => asking::evaluate(checked.clone(), variables, environment.clone()).await,
            _ => self.evaluate(&variables, environment),
        }
    }

    /// Whether the expression holds: true for a blank one, none for null, an error for anything that is no boolean.
    pub fn holds(&self, variables: &dyn Variables, environment: &Environment) -> Result<Option<bool>, Error> {
        self.ruling(self.evaluate(variables, environment)?)
    }

    /// Like [`Program::holds`], evaluated as by [`Program::evaluate_asking`].
    pub async fn holds_asking(
        &self,
        variables: impl Variables + 'static,
        environment: &Arc<Environment>,
    ) -> Result<Option<bool>, Error> {
        self.ruling(self.evaluate_asking(variables, environment).await?)
    }

    fn ruling(&self, value: Value) -> Result<Option<bool>, Error> {
        if self.checked.is_none() {
            return Ok(Some(true));
        }
        match value {
            Value::Bool(bool) => Ok(Some(bool)),
            Value::Null => Ok(None),
            other => {
                let message = format!("a rule must be true or false, this one is {}", other.type_name());
                Err(Error::new(Code::NoRule, message, Span::new(0, self.source.len())))
            }
        }
    }

    /// Evaluates with every variable null, as the original does to validate an expression before it is used.
    pub fn validate(&self, environment: &Environment) -> Result<(), Error> {
        self.evaluate(&AllNull, environment).map(drop)
    }

    /// The names of the variables by slot, those of `exists(…)`, lambda parameters and `_` included: what a message may be cut to.
    pub fn variables(&self) -> &[Text] {
        self.checked.as_ref().map_or(&[], |checked| &checked.variables)
    }

    /// The names of the functions it calls.
    pub fn functions(&self) -> &[Text] {
        self.checked.as_ref().map_or(&[], |checked| &checked.functions)
    }

    /// Calls of functions that don't exist: errors as soon as they are reached.
    pub fn unknown_functions(&self) -> &[Error] {
        self.checked.as_ref().map_or(&[], |checked| &checked.unknown)
    }

    /// Whether it may ask another system and wait for it.
    pub fn asks(&self) -> bool {
        self.purity() == Purity::Asking
    }

    /// The least pure of its functions.
    pub fn purity(&self) -> Purity {
        self.checked.as_ref().map_or(Purity::Pure, |checked| checked.purity)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Program({:?})", self.source)
    }
}
