//! What is registered of one model name, as versions and endpoints: the pure part of resolving.
//!
//! [`crate::resolver`] reads and watches the registry and tells a [`Discovery`] what it found; the [`Model`] that comes
//! out is what callers pick from. The grace rule lives here: registrations that went because ZooKeeper was away, rather
//! than because instances ended, stay in use for a while, marked stale. No I/O, and the time is an argument.

mod model;

pub use model::{Identity, Model, Version, Wish};

use crate::balance::Slot;
use crate::model::{ModelName, ModelVersion};
use crate::registry::Endpoint;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Knobs of the grace rule.
#[derive(Debug, Clone)]
pub struct Grace {
    /// How long endpoints stay in use on trust. Default 30 s.
    pub keep: Duration,
    /// All registrations of a wanted version that go within this time did not go by themselves. Default 2 s.
    pub window: Duration,
    /// The fewest instances that rule is applied to. Default 2.
    pub at_least: usize,
    /// An outage this long may have ended runners' sessions, as if ours had been lost. Default 10 s.
    pub outage: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Grace {
            keep: Duration::from_secs(30),
            window: Duration::from_secs(2),
            at_least: 2,
            outage: Duration::from_secs(10),
        }
    }
}

/// Everything known of one name, and what was known a moment ago.
#[derive(Debug)]
pub struct Discovery {
    name: ModelName,
    grace: Grace,
    live: BTreeMap<Arc<str>, Arc<Slot>>,
    /// Went within the window.
    lost: Vec<(Instant, Arc<Slot>)>,
    /// Used on trust until then.
    stale: Vec<(Instant, Arc<Slot>)>,
    wishes: BTreeMap<ModelVersion, Wish>,
    /// Had a wish once and have none any more.
    withdrawn: BTreeSet<ModelVersion>,
}

impl Discovery {
    /// Knows nothing yet.
    pub fn new(name: ModelName, grace: Grace) -> Discovery {
        Discovery {
            name,
            grace,
            live: BTreeMap::new(),
            lost: Vec::new(),
            stale: Vec::new(),
            wishes: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
        }
    }

    /// The name.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// The knobs it was made with.
    pub fn grace(&self) -> &Grace {
        &self.grace
    }

    /// The versions that have a registration now.
    pub fn registered_versions(&self) -> BTreeSet<ModelVersion> {
        self.live.values().map(|slot| slot.endpoint().version.clone()).collect()
    }

    /// A registration was read. False when it is the one known already.
    pub fn register(&mut self, endpoint: Endpoint, mzxid: i64) -> bool {
        let known = self.live.get(&endpoint.id);
        if known.is_some_and(|slot| slot.endpoint().czxid == endpoint.czxid && slot.mzxid() == mzxid) {
            return false;
        }
        self.stale.retain(|(_, slot)| slot.endpoint().id != endpoint.id && slot.endpoint().url != endpoint.url);
        let version = endpoint.version.clone();
        self.live.insert(endpoint.id.clone(), Arc::new(Slot::new(endpoint, mzxid)));
        let wanted = self.wishes.get(&version).map_or(u32::MAX, |wish| wish.count);
        if self.live_of(&version).count() >= wanted as usize {
            self.drop_stale_of(&version);
        }
        true
    }

    /// A registration is gone. False when none was known.
    pub fn unregister(&mut self, id: &str, now: Instant) -> bool {
        let Some(slot) = self.live.remove(id) else {
            return false;
        };
        let version = slot.endpoint().version.clone();
        let window = self.grace.window;
        self.lost.retain(|(at, _)| now.duration_since(*at) <= window);
        self.lost.push((now, slot));
        if self.live_of(&version).next().is_some() || self.wishes.get(&version).is_none_or(|wish| wish.count == 0) {
            return true;
        }
        let (went, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lost).into_iter().partition(|(_, slot)| slot.endpoint().version == version);
        self.lost = others;
        if went.len() >= self.grace.at_least {
            went.into_iter().for_each(|(_, slot)| self.trust(slot, now));
        } else {
            self.lost.extend(went);
        }
        true
    }

    /// All registrations were read. What is missing went; `outage` says that ZooKeeper was away for so long that this
    /// proves nothing of the instances.
    pub fn replace(&mut self, found: Vec<(Endpoint, i64)>, outage: bool, now: Instant) -> bool {
        let ids: BTreeSet<Arc<str>> = found.iter().map(|(endpoint, _)| endpoint.id.clone()).collect();
        let missing: Vec<Arc<str>> = self.live.keys().filter(|id| !ids.contains(*id)).cloned().collect();
        let mut changed = !missing.is_empty();
        for id in missing {
            let wanted = self.live.get(&id).is_some_and(|slot| self.may_be_wanted(&slot.endpoint().version));
            if !(outage && wanted) {
                self.unregister(&id, now);
            } else if let Some(slot) = self.live.remove(&id) {
                self.trust(slot, now);
            }
        }
        for (endpoint, mzxid) in found {
            changed |= self.register(endpoint, mzxid);
        }
        changed
    }

