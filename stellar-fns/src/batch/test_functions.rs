//! THROW and RET_TRUE: functions that the conformance cases expect of whoever runs them.

use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, takes};
use crate::value::Value;

/// Always an error.
pub(super) struct Throw;

static THROW: Doc = Doc {
    name: "THROW",
    summary: "Fails with a message.",
    parameters: &[takes("message", "what the error says")],
    returns: "nothing",
    examples: &[],
    purity: Purity::Pure,
};

impl Function for Throw {
    fn doc(&self) -> &'static Doc {
        &THROW
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Err(Fault::new(Code::Raised, arguments.or_null(0).to_string()))
    }
}

/// Always true.
pub(super) struct RetTrue;

static RET_TRUE: Doc = Doc {
    name: "RET_TRUE",
    summary: "Is true, whatever it is given.",
    parameters: &[takes("anything…", "ignored")],
    returns: "true",
    examples: &[],
    purity: Purity::Pure,
};

impl Function for RetTrue {
    fn doc(&self) -> &'static Doc {
        &RET_TRUE
    }

    fn call(&self, _: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(Value::Bool(true))
    }
}
