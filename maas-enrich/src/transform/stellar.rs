//! STELLAR: fields from expressions, in the order of the configuration.

use std::sync::Arc;

use stellar_fns::Environment;
use stellar_fns::value::Text;

use super::Trouble;
use crate::config::{Compile, Error};
use crate::expression::{Expression, Scope};
use crate::message::Message;

#[derive(Debug)]
pub(super) struct Stellar(Vec<Step>);

#[derive(Debug)]
struct Step {
    name: Text,
    expression: Expression,
    /// Whether the name becomes a field; else only later expressions see it.
    is_output: bool,
}

impl Stellar {
    pub(super) fn compile(key: &str, config: &Message, output: &[Text], with: &mut Compile) -> Result<Self, Error> {
        let mut steps = Vec::with_capacity(config.len());
        // As in the original, a value that is no text is the expression that its text form is.
        for (name, source) in config.iter().filter(|(_, source)| !source.is_null()) {
            let expression = with.expressions.compile(&format!("{key}.config.{name}"), &source.to_string())?;
            steps.push(Step { name: name.clone(), expression, is_output: output.contains(name) });
        }
        for name in output.iter().filter(|name| !config.has(name)) {
            with.warn(format!("{key}.output"), format!("{name} has no expression in config, it is not set"));
        }
        Ok(Self(steps))
    }

    /// What becomes of the fields: null removes one.
    ///
    /// Each expression sees the results so far, temporaries, the message, then what is around it. A null result hides nothing: later expressions still see
    /// the message's old value of that name.
    pub(super) async fn results(
        &self,
        message: &Message,
        around: &[&Message],
        environment: &Arc<Environment>,
    ) -> Result<Message, Trouble> {
        let mut results = Message::default();
        let mut temporaries = Message::default();
        for step in &self.0 {
            let layers = [&results, &temporaries, message].into_iter().chain(around.iter().copied());
            let value = step
                .expression
                .value(&Scope::new(layers), environment)
                .await
                .map_err(|source| Trouble::Field { name: step.name.to_string(), source })?;
            if step.is_output {
                results.set(step.name.clone(), value);
            } else if !value.is_null() {
                temporaries.set(step.name.clone(), value);
            }
        }
        Ok(results)
    }
}
