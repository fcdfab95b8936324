//! The cells by name.
//!
//! With thousands of names a look-up's time is that of the cache lines it touches: names of up to 24 bytes, which is nearly all of them, stand in the table itself.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::Cell;
use crate::model::ModelName;

/// The cells by name.
#[derive(Clone, Default)]
pub(super) struct Cells(HashMap<CompactString, Arc<Cell>, foldhash::fast::RandomState>);

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, name: &ModelName) -> Option<&Arc<Cell>> {
        self.0.get(name.as_str())
    }

    pub(super) fn insert(&mut self, name: &ModelName, cell: Arc<Cell>) {
        self.0.insert(CompactString::new(name.as_str()), cell);
    }

    pub(super) fn get_or_insert_with(&mut self, name: &ModelName, make: impl FnOnce() -> Arc<Cell>) -> &Arc<Cell> {
        self.0.entry(CompactString::new(name.as_str())).or_insert_with(make)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Arc<Cell>> {
        self.0.values()
    }
}
