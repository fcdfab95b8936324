//! The heartbeat: registers the attempt, tells the ResourceManager what is asked for and given back, and takes in its
//! answers. It never waits for a pass of the reconciler.
//!
//! What it hears is kept in the [book](super::book), statuses above all: each is told only once.

use super::book::Book;
use super::spread::Spread;
use super::waits::Cluster;
use crate::clock::wall_time;
use hadoop_yarn::client::{ApplicationMaster, NodeManagers, Registered, ResourceManager};
use hadoop_yarn::config::YarnConfig;
use hadoop_yarn::rpc::{self, ExceptionKind};
use hadoop_yarn::types::{FinalStatus, NodeState, Token};
use maas_client::reason::chain;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between heartbeats when nothing is waited for.
const CALM: Duration = Duration::from_secs(1);
/// Between heartbeats while a grant is waited for.
const EAGER: Duration = Duration::from_millis(100);
/// After a call that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// Between looks at nodes and queue while something waits, and else.
const LOOKS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));
/// After registering, nodes have this long to tell what runs on them. A ResourceManager that has just restarted hears it
/// from each of them.
const SETTLES: Duration = Duration::from_secs(60);
/// The same where this attempt is new and the ResourceManager is not: the register call's answer has them all, and the
/// first heartbeats bring what ended meanwhile.
const SETTLES_SOON: Duration = Duration::from_secs(15);

