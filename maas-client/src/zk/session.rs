//! The one session loop of every program: keeps a connection, gets it back, keeps the session while the server does.
//!
//! The loop runs as a task beside its [`super::ZkTree`] and publishes a [`Live`] connection for the calls. It leaves to
//! `tree` what a call means, and to callers what to do about an unknown outcome.

use super::acl::AccessLists;
use super::diagnose::{diagnose, version};
use super::options::{Servers, ZkOptions};
use super::worker::Worker;
use crate::tree::{Access, Error, SessionState, TreeChange};
use rand::RngExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, info, warn};
use zookeeper_client as zk;

/// Most time between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a service says that it has no connection.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How long a server is given to say what is wrong with it.
const ASK: Duration = Duration::from_secs(1);
/// How long closing may take before the connection is simply cut.
const CLOSING: Duration = Duration::from_secs(2);

/// A connection that calls can use.
pub(super) struct Live {
    pub(super) client: zk::Client,
    /// Where watches wait; they end with the connection.
    pub(super) handle: Handle,
}

/// A recursive watch, set again after every reconnection.
pub(super) struct TreeWatch {
    path: String,
    sender: mpsc::UnboundedSender<TreeChange>,
}

/// What the loop and the calls share.
pub(super) struct Shared {
    pub(super) options: ZkOptions,
    pub(super) access: AccessLists,
    servers: Servers,
    state: watch::Sender<SessionState>,
    live: Mutex<Option<Arc<Live>>>,
    trouble: Mutex<String>,
    watches: tokio::sync::Mutex<Vec<TreeWatch>>,
    closing: watch::Sender<bool>,
}

struct Connection {
    live: Arc<Live>,
    session: zk::SessionInfo,
    states: zk::StateWatcher,
    worker: Worker,
}

/// Why an attempt gave no connection.
enum Failed {
    /// The old session is over; try without it.
    Expired,
    /// Waiting will not help.
    Fatal(Error),
    /// Try again.
    Again(String),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(options: ZkOptions) -> Result<Arc<Shared>, Error> {
        let servers = Servers::parse(&options.connect)?;
        Ok(Arc::new(Shared {
            access: AccessLists::new(options.credential.as_ref()),
            servers,
            options,
            state: watch::channel(SessionState::Disconnected { id: 0 }).0,
            live: Mutex::new(None),
            trouble: Mutex::new("not connected yet".into()),
            watches: tokio::sync::Mutex::new(Vec::new()),
            closing: watch::channel(false).0,
        }))
    }

    pub(super) fn state(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    /// A connection to call on, other than `used`; waits for one until `deadline`.
    ///
    /// One that the library knows to be lost is not given out: what is handed to it then would be sent much later.
    pub(super) async fn live(&self, used: Option<&Arc<Live>>, deadline: Instant) -> Result<Arc<Live>, Error> {
        let mut state = self.state.subscribe();
        loop {
            if *self.closing.borrow() {
                return Err(Error::Unreachable { detail: "this session was closed".into() });
            }
            if let Some(live) = lock(&self.live).clone()
                && used.is_none_or(|used| !Arc::ptr_eq(used, &live))
                && live.client.state() == zk::SessionState::SyncConnected
            {
                return Ok(live);
            }
            if !matches!(timeout_at(deadline, state.changed()).await, Ok(Ok(()))) {
                return Err(Error::Unreachable { detail: lock(&self.trouble).clone() });
            }
        }
    }

    /// When a call that begins now has to end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.call_timeout
    }

    /// Asks the loop to end the session.
    pub(super) fn request_close(&self) {
        self.closing.send_replace(true);
    }

    /// Ends the session and waits for it, within a bound.
    pub(super) async fn close(&self) {
        self.request_close();
        let mut state = self.state.subscribe();
        let _closed_or_bound = timeout(CLOSING * 2, state.wait_for(|state| *state == SessionState::Closed)).await;
    }

