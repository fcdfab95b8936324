//! Blocking work that can be given up: whoever stops waiting for it tells it so, and learns when it has ended.
//!
//! A dropped future leaves such work running; what it makes after that nobody would clear. What is made is
//! [`super::staging`]'s.

use crate::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long the file that is under way may take to end.
const ENDS: Duration = Duration::from_secs(30);

/// Whether the work is still wanted, for the work to ask now and then.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    /// True until it is given up.
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The work under way.
pub(super) struct Upload<T> {
    wanted: Wanted,
    task: Option<JoinHandle<Result<T, Error>>>,
}

impl<T: Send + 'static> Upload<T> {
    /// Begins it on a thread of its own.
    pub(super) fn begin(work: impl FnOnce(&Wanted) -> Result<T, Error> + Send + 'static) -> Upload<T> {
        let wanted = Wanted(Arc::new(AtomicBool::new(true)));
        let asked = wanted.clone();
        Upload { wanted, task: Some(tokio::task::spawn_blocking(move || work(&asked))) }
    }

    /// What became of it. May be dropped, and then the work goes on; once this has said it, it stays pending.
    pub(super) async fn outcome(&mut self) -> Result<T, Error> {
        let Some(task) = &mut self.task else { return std::future::pending().await };
        let outcome = task.await;
        self.task = None;
        outcome.unwrap_or_else(|error| Err(Error::Master(Box::new(error))))
    }

    /// Gives it up and waits until it has ended; false when that takes too long.
    pub(super) async fn give_up(mut self) -> bool {
        self.wanted.0.store(false, Ordering::Release);
        let Some(task) = &mut self.task else { return true };
        tokio::time::timeout(ENDS, task).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::yarn::staging::{Goods, stage};
    use std::thread;

    #[tokio::test]
    async fn what_is_given_up_stops_and_has_ended_when_it_is_said_so() {
        let ended = Arc::new(AtomicBool::new(false));
        let told = ended.clone();
        let mut upload = Upload::begin(move |wanted| {
            while wanted.is_so() {
                thread::yield_now();
            }
            told.store(true, Ordering::Release);
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), upload.outcome()).await.is_err());
        assert!(!ended.load(Ordering::Acquire), "to stop waiting is not to give up");
        assert!(upload.give_up().await);
        assert!(ended.load(Ordering::Acquire));
    }

    #[tokio::test]
    async fn what_has_ended_needs_no_waiting() {
        let mut upload = Upload::begin(|_| Ok(7));
        assert_eq!(upload.outcome().await.unwrap(), 7);
        assert!(upload.give_up().await);
    }
    #[test]
    fn staging_that_was_given_up_asks_nothing_of_the_file_system() {
        let nowhere = std::path::PathBuf::from("/nonexistent");
        let goods = Goods {
            file_system: "hdfs://127.0.0.1:1".to_string(),
            directory: "/user/alice/.maas/application_1_0001".to_string(),
            master: nowhere.clone(),
            runner: nowhere.clone(),
            hadoop_conf: nowhere,
            settings: String::new(),
        };
        let outcome = stage(&goods, &Wanted(Arc::new(AtomicBool::new(false))));
        assert!(matches!(outcome, Err(Error::System { .. })));
    }
}
