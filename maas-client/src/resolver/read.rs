//! What a node of the registry or of the desired state says, and where it stands. Pure.
//!
//! One bad node is skipped and logged; it never hides the others.

use crate::config::Roots;
use crate::discovery::Wish;
use crate::model::{ModelName, ModelVersion};
use crate::registry::{self, Endpoint};
use crate::state::CallSettings;
use crate::tree::Node;
use serde::Deserialize;

/// What a changed path means to a resolver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A registration, by name and id.
    Registration(ModelName, String),
    /// A version's desired state.
    Desired(ModelName, ModelVersion),
}

/// The place a path stands for; `None` for all that a resolver does not read.
pub(super) fn place(roots: &Roots, path: &str) -> Option<Place> {
    fn two<'a>(path: &'a str, root: &str) -> Option<(&'a str, &'a str)> {
        let (first, second) = path.strip_prefix(root)?.strip_prefix('/')?.split_once('/')?;
        (!second.contains('/')).then_some((first, second))
    }
    if let Some((name, id)) = two(path, &roots.services) {
        return Some(Place::Registration(name.parse().ok()?, id.to_string()));
    }
    let (name, version) = two(path, &roots.models())?;
    Some(Place::Desired(name.parse().ok()?, version.parse().ok()?))
}

/// The registration in a node, or `None` (logged) when it can't be read.
pub(super) fn endpoint(name: &ModelName, id: &str, node: &Node) -> Option<Endpoint> {
    match registry::decode(name.as_str(), id, node) {
        Ok(endpoint) => Some(endpoint),
        Err(error) => {
            tracing::warn!(model = %name, instance = id, error = %error, "registration skipped");
            None
        }
    }
}

/// The part of a desired state that callers need. Fields of other programs' and later formats do not matter.
#[derive(Deserialize)]
struct DesiredNode {
    #[serde(default)]
    count: u32,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    call: CallSettings,
}

/// What is wanted, or `None` (logged) when the node can't be read.
pub(super) fn wish(name: &ModelName, version: &ModelVersion, node: Option<&Node>) -> Option<Wish> {
    match serde_json::from_slice::<DesiredNode>(&node?.data) {
        Ok(read) => Some(Wish { count: read.count, digest: read.digest.map(Into::into), call: read.call }),
        Err(error) => {
            tracing::warn!(model = %name, version = %version, error = %error, "desired state skipped");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registrations_and_desired_states_are_places() {
        let roots = Roots::default();
        let registration = Place::Registration("dga".parse().unwrap(), "1-2-a".into());
        assert_eq!(place(&roots, "/maas/service/dga/1-2-a"), Some(registration));
        let desired = Place::Desired("dga".parse().unwrap(), "1.0".parse().unwrap());
        assert_eq!(place(&roots, "/maas/state/models/dga/1.0"), Some(desired));
        for other in [
            "/maas/service",
            "/maas/service/dga",
            "/maas/services/dga/1",
            "/maas/service/dga/1/x",
            "/maas/service/my model/1",
            "/maas/state/models/dga",
            "/maas/state/models/dga/1.0/status",
            "/maas/state/instances/1/runner",
        ] {
            assert_eq!(place(&roots, other), None, "{other}");
        }
    }
}
