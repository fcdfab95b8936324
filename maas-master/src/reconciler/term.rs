//! One term of leading: wakes up, looks, decides, does; until the lead, the session or the master's time is over.
//!
//! A wake-up carries no information. While ZooKeeper is away nothing is done; after that everything is read again.

mod notes;
mod trimming;

use super::{End, Error, Master, StopNode, Turn};
use crate::clock::{Moment, wall_time};
use crate::desired::Version;
use crate::execute::{Done, Executor, Trouble};
use crate::intake::queue::Intake;
use crate::leader::{self, Term};
use crate::observe::Mirror;
use crate::observed::Observed;
use crate::outbox::{EventExt, Events, event};
use crate::plan::{self, Plan, Step};
use crate::view::{Role, View};
use futures_util::stream::{self, StreamExt};
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::reason::InstanceState;
use maas_client::state::{Cluster, FORMAT};
use maas_client::state_store::Trimmer;
use maas_client::tree::{Op, SessionState};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After a lost answer or a changed tree the next look waits this long.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// While the end is held up, this often it is said by what.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// What is done beside the passes is waited for this long at the end.
const FINISH: Duration = Duration::from_secs(5);
/// First and longest delay of a step that failed.
const STEP_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A master while it leads.
pub(super) struct Leading<'m> {
    master: &'m mut Master,
    executor: Executor,
    mirror: Mirror,
    intake: Intake,
    events: Events,
    /// Steps that failed: not again before this.
    held_back: HashMap<(ModelId, &'static str), (Moment, Duration)>,
    /// States as last seen, for events.
    states: BTreeMap<String, InstanceState>,
    current: BTreeMap<ModelName, ModelVersion>,
    first_pass: bool,
    stop_all: bool,
    /// How the master ends once nothing runs.
    ends_with: Option<End>,
    /// When it was last said what holds up the end.
    told_holding_up: Option<Moment>,
    passes: u64,
    since: jiff::Timestamp,
    trim: Option<JoinHandle<Trimmer>>,
    trimmed_at: Moment,
    plan: Arc<Plan>,
}

impl<'m> Leading<'m> {
    /// Leads until something ends it.
    pub(super) async fn begin(
        master: &'m mut Master,
        term: Term,
        stop: &mut StopNode,
        shutdown: &CancellationToken,
    ) -> Result<Turn, Error> {
        let setup = &master.setup;
        let executor = Executor {
            tree: setup.tree.clone(),
            roots: setup.roots.clone(),
            world_registers: setup.world_registers,
            policy: setup.policy.clone(),
            term: term.clone(),
            launcher: setup.launcher.clone(),
            payloads: setup.payloads.clone(),
            failpoints: setup.failpoints.clone(),
            clock: master.clock,
            sequence: Arc::new(AtomicU64::new(1)),
            beside: TaskTracker::new(),
        };
        let cluster = Cluster {
            format: FORMAT,
            store: setup.identity.store.clone(),
            launcher: setup.launcher.kind().to_string(),
        };
        if let Err(failed) = leader::write_cluster(&setup.tree, &setup.roots, &term, &cluster).await {
            return after(executor.sort(failed));
        }
        if stop.is_old_there()
            && let Err(trouble) = executor.fenced(vec![Op::delete(&stop.path, None)]).await
            && !matches!(trouble, Trouble::Stale(_))
        {
            return after(trouble);
        }
        let opened = Mirror::open(setup.tree.clone(), setup.roots.clone(), setup.policy.clone(), master.clock).await;
        let mirror = opened.map_err(Error::Tree)?;
        let mut events = Events::of_term(term.epoch, master.events.clone());
        let words = format!("epoch {} on {}, pid {}", term.epoch, term.leader.host, term.leader.pid);
        events.emit(event("LeaderElected", wall_time()).because(words));
        let trimmed_at = master.clock.moment();
        let mut leading = Leading {
            master,
            executor,
            mirror,
            intake: Intake::default(),
            events,
            held_back: HashMap::new(),
            states: BTreeMap::new(),
            current: BTreeMap::new(),
            first_pass: true,
            stop_all: false,
            ends_with: None,
            told_holding_up: None,
            passes: 0,
            since: wall_time(),
            trim: None,
            trimmed_at,
            plan: Arc::default(),
        };
        leading.run(stop, shutdown).await
    }

