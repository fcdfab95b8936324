//! The seam between the functions and whatever holds enrichments, and what can go wrong with it.

use std::fmt::{self, Debug};
use std::path::PathBuf;

use serde_json::{Map as JsonMap, Value as Json};

/// What is known of an indicator: values by name.
pub type Record = JsonMap<String, Json>;

/// What a store found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What is known.
    pub record: Record,
    /// The bytes that it takes in the store: what making a value of it costs goes by them.
    pub size: usize,
}

/// Where an enrichment is looked for: a type within a table. A table has column families, which keep the same types apart, as in HBase.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// The table.
    pub table: String,
    /// Its column family.
    pub family: String,
    /// The type: what kind of thing is known, such as `whois`.
    pub kind: String,
}

impl fmt::Display for Group {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in {}, {}", self.kind, self.table, self.family)
    }
}

/// Holds enrichments, for evaluations on any thread.
///
/// Both questions are answered on the evaluating thread and must not wait for another system. A group that nothing was loaded into is empty, and no error.
pub trait EnrichmentStore: Send + Sync + Debug {
    /// What is known of an indicator.
    fn get(&self, group: &Group, indicator: &str) -> Result<Option<Found>, Error>;

    /// Whether anything is known of an indicator.
    fn exists(&self, group: &Group, indicator: &str) -> Result<bool, Error>;

    /// What went wrong since this was asked last while an older state goes on answering, once; as a rule nothing.
    fn trouble(&self) -> Option<Error> {
        None
    }
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be opened, or isn't a store.
    #[error("the store {} {reason}", path.display())]
    Unusable {
        /// The store.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// What stands in the store can't be read.
    #[error("the store {} is damaged", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another program changes the store.
    #[error("the store {} is being changed by another program; wait until it is done", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// A new state of the store can't be written.
    #[error("can't {action} {}", path.display())]
    Unwritten {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is to be loaded can't be read.
    #[error("can't read {name}")]
    Source {
        /// The file.
        name: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file whose first line does not name the columns that are needed.
    #[error("{name}: {reason}")]
    Columns {
        /// The file.
        name: String,
        /// What is wrong, and what to give.
        reason: String,
    },
}
