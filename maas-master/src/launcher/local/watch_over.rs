//! Watching over what runs: adopts runners that another master started, waits for their ends, proves deaths, sweeps.
//!
//! It starts nothing.

use super::files::{self, Found};
use super::{Local, Slot, process, run_blocking};
use crate::clock::wall_time;
use crate::observed::{Instance, Process};
use maas_client::reason::InstanceState;
use maas_client::state::Ended;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// How long a dead runner's guard is left to clear up by itself.
const GUARD_TIME: Duration = Duration::from_secs(1);
/// How long a process that was found without a lock is left to take it.
const BIRTH_TIME: Duration = Duration::from_secs(5);
/// How often it is looked whether processes are gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Local {
    pub(super) async fn wait_child(self, id: String, mut child: tokio::process::Child, gpus: Vec<u32>) {
        if let Err(error) = child.wait().await {
            tracing::warn!(instance = id, %error, "can't wait for a runner");
        }
        let directory = files::directory(&self.inner.options.state_dir, &id);
        self.clear(id, directory, gpus).await;
    }

    async fn wait_adopted(self, id: String, directory: PathBuf, handle: OwnedFd, gpus: Vec<u32>) {
        #[expect(deprecated, reason = "its successor is unsafe code; an OwnedFd keeps the descriptor open for as long")]
        match AsyncFd::new(handle) {
            // A pidfd is readable once its process has ended.
            Ok(handle) => drop(handle.readable().await),
            Err(error) => tracing::warn!(instance = id, %error, "can't watch a runner"),
        }
        self.clear(id, Some(directory), gpus).await;
    }

    /// After a runner's end: waits for its guard, kills what is left, and only then says that it is dead.
    async fn clear(&self, id: String, directory: Option<PathBuf>, gpus: Vec<u32>) {
        let ids = BTreeSet::from([id.clone()]);
        let left = |ids: BTreeSet<String>| run_blocking(move || Ok(!process::find(&ids).is_empty()));
        let mut waited = Duration::ZERO;
        let mut told = false;
        while left(ids.clone()).await.unwrap_or(false) {
            if !told {
                told = true;
                self.set(&id, Slot::Clearing { gpus: gpus.clone() });
            }
            if waited >= GUARD_TIME {
                let killed = id.clone();
                let count = run_blocking(move || Ok(process::kill_all(&killed))).await.unwrap_or(0);
                tracing::info!(instance = id, count, "killed what a dead runner left");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
        let exit = match directory {
            None => None,
            Some(directory) => {
                let (lock, name) = (files::lock_path(&directory), id.clone());
                while !run_blocking({
                    let lock = lock.clone();
                    move || Ok(process::lock_is_free(&lock))
                })
                .await
                .unwrap_or(false)
                {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                run_blocking(move || Ok(files::exit(&directory, &name))).await.ok().flatten()
            }
        };
        self.set(&id, Slot::Dead { exit: exit.map(Box::new) });
    }

    /// Looks at instances that this process did not start.
    pub(super) async fn adopt(&self, unknown: Vec<(String, PathBuf)>) -> BTreeMap<String, Process> {
        let boot_id = self.inner.boot_id.clone();
        let looked = run_blocking(move || {
            let found: Vec<(String, PathBuf, Found)> = unknown
                .into_iter()
                .map(|(id, directory)| {
                    let found = files::look(&directory, &boot_id);
                    (id, directory, found)
                })
                .collect();
            let dead = found.iter().filter(|(_, _, found)| !matches!(found, Found::Runner { .. }));
            let others = process::find(&dead.map(|(id, _, _)| id.clone()).collect());
            Ok((found, others))
        })
        .await;
        let mut absent = BTreeMap::new();
        let Ok((found, others)) = looked else { return absent };
        for (id, directory, found) in found {
            match found {
                Found::Runner { pid, gpus, handle } => {
                    tracing::info!(instance = id, pid, "adopted a running instance");
                    self.set(&id, Slot::Running { pid: Some(pid), gpus: gpus.clone() });
                    tokio::spawn(self.clone().wait_adopted(id, directory, handle, gpus));
                }
                Found::Nothing if !others.contains_key(&id) => {
                    absent.insert(id, Process::Absent);
                }
                // A runner that has not taken its lock yet, or processes whose runner is dead.
                Found::Nothing => {
                    self.set(&id, Slot::Taken { gpus: Vec::new() });
                    tokio::spawn(self.clone().await_birth(id, directory));
                }
                Found::Ended => {
                    self.set(&id, Slot::Clearing { gpus: Vec::new() });
                    let this = self.clone();
                    tokio::spawn(async move { this.clear(id, Some(directory), Vec::new()).await });
                }
            }
        }
        absent
    }

    async fn await_birth(self, id: String, directory: PathBuf) {
        let mut waited = Duration::ZERO;
        while waited < BIRTH_TIME {
            let (looked, boot_id) = (directory.clone(), self.inner.boot_id.clone());
            match run_blocking(move || Ok(files::look(&looked, &boot_id))).await {
                Ok(Found::Runner { pid, gpus, handle }) => {
                    self.set(&id, Slot::Running { pid: Some(pid), gpus: gpus.clone() });
                    return self.wait_adopted(id, directory, handle, gpus).await;
                }
                Ok(Found::Ended) => break,
                Ok(Found::Nothing) | Err(_) => {}
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
        self.clear(id, Some(directory), Vec::new()).await;
    }

    /// Once in this process's life: clears directories whose record is gone and whose runner is dead.
    pub(super) fn sweep_directories(&self, known: &BTreeMap<String, Arc<Instance>>) {
        let mut swept = self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *swept, true) {
            return;
        }
        let known: BTreeSet<String> = known.keys().cloned().collect();
        let (state_dir, boot_id) = (self.inner.options.state_dir.clone(), self.inner.boot_id.clone());
        let host = self.inner.options.advertise.clone();
        tokio::task::spawn_blocking(move || {
            for id in files::not_ended(&state_dir).into_iter().filter(|id| !known.contains(id)) {
                let Some(directory) = files::directory(&state_dir, &id) else { continue };
                let lives = matches!(files::look(&directory, &boot_id), Found::Runner { .. });
                if lives || !process::find(&BTreeSet::from([id.clone()])).is_empty() {
                    tracing::warn!(instance = id, "runs here and has no record; maas_deploy doctor shows it");
                    continue;
                }
                let state = files::exit(&directory, &id).map_or(InstanceState::Failed, |exit| exit.state);
                let ended = Ended {
                    id: id.clone(),
                    state,
                    reason: None,
                    host: host.clone(),
                    exit_code: None,
                    started: wall_time(),
                    ended: wall_time(),
                };
                let cleaned = match files::model_of(&directory) {
                    Some(model) => files::clean(&state_dir, &id, &model, &ended),
                    None => files::remove(&directory),
                };
                if let Err(error) = cleaned {
                    tracing::warn!(instance = id, %error, "can't clean an old instance's directory");
                }
            }
        });
    }
}
