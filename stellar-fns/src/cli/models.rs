//! Models for expressions of the command line: ZooKeeper is connected to when the first expression asks for one.
//!
//! Each call that gives null is a line on stderr. Calling is [`crate::maas`]'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use clap::Args;
use maas_cli::options::ZooKeeperOptions;
use maas_cli::{ErrorCode, Failure};
use maas_client::open;
use maas_client::tree::{self, SharedTree};
use maas_client::zk::{Credential, ZkOptions, ZkTree};
use serde_json::{Map as JsonMap, Value as Json};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::services::{ToStderr, globals};
use crate::maas::{self, Answer, Endpoint, ModelCall, ModelCaller, Models, Outcome, Report, Settings};

/// Where models are, and how they are called.
#[derive(Debug, Args)]
pub(super) struct ModelOptions {
    #[command(flatten)]
    zookeeper: ZooKeeperOptions,

    /// File with ZooKeeper's credentials, `user:password` on one line
    #[arg(long, global = true, value_name = "FILE")]
    zk_auth_file: Option<PathBuf>,

    /// A global.json; it says how models are called, and where databases, enrichments and services are
    #[arg(short = 'c', long = "globals", value_name = "FILE", global = true)]
    globals: Option<PathBuf>,
}

impl ModelOptions {
    /// The file with the global configuration, if one is given.
    pub(super) fn globals(&self) -> Option<&Path> {
        self.globals.as_deref()
    }

    /// What global.json says.
    pub(super) fn settings(&self) -> Result<Globals, Failure> {
        self.globals.as_deref().map(globals).transpose().map(Option::unwrap_or_default)
    }

    /// Models behind the ZooKeeper that is known, if one is, asked as these global settings say; nothing is connected to yet.
    pub(super) fn models(&self, globals: &Globals) -> Result<Option<Arc<ConnectOnDemand>>, Failure> {
        let settings = Settings::from_globals(globals)
            .map_err(|error| Failure::new(ErrorCode::BadConfig, "the global settings can't be used").because(&error))?;
        let address = match self.zookeeper.address() {
            Ok(address) => address,
            Err(failure) if failure.code() == ErrorCode::NoZookeeper => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let mut how = ZkOptions::command(&address.connect, self.zookeeper.timeout());
        if let Some(file) = &self.zk_auth_file {
            how.credential = Some(Credential::from_file(file).map_err(|error| tree_failure(&error))?);
        }
        let root = self.zookeeper.root()?;
        Ok(Some(Arc::new(ConnectOnDemand { how, root, settings, connected: OnceCell::new() })))
    }
}

/// The global settings by name.
pub(super) type Globals = JsonMap<String, Json>;

/// Models that are connected to by the first call.
#[derive(Debug)]
pub(super) struct ConnectOnDemand {
    how: ZkOptions,
    root: String,
    settings: Settings,
    connected: OnceCell<Result<Models, Failure>>,
}

impl ConnectOnDemand {
    /// Which ZooKeeper, and the configuration node in it.
    pub(super) fn place(&self) -> (ZkOptions, String) {
        (self.how.clone(), self.root.clone())
    }

    /// Why ZooKeeper could not be used, where one was asked for.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.connected.get().and_then(|connected| connected.as_ref().err().cloned())
    }

    async fn connected(&self) -> Result<&Models, maas::Failure> {
        self.connected.get_or_init(|| self.connect()).await.as_ref().map_err(|failure| maas::Failure {
            outcome: Outcome::NoZookeeper,
            model: None,
            version: None,
            message: failure.message().to_owned(),
        })
    }

    async fn connect(&self) -> Result<Models, Failure> {
        let tree: SharedTree = ZkTree::connect(self.how.clone()).await.map_err(|error| tree_failure(&error))?;
        let roots = open(&*tree, &self.root).await.map_err(|error| open_failure(&error))?;
        Models::new(Handle::current(), tree, roots, &self.settings, Box::new(ToStderr))
            .map_err(|error| cant_call(&error))
    }
}

#[async_trait]
impl ModelCaller for ConnectOnDemand {
    async fn endpoint(&self, name: &str, version: Option<&str>) -> Result<Endpoint, maas::Failure> {
        self.connected().await?.endpoint(name, version).await
    }

    fn known_endpoint(&self, name: &str, version: Option<&str>) -> Option<Result<Endpoint, maas::Failure>> {
        self.connected.get()?.as_ref().ok()?.known_endpoint(name, version)
    }

    async fn apply(&self, call: ModelCall) -> Result<Answer, maas::Failure> {
        self.connected().await?.apply(call).await
    }

    fn known_answer(&self, call: &ModelCall) -> Option<Answer> {
        self.connected.get()?.as_ref().ok()?.known_answer(call)
    }

    fn report(&self, function: &'static str, failure: &maas::Failure) {
        ToStderr.failed(function, failure);
    }

    fn detail(&self) -> bool {
        self.settings.detail
    }
}

fn cant_call(error: &std::io::Error) -> Failure {
    Failure::new(ErrorCode::Defect, "models can't be called from here").because(error)
}

fn open_failure(error: &maas_client::open::Error) -> Failure {
    match error {
        maas_client::open::Error::Tree { source, .. } => tree_failure(source),
        maas_client::open::Error::Config(error) => Failure::of(ErrorCode::ConfigNode, error),
    }
}

/// ZooKeeper's errors by code, as far as they can come from connecting and reading one node.
fn tree_failure(error: &tree::Error) -> Failure {
    let code = match error {
        tree::Error::OldServer { .. } => ErrorCode::ZookeeperTooOld,
        tree::Error::NoAuth { .. } => ErrorCode::NotPermitted,
        tree::Error::Invalid { .. } => ErrorCode::Usage,
        _ => ErrorCode::ZookeeperUnreachable,
    };
    Failure::of(code, error)
}
