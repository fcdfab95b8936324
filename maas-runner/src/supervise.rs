//! Runs one instance: one loop that gathers what happens, asks [`crate::lifecycle`] what to do, and does it.
//!
//! Everything that may take long has its own task or thread and answers through one channel, so the loop never waits
//! for a disk, a name server, a model or ZooKeeper.

mod processes;
mod report;

use crate::cli::Place;
use crate::endpoint::{Conclusion, Published};
use crate::error::{Error, exit};
use crate::guard::Report;
use crate::instance::Directory;
use crate::ledger::{Ledger, Target, Told};
use crate::lifecycle::{Effect, Event, Lifecycle, Policy, ScriptEnd};
use crate::probe::{self, Check};
use crate::watcher::Watcher;
use crate::{environment, process_tree, scratch, script, sockets};
use maas_client::config::Roots;
use maas_client::launch::LaunchSpec;
use maas_client::reason::{Reason, ReasonCode, chain};
use maas_client::registry::Registration;
use maas_client::tree::{self, SharedTree};
use maas_client::zk::{Credential, ZkOptions, ZkTree};
use maas_store::{Manifest, Settings};
use processes::Processes;
use report::Report as Reporter;
use std::fs::File;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

/// How often memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(250);
/// How often connections are counted while draining.
const CONNECTIONS_EVERY: Duration = Duration::from_millis(50);
/// How long the session's end may take: it is a courtesy, expiry does the same.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What comes to the loop.
enum Input {
    /// Goes to the state machine as it is.
    Event(Event),
    /// From the ledger.
    Told(Told),
    /// The work directory is made.
    Localized(Box<Manifest>),
    /// From the guard; `None`: it is gone.
    Guard(Option<Report>),
}

/// Runs the instance in `directory` to its end and gives the exit code; when it is tried out without ZooKeeper. A credential that
/// is given is not looked for on standard input.
pub(crate) async fn run(directory: &Path, place: Place, credential: Option<String>) -> Result<u8, Error> {
    let directory = Directory::open(directory)?;
    let lock = directory.lock()?;
    if directory.has_ended() {
        return Err(Error::Refused("the instance has ended before; its exit.json is there".to_string()));
    }
    let outcome = run_locked(&directory, &lock, place, credential).await;
    if let Err(error) = &outcome {
        // Without a word the master could only say that its runner was killed.
        let exit = report::refused(directory.name(), directory.spec().ok().as_ref(), error);
        if let Err(error) = directory.write_exit(&exit) {
            tracing::error!(%error, "exit.json can't be written");
        }
    }
    outcome
}

/// As [`run`], with the lock held.
async fn run_locked(directory: &Directory, lock: &File, place: Place, credential: Option<String>) -> Result<u8, Error> {
    let scratch = place == Place::Scratch;
    // Fails for the leader of a process group, which is as good: a terminal's signals do not reach it either.
    let _leader_already = rustix::process::setsid();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|source| Error::System { what: "can't become the reaper of orphans", source: source.into() })?;
    let spec = directory.spec()?;
    if let Err(error) = directory.describe(lock, spec.gpu_indices.clone()) {
        tracing::warn!(%error, "lock file can't be written");
    }
    if let Err(error) = directory.reserve_exit() {
        tracing::warn!(%error, "no room for exit.json");
    }
    let options = if scratch { None } else { Some(options(&spec, credential)?) };
    let (told_sender, mut told) = mpsc::unbounded_channel();
    let (inputs, inbox) = mpsc::unbounded_channel();
    let forward = inputs.clone();
    tokio::spawn(async move {
        while let Some(told) = told.recv().await {
            if forward.send(Input::Told(told)).is_err() {
                return;
            }
        }
    });
    let (target_sender, target) = watch::channel(Reporter::first(&spec));
    if scratch {
        tokio::spawn(scratch::tell(target.clone()));
        let inputs = inputs.clone();
        scratch::watch_stdin(move || {
            let _ended = inputs.send(Input::Event(Event::Terminated));
        })
        .map_err(|source| Error::System { what: "no thread for standard input", source })?;
    }
    let (tree_sender, tree) = watch::channel(None);
    tokio::spawn(keep_ledger(options, spec.clone(), target, told_sender, tree_sender));
    let mut instance = Instance {
        lifecycle: Lifecycle::new(Policy::from(&Settings::default())),
        report: Reporter::new(&spec, target_sender),
        processes: Processes::of(place),
        settings: Settings::default(),
        manifest: None,
        watcher: None,
        directory: directory.clone(),
        spec,
        inputs,
    };
    let outcome = instance.serve(inbox).await;
    let tree: Option<SharedTree> = tree.borrow().clone();
    if let Some(tree) = tree {
        let _expires_otherwise = tokio::time::timeout(CLOSE_WITHIN, tree.close()).await;
    }
    outcome
}