    async fn run(&mut self, stop: &mut StopNode, shutdown: &CancellationToken) -> Result<Turn, Error> {
        let mut session = self.executor.tree.session();
        let mut launched = self.executor.launcher.changed();
        let mut fetched = self.executor.payloads.changed();
        let mut stop_models = self.master.stop_models.clone();
        if self.obey_stop(stop).await {
            return self.resign(End::StopNode, stop).await;
        }
        loop {
            if let Some(turn) = self.check_session(&mut session, shutdown).await? {
                return Ok(turn);
            }
            let asked_to_stop = *stop_models.borrow_and_update();
            if self.ends_with != Some(End::StopNode) {
                self.stop_all = asked_to_stop;
                self.ends_with = asked_to_stop.then_some(End::Shutdown);
            }
            if shutdown.is_cancelled() {
                return self.resign(End::Shutdown, stop).await;
            }
            // What changes while a pass runs is seen by the next one.
            launched.mark_unchanged();
            fetched.mark_unchanged();
            let again = match self.pass().await {
                Ok(again) => again,
                Err(Trouble::TermOver) => {
                    tracing::warn!(epoch = self.executor.term.epoch, "another master leads");
                    return Ok(Turn::Again);
                }
                Err(Trouble::Crash(reached)) => return Err(Error::Failpoint(reached)),
                Err(trouble) => {
                    tracing::info!(%trouble, "looking again");
                    self.mirror.mark_stale();
                    self.intake.look_again();
                    tokio::time::sleep(LOOK_AGAIN).await;
                    true
                }
            };
            if let Some(end) = self.ends_with.filter(|_| !again && self.nothing_left_to_stop()) {
                self.tell_left();
                return self.resign(end, stop).await;
            }
            if self.ends_with.is_some() {
                self.tell_what_holds_up();
            }
            self.start_trimming();
            if again {
                // Under load there is always more to do: what else is asked must not wait for its end.
                if stop.was_touched() && self.obey_stop(stop).await {
                    return self.resign(End::StopNode, stop).await;
                }
                continue;
            }
            let tick = self.next_wake();
            let mut stopping = false;
            tokio::select! {
                () = self.mirror.changed() => {}
                () = self.intake.changed() => {}
                Ok(()) = launched.changed() => {}
                Ok(()) = fetched.changed() => {}
                Ok(()) = session.changed() => {}
                Ok(()) = stop_models.changed() => {}
                asked = stop.asked() => stopping = asked.unwrap_or(true),
                () = tokio::time::sleep(tick) => {
                    self.intake.retry_stuck();
                    // As all else, the order is looked for now and then, whatever became of the watch.
                    stopping = true;
                }
                () = shutdown.cancelled() => {}
            }
            if stopping && self.obey_stop(stop).await {
                return self.resign(End::StopNode, stop).await;
            }
        }
    }

    /// True when all instances that are left are of hosts out of reach: nobody here can prove their death.
    fn nothing_left_to_stop(&self) -> bool {
        let (policy, now) = (&self.executor.policy, self.master.clock.moment());
        self.mirror.instances.values().all(|instance| instance.is_beyond_reach(policy, now))
    }

    /// Looks at the stop node; true when the master ends at once.
    async fn obey_stop(&mut self, stop: &mut StopNode) -> bool {
        match stop.now().await {
            Ok(Some(asked)) if asked.with_models => {
                if self.ends_with != Some(End::StopNode) {
                    let instances = self.mirror.instances.len();
                    tracing::info!(by = asked.by, instances, "asked to stop with the models");
                }
                self.stop_all = true;
                self.ends_with = Some(End::StopNode);
                false
            }
            Ok(Some(asked)) => {
                tracing::info!(by = asked.by, "asked to stop");
                true
            }
            // What can't be read is told there, and looked at again.
            Ok(None) | Err(_) => false,
        }
    }

