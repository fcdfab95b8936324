//! TRY: runs a scratch copy of a model directory here, with no ZooKeeper and no master, and calls it.
//!
//! The very `maas_runner` that a master would start does the work: the same checks, environment, limits and probes. It
//! tells what it would write to ZooKeeper; here that goes into a tree in memory, through which the call finds the model
//! as any client would. Everything ends with this program: the runner stops when its standard input does.

use crate::check;
use crate::commands::call;
use crate::context::{Context, note};
use crate::error::Error;
use crate::payload::{self, Prepared};
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit};
use maas_client::call::Call;
use maas_client::config::Roots;
use maas_client::launch::{EXIT_FILE, Exit, LAUNCH_FILE, LaunchSpec, ScratchLine};
use maas_client::model::{ModelId, ModelName};
use maas_client::reason::InstanceState;
use maas_client::registry::Registration;
use maas_client::request::Resources;
use maas_client::state::{CallSettings, Desired, Method};
use maas_client::tree::memory::MemoryServer;
use maas_client::tree::{Access, Mode, SharedTree, TreeExt};
use maas_store::{FileStore, Settings, StorePath, settings};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The instance's id: there is only one.
const ID: &str = "0-1-0000";
/// How long a call may take.
const CALL_WITHIN: Duration = Duration::from_secs(60);
/// How long the runner may take to end beyond what the settings give the model.
const END_WITHIN: Duration = Duration::from_secs(15);

/// Options of TRY.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy try -lmp examples/mock_dga host=yahoo.com
  maas_deploy try -lmp examples/mock_dga                    starts it, names its endpoint, ends it

Exit codes: 3 the directory is refused, 7 the model failed, or answered with an error.")]
pub(crate) struct Args {
    /// The model directory
    #[arg(long, value_name = "DIR")]
    local_model_path: PathBuf,

    /// Memory it may use [default: resources.memory_mb of maas.json, else 512]
    #[arg(short = 'm', long, value_name = "MB", allow_negative_numbers = true)]
    memory: Option<i64>,

    /// The name it is told it has [default: the directory's]
    #[arg(short = 'n', long)]
    name: Option<String>,

    /// The version it is told it has
    #[arg(long, value_name = "VERSION", default_value = "0")]
    model_version: String,

    /// Environment of the model, K=V
    #[arg(long, value_name = "K=V")]
    env: Vec<String>,

    /// The function to call [default: apply]
    #[arg(long, value_name = "F")]
    function: Option<String>,

    /// The program that runs models; else $MAAS_RUNNER, else maas_runner beside this program
    #[arg(long, value_name = "PATH")]
    runner: Option<PathBuf>,

    /// Arguments of a call, sent as text; without them, and without --function, nothing is called
    #[arg(value_name = "K=V")]
    arguments: Vec<String>,
}

/// The document.
#[derive(Debug, Default, Serialize)]
struct Document {
    outcome: &'static str,
    url: Option<String>,
    functions: BTreeMap<String, String>,
    ready_ms: Option<u128>,
    answer: Option<Value>,
    reason_code: Option<String>,
    reason: Option<String>,
    exit_code: Option<i32>,
    stderr: Vec<String>,
}

