//! The queue as the leader reads it: lists it, takes what is there in batches, and settles every doubt by looking.

use super::take::{Batch, Content, Context, Kind, Message, compose, read};
use crate::execute::{Executor, Trouble};
use crate::observe::Mirror;
use crate::outbox::{EventExt, Events, event};
use crate::view::{Counts, QueueView};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use maas_client::paths::request_id;
use maas_client::queue::PREFIX;
use maas_client::state_store;
use maas_client::tree::{Access, Error, TreeExt, Watch};
use std::collections::HashMap;

/// Messages looked at at once.
const LOOK_AT_ONCE: usize = 256;
/// Bytes of messages read at once; one that is longer is read by itself.
const READ_BYTES: usize = 4 << 20;
/// Messages taken before the planner gets its turn.
const TAKE_AT_ONCE: usize = 1024;

/// Takes messages from the queue within one term.
#[derive(Default)]
pub struct Intake {
    watch: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    /// Sent, and the answer was lost.
    doubtful: Option<(Message, Batch)>,
    used_ids: HashMap<String, String>,
    /// Messages that can't be taken for now, with the reason, so that it is said once.
    stuck: HashMap<String, String>,
    /// Whether the tree was read again in this round: once is enough, whatever many messages meet.
    looked_again: bool,
    /// The queue as last seen.
    pub view: QueueView,
}

