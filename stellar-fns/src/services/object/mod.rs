//! Objects: files of a store that expressions read whole, such as lists and tables; OBJECT_GET.
//!
//! The store's place is one of `maas_store`'s, in which models may lie as well. What was read is kept for a while.

mod reader;
mod settings;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::fixture;

pub use reader::{Object, Objects};
pub use settings::ObjectSettings;
