//! The thread on which questions wait while an evaluation that blocks waits for them.
//!
//! One thread for all questions of an environment, started by the first: it runs tasks and never evaluates anything.

use std::io;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread that runs asynchronous work for synchronous callers. It starts when it is first needed and ends when this is dropped.
#[derive(Debug)]
pub struct CallThread {
    running: Mutex<Option<Running>>,
    start: fn() -> io::Result<Running>,
}

/// Why the thread gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The system gives no thread; the next question tries again.
    #[error("the system gives no thread to ask on: {0}")]
    NoThread(io::Error),
    /// It would wait for itself for ever.
    #[error("the thread that runs questions can't wait for one")]
    OnTheThread,
    /// A defect.
    #[error("the question panicked")]
    Panicked,
}

#[derive(Debug)]
pub(super) struct Running {
    handle: Handle,
    id: ThreadId,
    /// Dropped with this: the thread's reason to end.
    _alive: oneshot::Sender<()>,
}

impl Default for CallThread {
    fn default() -> Self {
        Self::started_by(Running::start)
    }
}

impl CallThread {
    pub(super) fn started_by(start: fn() -> io::Result<Running>) -> Self {
        Self { running: Mutex::new(None), start }
    }

    /// Runs a future on the thread and waits for what it gives.
    pub fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Result<T, Unanswered> {
        let handle = self.handle()?;
        let (sender, receiver) = mpsc::sync_channel(1);
        handle.spawn(async move {
            // Nobody waits any more only where the waiting thread is gone.
            let _ = sender.send(future.await);
        });
        receiver.recv().map_err(|_| Unanswered::Panicked)
    }

    /// What runs futures, started if it isn't yet.
    fn handle(&self) -> Result<Handle, Unanswered> {
        let mut running = self.running.lock();
        let running = match &mut *running {
            Some(running) => running,
            none => none.insert((self.start)().map_err(Unanswered::NoThread)?),
        };
        if thread::current().id() == running.id {
            return Err(Unanswered::OnTheThread);
        }
        Ok(running.handle.clone())
    }
}

impl Running {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("stellar-calls".into()).spawn(move || {
            // An Err is what is waited for: the other end is gone.
            let _ = runtime.block_on(ended);
            // A name that is still being looked up must not hold up the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, id: thread.thread().id(), _alive: alive })
    }
}