/// Why an attempt can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token that YARN gave the container is of no attempt.
    #[error("the application master's token names no attempt; was this program started by YARN?")]
    NoAttempt,
    /// The first call failed.
    #[error("the ResourceManager did not take the registration")]
    Register(#[source] rpc::Error),
    /// The last call failed.
    #[error("the ResourceManager was not told of the end")]
    Finish(#[source] rpc::Error),
    /// The attempt is over.
    #[error("this attempt is over, another one has taken its place")]
    Over,
}

/// What heartbeat and launcher share.
pub(super) struct Shared {
    book: Mutex<Book>,
    nodes: Mutex<NodeManagers>,
    changed: watch::Sender<u64>,
    /// The book has something new to tell the ResourceManager.
    news: Notify,
    over: CancellationToken,
}

impl Shared {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn nodes(&self) -> MutexGuard<'_, NodeManagers> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next heartbeat does not wait.
    pub(super) fn tell(&self) {
        self.news.notify_one();
    }

    pub(super) fn say_changed(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

struct Finish {
    status: FinalStatus,
    words: String,
    done: oneshot::Sender<Result<(), Error>>,
}

/// A registered attempt whose heart beats until it is dropped or over.
pub struct Heart {
    shared: Arc<Shared>,
    finish: mpsc::Sender<Finish>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Heart {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Heart {
    /// Registers the attempt that the token was given to. `page` is the address that YARN's proxy leads to; with `cluster`
    /// nodes and queue are looked at, so that it can be said what is short.
    pub async fn begin(
        config: &YarnConfig,
        token: Token,
        host: &str,
        page: &str,
        cluster: Option<ResourceManager>,
    ) -> Result<Heart, Error> {
        let attempt = token.attempt().ok_or(Error::NoAttempt)?;
        let mut master = ApplicationMaster::new(config, token);
        let registered = match master.register(host, None, page).await {
            Ok(registered) => registered,
            Err(error) if error.is_attempt_over() => return Err(Error::Over),
            Err(error) => return Err(Error::Register(error)),
        };
        tracing::info!(%attempt, queue = registered.queue, kept = registered.containers.len(), "registered");
        let mut nodes = NodeManagers::new(config);
        nodes.keep(registered.node_tokens.iter().cloned());
        let shared = Arc::new(Shared {
            book: Mutex::new(Book::new(
                attempt,
                &registered,
                Spread::new(config.ports_in_node_names),
                config.minimum.clone(),
            )),
            nodes: Mutex::new(nodes),
            changed: watch::channel(0).0,
            news: Notify::new(),
            over: CancellationToken::new(),
        });
        let (finish, finishes) = mpsc::channel(1);
        let queue = registered.queue.clone();
        let beat = Beat {
            master,
            shared: shared.clone(),
            host: host.to_string(),
            page: page.to_string(),
            settles: Some(Instant::now() + SETTLES_SOON),
        };
        let mut tasks = vec![tokio::spawn(beat.run(finishes))];
        if let Some(cluster) = cluster {
            tasks.push(tokio::spawn(look(cluster, queue, shared.clone())));
        }
        Ok(Heart { shared, finish, tasks })
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Cancelled when YARN says that this attempt is over: then nothing may be touched any more.
    pub fn over(&self) -> CancellationToken {
        self.shared.over.clone()
    }

    /// Says how the application ended. Whoever calls this ends at once after it.
    pub async fn finish(&self, status: FinalStatus, words: &str) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        if self.finish.send(Finish { status, words: words.to_string(), done }).await.is_err() {
            return Err(Error::Over);
        }
        answer.await.unwrap_or(Err(Error::Over))
    }
}

struct Beat {
    master: ApplicationMaster,
    shared: Arc<Shared>,
    host: String,
    page: String,
    /// When all that runs has been told.
    settles: Option<Instant>,
}

impl Beat {
    async fn run(mut self, mut finishes: mpsc::Receiver<Finish>) {
        loop {
            if self.settles.is_some_and(|at| Instant::now() >= at) {
                self.settles = None;
                self.shared.book().settle();
                self.shared.say_changed();
            }
            let heartbeat = self.shared.book().heartbeat(wall_time());
            let answer = tokio::select! {
                answer = self.master.allocate(&heartbeat) => answer,
                finish = finishes.recv() => return self.finish(finish).await,
            };
            let pause = match answer {
                Ok(answer) => {
                    self.shared.nodes().keep(answer.node_tokens.clone());
                    let (changed, waits) = {
                        let mut book = self.shared.book();
                        (book.answered(&answer, wall_time()), book.is_waiting())
                    };
                    if changed {
                        self.shared.say_changed();
                    }
                    if waits { EAGER } else { CALM }
                }
                Err(error) if error.is_not_registered() => self.register_again().await,
                Err(error) if error.is_attempt_over() => return self.end(&error),
                Err(error) => {
                    self.failed(&error);
                    AGAIN
                }
            };
            let began = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // What is news may be followed by more: one heartbeat takes all of it.
                () = self.shared.news.notified() => tokio::time::sleep_until(began + EAGER.min(pause)).await,
                finish = finishes.recv() => return self.finish(finish).await,
            }
        }
    }

    async fn register_again(&mut self) -> Duration {
        tracing::warn!("the ResourceManager has restarted; registering again");
        match self.master.register(&self.host, None, &self.page).await {
            Ok(registered) => {
                let Registered { node_tokens, .. } = &registered;
                self.shared.nodes().keep(node_tokens.iter().cloned());
                self.shared.book().registered_again(&registered);
                self.settles = Some(Instant::now() + SETTLES);
                self.shared.say_changed();
                Duration::ZERO
            }
            Err(error) => {
                if error.is_attempt_over() {
                    self.end(&error);
                } else {
                    tracing::warn!(error = %chain(&error), "can't register again yet");
                }
                AGAIN
            }
        }
    }

    fn failed(&self, error: &rpc::Error) {
        match error.kind() {
            Some(ExceptionKind::InvalidResourceRequest | ExceptionKind::InvalidLabel) => {
                tracing::warn!(error = %chain(error), "an ask was refused");
                self.shared.book().refused(&chain(error));
                self.shared.say_changed();
            }
            _ => tracing::warn!(error = %chain(error), "the heartbeat failed"),
        }
    }

    fn end(&self, error: &rpc::Error) {
        tracing::error!(error = %chain(error), "YARN says that this attempt is over");
        self.shared.over.cancel();
    }

    async fn finish(mut self, finish: Option<Finish>) {
        let Some(Finish { status, words, done }) = finish else { return };
        let mut outcome = self.master.finish(status, &words, "").await;
        // Only a registered one may say that it is done, and a ResourceManager that has restarted forgot that we are.
        if outcome.as_ref().is_err_and(rpc::Error::is_not_registered) {
            outcome = match self.master.register(&self.host, None, &self.page).await {
                Ok(_) => self.master.finish(status, &words, "").await,
                Err(error) => Err(error),
            };
        }
        let outcome = match outcome {
            Ok(()) => Ok(()),
            Err(error) if error.is_attempt_over() => Err(Error::Over),
            Err(error) => Err(Error::Finish(error)),
        };
        // Whoever asked may be gone already.
        let _ = done.send(outcome);
    }
}

/// Looks at the cluster now and then, and more often while something waits.
async fn look(cluster: ResourceManager, queue: String, shared: Arc<Shared>) {
    loop {
        match seen(&cluster, &queue, &shared).await {
            Ok(seen) => {
                shared.book().see(seen);
                shared.tell();
                shared.say_changed();
            }
            Err(error) => tracing::warn!(error = %chain(&error), "nodes and queue can't be looked at"),
        }
        let pause = if shared.book().anything_waits() { LOOKS.0 } else { LOOKS.1 };
        tokio::time::sleep(pause).await;
    }
}

async fn seen(cluster: &ResourceManager, queue: &str, shared: &Shared) -> Result<Cluster, rpc::Error> {
    let nodes = cluster.nodes(&[NodeState::Running]).await?;
    let queue = cluster.queue(queue).await?;
    let book = shared.book();
    Ok(Cluster { nodes, queue, used: book.held(), ..book.cluster().clone() })
}
