//! [`ZkTree`]: the calls. Each is bounded in time, and refused before it is sent when the server would cut the
//! connection over it.

use super::options::ZkOptions;
use super::session::{Live, Shared};
use crate::tree::{
    Done, Error, Mode, MultiError, Node, Op, SessionState, Stat, Tree, TreeChange, Watch, check_ops, check_path,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use zookeeper_client as zk;

/// A real ZooKeeper. Dropping the last handle ends the session as [`Tree::close`] does, without waiting for it.
pub struct ZkTree {
    shared: Arc<Shared>,
}

impl ZkTree {
    /// Connects, and checks that the servers are new enough. See [`ZkOptions::connect_timeout`] for how long it tries.
    pub async fn connect(options: ZkOptions) -> Result<Arc<ZkTree>, Error> {
        let shared = Shared::new(options)?;
        shared.start().await?;
        Ok(Arc::new(ZkTree { shared }))
    }

    /// Makes a read, on the next connection when this one is lost, until a call's time is over.
    async fn read<T, F>(&self, path: &str, call: impl Fn(Arc<Live>) -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<T, zk::Error>> + Send,
    {
        check_path(path)?;
        let deadline = self.shared.deadline();
        let mut used = None;
        loop {
            let live = self.shared.live(used.as_ref(), deadline).await?;
            match timeout_at(deadline, call(live.clone())).await {
                Err(_) => return Err(Error::ConnectionLoss),
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => match translate(path, error) {
                    Error::ConnectionLoss | Error::SessionExpired => used = Some(live),
                    error => return Err(error),
                },
            }
        }
    }

    /// Waits for the answer to a write. What was sent may still be done after that.
    async fn write<T, E>(
        &self,
        deadline: Instant,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, Error> {
        timeout_at(deadline, call).await.map_err(|_| Error::ConnectionLoss)
    }
}

impl Drop for ZkTree {
    fn drop(&mut self) {
        self.shared.request_close();
    }
}

/// From the library's errors to ours, in one place.
pub(super) fn translate(path: &str, error: zk::Error) -> Error {
    let path = path.to_string();
    match error {
        zk::Error::NoNode => Error::NoNode { path },
        zk::Error::NodeExists => Error::NodeExists { path },
        zk::Error::BadVersion => Error::BadVersion { path },
        zk::Error::NotEmpty => Error::NotEmpty { path },
        zk::Error::NoAuth => Error::NoAuth { path },
        zk::Error::NoChildrenForEphemerals => Error::NoChildrenForEphemerals { path },
        zk::Error::SessionExpired | zk::Error::SessionMoved => Error::SessionExpired,
        // An unexpected error is what calls in flight get when their connection is thrown away.
        zk::Error::ConnectionLoss | zk::Error::ClientClosed | zk::Error::Timeout | zk::Error::UnexpectedError(_) => {
            Error::ConnectionLoss
        }
        // Not done, and may be done later.
        zk::Error::Throttled | zk::Error::NotReadOnly | zk::Error::NoHosts => {
            Error::Unreachable { detail: error.to_string() }
        }
        zk::Error::Unimplemented => Error::OldServer { found: "of an unknown version".into() },
        zk::Error::Custom(_) => Error::ConnectionLoss,
        other => Error::Invalid { message: format!("ZooKeeper refused {path}: {other}") },
    }
}

fn stat(stat: &zk::Stat) -> Stat {
    Stat {
        czxid: stat.czxid,
        mzxid: stat.mzxid,
        version: stat.version,
        cversion: stat.cversion,
        ephemeral_owner: stat.ephemeral_owner,
        ctime_ms: stat.ctime,
        mtime_ms: stat.mtime,
        num_children: stat.num_children,
        data_length: stat.data_length,
    }
}

fn mode(mode: Mode) -> zk::CreateMode {
    match mode {
        Mode::Persistent => zk::CreateMode::Persistent,
        Mode::PersistentSequential => zk::CreateMode::PersistentSequential,
        Mode::Ephemeral => zk::CreateMode::Ephemeral,
    }
}

fn found<T>(answer: Result<T, zk::Error>) -> Result<Option<T>, zk::Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(zk::Error::NoNode) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A one-shot watch that fires with the library's, or when the connection it waits on ends.
fn forward(live: &Live, watcher: zk::OneshotWatcher) -> Watch {
    let (mut sender, watch): (oneshot::Sender<()>, Watch) = Watch::channel();
    live.handle.spawn(async move {
        tokio::select! {
            _ = watcher.changed() => {}
            () = sender.closed() => return,
        }
        // Nobody may be waiting any more.
        let _unheard = sender.send(());
    });
    watch
}

impl ZkTree {
    /// One create, in its own request: it carries the stat of the new node on every server.
    async fn create_one(&self, live: &Live, deadline: Instant, op: &Op) -> Result<Vec<Done>, MultiError> {
        let Op::Create { path, data, mode: how, access } = op else {
            return self.transaction(live, deadline, std::slice::from_ref(op)).await;
        };
        let acl = self.shared.access.of(*access);
        let options = mode(*how).with_acls(zk::Acls::new(&acl));
        let (status, sequence) = self
            .write(deadline, live.client.create(path, data, &options))
            .await?
            .map_err(|error| translate(path, error))
            .map_err(|error| MultiError { index: (!error.is_retryable()).then_some(0), error })?;
        let path = if *how == Mode::PersistentSequential { format!("{path}{sequence}") } else { path.clone() };
        Ok(vec![Done::Created { path, stat: stat(&status) }])
    }

    async fn transaction(&self, live: &Live, deadline: Instant, ops: &[Op]) -> Result<Vec<Done>, MultiError> {
        let first = ops.first().map_or("/", Op::path);
        let invalid =
            |index: usize, error| MultiError { index: Some(index), error: translate(ops[index].path(), error) };
        let mut writer = live.client.new_multi_writer();
        for (index, op) in ops.iter().enumerate() {
            let added = match op {
                Op::Check { path, version } => writer.add_check_version(path, *version),
                Op::Create { path, data, mode: how, access } => {
                    let acl = self.shared.access.of(*access);
                    writer.add_create(path, data, &mode(*how).with_acls(zk::Acls::new(&acl)))
                }
                Op::Set { path, data, version } => writer.add_set_data(path, data, *version),
                Op::Delete { path, version } => writer.add_delete(path, *version),
            };
            added.map_err(|error| invalid(index, error))?;
        }
        let results = match self.write(deadline, writer.commit()).await? {
            Err(zk::MultiWriteError::RequestFailed { source }) => return Err(translate(first, source).into()),
            Err(zk::MultiWriteError::OperationFailed { index, source }) => {
                let path = ops.get(index).map_or(first, Op::path);
                return Err(MultiError { index: Some(index), error: translate(path, source) });
            }
            Ok(results) => results,
        };
        let mut done = Vec::with_capacity(results.len());
        for result in results {
            done.push(match result {
                zk::MultiWriteResult::Create { path, stat: of } => {
                    // Some servers answer a create inside a transaction without its stat.
                    let of = if of.is_invalid() {
                        let asked = self.write(deadline, live.client.check_stat(&path)).await?;
                        asked.map_err(|error| translate(&path, error))?.unwrap_or(of)
                    } else {
                        of
                    };
                    Done::Created { path, stat: stat(&of) }
                }
                zk::MultiWriteResult::SetData { stat: of } => Done::Set(stat(&of)),
                _ => Done::Done,
            });
        }
        Ok(done)
    }
}

#[async_trait]
impl Tree for ZkTree {
    async fn get(&self, path: &str) -> Result<Option<Node>, Error> {
        let answer = self.read(path, |live| async move { found(live.client.get_data(path).await) }).await?;
        Ok(answer.map(|(data, of)| Node { data, stat: stat(&of) }))
    }

    async fn stat(&self, path: &str) -> Result<Option<Stat>, Error> {
        let answer = self.read(path, |live| async move { live.client.check_stat(path).await }).await?;
        Ok(answer.map(|of| stat(&of)))
    }

    async fn children(&self, path: &str) -> Result<Option<Vec<String>>, Error> {
        let mut answer = self.read(path, |live| async move { found(live.client.list_children(path).await) }).await?;
        if let Some(names) = &mut answer {
            names.sort_unstable();
        }
        Ok(answer)
    }

    async fn multi(&self, ops: Vec<Op>) -> Result<Vec<Done>, MultiError> {
        check_ops(&ops)?;
        let deadline = self.shared.deadline();
        let live = self.shared.live(None, deadline).await?;
        match ops.as_slice() {
            [] => Ok(Vec::new()),
            [only] => self.create_one(&live, deadline, only).await,
            several => self.transaction(&live, deadline, several).await,
        }
    }

    async fn get_and_watch(&self, path: &str) -> Result<(Option<Node>, Watch), Error> {
        let ask = |live: Arc<Live>| async move {
            loop {
                if let Some((data, of, watcher)) = found(live.client.get_and_watch_data(path).await)? {
                    return Ok((Some(Node { data, stat: stat(&of) }), forward(&live, watcher)));
                }
                // It may come into being between the two requests: look again then.
                if let (None, watcher) = live.client.check_and_watch_stat(path).await? {
                    return Ok((None, forward(&live, watcher)));
                }
            }
        };
        self.read(path, ask).await
    }

    async fn children_and_watch(&self, path: &str) -> Result<(Option<Vec<String>>, Watch), Error> {
        let ask = |live: Arc<Live>| async move {
            loop {
                if let Some((mut names, watcher)) = found(live.client.list_and_watch_children(path).await)? {
                    names.sort_unstable();
                    return Ok((Some(names), forward(&live, watcher)));
                }
                if let (None, watcher) = live.client.check_and_watch_stat(path).await? {
                    return Ok((None, forward(&live, watcher)));
                }
            }
        };
        self.read(path, ask).await
    }

    async fn watch_tree(&self, path: &str) -> Result<mpsc::UnboundedReceiver<TreeChange>, Error> {
        check_path(path)?;
        self.shared.watch_tree(path).await
    }

    async fn sync(&self, path: &str) -> Result<(), Error> {
        self.read(path, |live| async move { live.client.sync(path).await }).await
    }

    fn session(&self) -> watch::Receiver<SessionState> {
        self.shared.state()
    }

    async fn close(&self) {
        self.shared.close().await;
    }
}
