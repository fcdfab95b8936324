//! The resolver over the memory tree: what it sees, what it survives, and how little it asks for.

use super::*;
use crate::tree::memory::{MemoryServer, MemoryTree};
use crate::tree::{Access, Mode, Op, Tree, TreeExt};
use std::collections::BTreeSet;

struct Bed {
    server: MemoryServer,
    /// The session registrations belong to.
    runners: Arc<MemoryTree>,
    /// The resolver's own.
    client: Arc<MemoryTree>,
    resolver: Resolver,
    roots: Roots,
}

impl Bed {
    async fn new() -> Bed {
        Bed::with(Policy::default()).await
    }

    async fn with(policy: Policy) -> Bed {
        let server = MemoryServer::new();
        let (runners, client) = (server.session(), server.session());
        let roots = Roots::default();
        let resolver = Resolver::new(client.clone(), roots.clone(), policy);
        let bed = Bed { server, runners, client, resolver, roots };
        bed.make_roots().await;
        bed
    }

    async fn make_roots(&self) {
        self.runners.ensure_path(&self.roots.services, Access::WorldReads).await.unwrap();
        self.runners.ensure_path(&self.roots.models(), Access::WorldReads).await.unwrap();
    }

    async fn register(&self, model: &str, version: &str, id: &str) {
        self.register_bytes(model, id, &registration(model, version, id)).await;
    }

    async fn register_bytes(&self, model: &str, id: &str, bytes: &str) {
        self.runners.ensure_path(&self.roots.service(model), Access::WorldReads).await.unwrap();
        let path = self.roots.registration(model, id);
        self.runners.create(&path, bytes.into(), Mode::Ephemeral, Access::WorldReads).await.unwrap();
    }

    async fn unregister(&self, model: &str, id: &str) {
        self.runners.delete_if_exists(&self.roots.registration(model, id), None).await.unwrap();
    }

