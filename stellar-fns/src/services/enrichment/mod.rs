//! Enrichments: what is known of an indicator (an address, a domain, a user) under a type, in a table of a store.
//!
//! Expressions read through [`EnrichmentStore`]; [`FileStore`] is the real one, a file that [`load()`] and [`delete`] replace as a whole, so that readers of
//! other processes see all of a load or nothing of it, and a load that is killed has changed nothing.

mod file;
mod format;
mod load;
#[cfg(test)]
mod memory;
mod records;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod update;

pub use file::{FileStore, Listed};
pub use load::{BadLine, Load, Loaded, Source, delete, load};
pub use records::{Columns, Format};
pub use settings::EnrichmentSettings;
pub use store::{EnrichmentStore, Error, Found, Group, Record};

#[cfg(test)]
pub(crate) use memory::known;
