//! Reads places, many at once, and lists which there are. It keeps nothing.
//!
//! One session's reads are answered in the order in which they were sent: what stands later in a list is at least as
//! new as what stands before it.

use super::paths::Place;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use maas_client::config::Roots;
use maas_client::model::{ModelId, ModelName};
use maas_client::tree::{Error, Node, SharedTree};
use std::collections::BTreeSet;

/// Reads in flight at once.
const READS: usize = 128;

/// Reads our part of the tree.
pub(super) struct Reader {
    pub(super) tree: SharedTree,
    pub(super) roots: Roots,
}

impl Reader {
    /// Reads these places, in this order.
    pub(super) async fn read(
        &self,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<Vec<(Place, Option<Node>)>, Error> {
        let reads: Vec<_> = places.into_iter().map(|place| self.read_one(place)).collect();
        stream::iter(reads).buffered(READS).try_collect().await
    }

    async fn read_one(&self, place: Place) -> Result<(Place, Option<Node>), Error> {
        let node = self.tree.get(&place.path(&self.roots)).await?;
        Ok((place, node))
    }

    /// Every place there is, by listing children.
    pub(super) async fn list(&self) -> Result<BTreeSet<Place>, Error> {
        let mut places = BTreeSet::new();
        let (tree, roots) = (&self.tree, &self.roots);
        let names = tree.children(&roots.models()).await?.unwrap_or_default();
        let versions = self.list_below(names.iter().map(|name| (name.clone(), roots.model(name)))).await?;
        for (name, children) in versions {
            if let Ok(name) = name.parse::<ModelName>() {
                places.insert(Place::Name(name));
            }
            for child in children {
                if let Ok(model) = ModelId::new(&name, &child) {
                    places.insert(Place::Spec(model.clone()));
                    places.insert(Place::Status(model.clone()));
                    places.insert(Place::Desired(model));
                }
            }
        }
        for id in tree.children(&roots.instances()).await?.unwrap_or_default() {
            places.insert(Place::Claim(id.clone()));
            places.insert(Place::Record(id));
        }
        let names = tree.children(&roots.services).await?.unwrap_or_default();
        for (name, children) in self.list_below(names.iter().map(|name| (name.clone(), roots.service(name)))).await? {
            for id in children {
                places.insert(Place::Registration(name.clone(), id));
            }
        }
        Ok(places)
    }

    async fn list_below(
        &self,
        parents: impl Iterator<Item = (String, String)>,
    ) -> Result<Vec<(String, Vec<String>)>, Error> {
        let lists: Vec<_> = parents.map(|(name, path)| self.list_one(name, path)).collect();
        stream::iter(lists).buffer_unordered(READS).try_collect().await
    }

    async fn list_one(&self, name: String, path: String) -> Result<(String, Vec<String>), Error> {
        Ok((name, self.tree.children(&path).await?.unwrap_or_default()))
    }
}
