//! What a container runs: the runner and the payload as files that its node fetches, and the order in the token file.
//!
//! The environment stays empty, and of the master's own tokens only those are handed on that containers may have.

use crate::launcher::Ask;
use hadoop_yarn::client::{NodeManager, Start};
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::rpc::{self, ExceptionKind};
use hadoop_yarn::types::{Container, LaunchContext, LocalResource, ResourceKind, ResourceUrl, Visibility};
use maas_client::config::Roots;
use maas_client::launch::{CREDENTIAL_SECRET, LAUNCH_SECRET, LaunchSpec};
use maas_client::reason::chain;
use maas_store::HdfsStore;
use maas_store::hdfs::SharedFile;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The runner in the container's directory.
const RUNNER: &str = "maas_runner";
/// The payload in the container's directory.
const PAYLOAD: &str = "payload";
/// The runner's output goes where the node collects logs, beside the model's.
const COMMAND: &str = "exec ./maas_runner run --dir . --container 1><LOG_DIR>/runner.stdout 2><LOG_DIR>/runner.stderr";
/// How often a node is asked that has not yet reported to a ResourceManager that restarted.
const TRIES: u32 = 20;
/// Between two of those.
const NOT_READY: Duration = Duration::from_millis(500);

/// What is the same for all instances.
#[derive(Clone)]
pub struct Options {
    /// ZooKeeper's connect string, chroot included.
    pub zookeeper: String,
    /// Session time-out of runners.
    pub session_timeout: Duration,
    /// Where queue, registry and state live.
    pub roots: Roots,
    /// The service's `-e`.
    pub service_env: BTreeMap<String, String>,
    /// The runners' ZooKeeper credential, as a line.
    pub credential_line: Option<String>,
    /// The file system, `hdfs://HOST:PORT`.
    pub file_system: String,
    /// The model store, in that file system.
    pub store: HdfsStore,
    /// The runner's program, in that file system.
    pub runner: SharedFile,
    /// The tokens that YARN gave the master's container.
    pub credentials: Credentials,
}

/// The files of a payload, each with its path inside it.
type Payload = Arc<Vec<(String, SharedFile)>>;

/// Makes launch contexts.
pub(super) struct Starter {
    options: Options,
    /// Payloads as files, by digest.
    payloads: Mutex<BTreeMap<String, Payload>>,
}

impl Starter {
    pub(super) fn new(options: Options) -> Starter {
        Starter { options, payloads: Mutex::default() }
    }

    /// Starts the instance in its container; the error is why it was not.
    pub(super) async fn start(&self, ask: &Ask, container: &Container, node: NodeManager) -> Result<(), String> {
        let files = self.payload_of(ask).await?;
        let context = self.context(ask, &files)?;
        let start = Start::new(container, context).ok_or("its container came without a token")?;
        for _ in 1..TRIES {
            let outcome =
                node.start(vec![start.clone()]).await.map_err(|error| self.explain(ask, container, &error))?;
            match outcome.failed.first() {
                None => return Ok(()),
                Some(failed) if failed.exception.kind() == ExceptionKind::NodeNotReady => {}
                Some(failed) => return Err(format!("{} refused it: {}", container.node, failed.exception)),
            }
            tokio::time::sleep(NOT_READY).await;
        }
        Err(format!("{} does not take containers yet", container.node))
    }

    fn explain(&self, ask: &Ask, container: &Container, error: &rpc::Error) -> String {
        // The next one looks anew at what lies in the store.
        self.payloads.lock().unwrap_or_else(PoisonError::into_inner).remove(&ask.digest);
        format!("{} could not be asked to start it: {}", container.node, chain(error))
    }

    async fn payload_of(&self, ask: &Ask) -> Result<Payload, String> {
        let known = |digest: &str| self.payloads.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
        if let Some(files) = known(&ask.digest) {
            return Ok(files);
        }
        let (store, digest) = (self.options.store.clone(), ask.digest.clone());
        let path = ask.store_path.parse().map_err(|error| format!("{}: {error}", ask.store_path))?;
        let found = tokio::task::spawn_blocking(move || store.payload_files(&path, &digest)).await;
        let found = found.map_err(|error| error.to_string())?.map_err(|error| chain(&error))?;
        let files = Arc::new(found.ok_or_else(|| format!("{} does not hold payload {}", ask.store_path, ask.digest))?);
        let mut payloads = self.payloads.lock().unwrap_or_else(PoisonError::into_inner);
        payloads.insert(ask.digest.clone(), files.clone());
        Ok(files)
    }

    /// What lies in the store may have changed since it was looked at.
    pub(super) fn forget_payload(&self, digest: &str) {
        self.payloads.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    fn context(&self, ask: &Ask, files: &[(String, SharedFile)]) -> Result<LaunchContext, String> {
        let resource = |file: &SharedFile| fetched(&self.options.file_system, file);
        let mut local_resources = BTreeMap::from([(RUNNER.to_string(), resource(&self.options.runner)?)]);
        for (name, file) in files {
            local_resources.insert(format!("{PAYLOAD}/{name}"), resource(file)?);
        }
        let mut credentials = self.options.credentials.for_containers();
        let order = serde_json::to_vec(&self.spec(ask)).map_err(|error| error.to_string())?;
        credentials.add_secret(LAUNCH_SECRET, order);
        if let Some(line) = &self.options.credential_line {
            credentials.add_secret(CREDENTIAL_SECRET, line.clone().into_bytes());
        }
        Ok(LaunchContext {
            local_resources,
            credentials: Some(credentials),
            commands: vec![COMMAND.to_string()],
            ..LaunchContext::default()
        })
    }

    fn spec(&self, ask: &Ask) -> LaunchSpec {
        let options = &self.options;
        LaunchSpec {
            id: ask.id.clone(),
            model: ask.model.clone(),
            zookeeper: options.zookeeper.clone(),
            session_timeout_ms: u64::try_from(options.session_timeout.as_millis()).unwrap_or(u64::MAX),
            roots: (&options.roots).into(),
            payload: PAYLOAD.into(),
            digest: ask.digest.clone(),
            resources: ask.resources.clone(),
            service_env: options.service_env.clone(),
            env: ask.env.clone(),
            secrets: ask.secrets.clone(),
            // The runner knows its node's name.
            advertise: String::new(),
            cgroup: None,
            gpu_indices: Vec::new(),
            credential_on_stdin: false,
            log_bytes: 8 << 20,
        }
    }
}

/// A file for a node to fetch: one copy for everybody where everybody may read it, else one for this application.
pub(crate) fn fetched(file_system: &str, file: &SharedFile) -> Result<LocalResource, String> {
    let url: ResourceUrl = format!("{file_system}{}", file.path).parse().map_err(|error| format!("{error}"))?;
    Ok(LocalResource {
        url,
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        timestamp: i64::try_from(file.modified_ms).unwrap_or(i64::MAX),
        kind: ResourceKind::File,
        visibility: if file.is_public { Visibility::Public } else { Visibility::Application },
    })
}
