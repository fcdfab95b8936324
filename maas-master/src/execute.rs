//! Does the steps of a plan: each by itself, each fenced, each safe to do again. Decides nothing.
//!
//! The order of a launch is fixed: the record in ZooKeeper, then the launcher, then the runner's claim. What a step
//! changed is returned as [`Done`], which the reconciler notes in its mirror before it looks again.

use crate::clock::{Clock, wall_time};
use crate::desired::Version;
use crate::failpoint::{Failpoints, Reached};
use crate::intake::take::to_bytes;
use crate::launcher::{Ask, SharedLauncher};
use crate::leader::Term;
use crate::observed::{Instance, Observed, Payload, Process};
use crate::payload::{Payloads, key_of};
use crate::plan::{Effect, Step};
use crate::policy::Policy;
use maas_client::config::Roots;
use maas_client::model::ModelId;
use maas_client::reason::Reason;
use maas_client::state::{self, Ended, InstanceRecord, Wanted};
use maas_client::tree::{Access, Error, Mode, MultiError, Op, SharedTree, TreeExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::task::TaskTracker;

/// What a step changed.
#[derive(Debug)]
pub enum Done {
    /// Nothing that the mirror does not hear of by itself.
    Nothing,
    /// A record was made; the launcher gets the ask.
    Launched {
        /// The record.
        record: Box<InstanceRecord>,
        /// What the launcher is asked.
        ask: Box<Ask>,
    },
    /// A record names its place; the launcher gets the ask.
    Placed {
        /// The record.
        record: Box<InstanceRecord>,
        /// Its data version.
        version: i32,
        /// What the launcher is asked.
        ask: Box<Ask>,
    },
    /// The launcher gets the ask (again).
    Started(Box<Ask>),
    /// A record says stop now.
    Stopped {
        /// The instance.
        id: String,
        /// The record.
        record: Box<InstanceRecord>,
        /// Its data version.
        version: i32,
    },
    /// The launcher was told to kill.
    Killed {
        /// The instance.
        id: String,
    },
    /// A record is gone.
    Buried {
        /// The instance.
        id: String,
        /// What is kept of it.
        ended: Box<Ended>,
        /// Whether it counts as a quick failure.
        quick: bool,
    },
    /// The desired state says what the payload's settings say.
    Recorded {
        /// The desired state.
        desired: Box<state::Desired>,
        /// Its data version.
        version: i32,
        /// Whether a tree was imported for it.
        imported: bool,
    },
    /// A purge is recorded as done.
    Purged {
        /// The desired state.
        desired: Box<state::Desired>,
        /// Its data version.
        version: i32,
        /// Why the payload was kept, when it was.
        kept: Option<String>,
    },
    /// A crash loop is forgotten.
    Forgiven,
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// This master leads no more.
    #[error("another master leads")]
    TermOver,
    /// The connection was lost: what was written is unknown until the tree is read again.
    #[error("the outcome is unknown")]
    Unknown(#[source] Error),
    /// The mirror was behind: the tree must be read again.
    #[error("something changed meanwhile")]
    Stale(#[source] Error),
    /// This step alone did not work.
    #[error("{0}")]
    Failed(String),
    /// A test's failpoint.
    #[error(transparent)]
    Crash(#[from] Reached),
}

/// Does steps within one term.
#[derive(Clone)]
pub struct Executor {
    pub(crate) tree: SharedTree,
    pub(crate) roots: Roots,
    /// Whether others' runners may register.
    pub(crate) world_registers: bool,
    pub(crate) policy: Policy,
    pub(crate) term: Term,
    pub(crate) launcher: SharedLauncher,
    pub(crate) payloads: Payloads,
    pub(crate) failpoints: Failpoints,
    pub(crate) clock: Clock,
    pub(crate) sequence: Arc<AtomicU64>,
    /// What is done beside the passes and to be finished before the master ends.
    pub(crate) beside: TaskTracker,
}

impl Executor {
    /// Sends a fenced transaction and sorts out what its failure means.
    pub async fn fenced(&self, ops: Vec<Op>) -> Result<(), Trouble> {
        let mut all = Vec::with_capacity(ops.len() + 1);
        all.push(self.term.fence());
        all.extend(ops);
        match self.tree.multi(all).await {
            Ok(_) => Ok(()),
            Err(failed) => Err(self.sort(failed)),
        }
    }

    /// What a failed transaction means for this term.
    pub fn sort(&self, failed: MultiError) -> Trouble {
        if self.term.is_over_by(&failed) {
            return Trouble::TermOver;
        }
        match failed.error {
            error if error.is_retryable() => Trouble::Unknown(error),
            error @ (Error::BadVersion { .. }
            | Error::NoNode { .. }
            | Error::NodeExists { .. }
            | Error::NotEmpty { .. }) => Trouble::Stale(error),
            error => Trouble::Failed(error.to_string()),
        }
    }

    /// Does one step.
    pub async fn step(
        &self,
        step: &Step,
        version: Option<&Arc<Version>>,
        observed: &Observed,
    ) -> Result<Done, Trouble> {
        let instance = |id: &str| {
            observed.instances.get(id).ok_or_else(|| Trouble::Failed(format!("instance {id} is not known any more")))
        };
        let version =
            || version.ok_or_else(|| Trouble::Failed(format!("version {} is not known any more", step.model)));
        match &step.effect {
            Effect::Fetch => {
                let key = key_of(version()?);
                self.payloads.ensure(&step.model, &key, self.clock, self.policy.payload_retry);
                Ok(Done::Nothing)
            }
            Effect::RecordPayload => self.record_payload(&step.model, version()?, observed).await,
            Effect::Launch { host } => self.launch(&step.model, version()?, observed, host).await,
            Effect::Start { id } => {
                let instance = instance(id)?;
                let ask = ask_of(id, &instance.record, version()?, observed)?;
                Ok(Done::Started(Box::new(ask)))
            }
            Effect::Place { id } => self.place(instance(id)?, version()?, observed).await,
            Effect::Stop { id, why } => self.stop(instance(id)?, why).await,
            Effect::Kill { id } => {
                let instance = instance(id)?;
                self.launcher.kill(id, &instance.record).await;
                self.failpoints.reach("after-kill")?;
                Ok(Done::Killed { id: id.clone() })
            }
            Effect::Bury { id, ended, quick } => self.bury(instance(id)?, ended, *quick).await,
            Effect::Forgive => Ok(Done::Forgiven),
            Effect::Purge => self.purge(&step.model, version()?).await,
            Effect::RecordPurge { kept } => self.record_purge(&step.model, version()?, kept.as_deref()).await,
        }
    }

    async fn record_payload(&self, model: &ModelId, version: &Version, observed: &Observed) -> Result<Done, Trouble> {
        let Some(Payload::Present { digest, call, .. }) = observed.payloads.get(model) else {
            return Err(Trouble::Failed("its payload is not here any more".to_string()));
        };
        self.failpoints.reach("after-import")?;
        let imported = version.desired.digest.is_none();
        let desired = state::Desired { digest: Some(digest.clone()), call: call.clone(), ..version.desired.clone() };
        let path = self.roots.desired(model);
        self.fenced(vec![Op::set(path, to_bytes(&desired), Some(version.node_version))]).await?;
        self.failpoints.reach("after-payload-recorded")?;
        let version = version.node_version.wrapping_add(1);
        Ok(Done::Recorded { desired: Box::new(desired), version, imported })
    }

    async fn launch(
        &self,
        model: &ModelId,
        version: &Version,
        observed: &Observed,
        host: &str,
    ) -> Result<Done, Trouble> {
        let Some(Payload::Present { digest, stop_bound_s, directory, .. }) = observed.payloads.get(model) else {
            return Err(Trouble::Failed("its payload is not here any more".to_string()));
        };
        if !self.payloads.still_here(model, directory) {
            return Err(Trouble::Failed("its payload was taken out of the cache; it is fetched again".to_string()));
        }
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{sequence}-{:04x}", self.term.epoch, rand::random::<u16>());
        let record = InstanceRecord {
            model: model.clone(),
            wanted: Wanted::Run,
            reason: None,
            epoch: self.term.epoch,
            resources: version.desired.resources.clone(),
            digest: digest.clone(),
            host: host.to_string(),
            container: None,
            local: self.launcher.home(),
            created: wall_time(),
            stop_bound_s: *stop_bound_s,
        };
        let ask = ask_of(&id, &record, version, observed)?;
        let create = Op::Create {
            path: self.roots.instance(&id),
            data: to_bytes(&record),
            mode: Mode::Persistent,
            access: Access::RunnerCreates,
        };
        // Where it will register: a runner with a credential of its own may make no names below the registry.
        let service = self.roots.service(model.name.as_str());
        self.tree.ensure_path(&service, Access::RunnerCreates).await.map_err(Trouble::Unknown)?;
        self.fenced(vec![create]).await?;
        self.failpoints.reach("after-intent")?;
        Ok(Done::Launched { record: Box::new(record), ask: Box::new(ask) })
    }

    /// The place is in the record before anything is started there, so that another leader knows what runs where.
    async fn place(&self, instance: &Instance, version: &Version, observed: &Observed) -> Result<Done, Trouble> {
        let Process::Granted { container, host } = &instance.process else {
            return Err(Trouble::Failed("its place was taken back".to_string()));
        };
        let record =
            InstanceRecord { container: Some(container.clone()), host: host.clone(), ..instance.record.clone() };
        let ask = ask_of(&instance.id, &record, version, observed)?;
        let path = self.roots.instance(&instance.id);
        self.fenced(vec![Op::set(path, to_bytes(&record), Some(instance.record_version))]).await?;
        let version = instance.record_version.wrapping_add(1);
        Ok(Done::Placed { record: Box::new(record), version, ask: Box::new(ask) })
    }

    async fn stop(&self, instance: &Instance, why: &Reason) -> Result<Done, Trouble> {
        let record = InstanceRecord { wanted: Wanted::Stop, reason: Some(why.clone()), ..instance.record.clone() };
        let path = self.roots.instance(&instance.id);
        self.fenced(vec![Op::set(path, to_bytes(&record), Some(instance.record_version))]).await?;
        self.failpoints.reach("after-stop-recorded")?;
        let version = instance.record_version.wrapping_add(1);
        Ok(Done::Stopped { id: instance.id.clone(), record: Box::new(record), version })
    }

    /// Deletes what is left of an instance in one transaction. The runner's session may take its nodes away at any
    /// moment, so it looks first, and again when it was too late.
    async fn bury(&self, instance: &Instance, ended: &Ended, quick: bool) -> Result<Done, Trouble> {
        let id = &instance.id;
        let record = self.roots.instance(id);
        let claim = self.roots.claim(id);
        let registration = self.roots.registration(instance.record.model.name.as_str(), id);
        let started_once = !instance.process.never_lived();
        let mut tries = 3;
        loop {
            let mut ops = Vec::new();
            // Only a proved death lets us take what is the runner's.
            if started_once {
                for path in [&registration, &claim] {
                    if self.tree.get(path).await.map_err(Trouble::Unknown)?.is_some() {
                        ops.push(Op::delete(path, None));
                    }
                }
            }
            ops.push(Op::delete(&record, Some(instance.record_version)));
            match self.fenced(ops).await {
                Ok(()) => break,
                Err(Trouble::Stale(Error::NoNode { path })) if path == record => break,
                Err(Trouble::Stale(Error::NoNode { .. } | Error::NotEmpty { .. })) if tries > 1 && started_once => {
                    tries -= 1;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        self.failpoints.reach("after-bury")?;
        // Beside the passes: cleaning a large directory must not hold up other models.
        let (launcher, of, word, record) = (self.launcher.clone(), id.clone(), ended.clone(), instance.record.clone());
        self.beside.spawn(async move { launcher.forget(&of, &record, &word).await });
        self.failpoints.reach("after-forget")?;
        Ok(Done::Buried { id: id.clone(), ended: Box::new(ended.clone()), quick })
    }

    /// Starts taking the payload away, beside the passes. Only the leader does, and only while nothing wants it back:
    /// until its end is recorded, intake refuses to add to the version.
    async fn purge(&self, model: &ModelId, version: &Version) -> Result<Done, Trouble> {
        self.fenced(vec![Op::check(self.roots.desired(model), version.node_version)]).await?;
        self.payloads.purge(model, &key_of(version), self.clock, self.policy.payload_retry);
        Ok(Done::Nothing)
    }

    async fn record_purge(&self, model: &ModelId, version: &Version, kept: Option<&str>) -> Result<Done, Trouble> {
        let mut desired = state::Desired { purge: false, ..version.desired.clone() };
        if kept.is_none() {
            // What is added here next may be other content.
            desired.purged = true;
            desired.digest = None;
        }
        let path = self.roots.desired(model);
        self.fenced(vec![Op::set(path, to_bytes(&desired), Some(version.node_version))]).await?;
        self.payloads.forget(model);
        let version = version.node_version.wrapping_add(1);
        Ok(Done::Purged { desired: Box::new(desired), version, kept: kept.map(str::to_string) })
    }
}

fn ask_of(id: &str, record: &InstanceRecord, version: &Version, observed: &Observed) -> Result<Ask, Trouble> {
    match observed.payloads.get(&record.model) {
        Some(Payload::Present { directory, digest, .. }) if *digest == record.digest => Ok(Ask {
            id: id.to_string(),
            model: record.model.clone(),
            resources: record.resources.clone(),
            payload: directory.clone(),
            digest: digest.clone(),
            store_path: version.desired.path.clone(),
            container: record.container.clone(),
            env: version.spec.env.clone(),
            secrets: version.spec.secrets.clone(),
        }),
        _ => Err(Trouble::Failed("its payload is not here any more".to_string())),
    }
}
