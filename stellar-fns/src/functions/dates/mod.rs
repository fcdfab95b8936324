//! Dates: Java's `SimpleDateFormat` (`format`) and parts of dates, in the zone of the environment unless another is named.

mod calendar;
mod clock;
mod date_format;
mod day_of_month;
mod day_of_week;
mod day_of_year;
mod format;
mod literal;
mod month;
mod names;
mod part;
mod to_epoch_timestamp;
mod week_of_month;
mod week_of_year;
mod year;
mod zone;

pub(crate) use format::Format;
pub(crate) use literal::with_format;
pub(crate) use zone::known as known_zone;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(date_format::DateFormat),
    || Arc::new(day_of_month::DayOfMonth),
    || Arc::new(day_of_week::DayOfWeek),
    || Arc::new(day_of_year::DayOfYear),
    || Arc::new(month::Month),
    || Arc::new(to_epoch_timestamp::ToEpochTimestamp),
    || Arc::new(week_of_month::WeekOfMonth),
    || Arc::new(week_of_year::WeekOfYear),
    || Arc::new(year::Year),
];
