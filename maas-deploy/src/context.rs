//! What every verb starts from: the options all verbs share, and the connection to ZooKeeper they make on demand.
//!
//! Verbs take a [`Cluster`], which stands on any tree; only [`Context::connect`] knows of a real server.

use crate::error::Error;
use crate::http::{Api, BaseUrl};
use maas_cli::options::{LogOptions, ZooKeeperOptions};
use maas_cli::who;
use maas_cli::{ErrorCode, Failure};
use maas_client::config::Roots;
use maas_client::state::{self, Leader};
use maas_client::tree::{SharedTree, TreeExt};
use maas_client::zk::{Credential, ZkOptions, ZkTree};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Options of every verb.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Globals {
    #[command(flatten)]
    pub(crate) zookeeper: ZooKeeperOptions,

    #[command(flatten)]
    pub(crate) log: LogOptions,

    /// One JSON document on stdout (one a line for streams) in place of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Ask this master directly, e.g. http://node7:8080; else $MAAS_HTTP, else the leader that ZooKeeper names
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) http: Option<String>,

    /// File with the bearer token for a master's logs; else $MAAS_HTTP_TOKEN_FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) http_token_file: Option<PathBuf>,

    /// File with ZooKeeper's credentials, `user:password` on one line
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) zk_auth_file: Option<PathBuf>,
}

/// The options of every verb, with what follows from them.
pub(crate) struct Context {
    /// As given.
    pub(crate) globals: Globals,
    /// Connections that were made.
    opened: Mutex<Vec<SharedTree>>,
}

impl Context {
    /// What follows from these options.
    pub(crate) fn new(globals: Globals) -> Context {
        Context { globals, opened: Mutex::default() }
    }

    /// Closes the connections that were made, so that no session is left for the server to expire.
    pub(crate) async fn close(&self) {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for tree in opened {
            tree.close().await;
        }
    }

    /// Whether JSON was asked for.
    pub(crate) fn json(&self) -> bool {
        self.globals.json
    }

    /// The master named by `--http` or `$MAAS_HTTP`.
    pub(crate) fn named_master(&self) -> Result<Option<Api>, Error> {
        let named = match &self.globals.http {
            Some(url) => Some((url.clone(), "--http")),
            None => std::env::var("MAAS_HTTP").ok().filter(|url| !url.trim().is_empty()).map(|url| (url, "$MAAS_HTTP")),
        };
        let Some((url, source)) = named else { return Ok(None) };
        let base = BaseUrl::parse(&url).map_err(|error| {
            Failure::new(ErrorCode::Usage, format!("{source} {url:?} is no http://HOST:PORT")).because(&error)
        })?;
        Ok(Some(Api::new(base, self.token()?)))
    }

    fn token(&self) -> Result<Option<String>, Error> {
        let file = match &self.globals.http_token_file {
            Some(file) => file.clone(),
            None => match std::env::var_os("MAAS_HTTP_TOKEN_FILE") {
                Some(file) if !file.is_empty() => PathBuf::from(file),
                _ => return Ok(None),
            },
        };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::new(ErrorCode::BadConfig, format!("the token file {} can't be read", file.display()))
                .because(&error)
        })?;
        Ok(Some(text.trim().to_string()))
    }

    /// Connects to ZooKeeper and reads the configuration node.
    pub(crate) async fn connect(&self) -> Result<Cluster, Error> {
        let options = &self.globals.zookeeper;
        let address = options.address()?;
        let root = options.root()?;
        let mut how = ZkOptions::command(&address.connect, options.timeout());
        if let Some(file) = &self.globals.zk_auth_file {
            how.credential = Some(Credential::from_file(file)?);
        }
        let tree: SharedTree = ZkTree::connect(how).await?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(tree.clone());
        Cluster::open(tree, &address.connect, &root).await
    }

    /// The master's HTTP: the one named, else the leader's.
    pub(crate) async fn master(&self, cluster: Option<&Cluster>) -> Result<Api, Error> {
        if let Some(api) = self.named_master()? {
            return Ok(api);
        }
        match cluster {
            Some(cluster) => cluster.master(self.token()?).await,
            None => self.connect().await?.master(self.token()?).await,
        }
    }
}

/// A connection, and where things are in it.
pub(crate) struct Cluster {
    /// ZooKeeper.
    pub(crate) tree: SharedTree,
    /// Where queue, registry and state live.
    pub(crate) roots: Roots,
    /// The connect string, for messages.
    pub(crate) zookeeper: String,
}

