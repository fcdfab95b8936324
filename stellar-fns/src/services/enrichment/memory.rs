//! A store in memory, for tests: the same contract, nothing behind it.

use std::collections::HashMap;

use super::{EnrichmentStore, Error, Found, Group, Record};

/// Enrichments by group and indicator.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore(pub(crate) HashMap<(Group, String), Record>);

/// What the examples of the reference ask for.
pub(crate) fn known() -> MemoryStore {
    let group = Group { table: "enrichment".into(), family: "t".into(), kind: "whois".into() };
    let record = Record::from_iter([("owner".to_owned(), "Turner".into())]);
    MemoryStore([((group, "cnn.com".to_owned()), record)].into())
}

impl EnrichmentStore for MemoryStore {
    fn get(&self, group: &Group, indicator: &str) -> Result<Option<Found>, Error> {
        let record = self.0.get(&(group.clone(), indicator.to_owned())).cloned();
        Ok(record.map(|record| Found { size: serde_json::to_vec(&record).map_or(0, |json| json.len()), record }))
    }

    fn exists(&self, group: &Group, indicator: &str) -> Result<bool, Error> {
        Ok(self.0.contains_key(&(group.clone(), indicator.to_owned())))
    }
}