/// Tries.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let runner = runner(args.runner.as_deref())?;
    let model = model(&args)?;
    let arguments = call::named(&args.arguments)?;
    let env = check::environment(&args.env, None)?;
    let prepared = payload::prepare(&args.local_model_path).await?;
    let settings = prepared.manifest.settings().clone();
    let mut resources = prepared.asked.resources.clone();
    if let Some(memory) = args.memory {
        resources.memory_mb = check::memory(memory)?;
    }
    let scratch = Scratch::make(prepared, model.clone(), resources, env).await?;
    let mut running = scratch.start(&runner)?;
    let started = Instant::now();

    let registration = running.until_ready().await?;
    let Some(registration) = registration else {
        let ended = running.end(&settings).await.and_then(|_| scratch.exit());
        return failed(context, ended?, out);
    };
    let ready = started.elapsed();
    let names = registration.functions.keys().cloned().collect::<Vec<_>>().join(", ");
    note(format!("{model} ready at {} after {} ms; functions: {names}", registration.url, ready.as_millis()));
    let mut document = Document {
        outcome: "ready",
        url: Some(registration.url.clone()),
        functions: registration.functions.clone(),
        ready_ms: Some(ready.as_millis()),
        ..Document::default()
    };
    let mut result = Ok(());
    if !args.arguments.is_empty() || args.function.is_some() {
        let call = Call {
            version: Some(model.version.clone()),
            function: args.function.clone(),
            arguments,
            deadline: Some(CALL_WITHIN),
            ..Call::new(model.name.clone())
        };
        let tree = tree_with(&registration, &settings).await?;
        let mut answer = Vec::new();
        result = call::ask(tree, Roots::default(), &call, &mut Out::new(&mut answer)).await;
        document.outcome = if result.is_ok() { "answered" } else { "failed" };
        document.answer =
            Some(serde_json::from_slice(&answer).unwrap_or_else(|_| String::from_utf8_lossy(&answer).into()));
        if !context.json() {
            out.bytes(&answer)?;
        }
    }
    running.end(&settings).await?;
    if result.is_err() {
        document.stderr = scratch.exit().map(|exit| exit.stderr_tail).unwrap_or_default();
        for line in &document.stderr {
            note(format!("  stderr: {}", clean(line)));
        }
    }
    if context.json() {
        if let Err(Error::Said(failure)) = &result {
            document.reason_code = Some(failure.code().to_string());
            document.reason = Some(failure.message().to_string());
        }
        out.json(&document)?;
        // The document has said it.
        return result.map_err(|error| match error {
            Error::Said(failure) => Error::Exit(failure.exit()),
            other => other,
        });
    }
    result
}

/// The program that runs models.
fn runner(option: Option<&Path>) -> Result<PathBuf, Error> {
    let named = option
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os("MAAS_RUNNER").filter(|path| !path.is_empty()).map(PathBuf::from));
    let path = match named {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("maas_runner"),
    };
    match path.is_file() {
        // A bare name would be looked for elsewhere.
        true => Ok(path.canonicalize()?),
        false => Err(Error::say(
            ErrorCode::NoTool,
            format!("there is no {}; install it beside this program, or give --runner PATH", path.display()),
        )),
    }
}

/// What the model is told it is.
fn model(args: &Args) -> Result<ModelId, Error> {
    let name = match &args.name {
        Some(name) => check::name(name)?,
        None => {
            let dir = args.local_model_path.canonicalize().ok();
            let name = dir.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()?.parse().ok());
            name.map_or_else(|| "model".parse::<ModelName>(), Ok)
                .map_err(|error| Failure::of(ErrorCode::BadName, &error))?
        }
    };
    Ok(ModelId { name, version: check::version(&args.model_version)? })
}

/// The directory of one scratch run; it goes with this value.
struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    /// Copies the payload and writes the launch order.
    async fn make(
        prepared: Prepared,
        model: ModelId,
        resources: Resources,
        env: BTreeMap<String, String>,
    ) -> Result<Scratch, Error> {
        let dir = tempfile::Builder::new().prefix("maas-try-").tempdir()?;
        let digest = prepared.manifest.digest().to_string();
        let store = dir.path().join("store");
        let path: StorePath = "/try".parse().map_err(|error| Failure::of(ErrorCode::Defect, &error))?;
        let payload = path.below(&store);
        payload::put(Arc::new(FileStore::new(&store)), path, prepared).await?;
        let spec = LaunchSpec {
            id: ID.to_string(),
            model,
            zookeeper: String::new(),
            session_timeout_ms: 10_000,
            roots: (&Roots::default()).into(),
            payload,
            digest,
            resources,
            service_env: BTreeMap::new(),
            env,
            secrets: BTreeMap::new(),
            advertise: "127.0.0.1".to_string(),
            cgroup: None,
            gpu_indices: Vec::new(),
            credential_on_stdin: false,
            log_bytes: 8 << 20,
        };
        let scratch = Scratch { dir };
        fs::create_dir(scratch.instance())?;
        let path = scratch.instance().join(LAUNCH_FILE);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&serde_json::to_vec_pretty(&spec).map_err(std::io::Error::other)?)?;
        Ok(scratch)
    }

    fn instance(&self) -> PathBuf {
        self.dir.path().join("instance")
    }

    fn log(&self) -> PathBuf {
        self.instance().join("runner.log")
    }

    fn start(&self, runner: &Path) -> Result<Running, Error> {
        let mut command = Command::new(runner);
        command.arg("run").arg("--scratch").arg("--dir").arg(self.instance());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(self.log())?);
        let cannot = |error: std::io::Error| {
            Failure::new(ErrorCode::NoTool, format!("{} can't be started", runner.display())).because(&error)
        };
        let mut child = command.spawn().map_err(cannot)?;
        let stdout = child.stdout.take().ok_or_else(|| cannot(std::io::Error::other("it has no output")))?;
        Ok(Running { child, lines: BufReader::new(stdout).lines() })
    }

    /// What the runner left behind.
    fn exit(&self) -> Result<Exit, Error> {
        let read =
            || -> std::io::Result<Exit> { Ok(serde_json::from_slice(&fs::read(self.instance().join(EXIT_FILE))?)?) };
        read().map_err(|error| {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let failure = Failure::new(ErrorCode::Defect, "maas_runner ended and left nothing behind").because(&error);
            log.lines().rev().take(3).fold(failure, Failure::with_cause).into()
        })
    }
}

