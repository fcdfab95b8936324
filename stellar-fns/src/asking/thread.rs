//! The thread on which questions wait while an evaluation that blocks waits for them.
//!
//! One thread for all questions of an environment, started by the first: it runs tasks and never evaluates anything.

use std::io;
use std::sync::{OnceLock, mpsc};
use std::thread::{self, ThreadId};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread that runs asynchronous work for synchronous callers. It starts when it is first needed and ends when this is dropped.
#[derive(Debug, Default)]
pub struct CallThread(OnceLock<io::Result<Running>>);

#[derive(Debug)]
struct Running {
    handle: Handle,
    id: ThreadId,
    /// Dropped with this: the thread's reason to end.
    _alive: oneshot::Sender<()>,
}

impl CallThread {
    /// Runs a future on the thread and waits for what it gives. None if it panicked, if this is asked for on the thread itself, which would wait for ever, or
    /// if the system gives no thread.
    pub fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let running = self.0.get_or_init(Running::start).as_ref().ok()?;
        if thread::current().id() == running.id {
            return None;
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        running.handle.spawn(async move {
            // Nobody waits any more only where the waiting thread is gone.
            let _ = sender.send(future.await);
        });
        receiver.recv().ok()
    }
}

impl Running {
    fn start() -> io::Result<Self> {
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