impl Cluster {
    /// Reads the configuration node at `config`.
    pub(crate) async fn open(tree: SharedTree, zookeeper: &str, config: &str) -> Result<Cluster, Error> {
        let node = tree.get(config).await?;
        let roots = Roots::from_node(config, node.as_ref().map(|node| node.data.as_slice()))
            .map_err(|error| Failure::of(ErrorCode::ConfigNode, &error))?;
        Ok(Cluster { tree, roots, zookeeper: zookeeper.to_string() })
    }

    /// The leader, if one leads.
    pub(crate) async fn leader(&self) -> Result<Option<Leader>, Error> {
        Ok(self.tree.get_json(&self.roots.leader()).await?.and_then(|(leader, _)| leader.ok()))
    }

    /// What the last leader said about the cluster.
    pub(crate) async fn said(&self) -> Result<Option<state::Cluster>, Error> {
        Ok(self.tree.get_json(&self.roots.cluster()).await?.and_then(|(cluster, _)| cluster.ok()))
    }

    /// Whether a master of ours has ever led here: only then a request may carry more than Metron's six keys.
    pub(crate) async fn is_ours(&self) -> Result<bool, Error> {
        Ok(self.tree.get(&self.roots.epoch()).await?.is_some())
    }

    /// Whether requests wait in the queue.
    pub(crate) async fn has_queued(&self) -> Result<bool, Error> {
        Ok(self.tree.children(&self.roots.queue).await?.is_some_and(|children| !children.is_empty()))
    }

    /// The leader's HTTP.
    pub(crate) async fn master(&self, token: Option<String>) -> Result<Api, Error> {
        let Some(leader) = self.leader().await? else {
            return Err(Error::say(
                ErrorCode::NoMaster,
                format!("no master leads at {}; start one with maas_service", self.zookeeper),
            ));
        };
        let here = who::host_name();
        let url = reachable_address(&leader, &here).ok_or_else(|| {
            Failure::new(
                ErrorCode::MasterUnreachable,
                format!(
                    "the master's HTTP listens on {} only; run this there, or start maas_service with --http ADDR:PORT",
                    leader.host
                ),
            )
        })?;
        let base = BaseUrl::parse(url).map_err(|error| {
            Failure::new(ErrorCode::MasterUnreachable, format!("the leader gives {url:?} as its address"))
                .because(&error)
        })?;
        Ok(Api::new(base, token))
    }
}

/// Which of the leader's addresses can be reached from the host called `here`.
fn reachable_address<'a>(leader: &'a Leader, here: &str) -> Option<&'a str> {
    let same = who::is_this_host(&leader.host, here);
    let local = leader.http_local.as_deref();
    if same { local.or(leader.http.as_deref()) } else { leader.http.as_deref() }
}

/// Says something on stderr that is no error.
pub(crate) fn note(text: impl AsRef<str>) {
    // Nothing can be said about a stderr that can't be written to.
    let _ = writeln!(std::io::stderr().lock(), "{}", without_controls(text.as_ref()));
}

/// A text in which nothing moves a terminal's cursor: parts of it may be another's, such as names of files.
fn without_controls(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => plain.push(character),
            character if character.is_control() => plain.extend(character.escape_default()),
            character => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_does_not_move_the_cursor() {
        assert_eq!(without_controls("a\u{1b}[2Jé\n\tb\r"), "a\\u{1b}[2Jé\n\tb\\r");
    }

    #[test]
    fn a_loopback_address_is_used_on_the_leaders_own_host_only() {
        let mut leader = Leader {
            epoch: 1,
            host: "node7.example.com".into(),
            pid: 1,
            http: None,
            http_local: Some("http://127.0.0.1:9".into()),
            version: "0".into(),
            since: jiff::Timestamp::UNIX_EPOCH,
            application: None,
            attempt: None,
        };
        assert_eq!(reachable_address(&leader, "node7"), Some("http://127.0.0.1:9"));
        assert_eq!(reachable_address(&leader, "node8"), None);
        leader.http = Some("http://node7.example.com:9".into());
        assert_eq!(reachable_address(&leader, "node8"), Some("http://node7.example.com:9"));
        leader.host = "127.0.0.1".into();
        leader.http = None;
        assert_eq!(reachable_address(&leader, "node8"), Some("http://127.0.0.1:9"));
    }
}
