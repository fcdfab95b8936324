//! The cluster under test, masters on it whose every call a test makes itself, and waiting with a bound.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use hadoop_yarn::client::{
    Allocated, ApplicationMaster, Heartbeat, NodeManager, NodeManagers, Outcome, ResourceManager, Start,
};
use hadoop_yarn::config::{Configuration, YarnConfig};
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::rpc::Authentication;
use hadoop_yarn::types::{
    ApplicationAttemptId, ApplicationId, ApplicationReport, Ask, Container, ContainerId, ContainerStatus,
    LaunchContext, Resource, Submission, Token,
};

/// How long anything may take on a busy machine.
pub(crate) const BOUND: Duration = Duration::from_secs(60);
/// The user who submits.
pub(crate) const USER: &str = "alice";

/// The daemons.
pub(crate) struct Cluster {
    pub(crate) directory: PathBuf,
    pub(crate) configuration: Configuration,
    pub(crate) config: YarnConfig,
    pub(crate) client: ResourceManager,
}

impl Cluster {
    pub(crate) fn under_test() -> anyhow::Result<Self> {
        let directory = std::env::var_os("MAAS_TEST_HADOOP")
            .map(PathBuf::from)
            .context("MAAS_TEST_HADOOP is not set: run scripts/test.sh yarn, or scripts/services/hadoop.sh start --dir DIR and set it to DIR")?;
        let configuration = Configuration::from_directory(&directory.join("conf"))?;
        let config = YarnConfig::new(&configuration)?;
        let client = ResourceManager::new(&config, Authentication::simple(USER));
        Ok(Self { directory, configuration, config, client })
    }

    /// `hadoop.sh VERB … --dir` this cluster's.
    pub(crate) async fn hadoop(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/services/hadoop.sh");
        let mut command = Command::new(script);
        command.args(arguments).arg("--dir").arg(&self.directory);
        let Output { status, stderr, .. } = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(status.success(), "hadoop.sh {arguments:?}: {}", String::from_utf8_lossy(&stderr));
        Ok(())
    }