impl Intake {
    /// Waits until the queue may hold something new. Cancel-safe.
    pub async fn changed(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.await;
            self.watch = None;
        }
    }

    /// Forgets the watch: the next round lists the queue.
    pub fn look_again(&mut self) {
        self.watch = None;
    }

    /// Messages that could not be taken are tried again by the next round.
    pub fn retry_stuck(&mut self) {
        if !self.stuck.is_empty() {
            self.watch = None;
        }
    }

    /// Forgets which idempotency keys were met: those whose nodes are trimmed may come again, and the others are found
    /// again by their nodes.
    pub fn forget_keys(&mut self) {
        self.used_ids = HashMap::new();
    }

    /// Takes what is there; true when there is more.
    pub async fn round(
        &mut self,
        executor: &Executor,
        mirror: &mut Mirror,
        events: &mut Events,
        counts: &mut Counts,
    ) -> Result<bool, Trouble> {
        self.settle(executor, mirror, events, counts).await?;
        self.looked_again = false;
        if self.watch.is_some() {
            return Ok(false);
        }
        let roots = executor.roots.clone();
        let (children, watch): (_, Watch) =
            executor.tree.children_and_watch(&roots.queue).await.map_err(Trouble::Unknown)?;
        let Some(children) = children else {
            // Newer Curators leave container nodes that the server sweeps: the root is made again when it is gone.
            executor.tree.ensure_path(&roots.queue, Access::WorldCreates).await.map_err(Trouble::Unknown)?;
            self.view = QueueView::default();
            return Ok(true);
        };
        self.watch = Some(Box::pin(watch.changed()));
        let names: Vec<String> = children.into_iter().filter(|name| name.starts_with(PREFIX)).collect();
        self.view.waiting = names.len() as u64;
        self.view.oldest_ms = None;
        self.stuck.retain(|name, _| names.binary_search(name).is_ok());
        let more = names.len() > TAKE_AT_ONCE;
        for chunk in names.chunks(LOOK_AT_ONCE).take(TAKE_AT_ONCE / LOOK_AT_ONCE) {
            for few in within_bytes(look_at(executor, chunk).await?, READ_BYTES) {
                let messages = read_all(executor, &few).await?;
                self.view.oldest_ms = messages.first().map(|message| message.ctime_ms);
                self.take_all(&messages, executor, mirror, events, counts).await?;
            }
        }
        let stuck = self.stuck.len() as u64;
        self.view.waiting = if more { self.view.waiting - TAKE_AT_ONCE as u64 } else { stuck };
        if !more && stuck == 0 {
            self.view.oldest_ms = None;
        }
        if more {
            self.watch = None;
        }
        Ok(more)
    }

    async fn take_all(
        &mut self,
        messages: &[Message],
        executor: &Executor,
        mirror: &mut Mirror,
        events: &mut Events,
        counts: &mut Counts,
    ) -> Result<(), Trouble> {
        let mut rest = messages;
        let mut most = executor.policy.intake_batch;
        while let Some(first) = rest.first() {
            let batch = self.compose(&rest[..rest.len().min(most)], executor, mirror);
            let taken = batch.taken;
            match executor.tree.multi(batch.ops.clone()).await {
                Ok(_) => {
                    let (rejects, takes) = effects(&batch.kinds);
                    applied(batch, mirror, events, counts);
                    if rejects {
                        executor.failpoints.reach("after-reject")?;
                    }
                    if takes {
                        executor.failpoints.reach("after-intake")?;
                    }
                    rest = &rest[taken..];
                    most = executor.policy.intake_batch;
                }
                Err(failed) => match executor.sort(failed) {
                    Trouble::Unknown(error) => {
                        self.doubtful = Some((first.clone(), batch));
                        return Err(Trouble::Unknown(error));
                    }
                    // One of several did not go: each by itself, so that it delays no other.
                    Trouble::Stale(_) | Trouble::Failed(_) if taken > 1 => most = 1,
                    Trouble::Stale(error) => {
                        match self.explain(first, &error, executor, mirror, events, counts).await? {
                            Next::Again => continue,
                            Next::Done => {}
                            Next::Stuck => self.put_aside(first, error.to_string(), events),
                        }
                        rest = &rest[1..];
                    }
                    Trouble::Failed(error) => {
                        self.put_aside(first, error, events);
                        rest = &rest[1..];
                    }
                    over => return Err(over),
                },
            }
        }
        Ok(())
    }

    /// A message that can't be taken for now waits in the queue, which is said once; the pass goes on without it.
    fn put_aside(&mut self, message: &Message, error: String, events: &mut Events) {
        tracing::error!(request = message.id, error, "request can't be taken now");
        if self.stuck.insert(message.child.clone(), error.clone()).is_none() {
            let failed = event("StepFailed", crate::clock::wall_time()).because(format!("intake: {error}"));
            events.emit(failed.by_request(&message.id, None));
        }
    }

    fn compose(&self, messages: &[Message], executor: &Executor, mirror: &Mirror) -> Batch {
        let context = Context {
            term: &executor.term,
            roots: &executor.roots,
            policy: &executor.policy,
            time: crate::clock::wall_time(),
            versions: &mirror.versions,
            names: &mirror.names,
            used_ids: &self.used_ids,
        };
        compose(messages, &context)
    }

    /// Finds out why the transaction for one message was refused, and what that means for the message.
    async fn explain(
        &mut self,
        message: &Message,
        error: &Error,
        executor: &Executor,
        mirror: &mut Mirror,
        events: &mut Events,
        counts: &mut Counts,
    ) -> Result<Next, Trouble> {
        let (tree, roots) = (&executor.tree, &executor.roots);
        let queue_node = roots.queue_child(&message.child);
        match error {
            Error::NoNode { path } | Error::BadVersion { path } if *path == queue_node => {
                if !is_recorded(message, executor).await? {
                    foreign(message, events, counts);
                }
                return Ok(Next::Done);
            }
            Error::NodeExists { path } => {
                if let Content::Request(request) = read(&message.data, &executor.policy)
                    && let Some(uuid) = &request.extra.id
                    && *path == roots.id(uuid)
                {
                    let node = tree.get(path).await.map_err(Trouble::Unknown)?;
                    let first = node.map(|node| String::from_utf8_lossy(&node.data).into_owned());
                    self.used_ids.insert(uuid.clone(), first.unwrap_or_default());
                    return Ok(Next::Again);
                }
                if *path == roots.request(&message.id) || *path == roots.rejection(&message.id) {
                    // Decided before; only the message is left.
                    let delete = maas_client::tree::Op::delete(queue_node, Some(message.version));
                    executor.fenced(vec![delete]).await?;
                    return Ok(Next::Done);
                }
            }
            _ => {}
        }
        if self.looked_again || self.stuck.contains_key(&message.child) {
            return Ok(Next::Stuck);
        }
        // The tree was not as the mirror has it: it is read again and the message decided again. Once is enough: what
        // can't be read (a wanted state that is no JSON) would look the same for ever, and hold up every pass.
        tracing::warn!(request = message.id, %error, "request meets a changed tree; looking again");
        self.looked_again = true;
        if matches!(error, Error::NoNode { .. }) {
            let made = state_store::ensure_roots(tree, roots, executor.world_registers).await;
            made.map_err(Trouble::Unknown)?;
        }
        mirror.mark_stale();
        mirror.refresh().await.map_err(Trouble::Unknown)?;
        Ok(Next::Again)
    }

    /// After a lost answer: the first message of the batch tells for all, because it was one transaction.
    async fn settle(
        &mut self,
        executor: &Executor,
        mirror: &mut Mirror,
        events: &mut Events,
        counts: &mut Counts,
    ) -> Result<(), Trouble> {
        let Some((first, batch)) = &self.doubtful else { return Ok(()) };
        self.watch = None;
        executor.tree.sync(&executor.roots.queue).await.map_err(Trouble::Unknown)?;
        let queue_node = executor.roots.queue_child(&first.child);
        let node = executor.tree.get(&queue_node).await.map_err(Trouble::Unknown)?;
        let there = node.is_some_and(|node| request_id(&first.child, node.stat.czxid) == first.id);
        let recorded = !there && (is_recorded(first, executor).await? || batch.kinds.first() == Some(&Kind::Null));
        let first = first.clone();
        let Some((_, batch)) = self.doubtful.take() else { return Ok(()) };
        match (there, recorded) {
            (true, _) => {}
            (false, true) => {
                mirror.mark_stale();
                applied(
                    Batch { versions: Default::default(), names: Default::default(), ..batch },
                    mirror,
                    events,
                    counts,
                );
                mirror.refresh().await.map_err(Trouble::Unknown)?;
            }
            (false, false) => foreign(&first, events, counts),
        }
        Ok(())
    }
}

