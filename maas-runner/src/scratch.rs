//! A run without ZooKeeper and without a master, for trying a model out: the tree is in memory, what would stand in it is
//! printed, and the end of standard input is the order to stop.
//!
//! All else is as in a real run: the same environment, guard, limits and probes.

use crate::ledger::Target;
use maas_client::config::Roots;
use maas_client::launch::{LaunchSpec, ScratchLine};
use maas_client::state::{InstanceRecord, Wanted};
use maas_client::tree::memory::MemoryServer;
use maas_client::tree::{Access, Error, Mode, SharedTree, TreeExt};
use std::io::{Read, Write};
use tokio::sync::watch;

/// A tree that holds nothing but the record of this instance.
pub(crate) async fn tree(spec: &LaunchSpec) -> Result<SharedTree, Error> {
    let tree: SharedTree = MemoryServer::new().session();
    let roots = Roots::from(spec.roots.clone());
    let record = InstanceRecord {
        model: spec.model.clone(),
        wanted: Wanted::Run,
        reason: None,
        epoch: 0,
        resources: spec.resources.clone(),
        digest: spec.digest.clone(),
        host: spec.advertise.clone(),
        container: None,
        local: None,
        created: jiff::Timestamp::now(),
        stop_bound_s: 0,
    };
    let record = serde_json::to_vec(&record).map_err(|error| Error::Invalid { message: error.to_string() })?;
    for parent in [roots.instances(), roots.services.clone()] {
        tree.ensure_path(&parent, Access::WorldReads).await?;
    }
    tree.create(&roots.instance(&spec.id), record, Mode::Persistent, Access::WorldReads).await?;
    Ok(tree)
}

/// Prints every change, one JSON line each, until the instance ends.
pub(crate) async fn tell(mut target: watch::Receiver<Target>) {
    loop {
        let line = {
            let target = target.borrow_and_update();
            ScratchLine { claim: target.claim.clone(), registration: target.registration.clone() }
        };
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            let mut out = std::io::stdout().lock();
            let _nobody_reads = out.write_all(&text).and_then(|()| out.flush());
        }
        if target.changed().await.is_err() {
            return;
        }
    }
}

/// Calls `ended` when standard input ends: whoever wanted this run has gone, or has had enough.
pub(crate) fn watch_stdin(ended: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let wait = move || {
        let mut buffer = [0u8; 256];
        let mut stdin = std::io::stdin().lock();
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        ended();
    };
    std::thread::Builder::new().name("stdin".to_string()).spawn(wait).map(drop)
}
