//! What stands in the registry, read without our own library.

use anyhow::{Context, Result};
use serde_json::Value;

/// One node below a model's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The node's name.
    pub id: String,
    /// Its content.
    pub data: Value,
    /// Whether it goes with a session.
    pub ephemeral: bool,
}

impl Registered {
    /// The endpoint's url.
    pub fn url(&self) -> &str {
        self.data["payload"]["endpoint"]["url"].as_str().unwrap_or_default()
    }

    /// The version of the model.
    pub fn version(&self) -> &str {
        self.data["payload"]["version"].as_str().unwrap_or_default()
    }
}

/// All registrations of a model.
pub(crate) async fn read(zk: &zookeeper_client::Client, name: &str) -> Result<Vec<Registered>> {
    let parent = format!("/maas/service/{name}");
    let mut ids = match zk.list_children(&parent).await {
        Ok(ids) => ids,
        Err(zookeeper_client::Error::NoNode) => return Ok(Vec::new()),
        Err(error) => return Err(error).context("registrations"),
    };
    ids.sort();
    let mut found = Vec::new();
    for id in ids {
        match zk.get_data(&format!("{parent}/{id}")).await {
            Ok((data, stat)) => {
                let data = serde_json::from_slice(&data).with_context(|| format!("registration {id}"))?;
                found.push(Registered { id, data, ephemeral: stat.ephemeral_owner != 0 });
            }
            // Gone between listing and reading.
            Err(zookeeper_client::Error::NoNode) => {}
            Err(error) => return Err(error).context("registration"),
        }
    }
    Ok(found)
}
