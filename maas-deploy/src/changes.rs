//! "Something may have changed": several watches on ZooKeeper as one bell, rung at most every so often.

use crate::error::Error;
use maas_client::tree::SharedTree;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Shortest time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The bell. Dropping it takes the watches down.
pub(crate) struct Changes {
    bell: mpsc::Receiver<()>,
    last: Option<Instant>,
}

impl Changes {
    /// Watches everything at or below these paths, from now on.
    pub(crate) async fn below(tree: &SharedTree, paths: &[String]) -> Result<Changes, Error> {
        let (ring, bell) = mpsc::channel(1);
        for path in paths {
            let mut changes = tree.watch_tree(path).await?;
            let ring = ring.clone();
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        change = changes.recv() => {
                            if change.is_none() {
                                return;
                            }
                            // A full channel has rung already.
                            let _ = ring.try_send(());
                        }
                        () = ring.closed() => return,
                    }
                }
            });
        }
        Ok(Changes { bell, last: None })
    }

    /// Waits until something may have changed since the last call; false when `deadline` came first.
    pub(crate) async fn changed(&mut self, deadline: Option<Instant>) -> bool {
        if let Some(last) = self.last {
            let earliest = last + PAUSE;
            tokio::time::sleep_until(deadline.map_or(earliest, |deadline| earliest.min(deadline))).await;
        }
        let rang = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, self.bell.recv()).await.ok().flatten().is_some(),
            None => self.bell.recv().await.is_some(),
        };
        self.last = Some(Instant::now());
        rang
    }
}