    /// Adds a recursive watch, now and after every reconnection.
    pub(super) async fn watch_tree(&self, path: &str) -> Result<mpsc::UnboundedReceiver<TreeChange>, Error> {
        let live = self.live(None, self.deadline()).await?;
        let mut watches = self.watches.lock().await;
        let (sender, receiver) = mpsc::unbounded_channel();
        let watch = TreeWatch { path: path.to_string(), sender };
        match timeout(self.options.call_timeout, set_watch(&live, &watch)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(super::tree::translate(path, error)),
            Err(_) => return Err(Error::ConnectionLoss),
        }
        watches.retain(|watch| !watch.sender.is_closed());
        watches.push(watch);
        Ok(receiver)
    }

    /// Connects for the first time, then keeps the session in a task of its own until it is closed.
    pub(super) async fn start(self: &Arc<Self>) -> Result<(), Error> {
        let first = match self.options.connect_timeout {
            None => self.reconnect(None, true).await?,
            Some(limit) => {
                // The last part of the time is for asking each server what is wrong with it.
                let asking = ASK.min(limit / 3);
                match timeout(limit - asking, self.reconnect(None, true)).await {
                    Ok(connected) => connected?,
                    Err(_) => {
                        let (detail, _) = diagnose(&self.servers.each, asking).await;
                        return Err(Error::Unreachable { detail });
                    }
                }
            }
        };
        if let Err(error) = self.probe(&first).await {
            first.worker.end().await;
            return Err(error);
        }
        self.publish(&first).await;
        tokio::spawn(self.clone().keep(first));
        Ok(())
    }

    /// The loop.
    async fn keep(self: Arc<Self>, mut connection: Connection) {
        let mut closing = self.closing.subscribe();
        loop {
            tokio::select! {
                () = lost(&mut connection.states) => {}
                () = asked_to_close(&mut closing) => return self.end(connection).await,
            }
            let id = connection.session.id().0;
            // Callers fail or wait from here on; nobody gets this connection any more.
            lock(&self.live).take();
            *lock(&self.trouble) = "the connection was lost".into();
            self.state.send_replace(SessionState::Disconnected { id });
            info!(session = format!("{id:#x}"), "connection to ZooKeeper lost");
            let session = connection.session.clone();
            // First the worker, then the client: a living worker would answer the end of its client by closing the session.
            let Connection { live, worker, .. } = connection;
            worker.end().await;
            drop(live);
            connection = tokio::select! {
                connected = self.reconnect(Some(session), false) => match connected {
                    Ok(connected) => connected,
                    Err(error) => {
                        warn!(%error, "ZooKeeper session given up");
                        self.state.send_replace(SessionState::Closed);
                        return;
                    }
                },
                () = asked_to_close(&mut closing) => {
                    self.state.send_replace(SessionState::Closed);
                    return;
                }
            };
            self.publish(&connection).await;
        }
    }

    /// Makes a connection the one that calls use, and tells recursive watches to read again.
    async fn publish(&self, connection: &Connection) {
        let mut watches = self.watches.lock().await;
        watches.retain(|watch| !watch.sender.is_closed());
        let set = futures_util::future::join_all(watches.iter().map(|watch| set_watch(&connection.live, watch)));
        // One that could not be set means that this connection is lost again, which the loop sees next.
        match timeout(self.options.call_timeout, set).await {
            Ok(results) => {
                results.into_iter().filter_map(Result::err).for_each(|error| debug!(%error, "watch not set"))
            }
            Err(_) => debug!("watches not set in time"),
        }
        *lock(&self.live) = Some(connection.live.clone());
        self.state.send_replace(SessionState::Connected { id: connection.session.id().0 });
        for watch in watches.iter() {
            // A receiver that is gone is taken off at the next change of the list.
            let _unheard = watch.sender.send(TreeChange::Resync);
        }
    }

    /// Closes the session: its ephemeral nodes go at once.
    async fn end(&self, connection: Connection) {
        lock(&self.live).take();
        let Connection { live, worker, mut states, .. } = connection;
        // The library says goodbye to the server once nobody holds the client; calls in flight do for a moment.
        drop(live);
        let gone = async { while !states.state().is_terminated() && !states.changed().await.is_terminated() {} };
        if timeout(CLOSING, gone).await.is_err() {
            debug!("ZooKeeper session not closed in time; it will expire");
        }
        worker.end().await;
        self.state.send_replace(SessionState::Closed);
    }

