//! What a discovery gives: one name's versions and endpoints as callers pick from them. Immutable once made.

use crate::balance::Slot;
use crate::model::{ModelName, ModelVersion};
use crate::state::CallSettings;
use std::sync::Arc;

/// What callers need of a version's desired state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// How many instances are wanted.
    pub count: u32,
    /// The payload's digest, once known.
    pub digest: Option<Arc<str>>,
    /// How it is called.
    pub call: CallSettings,
}

/// What stands for a version's content in a cache's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The payload's digest.
    Digest(Arc<str>),
    /// The creation transaction of the oldest registration, where no digest is known.
    Registration(i64),
}

/// One version as it can be called now.
#[derive(Debug)]
pub struct Version {
    name: ModelName,
    version: ModelVersion,
    slots: Vec<Arc<Slot>>,
    wish: Option<Wish>,
    call: CallSettings,
    identity: Identity,
}

impl Version {
    pub(super) fn new(
        name: ModelName,
        version: ModelVersion,
        mut slots: Vec<Arc<Slot>>,
        wish: Option<Wish>,
    ) -> Version {
        slots.sort_by(|a, b| a.endpoint().id.cmp(&b.endpoint().id));
        let oldest = slots.iter().map(|slot| slot.endpoint().czxid).min().unwrap_or(0);
        let digest = wish.as_ref().and_then(|wish| wish.digest.clone());
        let identity = digest.map_or(Identity::Registration(oldest), Identity::Digest);
        let call = wish.as_ref().map(|wish| wish.call.clone()).unwrap_or_default();
        Version { name, version, slots, wish, call, identity }
    }

    /// A version without endpoints that stands for this content.
    #[cfg(all(test, feature = "cache"))]
    pub(crate) fn of_content(name: ModelName, version: ModelVersion, identity: Identity) -> Version {
        Version { identity, ..Version::new(name, version, Vec::new(), None) }
    }

    /// The model.
    pub fn name(&self) -> &ModelName {
        &self.name
    }
    /// Its version.
    pub fn version(&self) -> &ModelVersion {
        &self.version
    }
    /// Its endpoints, registered ones and such that are used on trust, in the order of their ids.
    pub fn slots(&self) -> &[Arc<Slot>] {
        &self.slots
    }
    /// Its desired state, where our master manages it and it was read.
    pub fn wish(&self) -> Option<&Wish> {
        self.wish.as_ref()
    }
    /// How it is called.
    pub fn call(&self) -> &CallSettings {
        &self.call
    }
    /// What stands for its content.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// All versions of one name.
#[derive(Debug)]
#[repr(C)]
pub struct Model {
    /// The current version's place in `versions`, and the number of its endpoints (0: there is no current version).
    /// They stand first, beside the reference count: with thousands of models a look-up's time is that of the cache
    /// lines it touches, and this way the choice touches one.
    current: usize,
    current_slots: usize,
    /// Ascending in natural order.
    versions: Vec<Arc<Version>>,
    /// Indices into `versions`, ascending as text.
    by_text: Vec<usize>,
    name: ModelName,
}

impl Model {
    pub(super) fn new(name: ModelName, versions: Vec<Arc<Version>>) -> Model {
        let current = versions.iter().rposition(|version| !version.slots.is_empty()).unwrap_or(0);
        let current_slots = versions.get(current).map_or(0, |version| version.slots.len());
        let mut by_text: Vec<usize> = (0..versions.len()).collect();
        by_text.sort_by(|a, b| versions[*a].version.as_str().cmp(versions[*b].version.as_str()));
        Model { current, current_slots, versions, by_text, name }
    }

    /// A name of which nothing is registered.
    pub fn empty(name: ModelName) -> Model {
        Model::new(name, Vec::new())
    }
    /// The name.
    pub fn name(&self) -> &ModelName {
        &self.name
    }
    /// All versions known, ascending in natural order; those without endpoints are wanted only.
    pub fn versions(&self) -> &[Arc<Version>] {
        &self.versions
    }
    /// The highest version in natural order that has an endpoint.
    pub fn current(&self) -> Option<&Arc<Version>> {
        self.find(None).map(|(place, _)| &self.versions[place])
    }
    /// This version.
    pub fn version(&self, version: &ModelVersion) -> Option<&Arc<Version>> {
        self.find(Some(version)).map(|(place, _)| &self.versions[place])
    }
    /// The place of this version (none: of the current one) among [`Model::versions`], and the number of its endpoints.
    pub fn find(&self, version: Option<&ModelVersion>) -> Option<(usize, usize)> {
        let Some(version) = version else {
            return (self.current_slots > 0).then_some((self.current, self.current_slots));
        };
        let text = |index: &usize| self.versions[*index].version.as_str();
        let found = self.by_text.binary_search_by(|index| text(index).cmp(version.as_str())).ok()?;
        let place = self.by_text[found];
        Some((place, self.versions[place].slots.len()))
    }
}
