//! Calls whose format is a literal: it is read once, while compiling.

use std::sync::Arc;

use super::format::Format;
use crate::function::{Arguments, Context, Outcome, Prepared};
use crate::value::Value;

/// What a function does once its format is known.
type Use = fn(&Format, &Arguments<'_>, &mut Context<'_>) -> Outcome;

struct WithFormat {
    format: Format,
    then: Use,
}

/// The call with its format, if that is a literal and can be read.
pub(crate) fn with_format(literal: Option<&Option<&Value>>, then: Use) -> Option<Arc<dyn Prepared>> {
    let format = Format::parse((*literal?)?.as_text()?).ok()?;
    Some(Arc::new(WithFormat { format, then }))
}

impl Prepared for WithFormat {
    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        (self.then)(&self.format, arguments, context)
    }
}
