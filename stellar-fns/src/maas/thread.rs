//! The thread on which calls wait while an evaluation, which is synchronous, waits for them.
//!
//! One thread for all calls of a process: it runs tasks and never evaluates anything. An evaluation blocks the thread it runs on; a program that is itself
//! asynchronous evaluates on a blocking thread of its own.

use std::io;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread that runs asynchronous work for synchronous callers. It ends when this is dropped.
#[derive(Debug)]
pub struct CallThread {
    handle: Handle,
    id: ThreadId,
    /// Dropped with this: the thread's reason to end.
    _alive: oneshot::Sender<()>,
}

impl CallThread {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("maas-calls".into()).spawn(move || {
            // An Err is what is waited for: the other end is gone.
            let _ = runtime.block_on(ended);
            // A name that is still being looked up must not hold up the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, id: thread.thread().id(), _alive: alive })
    }

    /// Runs a future on the thread and waits for what it gives. None if it panicked, or if this is asked for on the thread itself, which would wait for ever.
    pub fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Option<T> {
        if thread::current().id() == self.id {
            return None;
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            // Nobody waits any more only where the waiting thread is gone.
            let _ = sender.send(future.await);
        });
        receiver.recv().ok()
    }
}