    /// What is wanted of a version was read; `None` when there is no such node.
    pub fn wish(&mut self, version: &ModelVersion, wish: Option<Wish>) -> bool {
        if self.wishes.get(version) == wish.as_ref() {
            return false;
        }
        match wish {
            Some(wish) => {
                self.withdrawn.remove(version);
                self.wishes.insert(version.clone(), wish);
            }
            None => {
                self.wishes.remove(version);
                self.withdrawn.insert(version.clone());
            }
        }
        if !self.may_be_wanted(version) {
            self.drop_stale_of(version);
        }
        true
    }

    /// Forgets what was wanted of all versions but these.
    pub fn keep_wishes(&mut self, known: &BTreeSet<ModelVersion>) -> bool {
        let gone: Vec<ModelVersion> = self.wishes.keys().filter(|version| !known.contains(*version)).cloned().collect();
        let mut changed = false;
        for version in &gone {
            changed |= self.wish(version, None);
        }
        changed
    }

    /// Drops what was trusted for long enough, or refused a connection.
    pub fn expire(&mut self, now: Instant) -> bool {
        let before = self.stale.len();
        self.stale.retain(|(until, slot)| *until > now && !slot.is_gone());
        let window = self.grace.window;
        self.lost.retain(|(at, _)| now.duration_since(*at) <= window);
        let in_use: BTreeSet<&ModelVersion> = self
            .live
            .values()
            .chain(self.stale.iter().map(|(_, slot)| slot))
            .map(|slot| &slot.endpoint().version)
            .collect();
        self.withdrawn.retain(|version| in_use.contains(version));
        self.stale.len() != before
    }