    /// Tries until there is a connection: with the old session as long as the server has it, then with a new one.
    /// The first time of a command it ends as soon as every server refuses; only the first time a mistake is fatal.
    async fn reconnect(&self, mut session: Option<zk::SessionInfo>, first: bool) -> Result<Connection, Error> {
        let patient = !first || self.options.connect_timeout.is_none();
        let (mut attempt, mut told) = (0_u32, None::<Instant>);
        loop {
            if attempt > 0 {
                sleep(pause(attempt)).await;
            }
            match self.establish(session.clone()).await {
                Ok(connection) => return Ok(connection),
                Err(Failed::Expired) => {
                    info!("ZooKeeper session expired; a new one follows");
                    session = None;
                    attempt = 0;
                    continue;
                }
                Err(Failed::Fatal(error)) if first => return Err(error),
                Err(Failed::Fatal(error)) => *lock(&self.trouble) = error.to_string(),
                Err(Failed::Again(why)) => debug!(why, attempt, "no connection to ZooKeeper"),
            }
            if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                let (detail, all_refuse) = diagnose(&self.servers.each, ASK).await;
                if all_refuse && !patient {
                    return Err(Error::Unreachable { detail });
                }
                if patient {
                    warn!(detail, "ZooKeeper can't be reached, still trying");
                }
                *lock(&self.trouble) = detail;
                told = Some(Instant::now());
            }
            attempt = attempt.saturating_add(1);
        }
    }

    /// One attempt on all servers.
    async fn establish(&self, session: Option<zk::SessionInfo>) -> Result<Connection, Failed> {
        let worker =
            Worker::start().map_err(|error| Failed::Again(format!("no thread for the connection: {error}")))?;
        let silence = self.silence();
        let mut connector = zk::Client::connector()
            .with_session_timeout(self.options.session_timeout)
            .with_connection_timeout(silence)
            .with_fail_eagerly();
        if let Some(credential) = &self.options.credential {
            connector = connector.with_auth("digest", credential.to_line().as_bytes());
        }
        if let Some(session) = session {
            connector = connector.with_session(session);
        }
        let hosts = self.servers.hosts.clone();
        let count = u32::try_from(self.servers.each.len()).unwrap_or(u32::MAX);
        let connecting = worker.handle.spawn(async move { connector.connect(&hosts).await });
        let connected = match timeout(silence.saturating_mul(count.saturating_add(1)), connecting).await {
            Err(_) => Err(Failed::Again("no server answered in time".into())),
            Ok(Err(error)) => Err(Failed::Again(error.to_string())),
            Ok(Ok(Err(zk::Error::SessionExpired))) => Err(Failed::Expired),
            Ok(Ok(Err(zk::Error::AuthFailed))) => Err(Failed::Fatal(Error::Invalid {
                message: "ZooKeeper refused the credential; see --zk-auth-file".into(),
            })),
            Ok(Ok(Err(zk::Error::BadArguments(what)))) => Err(Failed::Fatal(Error::Invalid {
                message: format!("ZooKeeper address {:?}: {what}", self.options.connect),
            })),
            Ok(Ok(Err(error))) => Err(Failed::Again(error.to_string())),
            Ok(Ok(Ok(client))) => match timeout(self.options.call_timeout, self.prepare(client)).await {
                Ok(prepared) => prepared,
                Err(_) => Err(Failed::Again("connected, but no answer in time".into())),
            },
        };
        match connected {
            Ok(client) => {
                let (granted, asked) = (client.session_timeout(), self.options.session_timeout);
                let session = client.session().clone();
                info!(session = %session.id(), ?granted, ?asked, "connected to ZooKeeper");
                let states = client.state_watcher();
                let live = Arc::new(Live { client, handle: worker.handle.clone() });
                Ok(Connection { live, session, states, worker })
            }
            Err(failed) => {
                worker.end().await;
                Err(failed)
            }
        }
    }

    /// Below the chroot, and not behind what this program has seen before.
    async fn prepare(&self, client: zk::Client) -> Result<zk::Client, Failed> {
        let again = |error: zk::Error| Failed::Again(error.to_string());
        client.sync("/").await.map_err(again)?;
        let Some(chroot) = &self.servers.chroot else {
            return Ok(client);
        };
        if self.options.create_chroot {
            let acl = self.access.of(Access::Open);
            let options = zk::CreateMode::Persistent.with_acls(zk::Acls::new(&acl));
            match client.mkdir(chroot, &options).await {
                Ok(()) => {}
                Err(zk::Error::NoAuth) => {
                    if client.check_stat(chroot).await.map_err(again)?.is_none() {
                        return Err(Failed::Fatal(Error::NoAuth { path: chroot.clone() }));
                    }
                }
                Err(error) => return Err(again(error)),
            }
        }
        client
            .chroot(chroot.clone())
            .map_err(|_| Failed::Fatal(Error::Invalid { message: format!("chroot {chroot:?} is no path") }))
    }

    /// Servers before 3.6 know no recursive watches (and answer so).
    async fn probe(&self, connection: &Connection) -> Result<(), Error> {
        let client = &connection.live.client;
        let asked = timeout(self.options.call_timeout, client.watch("/maas-probe", zk::AddWatchMode::Persistent));
        match asked.await {
            Ok(Err(zk::Error::Unimplemented)) => {
                let found = version(&self.servers.each, ASK).await;
                Err(Error::OldServer { found: found.unwrap_or_else(|| "of an unknown version".into()) })
            }
            Ok(Err(zk::Error::ConnectionLoss) | Ok(_)) | Err(_) => Ok(()),
            Ok(Err(error)) => Err(super::tree::translate("/", error)),
        }
    }

    /// How long a server may be silent before its connection counts as lost.
    fn silence(&self) -> Duration {
        let usual = self.options.session_timeout * 2 / 5;
        match self.options.connect_timeout {
            None => usual,
            Some(limit) => {
                let each = limit / u32::try_from(self.servers.each.len()).unwrap_or(u32::MAX).max(1);
                usual.min(each).max(Duration::from_millis(500))
            }
        }
    }
}

