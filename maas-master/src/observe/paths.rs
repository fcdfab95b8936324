//! Which place of our tree a path is. Pure; paths that are none of ours, or hold no checked name, are no place.

use maas_client::config::Roots;
use maas_client::model::{ModelId, ModelName};

/// A node that the mirror reads. Sorts so that what others hang on comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Name(ModelName),
    Desired(ModelId),
    Spec(ModelId),
    Status(ModelId),
    Record(String),
    Claim(String),
    Registration(String, String),
}

impl Place {
    /// The place of a changed path. Changes of `status` are our own and are none.
    pub(super) fn of(path: &str, roots: &Roots) -> Option<Place> {
        let below = |root: &str| path.strip_prefix(root)?.strip_prefix('/').map(|rest| rest.split('/').collect());
        if let Some(parts) = below(&roots.models()) {
            let parts: Vec<&str> = parts;
            return match parts[..] {
                [name] => Some(Place::Name(name.parse().ok()?)),
                [name, version] => Some(Place::Desired(ModelId::new(name, version).ok()?)),
                [name, version, "spec"] => Some(Place::Spec(ModelId::new(name, version).ok()?)),
                _ => None,
            };
        }
        if let Some(parts) = below(&roots.instances()) {
            let parts: Vec<&str> = parts;
            return match parts[..] {
                [id] => Some(Place::Record(id.to_string())),
                [id, "runner"] => Some(Place::Claim(id.to_string())),
                _ => None,
            };
        }
        let parts: Vec<&str> = below(&roots.services)?;
        match parts[..] {
            [name, id] => Some(Place::Registration(name.to_string(), id.to_string())),
            _ => None,
        }
    }

    /// Its path.
    pub(super) fn path(&self, roots: &Roots) -> String {
        match self {
            Place::Name(name) => roots.model(name.as_str()),
            Place::Desired(model) => roots.desired(model),
            Place::Spec(model) => roots.spec(model),
            Place::Status(model) => roots.status(model),
            Place::Record(id) => roots.instance(id),
            Place::Claim(id) => roots.claim(id),
            Place::Registration(name, id) => roots.registration(name, id),
        }
    }
}