    /// When [`Discovery::expire`] has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        self.stale.iter().map(|(until, _)| *until).min()
    }

    /// What callers may pick from now.
    pub fn model(&self) -> Model {
        let mut slots: BTreeMap<&ModelVersion, Vec<Arc<Slot>>> = BTreeMap::new();
        let trusted = self.stale.iter().map(|(_, slot)| slot).filter(|slot| !slot.is_gone());
        for slot in self.live.values().chain(trusted) {
            slots.entry(&slot.endpoint().version).or_default().push(slot.clone());
        }
        for version in self.wishes.keys() {
            slots.entry(version).or_default();
        }
        let versions = slots.into_iter().map(|(version, slots)| {
            let wish = self.wishes.get(version).cloned();
            Arc::new(Version::new(self.name.clone(), version.clone(), slots, wish))
        });
        Model::new(self.name.clone(), versions.collect())
    }

    fn trust(&mut self, slot: Arc<Slot>, now: Instant) {
        slot.set_stale(true);
        self.stale.push((now + self.grace.keep, slot));
    }

    fn live_of<'a>(&'a self, version: &'a ModelVersion) -> impl Iterator<Item = &'a Arc<Slot>> {
        self.live.values().filter(move |slot| slot.endpoint().version == *version)
    }

    fn drop_stale_of(&mut self, version: &ModelVersion) {
        self.stale.retain(|(_, slot)| slot.endpoint().version != *version);
    }

    /// True unless our master says, or said, that none is wanted.
    fn may_be_wanted(&self, version: &ModelVersion) -> bool {
        match self.wishes.get(version) {
            Some(wish) => wish.count > 0,
            None => !self.withdrawn.contains(version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::default_functions;
    use crate::state::CallSettings;

    fn endpoint(version: &str, id: &str, czxid: i64) -> Endpoint {
        Endpoint {
            name: "dga".parse().unwrap(),
            version: version.parse().unwrap(),
            id: id.into(),
            url: format!("http://host-{id}:4000").into(),
            functions: Arc::new(default_functions()),
            registered_ms: 0,
            czxid,
        }
    }

    fn wish(count: u32) -> Option<Wish> {
        Some(Wish { count, digest: None, call: CallSettings::default() })
    }

    fn discovery(registered: &[(&str, &str)]) -> Discovery {
        let mut discovery = Discovery::new("dga".parse().unwrap(), Grace::default());
        for (version, id) in registered {
            discovery.register(endpoint(version, id, 1), 1);
        }
        discovery
    }

    fn shown(discovery: &Discovery) -> Vec<String> {
        let mut lines = Vec::new();
        for version in discovery.model().versions() {
            for slot in version.slots() {
                let stale = if slot.is_stale() { " stale" } else { "" };
                lines.push(format!("{} {}{stale}", version.version(), slot.endpoint().id));
            }
        }
        lines
    }

    fn version(text: &str) -> ModelVersion {
        text.parse().unwrap()
    }

    #[test]
    fn the_current_version_is_the_highest_in_natural_order_with_an_endpoint() {
        let mut discovery = discovery(&[("9.0", "a"), ("10.0", "b"), ("10.0-rc1", "c")]);
        discovery.wish(&version("11.0"), wish(1));
        let model = discovery.model();
        assert_eq!(model.current().unwrap().version().as_str(), "10.0");
        assert!(model.version(&version("11.0")).unwrap().slots().is_empty());
        for known in ["9.0", "10.0", "10.0-rc1", "11.0"] {
            assert_eq!(model.version(&version(known)).unwrap().version().as_str(), known);
        }
        assert!(model.version(&version("9")).is_none());
        discovery.unregister("b", Instant::now());
        assert_eq!(discovery.model().current().unwrap().version().as_str(), "10.0-rc1");
    }

    #[test]
    fn only_a_changed_registration_gets_a_new_slot() {
        let mut discovery = discovery(&[("1.0", "a")]);
        let before = discovery.model().current().unwrap().slots()[0].clone();
        assert!(!discovery.register(endpoint("1.0", "a", 1), 1));
        assert!(Arc::ptr_eq(&before, &discovery.model().current().unwrap().slots()[0]));
        assert!(discovery.register(endpoint("1.0", "a", 1), 2), "other bytes");
        assert!(discovery.register(endpoint("1.0", "a", 3), 2), "deleted and made again");
        assert!(!Arc::ptr_eq(&before, &discovery.model().current().unwrap().slots()[0]));
    }

    #[test]
    fn all_registrations_of_a_wanted_version_going_at_once_keeps_them_for_thirty_seconds() {
        let start = Instant::now();
        let mut discovery = discovery(&[("1.0", "a"), ("1.0", "b"), ("1.0", "c")]);
        discovery.wish(&version("1.0"), wish(3));
        for (id, ms) in [("a", 0), ("b", 900), ("c", 1900)] {
            discovery.unregister(id, start + Duration::from_millis(ms));
        }
        assert_eq!(shown(&discovery), ["1.0 a stale", "1.0 b stale", "1.0 c stale"]);
        // One that comes back under its id or its url replaces what was trusted; the others stay.
        discovery.register(endpoint("1.0", "b", 9), 9);
        assert_eq!(shown(&discovery), ["1.0 a stale", "1.0 b", "1.0 c stale"]);
        assert!(!discovery.expire(start + Duration::from_secs(31)));
        assert!(discovery.expire(start + Duration::from_secs(32)));
        assert_eq!(shown(&discovery), ["1.0 b"]);
        assert_eq!(discovery.deadline(), None);
    }

    #[test]
    fn without_a_wish_or_one_after_the_other_they_go() {
        let start = Instant::now();
        let mut foreign = discovery(&[("1.0", "a"), ("1.0", "b")]);
        foreign.unregister("a", start);
        foreign.unregister("b", start);
        assert!(shown(&foreign).is_empty());

        let mut removed = discovery(&[("1.0", "a"), ("1.0", "b")]);
        removed.wish(&version("1.0"), wish(0));
        removed.unregister("a", start);
        removed.unregister("b", start);
        assert!(shown(&removed).is_empty());

        let mut slow = discovery(&[("1.0", "a"), ("1.0", "b")]);
        slow.wish(&version("1.0"), wish(2));
        slow.unregister("a", start);
        slow.unregister("b", start + Duration::from_millis(2100));
        assert!(shown(&slow).is_empty());

        let mut single = discovery(&[("1.0", "a")]);
        single.wish(&version("1.0"), wish(1));
        single.unregister("a", start);
        assert!(shown(&single).is_empty());
    }

    #[test]
    fn after_an_outage_what_is_missing_stays_unless_it_is_not_wanted() {
        let start = Instant::now();
        let mut discovery = discovery(&[("1.0", "a"), ("2.0", "b"), ("3.0", "c")]);
        discovery.wish(&version("2.0"), wish(0));
        discovery.replace(vec![(endpoint("3.0", "c", 1), 1)], true, start);
        assert_eq!(shown(&discovery), ["1.0 a stale", "3.0 c"]);
        discovery.wish(&version("1.0"), wish(1));
        assert_eq!(shown(&discovery), ["1.0 a stale", "3.0 c"]);
        discovery.wish(&version("1.0"), None);
        assert_eq!(shown(&discovery), ["3.0 c"], "no longer wanted");
    }

    #[test]
    fn once_as_many_as_wanted_are_back_nothing_is_trusted_any_more() {
        let start = Instant::now();
        let mut discovery = discovery(&[("1.0", "a"), ("1.0", "b")]);
        discovery.wish(&version("1.0"), wish(2));
        discovery.replace(vec![], true, start);
        discovery.register(endpoint("1.0", "x", 7), 7);
        assert_eq!(shown(&discovery), ["1.0 a stale", "1.0 b stale", "1.0 x"]);
        discovery.register(endpoint("1.0", "y", 8), 8);
        assert_eq!(shown(&discovery), ["1.0 x", "1.0 y"]);
    }

    #[test]
    fn the_identity_is_the_digest_or_the_oldest_registration() {
        let mut discovery = discovery(&[]);
        discovery.register(endpoint("1.0", "a", 20), 20);
        discovery.register(endpoint("1.0", "b", 10), 10);
        assert_eq!(*discovery.model().current().unwrap().identity(), Identity::Registration(10));
        let digest = Some(Wish { count: 1, digest: Some("abc".into()), call: CallSettings::default() });
        discovery.wish(&version("1.0"), digest);
        assert_eq!(*discovery.model().current().unwrap().identity(), Identity::Digest("abc".into()));
    }
}
