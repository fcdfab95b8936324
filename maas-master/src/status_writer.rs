//! Writes what the leader says of each version, and the journal, into ZooKeeper: fenced, at most once a second a node,
//! 32 KiB at most. Renders the reconciler's snapshots and events; decides nothing.

use crate::clock::Moment;
use crate::desired::Version;
use crate::events::EventLog;
use crate::intake::take::NODE_LIMIT;
use crate::plan::Verdict;
use crate::reconciler::Outbox;
use crate::view::{Handle, View};
use futures_util::{StreamExt, stream};
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::model::ModelId;
use maas_client::reason::VersionState;
use maas_client::state::{Journal, Status};
use maas_client::tree::{Error, Op, SharedTree, TreeExt};
use std::collections::{BTreeMap, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// The largest `status` node, bytes.
pub const MOST_BYTES: usize = 32 << 10;
/// A node is written at most this often.
const EVERY: Duration = Duration::from_secs(1);
/// What is left of a backoff is written this often while nothing else changes.
const BACKOFF_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Nodes written at once.
const AT_ONCE: usize = 32;

/// Writes until `shutdown`, then once more what is not written yet.
pub async fn run(
    tree: SharedTree,
    roots: Roots,
    handle: Handle,
    mut outbox: Outbox,
    log: Arc<EventLog>,
    shutdown: CancellationToken,
) {
    let mut writer = Writer { tree, roots, log, term: None };
    let mut views = handle.watch();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut passes = 0;
    let mut outbox_open = true;
    loop {
        tokio::select! {
            event = outbox.recv(), if outbox_open => match event {
                Some(event) => writer.log.push(event),
                None => outbox_open = false,
            },
            changed = views.changed() => {
                if changed.is_err() {
                    break;
                }
                let view = views.borrow_and_update().clone();
                if view.passes != passes && view.passes > 0 {
                    writer.log.pass(view.pass);
                }
                passes = view.passes;
            }
            _ = ticks.tick() => writer.write_due(&handle.view(), EVERY).await,
            () = shutdown.cancelled() => break,
        }
    }
    while let Ok(event) = outbox.try_recv() {
        writer.log.push(event);
    }
    writer.write_due(&handle.view(), Duration::ZERO).await;
}

struct Writer {
    tree: SharedTree,
    roots: Roots,
    log: Arc<EventLog>,
    /// What is known of the nodes while this master leads.
    term: Option<Term>,
}

struct Term {
    epoch: i32,
    versions: BTreeMap<ModelId, Written>,
    journal: Journal,
    journal_written: Instant,
    /// Literal `null` messages counted before this process began to.
    nulls_before: u64,
}

/// What was last written of a version.
#[derive(Clone, Copy)]
struct Written {
    at: Instant,
    fingerprint: u64,
}

impl Writer {
    async fn write_due(&mut self, view: &View, every: Duration) {
        let Some(leader) = view.leading() else {
            self.term = None;
            return;
        };
        if !view.connected {
            return;
        }
        if self.term.as_ref().is_none_or(|term| term.epoch != leader.epoch) {
            match self.start_term(leader.epoch, view.counts.nulls).await {
                Ok(term) => self.term = Some(term),
                Err(error) => {
                    tracing::debug!(%error, "the journal can't be read yet");
                    return;
                }
            }
        }
        let Some(mut term) = self.term.take() else { return };
        term.versions.retain(|model, _| view.desired.versions.contains_key(model));
        self.write_versions(view, &mut term, every).await;
        self.write_journal(view, &mut term, every).await;
        self.term = Some(term);
    }

    async fn start_term(&self, epoch: i32, nulls_here: u64) -> Result<Term, Error> {
        let found: Option<(Result<Journal, _>, _)> = self.tree.get_json(&self.roots.journal()).await?;
        let journal = found.and_then(|(parsed, _)| parsed.ok()).unwrap_or_default();
        self.log.restore(journal.events.clone());
        let nulls_before = journal.nulls.saturating_sub(nulls_here);
        // What was written a second ago is another process's: due at once.
        let journal_written = Instant::now().checked_sub(EVERY).unwrap_or_else(Instant::now);
        Ok(Term { epoch, versions: BTreeMap::new(), journal, journal_written, nulls_before })
    }

    async fn write_versions(&self, view: &View, term: &mut Term, every: Duration) {
        let now = Instant::now();
        let mut writes = Vec::new();
        for (model, version) in &view.desired.versions {
            let written = term.versions.get(model).copied();
            let is_due = written.is_none_or(|written| now.duration_since(written.at) >= every);
            if let Some(verdict) = view.plan.verdicts.get(model).filter(|_| is_due) {
                writes.push(self.try_write_version(view.at, term.epoch, model, version, verdict, written));
            }
        }
        let written: Vec<Option<(ModelId, Written)>> = stream::iter(writes).buffer_unordered(AT_ONCE).collect().await;
        term.versions.extend(written.into_iter().flatten());
    }

    async fn try_write_version(
        &self,
        at: Moment,
        epoch: i32,
        model: &ModelId,
        version: &Version,
        verdict: &Verdict,
        written: Option<Written>,
    ) -> Option<(ModelId, Written)> {
        match self.write_version(at, epoch, model, version, verdict, written).await {
            Ok(written) => Some((model.clone(), written?)),
            Err(error) => {
                tracing::debug!(%model, %error, "status not written");
                None
            }
        }
    }

    async fn write_version(
        &self,
        at: Moment,
        epoch: i32,
        model: &ModelId,
        version: &Version,
        verdict: &Verdict,
        written: Option<Written>,
    ) -> Result<Option<Written>, Error> {
        let path = self.roots.status(model);
        if written.is_none() {
            // What earlier leaders saw of this version goes on in what this one writes.
            let found: Option<(Result<Status, _>, _)> = self.tree.get_json(&path).await?;
            self.log.restore(found.into_iter().filter_map(|(parsed, _)| parsed.ok()).flat_map(|status| status.events));
        }
        let backoff_ms = u64::try_from(version.history.backoff_left(at).as_millis()).unwrap_or(u64::MAX);
        let fingerprint = fingerprint(version, verdict, self.log.newest_of(model).as_deref());
        let now = Instant::now();
        let unchanged = written.is_some_and(|written| {
            let backoff_is_due = backoff_ms > 0 && now.duration_since(written.at) >= BACKOFF_EVERY;
            written.fingerprint == fingerprint && !backoff_is_due
        });
        if unchanged {
            return Ok(None);
        }
        let status = status_of(version, verdict, backoff_ms, self.log.of_version(model));
        self.put(epoch, &path, bounded(status)).await?;
        Ok(Some(Written { at: now, fingerprint }))
    }

    async fn write_journal(&self, view: &View, term: &mut Term, every: Duration) {
        if term.journal_written.elapsed() < every {
            return;
        }
        let journal = Journal { events: self.log.journal(), nulls: term.nulls_before + view.counts.nulls };
        let newest = |journal: &Journal| journal.events.last().map(|event| event.id.clone());
        if newest(&journal) == newest(&term.journal) && journal.nulls == term.journal.nulls {
            return;
        }
        let data = bounded_journal(journal.clone());
        match self.put(term.epoch, &self.roots.journal(), data).await {
            Ok(()) => term.journal = journal,
            Err(error) => tracing::debug!(%error, "journal not written"),
        }
        term.journal_written = Instant::now();
    }

    /// Sets the node, making it when it is not there; nothing happens unless the epoch is still ours.
    async fn put(&self, epoch: i32, path: &str, data: Vec<u8>) -> Result<(), Error> {
        let fence = Op::check(self.roots.epoch(), epoch);
        let set = self.tree.multi(vec![fence.clone(), Op::set(path, data.clone(), None)]).await;
        match set.map_err(Error::from) {
            Err(Error::NoNode { .. }) => {
                self.tree.multi(vec![fence, Op::create(path, data)]).await?;
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}

/// Changes when something is worth writing; what is left of a backoff alone is not.
fn fingerprint(version: &Version, verdict: &Verdict, newest_event: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let history = &version.history;
    (verdict.state, &verdict.reason, verdict.ready, version.desired.count, newest_event).hash(&mut hasher);
    (history.failures, history.restarts, history.generation).hash(&mut hasher);
    (history.ended.len(), history.ended.last().map(|ended| &ended.id)).hash(&mut hasher);
    hasher.finish()
}

/// What the node says. Pure.
pub fn status_of(version: &Version, verdict: &Verdict, backoff_ms: u64, events: Vec<Event>) -> Status {
    Status {
        state: verdict.state,
        reason: verdict.reason.clone().filter(|_| verdict.state != VersionState::Ready),
        ready: verdict.ready,
        desired: version.desired.count,
        failures: version.history.failures,
        restarts: version.history.restarts,
        backoff_ms,
        generation: version.history.generation,
        ended: version.history.ended.clone(),
        events,
    }
}

/// The node's bytes, the oldest events and then the oldest ended instances left out until they fit. Pure.
pub fn bounded(mut status: Status) -> Vec<u8> {
    loop {
        // A status holds nothing that JSON can't.
        let bytes = serde_json::to_vec(&status).unwrap_or_default();
        if bytes.len() <= MOST_BYTES {
            return bytes;
        }
        let surplus = bytes.len() - MOST_BYTES;
        if !status.events.is_empty() {
            let average = (bytes.len() / (status.events.len() + status.ended.len() + 1)).max(1);
            let drop = (surplus / average + 1).min(status.events.len());
            status.events.drain(..drop);
        } else if status.ended.is_empty() {
            return bytes;
        } else {
            status.ended.remove(0);
        }
    }
}

/// The journal's bytes, the oldest events left out until they fit into a node. Pure.
fn bounded_journal(mut journal: Journal) -> Vec<u8> {
    loop {
        // A journal holds nothing that JSON can't.
        let bytes = serde_json::to_vec(&journal).unwrap_or_default();
        if bytes.len() <= NODE_LIMIT || journal.events.is_empty() {
            return bytes;
        }
        let average = (bytes.len() / journal.events.len()).max(1);
        let drop = ((bytes.len() - NODE_LIMIT) / average + 1).min(journal.events.len());
        journal.events.drain(..drop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{event, leading, model};
    use crate::view::Role;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Mode};

    struct World {
        tree: SharedTree,
        roots: Roots,
        writer: Writer,
        view: View,
    }

    /// A tree whose epoch is that of the snapshot, with the snapshot's versions.
    async fn world() -> World {
        let (tree, roots): (SharedTree, _) = (MemoryServer::new().session(), Roots::default());
        let view = leading();
        for model in view.desired.versions.keys() {
            tree.ensure_path(&roots.desired(model), Access::WorldReads).await.unwrap();
        }
        tree.ensure_path(&roots.epoch(), Access::WorldReads).await.unwrap();
        for _ in 0..3 {
            tree.multi(vec![Op::set(roots.epoch(), "", None)]).await.unwrap();
        }
        let log = Arc::new(EventLog::default());
        World { writer: Writer { tree: tree.clone(), roots: roots.clone(), log, term: None }, tree, roots, view }
    }

    impl World {
        async fn status(&self, of: &ModelId) -> Option<(Status, i32)> {
            let found = self.tree.get_json::<Status>(&self.roots.status(of)).await.unwrap();
            found.map(|(status, stat)| (status.unwrap(), stat.version))
        }
    }

    #[tokio::test]
    async fn each_version_and_the_journal_are_written_once_and_again_only_when_they_change() {
        let mut world = world().await;
        let dga = model("dga", "1.0");
        world.writer.log.push(event(1, "LeaderElected", None));
        world.writer.log.push(event(2, "InstanceReady", Some(&dga)));
        for _ in 0..3 {
            world.writer.write_due(&world.view, Duration::ZERO).await;
        }
        let (status, writes) = world.status(&dga).await.unwrap();
        assert_eq!((status.state, status.ready, status.desired, writes), (VersionState::Degraded, 1, 2, 0));
        assert_eq!((status.events.len(), status.ended.len()), (1, 1));
        assert!(world.status(&model("scan", "2.0")).await.is_some());
        let (journal, _) = world.tree.get_json::<Journal>(&world.roots.journal()).await.unwrap().unwrap();
        let journal = journal.unwrap();
        assert_eq!((journal.events.len(), journal.nulls), (1, 1));

        world.writer.log.push(event(3, "InstanceFailed", Some(&dga)));
        world.writer.write_due(&world.view, Duration::from_secs(60)).await;
        assert_eq!(world.status(&dga).await.unwrap().1, 0, "too early");
        world.writer.write_due(&world.view, Duration::ZERO).await;
        assert_eq!(world.status(&dga).await.unwrap().1, 1);
    }

    #[tokio::test]
    async fn a_former_leader_writes_nothing() {
        let mut world = world().await;
        world.tree.multi(vec![Op::set(world.roots.epoch(), "", None)]).await.unwrap();
        world.writer.write_due(&world.view, Duration::ZERO).await;
        assert!(world.status(&model("dga", "1.0")).await.is_none());
        world.view.role = Role::Standby { leader: None };
        world.writer.write_due(&world.view, Duration::ZERO).await;
        assert!(world.writer.term.is_none());
    }

    #[tokio::test]
    async fn what_earlier_leaders_saw_goes_on() {
        let mut world = world().await;
        let dga = model("dga", "1.0");
        let version = &world.view.desired.versions[&dga];
        let verdict = &world.view.plan.verdicts[&dga];
        let mut earlier = status_of(version, verdict, 0, vec![event(1, "InstanceLaunched", Some(&dga))]);
        earlier.events[0].id = "000002-00000009".into();
        let data = serde_json::to_vec(&earlier).unwrap();
        world.tree.create(&world.roots.status(&dga), data, Mode::Persistent, Access::WorldReads).await.unwrap();
        world.writer.log.push(event(1, "InstanceReady", Some(&dga)));
        world.writer.write_due(&world.view, Duration::ZERO).await;
        let ids: Vec<String> = world.status(&dga).await.unwrap().0.events.into_iter().map(|event| event.id).collect();
        assert_eq!(ids, ["000002-00000009", "000003-00000001"]);
        assert_eq!(world.writer.log.all().len(), 2);
    }

    #[test]
    fn a_status_fits_into_its_node_and_loses_the_oldest_first() {
        let view = leading();
        let dga = model("dga", "1.0");
        let long = |sequence| Event { reason: "r".repeat(1_000), ..event(sequence, "InstanceFailed", Some(&dga)) };
        let events: Vec<Event> = (1..=50).map(long).collect();
        let status = status_of(&view.desired.versions[&dga], &view.plan.verdicts[&dga], 0, events);
        let bytes = bounded(status);
        assert!(bytes.len() <= MOST_BYTES && bytes.len() > MOST_BYTES / 2, "{}", bytes.len());
        let read: Status = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read.events.last().unwrap().id, "000003-00000050");
        assert_eq!(read.ended.len(), 1);
    }

    #[test]
    fn a_journal_of_long_events_fits_into_its_node_and_keeps_the_newest() {
        let long = |sequence| Event { reason: "é".repeat(1_000), ..event(sequence, "MessageRejected", None) };
        let bytes = bounded_journal(Journal { events: (1..=100).map(long).collect(), nulls: 7 });
        assert!(bytes.len() <= NODE_LIMIT && bytes.len() > NODE_LIMIT / 2, "{}", bytes.len());
        let read: Journal = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((read.events.last().unwrap().id.as_str(), read.nulls), ("000003-00000100", 7));
    }
}