fn options(spec: &LaunchSpec, credential: Option<String>) -> Result<ZkOptions, Error> {
    let mut options = ZkOptions::new(spec.zookeeper.clone());
    options.session_timeout = Duration::from_millis(spec.session_timeout_ms.max(1000));
    options.create_chroot = false;
    let refused = |text: String| Error::Refused(format!("its ZooKeeper credential: {text}"));
    let line = match credential {
        None if spec.credential_on_stdin => {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            read.map_err(|error| refused(format!("standard input: {error}")))?;
            Some(line)
        }
        given => given,
    };
    let parsed = line.as_deref().map(Credential::parse).transpose();
    options.credential = parsed.map_err(|error| refused(error.to_string()))?;
    Ok(options)
}

/// Connects, for as long as that takes, then keeps the ledger. Without options the tree is in memory.
async fn keep_ledger(
    options: Option<ZkOptions>,
    spec: LaunchSpec,
    target: watch::Receiver<Target>,
    told: mpsc::UnboundedSender<Told>,
    connected: watch::Sender<Option<SharedTree>>,
) {
    let connecting: Result<SharedTree, tree::Error> = match options {
        Some(options) => ZkTree::connect(options).await.map(|tree| tree as SharedTree),
        None => scratch::tree(&spec).await,
    };
    match connecting {
        Ok(tree) => {
            connected.send_replace(Some(Arc::clone(&tree)));
            let roots = Roots::from(spec.roots);
            Ledger::new(tree, &roots, (spec.model.name.as_str(), &spec.id), target, told).run().await;
        }
        Err(error) => {
            let _ended = told.send(Told::Refused(chain(&error)));
        }
    }
}

/// One instance with all it has.
struct Instance {
    directory: Directory,
    spec: LaunchSpec,
    lifecycle: Lifecycle,
    report: Reporter,
    processes: Processes,
    settings: Settings,
    manifest: Option<Manifest>,
    watcher: Option<Watcher>,
    inputs: mpsc::UnboundedSender<Input>,
}

