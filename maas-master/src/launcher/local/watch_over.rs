//! Watching over what runs: adopts runners that another master started, waits for their ends, proves deaths, sweeps.
//!
//! It starts nothing.

use super::files::{self, Found, Look};
use super::{Local, Slot, process, run_blocking};
use crate::clock::wall_time;
use crate::observed::{Instance, Process};
use maas_client::reason::InstanceState;
use maas_client::state::Ended;
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long a dead runner's guard is left to clear up by itself.
const GUARD_TIME: Duration = Duration::from_secs(1);
/// How long a process that was found without a lock is left to take it.
const BIRTH_TIME: Duration = Duration::from_secs(5);
/// How often it is looked whether processes are gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long after a look that failed there is another.
const AFTER_ERROR: Duration = Duration::from_millis(500);
/// How often logs that were kept are looked through for those that are too old.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// When this process did what it does now and then.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    swept: bool,
    pruned: Option<Instant>,
}

impl Upkeep {
    /// Whether kept logs are to be looked through now: at first, and once an hour.
    fn prune_is_due(&mut self, now: Instant) -> bool {
        let due = self.pruned.is_none_or(|at| now.saturating_duration_since(at) >= PRUNE_EVERY);
        if due {
            self.pruned = Some(now);
        }
        due
    }
}