/// Waits until the session shall end.
async fn asked_to_close(closing: &mut watch::Receiver<bool>) {
    // The sender lives as long as the loop that waits here.
    let _asked = closing.wait_for(|closing| *closing).await;
}

/// Waits until the library says that the connection is no more.
async fn lost(states: &mut zk::StateWatcher) {
    let mut state = states.state();
    while state == zk::SessionState::SyncConnected {
        state = states.changed().await;
    }
}

/// 100 ms, then doubling to [`LONGEST_PAUSE`], each with up to a fifth taken off by chance.
fn pause(attempt: u32) -> Duration {
    let pause = Duration::from_millis(50).saturating_mul(1 << attempt.min(8)).min(LONGEST_PAUSE);
    pause.mul_f64(rand::rng().random_range(0.8..=1.0))
}

/// Sets a recursive watch on one connection; a task on its worker passes changes on until either end is gone.
async fn set_watch(live: &Live, watch: &TreeWatch) -> Result<(), zk::Error> {
    let mut watcher = live.client.watch(&watch.path, zk::AddWatchMode::PersistentRecursive).await?;
    let sender = watch.sender.clone();
    live.handle.spawn(async move {
        loop {
            let event = tokio::select! {
                event = watcher.changed() => event,
                () = sender.closed() => return,
            };
            if event.event_type == zk::EventType::Session {
                if event.session_state.is_terminated() {
                    // Polled once more after this one, the watcher would panic.
                    return;
                }
            } else if sender.send(TreeChange::Path(event.path)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_never_more_than_a_second_apart() {
        assert!((1..100).map(pause).all(|pause| pause <= LONGEST_PAUSE && pause >= Duration::from_millis(80)));
    }
}