impl Instance {
    /// The loop; ends with the instance.
    async fn serve(&mut self, mut inbox: mpsc::UnboundedReceiver<Input>) -> Result<u8, Error> {
        let listen = |kind| signal(kind).map_err(|source| Error::System { what: "can't listen to signals", source });
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut hangup = listen(SignalKind::hangup())?;
        let mut child = listen(SignalKind::child())?;
        let mut memory = interval(MEMORY_EVERY);
        memory.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connections = interval(CONNECTIONS_EVERY);
        connections.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.lifecycle.deadline();
            let timer = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            let drains = self.lifecycle.drains_port();
            let event = tokio::select! {
                input = inbox.recv() => match self.take(input)? {
                    Some(event) => event,
                    None => continue,
                },
                () = timer => Event::Tick,
                _ = terminate.recv() => Event::Terminated,
                _ = interrupt.recv() => Event::Terminated,
                // A terminal that goes away is nothing to a runner.
                _ = hangup.recv() => continue,
                _ = child.recv() => match self.reap() {
                    Some(event) => event,
                    None => continue,
                },
                _ = memory.tick(), if self.processes.is_running() => match self.look_at_memory() {
                    Some(event) => event,
                    None => continue,
                },
                _ = connections.tick(), if drains.is_some() => match drains.and_then(sockets::connections_to) {
                    Some(count) => Event::Connections(count),
                    None => continue,
                },
            };
            if self.step(event) {
                return Ok(self.finish());
            }
        }
    }

    /// From an input to an event for the state machine.
    fn take(&mut self, input: Option<Input>) -> Result<Option<Event>, Error> {
        Ok(match input {
            Some(Input::Event(Event::Endpoint(Conclusion::Published(published)))) => {
                let concluded = match probe::refusal(&published, &self.settings) {
                    None => Conclusion::Published(published),
                    Some(why) => Conclusion::Bad(why),
                };
                Some(Event::Endpoint(concluded))
            }
            Some(Input::Event(event)) => Some(event),
            Some(Input::Told(Told::Event(event))) => Some(event),
            Some(Input::Told(Told::Refused(why))) => return Err(Error::Refused(why)),
            Some(Input::Localized(manifest)) => {
                self.settings = manifest.settings().clone();
                self.lifecycle.set_policy(Policy::from(&self.settings));
                self.manifest = Some(*manifest);
                Some(Event::Localized)
            }
            Some(Input::Guard(report)) => self.heard(report),
            // We hold a sender ourselves.
            None => None,
        })
    }

    fn heard(&mut self, report: Option<Report>) -> Option<Event> {
        match report {
            Some(Report::Started(pid)) => {
                self.processes.script = Some(pid);
                self.report.started();
                tracing::info!(pid, "script started");
                // Not before: what the file says must not come before the script's start.
                self.watch_endpoint();
                Some(Event::ScriptStarted)
            }
            Some(Report::NotStarted(why)) => {
                let text = format!("its script can't be executed: {why}");
                Some(Event::ScriptNotStarted(Reason::new(ReasonCode::ScriptNotStarted, text)))
            }
            Some(Report::Ended(status)) => self.script_ended(status),
            // After the script's end the guard goes too.
            None => (self.lifecycle.script_end().is_none()).then_some(Event::GuardLost),
        }
    }

    /// Takes exit codes of what ended below us; the script is below us when its guard is gone.
    fn reap(&mut self) -> Option<Event> {
        let mut script = None;
        while let Some((pid, status)) = process_tree::reap() {
            if self.processes.script == Some(pid) {
                script = Some(status);
            }
        }
        script.and_then(|status| self.script_ended(status))
    }

    fn script_ended(&mut self, status: i32) -> Option<Event> {
        if self.lifecycle.script_end().is_some() {
            return None;
        }
        self.report.script_ended();
        // The kernel's kill for want of memory is the better reason, and must be known first.
        if let Some(event) = self.processes.over_memory() {
            let _more_effects_follow = self.step(event);
        }
        Some(Event::ScriptEnded(ScriptEnd::from_status(status)))
    }

    fn look_at_memory(&mut self) -> Option<Event> {
        self.processes.mind_the_guard(Instant::now());
        let usage = self.processes.look_at_memory(self.spec.resources.memory_mb, Instant::now());
        self.report.memory(usage.used_mb, Instant::now());
        usage.event
    }

    /// Feeds one event and carries out what follows; true when it is over.
    fn step(&mut self, event: Event) -> bool {
        let before = self.lifecycle.state();
        let effects = self.lifecycle.on(event, Instant::now());
        let after = self.lifecycle.state();
        if before != after {
            let reason = self.lifecycle.reason().map(|reason| reason.text.as_str());
            tracing::info!(from = %before, to = %after, reason, "state");
        }
        let mut over = false;
        for effect in effects {
            over |= effect == Effect::Finish;
            self.perform(effect);
        }
        over
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Localize => self.localize(),
            Effect::StartScript => {
                if let Err(reason) = self.start_script() {
                    self.send(Event::ScriptNotStarted(reason));
                }
            }
            Effect::Probe { endpoint, live } => self.probe(endpoint, live),
            Effect::WarmUp { endpoint } => self.warm_up(endpoint),
            Effect::Register { endpoint } => {
                let registration = Registration {
                    model: self.spec.model.clone(),
                    id: self.spec.id.clone(),
                    url: endpoint.url,
                    functions: endpoint.functions,
                    registered_ms: jiff::Timestamp::now().as_millisecond(),
                };
                self.report.register(Some(registration), &self.lifecycle);
            }
            Effect::Unregister => self.report.register(None, &self.lifecycle),
            Effect::Report => self.report.update(&self.lifecycle),
            Effect::Terminate => self.processes.terminate(),
            Effect::Kill => {
                self.watcher = None;
                let inputs = self.inputs.clone();
                self.processes.kill(move || {
                    let _ended = inputs.send(Input::Event(Event::NothingLeft));
                });
            }
            Effect::Finish => {}
        }
    }

    fn send(&self, event: Event) {
        let _we_hold_the_other_end_too = self.inputs.send(Input::Event(event));
    }

    fn localize(&self) {
        let (directory, spec, inputs) = (self.directory.clone(), self.spec.clone(), self.inputs.clone());
        let work = move || {
            let input = match directory.localize(&spec) {
                Ok(manifest) => Input::Localized(Box::new(manifest)),
                Err(reason) => Input::Event(Event::NotLocalized(reason)),
            };
            let _ended = inputs.send(input);
        };
        if let Err(error) = std::thread::Builder::new().name("localize".to_string()).spawn(work) {
            let text = format!("no thread for the work directory: {error}");
            self.send(Event::NotLocalized(Reason::new(ReasonCode::ScriptNotStarted, text)));
        }
    }

    fn start_script(&mut self) -> Result<(), Reason> {
        let not_started = |text: String| Reason::new(ReasonCode::ScriptNotStarted, text);
        let Some(manifest) = &self.manifest else { return Err(not_started("there is no manifest".to_string())) };
        let secrets = environment::read_secrets(&self.spec.secrets).map_err(|error| not_started(error.to_string()))?;
        let environment = environment::build(
            |name| std::env::var(name).ok(),
            &self.spec,
            &self.settings.env,
            secrets,
            &self.directory.temporary(),
        )
        .map_err(|error| not_started(error.to_string()))?;
        let program = self
            .directory
            .command(manifest.script())
            .map_err(|error| not_started(format!("{}: {error}", manifest.script())))?;
        if let Err(error) = std::fs::create_dir_all(self.directory.logs()) {
            tracing::warn!(%error, "no directory for the model's output");
        }
        self.processes.confine(&self.spec);
        let inputs = self.inputs.clone();
        let start = script::Start {
            program,
            environment,
            work: &self.directory.work(),
            logs: &self.directory.logs(),
            log_bytes: self.spec.log_bytes,
            group: self.processes.group_file(),
        };
        let running = script::start(start, move |report| {
            let _ended = inputs.send(Input::Guard(report));
        })
        .map_err(|error| not_started(format!("its guard can't be started: {error}")))?;
        self.processes.running(running);
        Ok(())
    }

    fn watch_endpoint(&mut self) {
        let inputs = self.inputs.clone();
        let watcher = Watcher::start(&self.directory.work(), self.spec.advertise.clone(), move |conclusion| {
            let _ended = inputs.send(Input::Event(Event::Endpoint(conclusion)));
        });
        match watcher {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => {
                let text = format!("no thread for endpoint.dat: {error}");
                self.send(Event::ScriptNotStarted(Reason::new(ReasonCode::ScriptNotStarted, text)));
            }
        }
    }

    fn probe(&self, endpoint: Published, live: bool) {
        let settings = &self.settings;
        let (check, timeout_s) = match (&settings.live, live) {
            (Some(live), true) => (Check::from(live), live.timeout_s),
            (None, true) => (Check::from(&settings.ready), maas_store::settings::Live::default().timeout_s),
            (_, false) => (Check::from(&settings.ready), settings.ready.timeout_s),
        };
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let asked = probe::ask(&endpoint, &check, Duration::from_secs(timeout_s.max(1))).await;
            let event = Event::Probed { url: endpoint.url, outcome: asked.map_err(|error| error.to_string()) };
            let _ended = inputs.send(Input::Event(event));
        });
    }

    fn warm_up(&self, endpoint: Published) {
        let (calls, how) = (self.settings.warm_up.clone(), self.settings.call.clone());
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            // A first call may load what later ones find loaded, so it has longer than callers give it.
            let timeout = Duration::from_millis(how.timeout_ms).max(Duration::from_secs(60));
            let mut outcome = Ok(());
            for call in &calls {
                outcome = probe::warm_up(&endpoint, call, &how, timeout).await.map_err(|error| error.to_string());
                if outcome.is_err() {
                    break;
                }
            }
            let _ended = inputs.send(Input::Event(Event::WarmedUp { url: endpoint.url, outcome }));
        });
    }

    /// Leaves `exit.json` behind and gives the exit code.
    fn finish(&mut self) -> u8 {
        let exit = self.report.exit(&self.lifecycle, self.processes.last_lines());
        let failed = exit.state == maas_client::reason::InstanceState::Failed;
        if let Err(error) = self.directory.write_exit(&exit) {
            tracing::error!(%error, "exit.json can't be written");
        }
        if failed { exit::MODEL } else { exit::DONE }
    }
}