    /// Submits an application whose master's process only sleeps, and makes the master's calls in its stead.
    pub(crate) async fn master(&self, name: &str, keep_containers: bool) -> anyhow::Result<Master<'_>> {
        let id = self.client.new_application().await?.id;
        let context = LaunchContext {
            commands: vec!["sleep 600 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr".to_owned()],
            ..LaunchContext::default()
        };
        let submission = Submission {
            keep_containers,
            max_attempts: Some(2),
            ..Submission::new(id, name, context, Resource::new(64, 1))
        };
        self.client.submit(&submission).await?;
        let mut master = Master::of(self, ApplicationAttemptId { application: id, attempt: 1 }).await?;
        master.register().await?;
        Ok(master)
    }

    pub(crate) async fn report_when(
        &self,
        id: ApplicationId,
        what: &str,
        wanted: impl Fn(&ApplicationReport) -> bool,
    ) -> anyhow::Result<ApplicationReport> {
        let began = Instant::now();
        loop {
            let report = self.client.report(id).await?;
            if wanted(&report) {
                return Ok(report);
            }
            ensure!(began.elapsed() < BOUND, "{id} is not {what} but {}: {}", report.state, report.diagnostics);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where a NodeManager keeps what an attempt's containers were given.
    fn container_directory(&self, id: ContainerId) -> PathBuf {
        self.directory.join(format!("nm1/local/usercache/{USER}/appcache/{}/{id}", id.attempt.application))
    }

    pub(crate) async fn master_container(&self, attempt: ApplicationAttemptId) -> anyhow::Result<ContainerId> {
        let began = Instant::now();
        loop {
            let attempts = self.client.attempts(attempt.application).await?;
            let found = attempts.iter().find(|report| report.id == attempt).and_then(|report| report.master_container);
            // Before the container is chosen its id is all zeros.
            if let Some(id) = found.filter(|id| id.attempt == attempt) {
                return Ok(id);
            }
            ensure!(began.elapsed() < BOUND, "{attempt} has no container: {attempts:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// An attempt's master. Its process sleeps; its token is read where the NodeManager put it.
pub(crate) struct Master<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) attempt: ApplicationAttemptId,
    pub(crate) token: Token,
    pub(crate) calls: ApplicationMaster,
    pub(crate) nodes: NodeManagers,
    /// Ends are told once, whoever asks.
    ended: Vec<ContainerStatus>,
}

impl<'a> Master<'a> {
    pub(crate) async fn of(cluster: &'a Cluster, attempt: ApplicationAttemptId) -> anyhow::Result<Self> {
        let container = cluster.master_container(attempt).await?;
        let file = cluster.container_directory(container).join("container_tokens");
        let began = Instant::now();
        let credentials = loop {
            match Credentials::read(&file) {
                Ok(credentials) if !credentials.is_empty() => break credentials,
                result => ensure!(began.elapsed() < BOUND, "{}: {result:?}", file.display()),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let token = credentials.of_kind(Token::AM_RM).context("a master's token")?.clone();
        ensure!(token.attempt() == Some(attempt), "the token is {:?}'s", token.attempt());
        let calls = ApplicationMaster::new(&cluster.config, token.clone());
        // The file is there before the ResourceManager knows that the process is.
        cluster.report_when(attempt.application, "launched", |report| report.attempt == Some(attempt)).await?;
        Ok(Self { cluster, attempt, token, calls, nodes: NodeManagers::new(&cluster.config), ended: Vec::new() })
    }

    pub(crate) async fn register(&mut self) -> anyhow::Result<hadoop_yarn::client::Registered> {
        let began = Instant::now();
        loop {
            match self.calls.register("localhost", None, "").await {
                Ok(registered) => {
                    self.nodes.keep(registered.node_tokens.clone());
                    return Ok(registered);
                }
                // Until it is told that the process runs, the ResourceManager does not know the attempt.
                Err(error) if error.is_attempt_over() && began.elapsed() < BOUND => {
                    tokio::time::sleep(Duration::from_millis(100)).await
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) async fn beat(&mut self, heartbeat: &Heartbeat) -> anyhow::Result<Allocated> {
        let answer = self.calls.allocate(heartbeat).await?;
        self.nodes.keep(answer.node_tokens.clone());
        self.ended.extend(answer.completed.iter().cloned());
        Ok(answer)
    }

    /// Asks for containers of a size, under an id, and waits until they are granted.
    pub(crate) async fn containers(
        &mut self,
        ask: i64,
        size: Resource,
        count: usize,
    ) -> anyhow::Result<Vec<Container>> {
        let mut heartbeat =
            Heartbeat { asks: vec![Ask::anywhere(ask, size, i32::try_from(count)?)], ..Heartbeat::default() };
        let mut granted = Vec::new();
        let began = Instant::now();
        while granted.len() < count {
            ensure!(began.elapsed() < BOUND, "{} of {count} were granted", granted.len());
            granted.extend(
                self.beat(&heartbeat)
                    .await?
                    .containers
                    .into_iter()
                    .filter(|container| container.allocation_request_id == Some(ask)),
            );
            heartbeat = Heartbeat::default();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(granted)
    }

    pub(crate) fn node(&self, container: &Container) -> anyhow::Result<NodeManager> {
        self.nodes.get(&container.node).context("no token for the node")
    }

    /// Starts a shell command in a container.
    pub(crate) async fn start(&self, container: &Container, command: &str) -> anyhow::Result<Outcome> {
        let context = LaunchContext {
            commands: vec![format!("{command} 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr")],
            ..LaunchContext::default()
        };
        let start = Start::new(container, context).context("no token")?;
        Ok(self.node(container)?.start(vec![start]).await?)
    }

    /// Starts `sleep` in a container and waits until its process is there.
    pub(crate) async fn sleep(&self, container: &Container) -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("there");
        let outcome = self.start(container, &format!("{{ touch {}; exec sleep 600; }}", file.display())).await?;
        ensure!(outcome.failed.is_empty(), "{outcome:?}");
        let began = Instant::now();
        while !file.exists() {
            ensure!(began.elapsed() < BOUND, "the process did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Waits until the ResourceManager tells of a container's end.
    pub(crate) async fn end_of(&mut self, id: ContainerId) -> anyhow::Result<ContainerStatus> {
        let began = Instant::now();
        while began.elapsed() < BOUND {
            if let Some(status) = self.ended.iter().find(|status| status.id == id) {
                return Ok(status.clone());
            }
            self.beat(&Heartbeat::default()).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{id} has not ended")
    }

    /// Ends the application however it is.
    pub(crate) async fn kill(self) -> anyhow::Result<()> {
        let began = Instant::now();
        while !self.cluster.client.kill(self.attempt.application, "the test is over").await? {
            ensure!(began.elapsed() < BOUND, "not killed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}
