//! The thread that one connection of the client library lives on.
//!
//! The library answers a lost connection with its own reconnection, whose pauses double without bound, and keeps no
//! handle to its task. So each connection gets a small runtime of its own: ending the runtime ends the library's task,
//! its socket and every watch, at once and without a word to the server, and leaves the session for the next connection.

use std::io;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A running worker. Dropping it ends its thread.
pub(super) struct Worker {
    /// Spawns onto it; what is spawned after its end never runs.
    pub(super) handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    pub(super) fn start() -> io::Result<Worker> {
        let runtime = Builder::new_current_thread().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        thread::Builder::new().name("zookeeper".into()).spawn(move || {
            // Either a message or the sender's end stops it.
            let _stopped = runtime.block_on(stopped);
            drop(runtime);
            // Nobody may be waiting.
            let _unheard = end.send(());
        })?;
        Ok(Worker { handle, stop: Some(stop), ended })
    }

    /// Ends it and waits until nothing of it is left.
    pub(super) async fn end(mut self) {
        drop(self.stop.take());
        let _ended = (&mut self.ended).await;
    }
}
