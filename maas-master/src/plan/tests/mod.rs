//! The planner by example and by property: what it decides for states written as text, and what holds for any state.

mod cases;
mod properties;
mod script;