    /// Waits while ZooKeeper is away; `Some` when the term is over.
    async fn check_session(
        &mut self,
        session: &mut tokio::sync::watch::Receiver<SessionState>,
        shutdown: &CancellationToken,
    ) -> Result<Option<Turn>, Error> {
        let mut was_away = false;
        loop {
            let state = *session.borrow_and_update();
            match state {
                SessionState::Connected { id } if id == self.executor.term.session => break,
                SessionState::Connected { .. } => {
                    tracing::warn!("the session expired; standing by");
                    return Ok(Some(Turn::Again));
                }
                SessionState::Disconnected { .. } | SessionState::Closed => {
                    if !was_away {
                        was_away = true;
                        tracing::warn!("ZooKeeper is away; nothing is done until it is back");
                        let before = self.master.view.borrow().clone();
                        let view = View { connected: false, since: wall_time(), ..(*before).clone() };
                        self.master.view.send_replace(Arc::new(view));
                    }
                    tokio::select! {
                        changed = session.changed() => if changed.is_err() {
                            return Ok(Some(Turn::End(End::Shutdown)));
                        },
                        () = shutdown.cancelled() => return Ok(Some(Turn::End(End::Shutdown))),
                    }
                }
            }
        }
        if was_away {
            self.since = wall_time();
            self.mirror.mark_stale();
            self.intake.look_again();
            let node = self.executor.tree.get(&self.executor.roots.leader()).await;
            match node {
                Ok(Some(node)) if node.stat.ephemeral_owner == self.executor.term.session => {}
                Ok(_) => return Ok(Some(Turn::Again)),
                // The next pass finds out.
                Err(error) => tracing::info!(%error, "the leader's node can't be read now"),
            }
        }
        Ok(None)
    }

    async fn resign(&mut self, end: End, stop: &StopNode) -> Result<Turn, Error> {
        tracing::info!(?end, "giving the lead back");
        self.executor.beside.close();
        if tokio::time::timeout(FINISH, self.executor.beside.wait()).await.is_err() {
            tracing::info!("ended instances' directories are not all clean yet; the next master sees to them");
        }
        let (tree, roots) = (&self.executor.tree, &self.executor.roots);
        // Standbys are told by the node's creation; it is deleted last of all.
        let order = (end == End::StopNode).then(|| Op::delete(&stop.path, None));
        if let Err(failed) = leader::resign(tree, roots, &self.executor.term, order).await {
            tracing::info!(error = %failed, "the lead was not given back; it goes with the session");
        }
        Ok(Turn::End(end))
    }

    /// One pass; true when another should follow at once.
    async fn pass(&mut self) -> Result<bool, Trouble> {
        let started = tokio::time::Instant::now();
        self.mirror.refresh().await.map_err(Trouble::Unknown)?;
        let counts = &mut self.master.counts;
        let more = self.intake.round(&self.executor, &mut self.mirror, &mut self.events, counts).await?;
        let observed = self.mirror.observe(self.executor.launcher.as_ref(), &self.executor.payloads).await;
        let desired = self.mirror.desired(self.stop_all);
        let now = self.master.clock.now();
        let plan = plan::plan(&desired, &observed, &self.executor.policy, &now);
        self.tell_changes(&observed);
        let plan = Arc::new(plan);
        let observed = Arc::new(observed);
        self.plan = plan.clone();
        self.publish(Arc::new(desired), observed.clone(), plan.clone(), started);
        let acted = self.execute(&plan, &observed).await?;
        self.first_pass = false;
        Ok(more || acted)
    }

