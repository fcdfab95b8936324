//! The expressions of a configuration: compiled once, with the key they stand under, and evaluated against layers of variables.
//!
//! Stages ask through [`Expression::value`] and [`Expression::holds`], which are asynchronous because an expression may call a model. One that can't is
//! evaluated at once.

use std::sync::Arc;

use smallvec::SmallVec;
use stellar_fns::value::{Map, MapKind};
use stellar_fns::{Code, Compiler, Environment, Error, Program, Value, Variables};
use thiserror::Error as ThisError;

use crate::message::Message;

/// An expression of a configuration file does not compile.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
#[error("{key}: {message} (character {from} of {source_text:?}){}", .hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct BadExpression {
    /// The key, as a path into the file: `fieldTransformations[0].config.host`.
    pub key: String,
    /// The expression.
    pub source_text: String,
    /// What is wrong.
    pub message: String,
    /// Where in the expression, in bytes from 0.
    pub from: usize,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// An expression failed on a message.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
#[error("{key}: {message}, in {source_text}")]
pub struct Failed {
    /// The key it stands under.
    pub key: Arc<str>,
    /// The expression.
    pub source_text: String,
    /// What is wrong.
    pub message: String,
}

/// A compiled expression and where it stands.
#[derive(Debug)]
pub struct Expression {
    program: Program,
    key: Arc<str>,
}

/// What compiles the expressions of a configuration, and what of them is worth a warning.
#[derive(Debug, Default)]
pub struct Expressions {
    compiler: Compiler,
    /// Functions that are called and don't exist: each a key and what is wrong.
    pub unknown: Vec<(String, Error)>,
}

impl Expressions {
    /// Compiles an expression that stands under a key.
    pub fn compile(&mut self, key: &str, source: &str) -> Result<Expression, BadExpression> {
        let program = self.compiler.compile(source).map_err(|errors| {
            let first = errors.0.into_iter().next();
            BadExpression {
                key: key.to_owned(),
                source_text: source.to_owned(),
                message: first.as_ref().map_or_else(|| "does not compile".to_owned(), |error| error.message.clone()),
                from: first.as_ref().map_or(0, |error| error.span.from),
                hint: first.and_then(|error| error.hint),
            }
        })?;
        self.unknown.extend(program.unknown_functions().iter().map(|error| (key.to_owned(), error.clone())));
        Ok(Expression { program, key: key.into() })
    }
}

impl Expression {
    /// The expression's text.
    pub fn source(&self) -> &str {
        self.program.source()
    }

    /// The key it stands under.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its variables by name.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.program.variables().iter().map(|name| name.as_str())
    }

    /// Its value.
    pub async fn value(&self, scope: &Scope<'_>, environment: &Arc<Environment>) -> Result<Value, Failed> {
        if !self.program.asks() {
            return self.value_now(scope, environment);
        }
        let value = self.program.evaluate_asking(self.taken(scope), environment).await;
        value.map_err(|error| self.failed(&error))
    }

    /// Its value, for an expression that asks nobody.
    pub fn value_now(&self, scope: &Scope<'_>, environment: &Environment) -> Result<Value, Failed> {
        self.program.evaluate(scope, environment).map_err(|error| self.failed(&error))
    }

    /// Whether it holds. Null is an error, as it is in the original.
    pub async fn holds(&self, scope: &Scope<'_>, environment: &Arc<Environment>) -> Result<bool, Failed> {
        let holds = if self.program.asks() {
            self.program.holds_asking(self.taken(scope), environment).await
        } else {
            self.program.holds(scope, environment)
        };
        match holds {
            Ok(Some(holds)) => Ok(holds),
            Ok(None) => Err(self.wrong("a rule must be true or false, this one is null")),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The variables the expression needs, in one layer of its own: an evaluation that waits can't borrow.
    fn taken(&self, scope: &Scope<'_>) -> Taken {
        let mut taken = Message::default();
        for name in self.variables() {
            if name == "_" {
                let all = scope.all();
                return Taken(all.read().iter().map(|(name, value)| (name.to_string(), value.clone())).collect());
            }
            if let Some(value) = scope.get(0, name) {
                taken.set(name, value.clone());
            }
        }
        Taken(taken)
    }

    /// A failure of this expression that evaluation did not see.
    pub fn wrong(&self, message: &str) -> Failed {
        Failed { key: self.key.clone(), source_text: self.source().to_owned(), message: message.to_owned() }
    }

    fn failed(&self, error: &Error) -> Failed {
        let message = match (&error.hint, error.code) {
            (_, Code::NoZookeeper) => "models are asked for, but no ZooKeeper is known; give -z HOST:PORT".to_owned(),
            (Some(hint), _) => format!("{}; {hint}", error.message),
            (None, _) => error.message.clone(),
        };
        self.wrong(&message)
    }
}

/// Layers of variables: the first with a value other than null wins; a name that none has is null.
#[derive(Debug, Clone)]
pub struct Scope<'a>(SmallVec<[&'a Message; 5]>);

impl<'a> Scope<'a> {
    /// These layers, the first one first.
    pub fn new(layers: impl IntoIterator<Item = &'a Message>) -> Self {
        Self(layers.into_iter().collect())
    }
}

impl Variables for Scope<'_> {
    fn get(&self, _: usize, name: &str) -> Option<&Value> {
        let mut found = None;
        for layer in &self.0 {
            match layer.get(name) {
                Some(Value::Null) => found = Some(&Value::Null),
                Some(value) => return Some(value),
                None => {}
            }
        }
        found
    }

    fn all(&self) -> Map {
        let all = Map::new(MapKind::Hash, []);
        for (name, value) in self.0.iter().flat_map(|layer| layer.iter()) {
            all.update(Value::text(name), |before| {
                Some(before.filter(|before| !before.is_null()).unwrap_or(value).clone())
            });
        }
        all
    }
}

/// One layer that is nobody else's.
struct Taken(Message);

impl Variables for Taken {
    fn get(&self, _: usize, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn all(&self) -> Map {
        Scope::new([&self.0]).all()
    }
}