/// Looks until there is an answer: a look that fails proves nothing, least of all a death.
async fn until_known<T: Send + 'static>(id: &str, look: impl Fn() -> io::Result<T> + Clone + Send + 'static) -> T {
    let mut told = false;
    loop {
        match run_blocking(look.clone()).await {
            Ok(known) => return known,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(instance = id, %error, "can't be looked at; it counts as alive until it can");
                }
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

impl Local {
    pub(super) async fn wait_child(self, id: String, mut child: tokio::process::Child, gpus: Vec<u32>) {
        while let Err(error) = child.wait().await {
            // Somebody else has taken its exit code: it has ended.
            if error.raw_os_error() == Some(Errno::CHILD.raw_os_error()) {
                break;
            }
            tracing::warn!(instance = id, %error, "can't wait for a runner");
            tokio::time::sleep(AFTER_ERROR).await;
        }
        let directory = files::directory(&self.inner.options.state_dir, &id);
        self.clear(id, directory, gpus).await;
    }

    async fn wait_adopted(self, id: String, directory: PathBuf, handle: OwnedFd, gpus: Vec<u32>) {
        process::ended(&handle).await;
        self.clear(id, Some(directory), gpus).await;
    }

    /// After a runner's end: waits for its guard, kills what is left, and only then says that it is dead.
    async fn clear(&self, id: String, directory: Option<PathBuf>, gpus: Vec<u32>) {
        let ids = BTreeSet::from([id.clone()]);
        let left = move || Ok(!process::find(&ids)?.is_empty());
        let mut waited = Duration::ZERO;
        let mut told = false;
        while until_known(&id, left.clone()).await {
            if !told {
                told = true;
                self.set(&id, Slot::Clearing { gpus: gpus.clone() });
            }
            if waited >= GUARD_TIME {
                let killed = id.clone();
                match run_blocking(move || process::kill_all(&killed)).await {
                    Ok(count) => tracing::info!(instance = id, count, "killed what a dead runner left"),
                    Err(error) => tracing::warn!(instance = id, %error, "can't kill what a dead runner left"),
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
        let exit = match directory {
            None => None,
            Some(directory) => {
                let lock = files::lock_path(&directory);
                let free = move || process::lock_is_free(&lock);
                while !until_known(&id, free.clone()).await {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                let name = id.clone();
                until_known(&id, move || files::exit(&directory, &name)).await
            }
        };
        self.set(&id, Slot::Dead { exit: exit.map(Box::new) });
    }

    /// Looks at instances that this process did not start. One that can't be looked at counts as alive, and is looked at
    /// again on the next pass.
    pub(super) async fn adopt(&self, unknown: Vec<(String, PathBuf)>) -> BTreeMap<String, Process> {
        let looked = run_blocking(move || {
            let look = |(id, directory): (String, PathBuf)| {
                let looked = files::look(&directory);
                (id, directory, looked)
            };
            let looks: Vec<_> = unknown.into_iter().map(look).collect();
            let lives = |look: &io::Result<Look>| matches!(look, Ok(Look { found: Found::Runner { .. }, .. }));
            let dead = looks.iter().filter(|(_, _, look)| !lives(look)).map(|(id, _, _)| id.clone()).collect();
            Ok((looks, process::find(&dead)))
        })
        .await;
        let mut seen = BTreeMap::new();
        // Fails only when this program is ending.
        let Ok((looks, others)) = looked else { return seen };
        let mut unseen = None;
        for (id, directory, look) in looks {
            match (look, &others) {
                (Ok(look), Ok(others)) => {
                    let others = others.contains_key(&id);
                    self.adopt_one((id, directory), look, others, &mut seen);
                }
                (Ok(look @ Look { found: Found::Runner { .. }, .. }), Err(_)) => {
                    self.adopt_one((id, directory), look, true, &mut seen);
                }
                (look, others) => {
                    unseen = look.err().or_else(|| others.as_ref().err().map(|e| e.kind().into()));
                    seen.insert(id, Process::Alive { pid: None });
                }
            }
        }
        self.inner.unseen.store(unseen.is_some(), Ordering::Relaxed);
        if let Some(error) = unseen {
            tracing::warn!(%error, "instances that can't be looked at count as alive until they can");
        }
        seen
    }

    fn adopt_one(
        &self,
        (id, directory): (String, PathBuf),
        Look { found, gpus }: Look,
        others: bool,
        seen: &mut BTreeMap<String, Process>,
    ) {
        match found {
            Found::Runner { pid, handle } => {
                tracing::info!(instance = id, pid, "adopted a running instance");
                self.set(&id, Slot::Running { pid: Some(pid), gpus: gpus.clone() });
                tokio::spawn(self.clone().wait_adopted(id, directory, handle, gpus));
            }
            Found::Nothing if !others => {
                seen.insert(id, Process::Absent);
            }
            // A runner that has not taken its lock yet, or processes whose runner is dead.
            Found::Nothing => {
                self.set(&id, Slot::Taken { gpus: gpus.clone() });
                tokio::spawn(self.clone().await_birth(id, directory, gpus));
            }
            Found::Ended => {
                self.set(&id, Slot::Clearing { gpus: gpus.clone() });
                let this = self.clone();
                tokio::spawn(async move { this.clear(id, Some(directory), gpus).await });
            }
        }
    }

    async fn await_birth(self, id: String, directory: PathBuf, gpus: Vec<u32>) {
        let mut waited = Duration::ZERO;
        while waited < BIRTH_TIME {
            let looked = directory.clone();
            match until_known(&id, move || files::look(&looked)).await {
                Look { found: Found::Runner { pid, handle }, gpus } => {
                    self.set(&id, Slot::Running { pid: Some(pid), gpus: gpus.clone() });
                    return self.wait_adopted(id, directory, handle, gpus).await;
                }
                Look { found: Found::Ended, .. } => break,
                Look { found: Found::Nothing, .. } => {}
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
        self.clear(id, Some(directory), gpus).await;
    }

    /// Once in this process's life clears directories whose record is gone and whose runner is dead; once an hour removes
    /// kept logs that are too old.
    pub(super) fn sweep_directories(&self, known: &BTreeMap<String, Arc<Instance>>) {
        let (sweep, prune) = {
            let mut upkeep = self.inner.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
            let prune = upkeep.prune_is_due(Instant::now());
            (!std::mem::replace(&mut upkeep.swept, true), prune)
        };
        if !sweep && !prune {
            return;
        }
        let known: Option<BTreeSet<String>> = sweep.then(|| known.keys().cloned().collect());
        let (state_dir, host) = (self.inner.options.state_dir.clone(), self.inner.options.advertise.clone());
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Some(known) = known
                && let Err(error) = sweep_once(&state_dir, &host, &known)
            {
                tracing::warn!(%error, "can't look for what older instances left; it is tried again");
                this.inner.upkeep.lock().unwrap_or_else(PoisonError::into_inner).swept = false;
            }
            if prune && let Err(error) = files::prune(&state_dir, None) {
                tracing::warn!(%error, "can't remove kept logs that are too old");
            }
        });
    }
}

fn sweep_once(state_dir: &Path, host: &str, known: &BTreeSet<String>) -> io::Result<()> {
    for id in files::not_ended(state_dir)?.into_iter().filter(|id| !known.contains(id)) {
        let Some(directory) = files::directory(state_dir, &id) else { continue };
        let lives = matches!(files::look(&directory)?.found, Found::Runner { .. });
        if lives || !process::find(&BTreeSet::from([id.clone()]))?.is_empty() {
            tracing::warn!(instance = id, "runs here and has no record; maas_deploy doctor shows it");
            continue;
        }
        let state = files::exit(&directory, &id)?.map_or(InstanceState::Failed, |exit| exit.state);
        let ended = Ended {
            id: id.clone(),
            state,
            reason: None,
            host: host.to_string(),
            exit_code: None,
            started: wall_time(),
            ended: wall_time(),
        };
        let cleaned = match files::model_of(&directory)? {
            Some(model) => files::clean(state_dir, &id, &model, &ended),
            None => files::remove(&directory),
        };
        if let Err(error) = cleaned {
            tracing::warn!(instance = id, %error, "can't clean an old instance's directory");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_logs_are_looked_through_at_first_and_once_an_hour() {
        let (mut upkeep, start) = (Upkeep::default(), Instant::now());
        let after = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let due = [0, 1, 59, 60, 61, 119, 120].map(|minutes| upkeep.prune_is_due(after(minutes)));
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}
