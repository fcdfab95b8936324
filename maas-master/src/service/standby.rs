//! A standby's ephemeral node, so that `status` can name it. For information only: nothing is decided by it.

use crate::view::{Handle, Role};
use maas_client::config::Roots;
use maas_client::tree::{Access, Error, Mode, SharedTree, TreeExt};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the node is looked after: it goes with the session.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Keeps the node while this master stands by and takes it away while it leads.
pub(super) async fn show(tree: SharedTree, roots: Roots, handle: Handle, name: String, shutdown: CancellationToken) {
    let path = roots.standby(&name);
    let mut views = handle.watch();
    let mut stands_by = None;
    loop {
        let now = {
            let view = views.borrow_and_update();
            view.connected.then(|| matches!(view.role, Role::Standby { .. }))
        };
        if let Some(now) = now {
            let done = if now {
                ensure(&tree, &roots, &path).await
            } else if stands_by != Some(false) {
                tree.delete_if_exists(&path, None).await
            } else {
                Ok(())
            };
            match done {
                Ok(()) => stands_by = Some(now),
                Err(error) => tracing::debug!(%error, "the standby's node could not be kept"),
            }
        }
        // Every pass makes a new view: only a change of role is of interest before the next look.
        let role_changes =
            views.wait_for(|view| view.connected && Some(matches!(view.role, Role::Standby { .. })) != stands_by);
        tokio::select! {
            ended = role_changes => if ended.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn ensure(tree: &SharedTree, roots: &Roots, path: &str) -> Result<(), Error> {
    if tree.get(path).await?.is_some() {
        return Ok(());
    }
    tree.ensure_path(&roots.standbys(), Access::WorldReads).await?;
    match tree.create(path, Vec::new(), Mode::Ephemeral, Access::WorldReads).await {
        Ok(_) | Err(Error::NodeExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