/// What follows from a transaction that was refused.
enum Next {
    /// The message is to be decided again.
    Again,
    /// The message is done with.
    Done,
    /// It can't be taken for now.
    Stuck,
}

/// Whether a batch sets messages aside, and whether it takes any.
fn effects(kinds: &[Kind]) -> (bool, bool) {
    (kinds.contains(&Kind::Rejected), kinds.iter().any(|kind| *kind != Kind::Rejected))
}

async fn is_recorded(message: &Message, executor: &Executor) -> Result<bool, Trouble> {
    for path in [executor.roots.request(&message.id), executor.roots.rejection(&message.id)] {
        if executor.tree.get(&path).await.map_err(Trouble::Unknown)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn foreign(message: &Message, events: &mut Events, counts: &mut Counts) {
    counts.foreign += 1;
    let text = format!("another program took {} from the queue", message.child);
    tracing::warn!(request = message.id, text);
    let taken = event("ForeignConsumer", crate::clock::wall_time()).because(text);
    events.emit(taken.by_request(&message.id, None));
}

fn applied(batch: Batch, mirror: &mut Mirror, events: &mut Events, counts: &mut Counts) {
    mirror.versions.extend(batch.versions);
    mirror.names.extend(batch.names);
    for kind in batch.kinds {
        match kind {
            Kind::Accepted => counts.accepted += 1,
            Kind::Refused => counts.refused += 1,
            Kind::Duplicate => counts.duplicate += 1,
            Kind::Rejected => counts.rejected += 1,
            Kind::Null => counts.nulls += 1,
        }
    }
    for event in batch.events {
        events.emit(event);
    }
}

/// How long each message is; those that went meanwhile are left out.
async fn look_at<'n>(executor: &Executor, names: &'n [String]) -> Result<Vec<(&'n str, usize)>, Trouble> {
    let looks: Vec<_> = names.iter().map(|name| look_at_one(executor, name)).collect();
    let found: Vec<Option<(&str, usize)>> =
        stream::iter(looks).buffered(64).try_collect().await.map_err(Trouble::Unknown)?;
    Ok(found.into_iter().flatten().collect())
}

async fn look_at_one<'n>(executor: &Executor, name: &'n str) -> Result<Option<(&'n str, usize)>, Error> {
    let stat = executor.tree.stat(&executor.roots.queue_child(name)).await?;
    Ok(stat.map(|stat| (name, usize::try_from(stat.data_length).unwrap_or(0))))
}

/// Cuts a list of messages, in its order, into parts of at most so many bytes. Pure.
fn within_bytes(messages: Vec<(&str, usize)>, most: usize) -> Vec<Vec<&str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut bytes = most;
    for (name, length) in messages {
        match parts.last_mut().filter(|_| bytes + length <= most) {
            Some(part) => {
                part.push(name);
                bytes += length;
            }
            None => {
                parts.push(vec![name]);
                bytes = length;
            }
        }
    }
    parts
}

async fn read_all(executor: &Executor, names: &[&str]) -> Result<Vec<Message>, Trouble> {
    let reads: Vec<_> = names.iter().map(|name| read_one(executor, name)).collect();
    let read: Vec<Option<Message>> = stream::iter(reads).buffered(64).try_collect().await.map_err(Trouble::Unknown)?;
    // One that went between listing and reading leaves no trace we could name it by.
    Ok(read.into_iter().flatten().collect())
}

async fn read_one(executor: &Executor, name: &str) -> Result<Option<Message>, Error> {
    let node = executor.tree.get(&executor.roots.queue_child(name)).await?;
    Ok(node.map(|node| Message {
        child: name.to_string(),
        id: request_id(name, node.stat.czxid),
        data: node.data,
        version: node.stat.version,
        ctime_ms: node.stat.ctime_ms,
    }))
}

#[cfg(test)]
mod tests {
    use super::within_bytes;

    #[test]
    fn long_messages_are_read_in_small_parts_and_short_ones_together() {
        let messages = vec![("a", 0), ("b", 3), ("c", 1), ("d", 90), ("e", 4), ("f", 1)];
        assert_eq!(within_bytes(messages, 4), [vec!["a", "b", "c"], vec!["d"], vec!["e"], vec!["f"]]);
        assert!(within_bytes(vec![], 4).is_empty());
    }
}
