//! Reading the nodes of a [`super::Picture`]: many at once, and one that can't be read is noted and hides no other.

use super::{InstancePicture, Parts};
use crate::config::Roots;
use crate::model::{ModelId, ModelName};
use crate::state::{Claim, InstanceRecord};
use crate::tree::{Error, Node, Tree};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Reads that are under way at once.
const READS_AT_ONCE: usize = 128;

/// Reads many nodes at once; those that are gone are left out.
pub async fn read_nodes(tree: &dyn Tree, paths: Vec<String>) -> Result<Vec<(String, Node)>, Error> {
    let found: Vec<(String, Option<Node>)> = stream::iter(paths)
        .map(|path| async move {
            let node = tree.get(&path).await?;
            Ok::<_, Error>((path, node))
        })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().filter_map(|(path, node)| Some((path, node?))).collect())
}

/// The same, where a node that this session may not read is noted and hides no other.
pub async fn read_permitted(
    tree: &dyn Tree,
    paths: Vec<String>,
    unreadable: &mut Vec<String>,
) -> Result<Vec<(String, Node)>, Error> {
    let answers: Vec<_> = stream::iter(paths)
        .map(|path| async move {
            let node = tree.get(&path).await;
            (path, node)
        })
        .buffered(READS_AT_ONCE)
        .collect()
        .await;
    let mut nodes = Vec::new();
    for (path, answer) in answers {
        if let Some(node) = noted_if_locked(&path, answer, unreadable)? {
            nodes.push((path, node));
        }
    }
    Ok(nodes)
}

/// What may not be read is noted and left out, as what is ill formed.
pub fn noted_if_locked<T>(
    path: &str,
    answer: Result<Option<T>, Error>,
    unreadable: &mut Vec<String>,
) -> Result<Option<T>, Error> {
    if matches!(answer, Err(Error::NoAuth { .. })) {
        unreadable.push(format!("{path}: not permitted to read it"));
        return Ok(None);
    }
    answer
}

async fn names(tree: &dyn Tree, path: &str) -> Result<Vec<String>, Error> {
    Ok(tree.children(path).await?.unwrap_or_default())
}

/// The node as JSON; one that is something else is noted.
pub fn decode<T: DeserializeOwned>(path: &str, node: &Node, unreadable: &mut Vec<String>) -> Option<T> {
    match serde_json::from_slice(&node.data) {
        Ok(value) => Some(value),
        Err(error) => {
            unreadable.push(format!("{path}: {error}"));
            None
        }
    }
}

pub(super) async fn models(
    tree: &dyn Tree,
    roots: &Roots,
    name: Option<&ModelName>,
    parts: &mut Parts,
) -> Result<(), Error> {
    let models = match name {
        Some(name) => vec![name.to_string()],
        None => names(tree, &roots.models()).await?,
    };
    let versions: Vec<_> = stream::iter(models)
        .map(|model| async move {
            let versions = tree.children(&roots.model(&model)).await;
            (model, versions)
        })
        .buffered(READS_AT_ONCE)
        .collect()
        .await;
    let mut models: Vec<ModelId> = Vec::new();
    for (model, answer) in versions {
        let versions = noted_if_locked(&roots.model(&model), answer, &mut parts.unreadable)?.unwrap_or_default();
        models.extend(versions.iter().filter_map(|version| ModelId::new(&model, version).ok()));
    }
    let desired = models.iter().map(|model| roots.desired(model)).collect();
    let status = models.iter().map(|model| roots.status(model)).collect();
    let by_path: BTreeMap<String, &ModelId> =
        models.iter().flat_map(|model| [(roots.desired(model), model), (roots.status(model), model)]).collect();
    for (path, node) in read_permitted(tree, desired, &mut parts.unreadable).await? {
        if let Some(value) = decode(&path, &node, &mut parts.unreadable) {
            parts.desired.push((by_path[&path].clone(), value));
        }
    }
    for (path, node) in read_permitted(tree, status, &mut parts.unreadable).await? {
        // The leader makes the node empty and fills it with its next word.
        if node.data.is_empty() {
            continue;
        }
        if let Some(value) = decode(&path, &node, &mut parts.unreadable) {
            parts.status.push((by_path[&path].clone(), value));
        }
    }
    Ok(())
}

pub(super) async fn instances(
    tree: &dyn Tree,
    roots: &Roots,
    name: Option<&ModelName>,
    parts: &mut Parts,
) -> Result<(), Error> {
    let ids = names(tree, &roots.instances()).await?;
    let mut records: Vec<(String, InstanceRecord, bool)> = Vec::new();
    let paths = ids.iter().map(|id| roots.instance(id)).collect();
    for (path, node) in read_permitted(tree, paths, &mut parts.unreadable).await? {
        let id = path.rsplit('/').next().unwrap_or_default().to_string();
        match decode::<InstanceRecord>(&path, &node, &mut parts.unreadable) {
            Some(record) if name.is_none_or(|name| record.model.name == *name) => {
                // Its only child is the claim: whoever ever had a child was claimed.
                records.push((id, record, node.stat.cversion > 0));
            }
            _ => {}
        }
    }
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    let paths = records.iter().map(|(id, ..)| roots.claim(id)).collect();
    for (path, node) in read_permitted(tree, paths, &mut parts.unreadable).await? {
        if let Some(claim) = decode(&path, &node, &mut parts.unreadable) {
            claims.insert(path, claim);
        }
    }
    for (id, record, was_claimed) in records {
        let claim = claims.remove(&roots.claim(&id));
        parts.instances.push(InstancePicture { id, record, claim, was_claimed, registered: None });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_may_not_be_read_is_noted_and_hides_no_other() {
        let mut unreadable = Vec::new();
        let locked: Result<Option<u8>, Error> = Err(Error::NoAuth { path: "/m/x".into() });
        assert_eq!(noted_if_locked("/m/x", locked, &mut unreadable), Ok(None));
        assert_eq!(noted_if_locked("/m/y", Ok(Some(7)), &mut unreadable), Ok(Some(7)));
        assert_eq!(unreadable, ["/m/x: not permitted to read it"]);
        let lost: Result<Option<u8>, Error> = Err(Error::ConnectionLoss);
        assert_eq!(noted_if_locked("/m/z", lost, &mut unreadable), Err(Error::ConnectionLoss));
    }
}