/// A runner at work.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Waits until the model is registered, saying what it does meanwhile; `None` when it ended before.
    async fn until_ready(&mut self) -> Result<Option<Registration>, Error> {
        let mut said = InstanceState::Requested;
        while let Some(line) = self.lines.next_line().await? {
            let Ok(line) = serde_json::from_str::<ScratchLine>(&line) else { continue };
            if line.claim.state != said {
                said = line.claim.state;
                note(format!("{said}"));
            }
            match line.registration {
                Some(registration) if line.claim.state == InstanceState::Ready => return Ok(Some(registration)),
                _ if line.claim.state.is_ended() => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Orders the end and waits for it.
    async fn end(&mut self, settings: &Settings) -> Result<(), Error> {
        drop(self.child.stdin.take());
        let bound = Duration::from_secs(settings.drain_s + settings.stop_s) + END_WITHIN;
        // What it still says must not fill the pipe.
        let drained = async { while let Ok(Some(_)) = self.lines.next_line().await {} };
        let waited = async { tokio::join!(drained, self.child.wait()).1 };
        match tokio::time::timeout(bound, waited).await {
            Ok(status) => {
                status?;
            }
            Err(_) => {
                // Its guard then kills all that is below it.
                note("the runner did not end in time and is killed");
                self.child.kill().await?;
            }
        }
        Ok(())
    }
}

/// A tree in which a client finds the model as it would in ZooKeeper.
async fn tree_with(registration: &Registration, settings: &Settings) -> Result<SharedTree, Error> {
    let roots = Roots::default();
    let tree: SharedTree = MemoryServer::new().session();
    let model = &registration.model;
    let method = match settings.call.method {
        settings::Method::Get => Method::Get,
        settings::Method::Post => Method::Post,
    };
    let desired = Desired {
        count: 1,
        digest: None,
        path: String::new(),
        resources: Resources::default(),
        call: CallSettings { method, timeout_ms: settings.call.timeout_ms, idempotent: settings.call.idempotent },
        generation: 0,
        published: jiff::Timestamp::now(),
        by: None,
        request: String::new(),
        purge: false,
        purged: false,
    };
    let desired = serde_json::to_vec(&desired).map_err(std::io::Error::other)?;
    let nodes = [
        (roots.model(model.name.as_str()), roots.desired(model), desired),
        (roots.service(model.name.as_str()), roots.registration(model.name.as_str(), ID), registration.encode()),
    ];
    for (parent, path, data) in nodes {
        tree.ensure_path(&parent, Access::Open).await?;
        tree.create(&path, data, Mode::Persistent, Access::Open).await?;
    }
    Ok(tree)
}

/// Says why the model did not come up.
fn failed<W: Write>(context: &Context, ended: Exit, out: &mut Out<W>) -> Result<(), Error> {
    if context.json() {
        out.json(&Document {
            outcome: "failed",
            reason_code: Some(ended.reason.code.to_string()),
            reason: Some(ended.reason.text),
            exit_code: ended.exit_code,
            stderr: ended.stderr_tail,
            ..Document::default()
        })?;
        return Err(Error::Exit(exit::MODEL_FAILED));
    }
    for line in &ended.stderr_tail {
        note(format!("  stderr: {}", clean(line)));
    }
    Err(Error::say(ErrorCode::ModelFailed, format!("{}: {}", ended.reason.code, ended.reason.text)))
}

/// What a model writes must not move the cursor.
fn clean(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