    async fn execute(&mut self, plan: &Plan, observed: &Observed) -> Result<bool, Trouble> {
        let now = self.master.clock.moment();
        self.held_back.retain(|_, (until, delay)| now.since(*until) < *delay);
        let due = plan.steps.iter().filter(|step| match self.held_back.get(&key(step)) {
            Some((until, _)) => *until <= now,
            None => true,
        });
        let (executor, versions) = (&self.executor, &self.mirror.versions);
        let doing: Vec<_> = due.map(|step| do_one(executor, step, versions.get(&step.model), observed)).collect();
        let done: Vec<(&Step, Result<Done, Trouble>)> =
            stream::iter(doing).buffer_unordered(self.executor.policy.steps_at_once).collect().await;
        let mut asks = Vec::new();
        let mut acted = false;
        let mut worst: Option<Trouble> = None;
        for (step, outcome) in done {
            match outcome {
                Ok(Done::Nothing) => {}
                Ok(Done::Started(ask)) => asks.push(*ask),
                Ok(Done::Launched { record, ask }) => {
                    let launched = event("InstanceLaunched", wall_time()).of(&step.model).at(&ask.id, &record.host);
                    self.events.emit(launched.because(&step.reason));
                    self.mirror.put_record(ask.id.clone(), *record, 0);
                    asks.push(*ask);
                }
                Ok(Done::Placed { record, version, ask }) => {
                    self.mirror.put_record(ask.id.clone(), *record, version);
                    asks.push(*ask);
                }
                Ok(done) => {
                    acted = true;
                    self.note(step, done);
                }
                Err(Trouble::Failed(text)) => self.note_failure(step, text, now),
                Err(trouble) => worst = Some(worse(worst, trouble)),
            }
        }
        match worst {
            // Nothing is started by one who leads no more, or whose test says that it died.
            Some(over @ (Trouble::TermOver | Trouble::Crash(_))) => return Err(over),
            Some(trouble) => {
                self.launch(asks).await?;
                return Err(trouble);
            }
            None => self.launch(asks).await?,
        }
        Ok(acted)
    }

    async fn launch(&self, asks: Vec<crate::launcher::Ask>) -> Result<(), Trouble> {
        if asks.is_empty() {
            return Ok(());
        }
        self.executor.launcher.ensure(asks).await;
        self.executor.failpoints.reach("after-launch")?;
        Ok(())
    }

    fn publish(
        &mut self,
        desired: Arc<crate::desired::Desired>,
        observed: Arc<Observed>,
        plan: Arc<Plan>,
        started: tokio::time::Instant,
    ) {
        self.passes += 1;
        let view = View {
            role: Role::Leading(self.executor.term.leader.clone()),
            connected: true,
            since: self.since,
            at: self.master.clock.moment(),
            desired,
            observed,
            plan,
            queue: self.intake.view,
            pass: started.elapsed(),
            passes: self.passes,
            counts: self.master.counts,
        };
        self.master.view.send_replace(Arc::new(view));
    }

    fn next_wake(&self) -> Duration {
        let now = self.master.clock.moment();
        let every = self.executor.policy.pass_every;
        self.plan.wake_at.map_or(every, |at| at.since(now).clamp(Duration::from_millis(10), every))
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if let Some(trim) = &self.trim {
            trim.abort();
        }
    }
}

async fn do_one<'s>(
    executor: &Executor,
    step: &'s Step,
    version: Option<&Arc<Version>>,
    observed: &Observed,
) -> (&'s Step, Result<Done, Trouble>) {
    (step, executor.step(step, version, observed).await)
}

fn key(step: &Step) -> (ModelId, &'static str) {
    (step.model.clone(), step.effect.word())
}

/// The one that ends more.
fn worse(before: Option<Trouble>, trouble: Trouble) -> Trouble {
    let rank = |trouble: &Trouble| match trouble {
        Trouble::Crash(_) => 4,
        Trouble::TermOver => 3,
        Trouble::Unknown(_) => 2,
        Trouble::Stale(_) => 1,
        Trouble::Failed(_) => 0,
    };
    match before {
        Some(before) if rank(&before) >= rank(&trouble) => before,
        _ => trouble,
    }
}

/// What a trouble before the first pass leads to.
fn after(trouble: Trouble) -> Result<Turn, Error> {
    match trouble {
        Trouble::TermOver | Trouble::Stale(_) => Ok(Turn::Again),
        Trouble::Unknown(error) => Err(Error::Tree(error)),
        Trouble::Crash(reached) => Err(Error::Failpoint(reached)),
        Trouble::Failed(message) => Err(Error::Tree(maas_client::tree::Error::Invalid { message })),
    }
}
