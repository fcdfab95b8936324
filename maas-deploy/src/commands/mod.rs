//! A file per verb: its options, what it does, how it prints. Only ADD, REMOVE and SCALE change anything.

pub(crate) mod add;
pub(crate) mod call;
pub(crate) mod change;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod remove;
pub(crate) mod requests;
pub(crate) mod scale;
pub(crate) mod status;
pub(crate) mod try_;
