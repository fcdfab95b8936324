//! A master under test: started, watched, killed, paused and started again.

use crate::command::clean;
use crate::programs::program;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// How long a master may take to say something it is waited for.
const BOUND: Duration = Duration::from_secs(60);

/// How a master is started. [`crate::Site::options`] fills in the usual.
#[derive(Debug, Clone)]
pub struct MasterOptions {
    /// Connect string.
    pub connect: String,
    /// Home directory, for settings and logs.
    pub home: PathBuf,
    /// Its state directory.
    pub state_dir: PathBuf,
    /// The model store's directory.
    pub store: PathBuf,
    /// The failpoint to abort at.
    pub crash_at: Option<String>,
    /// Session time-out asked for, ms: short, so that tests needn't wait long for a killed leader's session.
    pub session_timeout_ms: u64,
    /// What models may use.
    pub capacity: String,
    /// More options.
    pub args: Vec<String>,
    /// More environment.
    pub env: Vec<(String, String)>,
}

/// A running (or killed) master.
#[derive(Debug)]
pub struct Master {
    child: Child,
    events: watch::Receiver<Vec<Value>>,
    log: PathBuf,
    /// Its process id.
    pub pid: u32,
}

impl Master {
    /// Starts the program and returns at once.
    pub async fn spawn(options: &MasterOptions) -> Result<Master> {
        tokio::fs::create_dir_all(&options.state_dir).await?;
        let settings = options.home.join(format!("service-{}.toml", uuid::Uuid::new_v4()));
        tokio::fs::write(&settings, format!("session_timeout_ms = {}\n", options.session_timeout_ms)).await?;
        let log = options.home.join(format!("master-{}.log", uuid::Uuid::new_v4()));
        let mut command = Command::new(program("maas_service")?);
        clean(&mut command, &options.home);
        command.args([
            "-zq",
            &options.connect,
            "--on",
            "local",
            "--json",
            "--http",
            "127.0.0.1:0",
            "--advertise",
            "127.0.0.1",
        ]);
        command.arg("--config").arg(&settings).arg("--state-dir").arg(&options.state_dir);
        command.args(["--store", &format!("file://{}", options.store.display()), "--capacity", &options.capacity]);
        command.args(&options.args).envs(options.env.iter().cloned());
        if let Some(name) = &options.crash_at {
            command.env("MAAS_CRASH_AT", name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        let mut child = command.spawn().context("can't start maas_service")?;
        let pid = child.id().context("a process just started has an id")?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let (sender, events) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                sender.send_modify(|all: &mut Vec<Value>| all.push(event));
            }
        });
        Ok(Master { child, events, log, pid })
    }

    /// Starts it and waits until it leads.
    pub async fn start(options: &MasterOptions) -> Result<Master> {
        let mut master = Master::spawn(options).await?;
        master.ready().await?;
        Ok(master)
    }

    /// Waits until it leads, and gives the event: `http`, `epoch`, `pid`.
    pub async fn ready(&mut self) -> Result<Value> {
        self.event("ready").await
    }

    /// Waits for an event of this kind, the last one when it came more than once.
    pub async fn event(&mut self, kind: &str) -> Result<Value> {
        let is_wanted = |event: &&Value| event["event"] == kind;
        let mut events = self.events.clone();
        let seen = tokio::time::timeout(BOUND, events.wait_for(|all| all.iter().any(|event| is_wanted(&event)))).await;
        match seen {
            Ok(Ok(all)) => Ok(all.iter().rfind(is_wanted).cloned().context("an event that was just seen")?),
            Ok(Err(_)) => bail!("the master ended before it said {kind}: {}", self.tail()),
            Err(_) => bail!("the master did not say {kind} in {BOUND:?}: {}", self.tail()),
        }
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.borrow().clone()
    }

    /// The HTTP address it said.
    pub async fn http(&mut self) -> Result<String> {
        let ready = self.ready().await?;
        Ok(ready["http"].as_str().context("ready has http")?.trim_end_matches('/').to_string())
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid)?).context("a process id is positive")?;
        kill_process(pid, signal).context("can't signal the master")
    }

    /// Kills it as a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("can't kill the master")
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let status = tokio::time::timeout(BOUND, self.child.wait()).await;
        Ok(status.with_context(|| format!("the master did not end in {BOUND:?}: {}", self.tail()))??)
    }

    /// Ends it as an operator would; its models go on.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended().await
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}
