//! `-e`: one expression, its answer or what is wrong with it.

use std::io::{self, Write};

use maas_cli::exit;

use super::models::ModelOptions;
use super::options::Input;
use super::{Trouble, environment, print};
use crate::error::Error;
use crate::value::Value;
use crate::variables::Layers;

/// Evaluates the expression.
pub(super) fn run(input: &Input, options: &ModelOptions) -> Result<u8, Trouble> {
    let source = input.expression.as_deref().unwrap_or_default();
    let variables = input.variables()?;
    let program = match input.compiler().compile(source) {
        Ok(program) => program,
        Err(errors) => return refuse(source, &errors.0, input.json),
    };
    let layers = Layers::new([&variables]);
    let globals = options.settings()?;
    let models = options.models(&globals)?;
    let environment = input.watched(environment(models.as_ref(), &globals)?);
    let value = if input.predicate {
        program.holds(&layers, &environment).map(Value::from)
    } else {
        program.evaluate(&layers, &environment)
    };
    if let Some(failure) = models.as_ref().and_then(|models| models.failure()) {
        return Err(failure.into());
    }
    match value.and_then(|value| print::answer(source, &value, input.json)) {
        Ok(answer) => writeln!(io::stdout(), "{answer}")?,
        Err(error) => return refuse(source, &[error], input.json),
    }
    Ok(exit::DONE)
}

fn refuse(source: &str, errors: &[Error], json: bool) -> Result<u8, Trouble> {
    if json {
        writeln!(io::stdout(), "{}", print::error_document(source, errors))?;
    } else {
        io::stderr().write_all(print::drawn(source, errors).as_bytes())?;
    }
    Ok(print::exit_of(errors))
}
