//! A master in the foreground: settings become parts, parts are run together, signals and the stop node end them.

use super::announce::{Announcer, Line, note};
use super::signals::{Asked, Signals};
use super::state_dir::StateDir;
use super::yarn::Attempt;
use super::{entry, launcher, standby};
use crate::config::Config;
use crate::error::Error;
use crate::events::EventLog;
use crate::failpoint::Failpoints;
use crate::http::{self, App, LogAccess};
use crate::reconciler::{self, End, Identity, Master, Setup};
use crate::status_writer;
use crate::view::{Handle, View};
use maas_cli::exit;
use maas_client::config::Roots;
use maas_client::reason::plural;
use maas_client::tree::SharedTree;
use maas_client::zk::{ZkOptions, ZkTree};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the last status and journal may take, and closed connections.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs until a signal or the stop node ends it; as the master of a cluster's application when it is one.
pub(super) async fn run(mut config: Config, detached: bool, application: bool) -> Result<u8, Error> {
    if detached {
        // Fails only for a group's leader, which has its session's terminal to itself already.
        let _ = rustix::process::setsid();
    }
    note(&config.launcher.line);
    launcher::check(&config)?;
    let held = StateDir::hold(&config.state_dir)?;
    let mut signals = Signals::listen()?;
    let listener =
        TcpListener::bind(config.http).await.map_err(|source| Error::Listen { address: config.http, source })?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address: config.http, source })?;
    let logs = match config.http_open {
        true => LogAccess::Open,
        false => LogAccess::Token(held.token(config.http_token_file.as_deref())?.into()),
    };
    let attempt = if application { Some(Attempt::begin(&mut config, address).await?) } else { None };

    let connected = tokio::select! {
        connected = connect(&config) => Some(connected?),
        _ = signals.next() => None,
    };
    let Some((tree, roots)) = connected else {
        Announcer::new(&config, url_of(&config, address)).say(&Line::Stopped {
            reason: "asked to by a signal before ZooKeeper was reached".to_string(),
            instances: 0,
        });
        return Ok(exit::DONE);
    };

    let running = Running::start(&config, tree, roots, listener, address, logs, attempt.as_ref())?;
    let outcome = running.until_end(&config, &mut signals).await;
    if let (Some(attempt), Ok(Ended::InOrder)) = (attempt, &outcome) {
        attempt.finish("stopped with its models").await;
    }
    drop(held);
    outcome.map(|_| exit::DONE)
}

