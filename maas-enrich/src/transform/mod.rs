//! Field transformations: what a parser's configuration does to the fields of a message, one after the other.
//!
//! A file each for those with rules of their own; `compile` picks them by name. Each sees the message as the one before left it. A failure ends the message;
//! what becomes of it then is the pipeline's affair.

mod protocol;
mod regex_select;
mod stellar;

use std::sync::Arc;

use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};
use thiserror::Error as ThisError;

use crate::config::{Compile, Error};
use crate::expression::{Expression, Failed, Scope};
use crate::message::Message;

use regex_select::RegexSelect;
use stellar::Stellar;

/// Fields that SELECT always keeps.
const KEPT: &[&str] = &["timestamp", "original_string", "source.type"];

/// Why a transformation gives no message.
#[derive(Debug, ThisError)]
pub enum Trouble {
    /// An expression failed.
    #[error("{name} can't be computed")]
    Field {
        /// The field, or what stands for it.
        name: String,
        /// Why.
        #[source]
        source: Failed,
    },
    /// A regular expression needs too long on this text.
    #[error("{key}: the pattern {pattern:?} needs too many steps on this text")]
    Pattern {
        /// The key it stands under.
        key: String,
        /// The pattern.
        pattern: String,
    },
}

/// One transformation.
#[derive(Debug)]
pub struct Transformation {
    /// The only fields it sees; empty: all.
    input: Vec<Text>,
    /// The fields it is about.
    output: Vec<Text>,
    what: What,
}

#[derive(Debug)]
enum What {
    Stellar(Stellar),
    Remove { condition: Option<Expression> },
    Rename(Vec<(Text, Text)>),
    Select,
    RegexSelect(RegexSelect),
    Protocol(Expression),
}

/// The transformation of this name; without output, the input is the output.
pub(crate) fn compile(
    key: &str,
    name: &str,
    input: Vec<String>,
    output: Vec<String>,
    config: Message,
    with: &mut Compile,
) -> Result<Transformation, Error> {
    let output: Vec<Text> = if output.is_empty() { &input } else { &output }.iter().map(Text::new).collect();
    let input: Vec<Text> = input.iter().map(Text::new).collect();
    let what = match name {
        "STELLAR" | "MTL" | "StellarTransformation" => What::Stellar(Stellar::compile(key, &config, &output, with)?),
        "REMOVE" | "RemoveTransformation" => {
            let condition = config.get("condition").and_then(Value::as_text);
            let key = format!("{key}.config.condition");
            let condition = condition.map(|source| with.expressions.compile(&key, source)).transpose()?;
            What::Remove { condition }
        }
        "RENAME" | "RenameTransformation" => {
            let names = config.iter().filter(|(_, new)| !new.is_null());
            What::Rename(names.map(|(old, new)| (old.clone(), new.to_string().into())).collect())
        }
        "SELECT" | "SelectTransformation" => What::Select,
        "REGEX_SELECT" | "RegexSelectTransformation" => What::RegexSelect(RegexSelect::compile(key, &config)?),
        "IP_PROTOCOL" | "IPProtocolTransformation" => What::Protocol(protocol::compile(key, with)?),
        other => {
            const KNOWN: &[&str] = &["STELLAR", "REMOVE", "RENAME", "SELECT", "REGEX_SELECT", "IP_PROTOCOL"];
            let hint = maas_cli::suggest::hint(other, KNOWN.iter().copied());
            let known = format!("transformations are {}{hint}", KNOWN.join(", "));
            return Err(Error::Foreign { key: format!("{key}.transformation"), class: other.into(), known });
        }
    };
    Ok(Transformation { input, output, what })
}

impl Transformation {
    /// Changes a message. `around` holds the variables behind its fields: the parser's configuration and what is known of where the line came from.
    pub async fn apply(
        &self,
        message: &mut Message,
        around: &[&Message],
        environment: &Arc<Environment>,
    ) -> Result<(), Trouble> {
        match &self.what {
            What::Stellar(stellar) => {
                let cut = self.cut(message);
                let results = stellar.results(cut.as_ref().unwrap_or(message), around, environment).await?;
                for (name, value) in results {
                    if value.is_null() {
                        message.remove(&name);
                    } else {
                        message.set(name, value);
                    }
                }
            }
            What::Remove { condition } => {
                let removes = match condition {
                    None => true,
                    Some(condition) => {
                        let cut = self.cut(message);
                        let layers = std::iter::once(cut.as_ref().unwrap_or(message)).chain(around.iter().copied());
                        condition
                            .holds(&Scope::new(layers), environment)
                            .await
                            .map_err(|source| Trouble::Field { name: self.output.join(", "), source })?
                    }
                };
                if removes {
                    for name in &self.output {
                        message.remove(name);
                    }
                }
            }
            What::Rename(names) => {
                let visible = self.cut(message);
                let mut changes: Vec<(Text, Value)> = Vec::new();
                for (name, value) in visible.as_ref().unwrap_or(message).iter() {
                    if let Some((_, new)) = names.iter().find(|(old, _)| old == name) {
                        changes.push((new.clone(), value.clone()));
                        changes.push((name.clone(), Value::Null));
                    }
                }
                // A later change of the same name stands, as it does in the original.
                for (name, value) in changes {
                    if value.is_null() {
                        message.remove(&name);
                    } else {
                        message.set(name, value);
                    }
                }
            }
            What::Select => {
                message.retain(|name, _| KEPT.contains(&name) || self.output.iter().any(|kept| kept == name));
            }
            What::RegexSelect(select) => {
                let chosen = self.single(message).map(|value| select.choose(value)).transpose()?.flatten();
                if let (Some(name), Some(output)) = (chosen, self.output.first()) {
                    message.set(output.clone(), Value::Text(name));
                }
            }
            What::Protocol(expression) => {
                let name = match self.single(message) {
                    Some(value) if !value.is_null() => protocol::name(expression, value, environment).await,
                    _ => None,
                };
                if let (Some(name), Some(output)) = (name, self.output.first()) {
                    message.set(output.clone(), name);
                }
            }
        }
        Ok(())
    }

    /// The message cut to what this may see, where that is not all of it.
    fn cut(&self, message: &Message) -> Option<Message> {
        let fields = self.input.iter().filter_map(|name| Some((name.clone(), message.get(name)?.clone())));
        (!self.input.is_empty()).then(|| fields.collect())
    }

    /// The value of the one field it sees; none where it sees several.
    fn single<'a>(&self, message: &'a Message) -> Option<&'a Value> {
        match self.input.as_slice() {
            [name] => message.get(name),
            [] if message.len() == 1 => message.iter().next().map(|(_, value)| value),
            _ => None,
        }
    }
}
