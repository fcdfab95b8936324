//! Enrichment: groups of statements, each on its own copy of the message, and how their results come together.
//!
//! The same for enrichment and threat intelligence. Groups don't see each other; a group that fails costs the message only that group.

use std::sync::Arc;

use futures_util::future::join_all;
use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};
use thiserror::Error as ThisError;

use crate::expression::{Expression, Failed, Scope};
use crate::message::Message;

/// `name := expression`.
#[derive(Debug)]
pub struct Statement {
    /// What is set.
    pub name: Text,
    /// To what.
    pub expression: Expression,
}

/// Statements that see each other's results, in order.
#[derive(Debug)]
pub struct Group {
    /// Its name; that of loose statements is empty.
    pub name: String,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// The groups of one stage.
#[derive(Debug, Default)]
pub struct Groups(pub Vec<Group>);

/// A group failed on a message.
#[derive(Debug, ThisError)]
#[error("{name} can't be computed{}", if .group.is_empty() { String::new() } else { format!(", in group {}", .group) })]
pub struct Trouble {
    /// The group.
    pub group: String,
    /// What should have been set.
    pub name: String,
    /// Why it could not.
    #[source]
    pub source: Failed,
}

impl Groups {
    /// The group of this name.
    pub fn get(&self, name: &str) -> Option<&Group> {
        self.0.iter().find(|group| group.name == name)
    }

    /// Runs all groups on the message and joins what they give into it. Where there was any group, fields that are null or empty text are dropped.
    pub async fn apply(
        &self,
        message: &mut Message,
        around: &[&Message],
        environment: &Arc<Environment>,
    ) -> Vec<Trouble> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut given = Vec::with_capacity(self.0.len());
        let mut troubles = Vec::new();
        // While one group waits for a model the others go on.
        let seen = &*message;
        for results in join_all(self.0.iter().map(|group| group.results(seen, around, environment))).await {
            match results {
                Ok(results) => given.push(results),
                Err(trouble) => troubles.push(trouble),
            }
        }
        for results in given {
            message.extend(results);
        }
        message.retain(|_, value| !value.is_null() && value.as_text() != Some(""));
        troubles
    }
}

impl Group {
    /// What the group sets, maps unfolded one level.
    pub async fn results(
        &self,
        message: &Message,
        around: &[&Message],
        environment: &Arc<Environment>,
    ) -> Result<Message, Trouble> {
        let mut seen = self.cut(message);
        let mut results = Message::default();
        for statement in &self.statements {
            let value = {
                let scope = Scope::new(std::iter::once(&seen).chain(around.iter().copied()));
                statement.expression.value(&scope, environment).await
            };
            let value = value.map_err(|source| Trouble {
                group: self.name.clone(),
                name: statement.name.to_string(),
                source,
            })?;
            if value.is_null() {
                seen.remove(&statement.name);
                results.remove(&statement.name);
            } else {
                seen.set(statement.name.clone(), value.clone());
                results.set(statement.name.clone(), value);
            }
        }
        Ok(unfold(results))
    }

    /// The message cut to the variables of the group's expressions; all of it where one of them asks for all.
    fn cut(&self, message: &Message) -> Message {
        let mut cut = Message::default();
        for name in self.statements.iter().flat_map(|statement| statement.expression.variables()) {
            if name == "_" {
                return message.clone();
            }
            if let Some(value) = message.get(name) {
                cut.set(name, value.clone());
            }
        }
        cut
    }
}

/// `foo` that is a map becomes `foo.key` for each of its keys.
fn unfold(results: Message) -> Message {
    if !results.iter().any(|(_, value)| matches!(value, Value::Map(_))) {
        return results;
    }
    let mut unfolded = Message::default();
    for (name, value) in results {
        match value {
            Value::Map(map) => {
                for (key, value) in map.read().iter() {
                    unfolded.set(format!("{name}.{key}"), value.clone());
                }
            }
            value => unfolded.set(name, value),
        }
    }
    unfolded
}
