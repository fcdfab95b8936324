//! Parts of a moment's date, for DAY_OF_MONTH and its like.

use crate::function::{Arguments, Context, Outcome};
use crate::value::{Value, long_of};

use super::calendar::Moment;

/// A part of the date of the first argument, or of now, in the zone of the environment.
pub(super) fn part(arguments: &Arguments<'_>, context: &mut Context<'_>, part: fn(&Moment) -> i64) -> Outcome {
    let environment = context.environment();
    let millis = match arguments.get(0) {
        None => Some((environment.now)().as_millisecond()),
        Some(value) => long_of(value),
    };
    let number = millis.map(|millis| part(&Moment::at(millis, &environment.zone)));
    Ok(number.and_then(|number| i32::try_from(number).ok()).map_or(Value::Null, Value::Int))
}