/// Tries for as long as it takes; the tree says every 10 s what is wrong.
async fn connect(config: &Config) -> Result<(SharedTree, Roots), Error> {
    let mut options = ZkOptions::new(config.zookeeper.clone());
    options.session_timeout = config.session_timeout;
    options.credential = config.credential.clone();
    let tree: SharedTree = ZkTree::connect(options).await.map_err(|source| Error::ZooKeeper {
        doing: format!("ZooKeeper {} can't be used; check -zq", config.zookeeper),
        source,
    })?;
    loop {
        match entry::read_roots(tree.as_ref(), &config.config_node).await {
            Ok(roots) => return Ok((tree, roots)),
            Err(Error::ZooKeeper { source, .. }) if source.is_retryable() => {
                tracing::warn!(error = %source, "the configuration node can't be read yet");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// How a master ended, when it was no failure.
enum Ended {
    /// By the stop node: nothing of it is to go on.
    InOrder,
    /// What runs is the next master's.
    Left,
}

/// Everything that runs.
struct Running {
    tree: SharedTree,
    handle: Handle,
    announcer: Announcer,
    master: tokio::task::JoinHandle<Result<End, reconciler::Error>>,
    /// Ends the master; models run on.
    leave: CancellationToken,
    /// Ends what surrounds it, after it.
    rest: CancellationToken,
    tasks: TaskTracker,
    /// Another attempt has taken its place: nothing may be touched any more.
    over: CancellationToken,
}

impl Running {
    fn start(
        config: &Config,
        tree: SharedTree,
        roots: Roots,
        listener: TcpListener,
        address: SocketAddr,
        logs: LogAccess,
        attempt: Option<&Attempt>,
    ) -> Result<Running, Error> {
        let policy = config.policy.clone();
        let (master, handle, outbox) = Master::new(Setup {
            tree: tree.clone(),
            roots: roots.clone(),
            launcher: launcher::of(config, &roots, attempt)?,
            payloads: launcher::payloads(config)?,
            world_registers: config.metron_runners,
            identity: identity(config, address, attempt),
            policy: policy.clone(),
            failpoints: Failpoints::default(),
        });
        let (leave, rest, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let log = Arc::new(EventLog::default());
        tasks.spawn(status_writer::run(tree.clone(), roots.clone(), handle.clone(), outbox, log.clone(), rest.clone()));
        let name = format!("{}:{}", config.advertise, std::process::id());
        tasks.spawn(standby::show(tree.clone(), roots.clone(), handle.clone(), name, rest.clone()));
        let app = App::new(http::Setup {
            handle: handle.clone(),
            events: log,
            tree: tree.clone(),
            roots,
            zookeeper: config.zookeeper.clone(),
            logs,
            names: vec![config.advertise.clone(), maas_cli::who::host_name()],
            policy,
        });
        let service = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
        let http_ends = rest.clone();
        tasks.spawn(async move {
            // Accepting goes on for as long as the process does; axum itself retries what fails.
            tokio::select! {
                _ = axum::serve(listener, service) => {}
                () = http_ends.cancelled() => {}
            }
        });
        let announcer = Announcer::new(config, url_of(config, address));
        let master = tokio::spawn(master.run(leave.clone()));
        let over = attempt.map_or_else(CancellationToken::new, Attempt::over);
        Ok(Running { tree, handle, announcer, master, leave, rest, tasks, over })
    }

    async fn until_end(mut self, config: &Config, signals: &mut Signals) -> Result<Ended, Error> {
        let mut views = self.handle.watch();
        let mut reason = "asked to by a signal".to_string();
        let ended = loop {
            tokio::select! {
                ended = &mut self.master => break ended,
                asked = signals.next() => self.obey(asked, &mut reason),
                () = self.over.cancelled() => {
                    self.master.abort();
                    return Ok(Ended::Left);
                }
                changed = views.changed() => {
                    if changed.is_ok() {
                        let view = views.borrow_and_update().clone();
                        self.announcer.role(&view);
                    } else {
                        // The master has ended: its outcome is about to come.
                        break (&mut self.master).await;
                    }
                }
            }
        };
        let instances = running_instances(&self.handle.view());
        self.rest.cancel();
        self.tasks.close();
        if tokio::time::timeout(LAST_WORDS, self.tasks.wait()).await.is_err() {
            tracing::warn!("status or journal could not be written to the end");
        }
        self.tree.close().await;
        let how = match ended {
            Ok(Ok(End::Shutdown)) => Ended::Left,
            Ok(Ok(End::StopNode)) => {
                reason = "asked to by maas_service stop".to_string();
                Ended::InOrder
            }
            Ok(Err(reconciler::Error::NewerFormat { found, known })) => {
                return Err(Error::NewerFormat { found, known });
            }
            Ok(Err(reconciler::Error::UnreadableFormat { path, source })) => {
                return Err(Error::UnreadableFormat { path, source });
            }
            Ok(Err(reconciler::Error::Tree(source))) => {
                return Err(Error::ZooKeeper { doing: format!("ZooKeeper {} refuses", config.zookeeper), source });
            }
            Ok(Err(error)) => return Err(Error::Master(Box::new(error))),
            Err(error) => return Err(Error::Master(Box::new(error))),
        };
        self.announcer.say(&Line::Stopped { reason, instances });
        Ok(how)
    }

    fn obey(&self, asked: Asked, reason: &mut String) {
        let view = self.handle.view();
        let running = running_instances(&view);
        let whom = plural(running, "instance");
        match asked {
            Asked::StopModels if view.leading().is_some() && running > 0 => {
                note(&format!(
                    "draining and stopping {whom}; Ctrl-C again within 3 s leaves them running. What is wanted stays: the next master starts them again"
                ));
                *reason = "models drained and stopped after Ctrl-C".to_string();
                self.handle.stop_models(true);
            }
            Asked::StopModels | Asked::Leave => {
                if matches!(asked, Asked::Leave) && running > 0 {
                    note(&format!("leaving {whom} running; the next master adopts them"));
                }
                *reason = "asked to by a signal".to_string();
                self.handle.stop_models(false);
                self.leave.cancel();
            }
            Asked::Again => note(&format!("still stopping {whom}; SIGTERM leaves them running")),
        }
    }
}

/// Instances that run on when the master ends now.
fn running_instances(view: &View) -> u64 {
    view.observed.instances.values().filter(|instance| !instance.process.is_gone()).count() as u64
}

fn url_of(config: &Config, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("http://{}", http_host(&config.advertise, address.port()));
    }
    format!("http://{address}")
}

/// An IPv6 address needs brackets in a url.
pub(super) fn http_host(host: &str, port: u16) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]:{port}"),
        Err(_) => format!("{host}:{port}"),
    }
}

fn identity(config: &Config, address: SocketAddr, attempt: Option<&Attempt>) -> Identity {
    let local = match address.ip() {
        ip if ip.is_unspecified() && ip.is_ipv6() => format!("http://[::1]:{}", address.port()),
        ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        _ => format!("http://{address}"),
    };
    Identity {
        host: config.advertise.clone(),
        http: (!address.ip().is_loopback()).then(|| url_of(config, address)),
        http_local: Some(local),
        store: config.store.clone(),
        attempt: attempt.map(Attempt::identity),
    }
}
