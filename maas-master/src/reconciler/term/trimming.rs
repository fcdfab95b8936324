//! What a leader clears in time, beside its passes: old records, versions removed long ago, payloads that nothing uses.

use super::Leading;
use crate::clock::wall_time;
use crate::execute::{Executor, Trouble};
use maas_client::model::ModelId;
use maas_client::state_store::{Keep, Trimmer};
use maas_client::tree::Op;
use std::collections::BTreeSet;

impl Leading<'_> {
    /// Trims beside the passes, one trim at a time.
    pub(super) fn start_trimming(&mut self) {
        let now = self.master.clock.moment();
        let policy = &self.executor.policy;
        let runs = self.trim.as_ref().is_some_and(|trim| !trim.is_finished());
        if runs || now.since(self.trimmed_at) < policy.trim_every {
            return;
        }
        self.trimmed_at = now;
        self.intake.forget_keys();
        let before = self.trim.take();
        let executor = self.executor.clone();
        let fence = executor.term.fence.clone();
        let (used, removed) = (self.used_payloads(), self.removed_versions());
        let keep = Keep {
            requests: policy.keep_requests,
            requests_for: policy.keep_requests_for,
            rejected: policy.keep_rejected,
        };
        self.trim = Some(tokio::spawn(async move {
            let mut trimmer = match before {
                Some(before) => before.await.unwrap_or_default(),
                None => Trimmer::default(),
            };
            let now_ms = wall_time().as_millisecond();
            match trimmer.pass(&executor.tree, &executor.roots, &fence, &keep, now_ms).await {
                Ok(trimmed) => tracing::debug!(?trimmed, "trimmed"),
                Err(error) => tracing::info!(%error, "not trimmed this time"),
            }
            for (model, version) in removed {
                match forget_version(&executor, &model, version).await {
                    Ok(true) => tracing::info!(%model, "a version that was removed long ago is forgotten"),
                    Ok(false) => {}
                    Err(trouble) => tracing::debug!(%model, %trouble, "not forgotten this time"),
                }
            }
            let payloads = executor.payloads.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || payloads.trim(&used)).await {
                tracing::warn!(%error, "the cache was not trimmed");
            }
            if let Err(reached) = executor.failpoints.reach("after-trim") {
                tracing::info!(%reached, "trimming ends here");
            }
            trimmer
        }));
    }

    /// Digests of payloads that a wanted version or an instance needs.
    fn used_payloads(&self) -> BTreeSet<String> {
        let wanted = self.mirror.versions.values().filter(|version| version.desired.count > 0);
        let wanted = wanted.filter_map(|version| version.desired.digest.clone());
        wanted.chain(self.mirror.instances.values().map(|instance| instance.record.digest.clone())).collect()
    }

    /// Versions of which nothing is wanted or left, with their node's version.
    fn removed_versions(&self) -> Vec<(ModelId, i32)> {
        let there: BTreeSet<&ModelId> = self.mirror.instances.values().map(|instance| &instance.record.model).collect();
        let removed =
            self.mirror.versions.iter().filter(|(model, version)| {
                version.desired.count == 0 && !version.desired.purge && !there.contains(model)
            });
        removed.map(|(model, version)| (model.clone(), version.node_version)).collect()
    }
}

/// Deletes what is left of a version when it was last changed long ago; false when it is too young.
async fn forget_version(executor: &Executor, model: &ModelId, version: i32) -> Result<bool, Trouble> {
    let (tree, roots) = (&executor.tree, &executor.roots);
    let desired = roots.desired(model);
    let Some(stat) = tree.stat(&desired).await.map_err(Trouble::Unknown)? else { return Ok(false) };
    let age_ms = wall_time().as_millisecond().saturating_sub(stat.mtime_ms);
    let keep_ms = i64::try_from(executor.policy.keep_removed_for.as_millis()).unwrap_or(i64::MAX);
    if stat.version != version || age_ms < keep_ms {
        return Ok(false);
    }
    let mut ops = Vec::new();
    for child in tree.children(&desired).await.map_err(Trouble::Unknown)?.unwrap_or_default() {
        ops.push(Op::delete(format!("{desired}/{child}"), None));
    }
    ops.push(Op::delete(&desired, Some(version)));
    executor.fenced(ops).await?;
    Ok(true)
}