    async fn wish(&self, model: &str, version: &str, count: u32) {
        let parent = self.roots.model(model);
        self.runners.ensure_path(&parent, Access::WorldReads).await.unwrap();
        let path = format!("{parent}/{version}");
        let bytes = format!(r#"{{"count":{count},"digest":"d-{version}","call":{{"method":"POST","timeout_ms":70}}}}"#);
        self.runners.delete_if_exists(&path, None).await.unwrap();
        self.runners.create(&path, bytes.into(), Mode::Persistent, Access::WorldReads).await.unwrap();
    }

    /// `version id [stale]` of everything known of the name.
    async fn shown(&self, model: &str) -> BTreeSet<String> {
        let Ok(model) = self.resolver.model(&name(model)).await else {
            return BTreeSet::from(["not synced".to_string()]);
        };
        let slots = model.versions().iter().flat_map(|version| version.slots().iter().map(move |slot| (version, slot)));
        slots
            .map(|(version, slot)| {
                let stale = if slot.is_stale() { " stale" } else { "" };
                format!("{} {}{stale}", version.version(), slot.endpoint().id)
            })
            .collect()
    }

    /// Waits until the name shows exactly this.
    async fn until(&self, model: &str, wanted: &[&str]) {
        let wanted: BTreeSet<String> = wanted.iter().map(|text| (*text).to_string()).collect();
        let mut changes = self.resolver.changes();
        let reached = async {
            while self.shown(model).await != wanted {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_secs(5), reached).await.is_err() {
            panic!("{model} shows {:?}, not {wanted:?}", self.shown(model).await);
        }
    }
}

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

fn version(text: &str) -> ModelVersion {
    text.parse().unwrap()
}

fn registration(model: &str, version: &str, id: &str) -> String {
    format!(
        r#"{{"name":"{model}","id":"{id}","address":"h","port":1,"sslPort":null,"payload":{{"@class":"org.apache.metron.maas.config.ModelEndpoint","endpoint":{{"url":"http://h-{id}:1","functions":{{"apply":"apply"}}}},"name":"{model}","version":"{version}","containerId":"{id}"}},"registrationTimeUTC":1,"serviceType":"DYNAMIC","uriSpec":null}}"#
    )
}

#[tokio::test]
async fn the_first_look_up_finds_the_current_version_and_later_ones_do_not_wait() {
    let bed = Bed::new().await;
    bed.register("dga", "9.0", "a").await;
    bed.register("dga", "10.0", "b").await;
    assert!(bed.resolver.try_resolve(&name("dga"), None, &[]).is_none());
    let found = bed.resolver.resolve(&name("dga"), None).await.unwrap();
    assert_eq!((found.version().version().as_str(), found.url()), ("10.0", "http://h-b:1"));
    let found = bed.resolver.try_resolve(&name("dga"), Some(&version("9.0")), &[]).unwrap().unwrap();
    assert_eq!(&**found.instance(), "a");
}

#[tokio::test]
async fn registrations_come_and_go_one_at_a_time() {
    let bed = Bed::new().await;
    bed.register("dga", "1.0", "a").await;
    bed.until("dga", &["1.0 a"]).await;
    let kept = bed.resolver.resolve(&name("dga"), None).await.unwrap().slot().clone();
    bed.register("dga", "1.0", "b").await;
    bed.until("dga", &["1.0 a", "1.0 b"]).await;
    bed.register("dga", "2.0", "c").await;
    bed.until("dga", &["1.0 a", "1.0 b", "2.0 c"]).await;
    bed.unregister("dga", "b").await;
    bed.unregister("dga", "c").await;
    bed.until("dga", &["1.0 a"]).await;
    let now = bed.resolver.resolve(&name("dga"), None).await.unwrap().slot().clone();
    assert!(Arc::ptr_eq(&kept, &now), "an instance that did not change keeps its health");
}

#[tokio::test]
async fn a_registration_made_again_or_rewritten_is_read_again() {
    let bed = Bed::new().await;
    bed.register("dga", "1.0", "a").await;
    bed.until("dga", &["1.0 a"]).await;
    let path = bed.roots.registration("dga", "a");
    let create = Op::create_ephemeral(path.clone(), registration("dga", "2.0", "a"));
    bed.runners.multi(vec![Op::delete(path.clone(), None), create]).await.unwrap();
    bed.until("dga", &["2.0 a"]).await;
    bed.runners.multi(vec![Op::set(path, registration("dga", "3.0", "a"), None)]).await.unwrap();
    bed.until("dga", &["3.0 a"]).await;
}

#[tokio::test]
async fn an_unknown_name_is_watched_until_it_exists() {
    let bed = Bed::new().await;
    let error = bed.resolver.resolve(&name("dga"), None).await.unwrap_err();
    assert_eq!(error, Error::NoModel { name: name("dga") });
    bed.register("dga", "1.0", "a").await;
    bed.until("dga", &["1.0 a"]).await;
}

#[tokio::test]
async fn an_unknown_version_names_those_there_are_and_a_wanted_one_says_so() {
    let bed = Bed::new().await;
    for (known, id) in [("1.0", "a"), ("10.0", "b"), ("9.0", "c")] {
        bed.register("dga", known, id).await;
    }
    let error = bed.resolver.resolve(&name("dga"), Some(&version("1.1"))).await.unwrap_err();
    assert_eq!(error.to_string(), "dga has no version 1.1; it has 1.0, 9.0, 10.0");
    bed.wish("iris", "2.0", 3).await;
    bed.resolver.all().await.unwrap();
    let error = bed.resolver.resolve(&name("iris"), None).await.unwrap_err();
    assert_eq!(error.to_string(), "iris 2.0: 3 wanted, none ready; see maas_deploy status");
}

#[tokio::test]
async fn one_bad_registration_hides_no_other_and_counts_once_it_is_mended() {
    let bed = Bed::new().await;
    for (id, bytes) in [("x", ""), ("y", "null"), ("z", "{}")] {
        bed.register_bytes("dga", id, bytes).await;
    }
    bed.register("dga", "1.0", "a").await;
    bed.until("dga", &["1.0 a"]).await;
    let mended = Op::set(bed.roots.registration("dga", "x"), registration("dga", "1.0", "x"), None);
    bed.runners.multi(vec![mended]).await.unwrap();
    bed.until("dga", &["1.0 a", "1.0 x"]).await;
}

#[tokio::test]
async fn the_services_root_may_be_deleted_and_made_again() {
    for recursive in [false, true] {
        let bed = Bed::new().await;
        bed.register("dga", "1.0", "a").await;
        if recursive {
            bed.resolver.all().await.unwrap();
        }
        bed.until("dga", &["1.0 a"]).await;
        bed.unregister("dga", "a").await;
        bed.runners.delete_if_exists(&bed.roots.service("dga"), None).await.unwrap();
        bed.runners.delete_if_exists(&bed.roots.services, None).await.unwrap();
        bed.until("dga", &[]).await;
        bed.make_roots().await;
        bed.register("dga", "1.0", "b").await;
        bed.until("dga", &["1.0 b"]).await;
    }
}

#[tokio::test]
async fn call_settings_and_digest_come_from_the_desired_state_and_follow_it() {
    for recursive in [false, true] {
        let bed = Bed::new().await;
        bed.register("dga", "1.0", "a").await;
        if recursive {
            bed.resolver.all().await.unwrap();
        }
        let found = bed.resolver.resolve(&name("dga"), None).await.unwrap();
        assert_eq!(found.version().call(), &crate::state::CallSettings::default());
        bed.wish("dga", "1.0", 1).await;
        let mut changes = bed.resolver.changes();
        let found = loop {
            let found = bed.resolver.resolve(&name("dga"), None).await.unwrap();
            if found.version().wish().is_some() {
                break found;
            }
            changes.changed().await.unwrap();
        };
        assert_eq!(found.version().call().timeout_ms, 70);
        assert_eq!(*found.version().identity(), crate::discovery::Identity::Digest("d-1.0".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn without_zookeeper_the_first_look_up_says_not_synced_and_later_ones_at_once() {
    let bed = Bed::new().await;
    bed.register("dga", "1.0", "a").await;
    bed.client.disconnect();
    let start = Instant::now();
    let error = bed.resolver.resolve(&name("dga"), None).await.unwrap_err();
    assert!(matches!(error, Error::NotSynced { .. }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 5);
    bed.resolver.resolve(&name("dga"), None).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 5);
    bed.client.reconnect();
    bed.until("dga", &["1.0 a"]).await;
}

#[tokio::test]
async fn what_changed_while_disconnected_is_seen_after_it() {
    for recursive in [false, true] {
        let bed = Bed::new().await;
        bed.register("dga", "1.0", "a").await;
        bed.register("dga", "1.0", "b").await;
        if recursive {
            bed.resolver.all().await.unwrap();
        }
        bed.until("dga", &["1.0 a", "1.0 b"]).await;
        bed.client.disconnect();
        bed.unregister("dga", "a").await;
        bed.register("dga", "2.0", "c").await;
        assert!(bed.resolver.resolve(&name("dga"), None).await.is_ok(), "an outage takes nothing away");
        bed.client.reconnect();
        bed.until("dga", &["1.0 b", "2.0 c"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_session_missing_endpoints_stay_for_thirty_seconds() {
    for recursive in [false, true] {
        let bed = Bed::new().await;
        bed.register("dga", "1.0", "a").await;
        bed.register("dga", "1.0", "b").await;
        if recursive {
            bed.resolver.all().await.unwrap();
        }
        bed.until("dga", &["1.0 a", "1.0 b"]).await;
        bed.client.disconnect();
        bed.client.expire();
        bed.runners.expire();
        bed.client.reconnect();
        bed.until("dga", &["1.0 a stale", "1.0 b stale"]).await;
        let stale_since = Instant::now();
        bed.register("dga", "1.0", "a").await;
        bed.until("dga", &["1.0 a", "1.0 b stale"]).await;
        let mut changes = bed.resolver.changes();
        while bed.shown("dga").await.len() == 2 {
            changes.changed().await.unwrap();
        }
        assert!((29..=31).contains(&stale_since.elapsed().as_secs()), "{:?}", stale_since.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn all_registrations_of_a_wanted_version_going_at_once_is_survived() {
    for recursive in [false, true] {
        let bed = Bed::new().await;
        bed.wish("dga", "1.0", 2).await;
        bed.register("dga", "1.0", "a").await;
        bed.register("dga", "1.0", "b").await;
        if recursive {
            bed.resolver.all().await.unwrap();
        }
        bed.until("dga", &["1.0 a", "1.0 b"]).await;
        bed.runners.expire();
        bed.until("dga", &["1.0 a stale", "1.0 b stale"]).await;
        // One refuses: it leaves at once, the other stays.
        let refused = loop {
            let found = bed.resolver.resolve(&name("dga"), None).await.unwrap();
            if &**found.instance() == "a" {
                break found;
            }
        };
        bed.resolver.report(&refused, Signal::Refused);
        bed.until("dga", &["1.0 b stale"]).await;
        // Nobody wants it any more: it is not kept.
        bed.wish("dga", "1.0", 0).await;
        bed.until("dga", &[]).await;
    }
}

#[tokio::test]
async fn all_lists_every_name_and_takes_over_from_single_ones() {
    let bed = Bed::new().await;
    bed.register("dga", "1.0", "a").await;
    bed.until("dga", &["1.0 a"]).await;
    bed.register("iris", "1.0", "b").await;
    bed.wish("squid", "1.0", 2).await;
    let names: Vec<String> = bed.resolver.all().await.unwrap().iter().map(|model| model.name().to_string()).collect();
    assert_eq!(names, ["dga", "iris", "squid"]);
    bed.register("dga", "1.1", "c").await;
    bed.until("dga", &["1.0 a", "1.1 c"]).await;
    bed.register("new", "1.0", "d").await;
    bed.until("new", &["1.0 d"]).await;
    bed.unregister("dga", "a").await;
    bed.until("dga", &["1.1 c"]).await;
}

#[tokio::test]
async fn the_last_handle_dropped_ends_all_watching() {
    let bed = Bed::new().await;
    bed.register("dga", "1.0", "a").await;
    bed.until("dga", &["1.0 a"]).await;
    bed.resolver.all().await.unwrap();
    let shared = Arc::downgrade(&bed.resolver.inner.shared);
    let Bed { resolver, server: _server, .. } = bed;
    drop(resolver);
    let ended = async {
        while shared.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("tasks still hold what they share");
}
