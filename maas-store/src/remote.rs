//! A bridge from this crate's blocking traits to asynchronous clients: one thread that runs their futures.
//!
//! A caller hands a future over and waits for its result on an ordinary channel, so it may itself stand on any thread,
//! be it one of another runtime. What the futures ask for, and what their errors mean, is the stores'.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::future::Future;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// The thread and its runtime. They end with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    handle: Handle,
    _ends_when_dropped: Arc<oneshot::Sender<()>>,
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Worker> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (keep, dropped) = oneshot::channel::<()>();
        // The runtime is dropped on its own thread: dropped on a thread of another runtime it would panic.
        thread::Builder::new().name("maas-store".to_string()).spawn(move || drop(runtime.block_on(dropped)))?;
        Ok(Worker { handle, _ends_when_dropped: Arc::new(keep) })
    }

    /// The runtime, for clients that start tasks of their own.
    #[cfg(feature = "hdfs")]
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a future there and waits for its result. It fails only when the future panics.
    pub(crate) fn call<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        self.begin(work).result()
    }

    /// Runs a future there, which goes on whether its result is waited for or not.
    pub(crate) fn begin<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Begun<T> {
        let (tell, told) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            // A caller that is gone wants no result.
            let _ = tell.send(work.await);
        });
        Begun(told)
    }
}

/// A future that runs.
#[derive(Debug)]
pub(crate) struct Begun<T>(mpsc::Receiver<T>);

impl<T> Begun<T> {
    /// Waits for its result. It fails only when the future panics.
    pub(crate) fn result(self) -> io::Result<T> {
        self.0.recv().map_err(|_| io::Error::other("the store's client ended early, which is a defect of it"))
    }
}

/// A stream of bytes as a [`Read`].
pub(crate) struct StreamReader {
    worker: Worker,
    /// `None` at the end, and after an error.
    stream: Option<BoxStream<'static, io::Result<Bytes>>>,
    chunk: Bytes,
}

impl StreamReader {
    pub(crate) fn new(worker: Worker, stream: BoxStream<'static, io::Result<Bytes>>) -> Self {
        StreamReader { worker, stream: Some(stream), chunk: Bytes::new() }
    }
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !buffer.is_empty() {
            let Some(mut stream) = self.stream.take() else { return Ok(0) };
            let (next, stream) = self.worker.call(async move { (stream.next().await, stream) })?;
            match next {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
            self.stream = Some(stream);
        }
        let count = buffer.len().min(self.chunk.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test]
    async fn a_worker_is_called_and_dropped_on_a_thread_of_another_runtime() {
        let worker = Worker::start().unwrap();
        let other = worker.clone();
        assert_eq!(worker.call(async { 1 + 1 }).unwrap(), 2);
        drop(worker);
        assert_eq!(other.call(async { 3 }).unwrap(), 3);
        drop(other);
    }

    #[test]
    fn a_panic_of_the_client_is_an_error_and_the_worker_goes_on() {
        let worker = Worker::start().unwrap();
        let panicked = worker.call(async {
            if std::hint::black_box(true) {
                panic!("of a test")
            }
        });
        assert!(panicked.unwrap_err().to_string().contains("ended early"));
        assert_eq!(worker.call(async { 3 }).unwrap(), 3);
    }

    #[test]
    fn a_stream_is_read_to_its_end_or_its_error() {
        let worker = Worker::start().unwrap();
        let chunks = ["ab", "", "cde"].map(|text| Ok(Bytes::from_static(text.as_bytes())));
        let mut text = String::new();
        StreamReader::new(worker.clone(), stream::iter(chunks).boxed()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcde");

        let broken = [Ok(Bytes::from_static(b"ab")), Err(io::Error::other("gone"))];
        let mut reader = StreamReader::new(worker, stream::iter(broken).boxed());
        let mut bytes = Vec::new();
        assert_eq!(reader.read_to_end(&mut bytes).unwrap_err().to_string(), "gone");
        assert_eq!(bytes, b"ab");
    }
}
