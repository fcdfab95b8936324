//! One TCP connection: its [opening](super::opening), then many calls at once, answered in any order.
//!
//! Two tasks own the socket's halves. The writer sends frames in the order in which they were handed over, seals them where that was negotiated, and
//! pings or closes when nothing happens; the reader hands each answer to the call that waits for it. A connection that failed stays failed:
//! [`super::client`] makes a new one.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use super::client::Authentication;
use super::error::Error;
use super::frame::Decoder;
use super::header::{self, Answer, ClientId, Protocol};
use super::opening::negotiate;
use super::options::Options;
use super::sasl::{Opener, SaslError, Sealer, Security};
use crate::proto::common::RpcSaslProto;
use crate::proto::common::rpc_sasl_proto::SaslState;

/// Frames that may wait for the writer.
const QUEUE: usize = 256;

/// How long a connection that takes no more bytes is read for the server's last word. Its end is there to be read at once; the bound is for what nobody thought of.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A connection that is ready for calls.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Bytes>,
    tasks: [AbortHandle; 2],
    next_id: AtomicI32,
    max_request: usize,
}

#[derive(Debug)]
struct Shared {
    address: String,
    client: ClientId,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: HashMap<i32, oneshot::Sender<Result<Bytes, Error>>>,
    failed: Option<Error>,
    last_read: Instant,
    last_call: Instant,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every call with `error`. The first failure is the one that counts.
    fn fail(&self, error: Error) {
        let waiting = {
            let mut state = self.state();
            state.failed.get_or_insert(error.clone());
            std::mem::take(&mut state.waiting)
        };
        for (_, call) in waiting {
            let _ = call.send(Err(error.clone()));
        }
    }

    fn lost(&self, source: io::Error) -> Error {
        Error::Lost { address: self.address.clone(), source: Arc::new(source) }
    }
}

/// Takes a call off the list when nobody waits for it any more.
struct Waiting<'a>(&'a Shared, i32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting.remove(&self.1);
    }
}

impl Connection {
    /// Connects, negotiates, and says which protocol follows.
    pub(super) async fn open(
        address: &str,
        authentication: &Authentication,
        protocol: Protocol,
        client: ClientId,
        options: &Options,
    ) -> Result<Self, Error> {
        let slow = |_| Error::ConnectTimeout { address: address.to_owned(), limit: options.connect_timeout };
        let refused = |source| Error::Connect { address: address.to_owned(), source: Arc::new(source) };
        let mut stream =
            timeout(options.connect_timeout, TcpStream::connect(address)).await.map_err(slow)?.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let mut security = timeout(options.connect_timeout, negotiate(&mut stream, address, authentication, options))
            .await
            .map_err(slow)??;

        let context = header::context(&client, protocol, authentication.user_information().as_ref());
        let context = match &mut security {
            Security::Plain => context,
            Security::Sealed(sealer, _) => {
                wrapped(sealer, &context).map_err(|source| Error::Sasl { address: address.to_owned(), source })?
            }
        };
        stream.write_all(&context).await.map_err(refused)?;

        let now = Instant::now();
        let state = State { waiting: HashMap::new(), failed: None, last_read: now, last_call: now };
        let shared = Arc::new(Shared { address: address.to_owned(), client, state: Mutex::new(state) });
        let (sealer, opener) = match security {
            Security::Plain => (None, None),
            Security::Sealed(sealer, opener) => (Some(sealer), Some(opener)),
        };
        let (read, write) = stream.into_split();
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let reader = Reader { shared: Arc::clone(&shared), read, opener, limit: options.max_response };
        let writer = Writer {
            shared: Arc::clone(&shared),
            write,
            sealer,
            queue,
            ping: options.ping_interval,
            idle: options.max_idle,
        };
        let reader = tokio::spawn(reader.run());
        let tasks = [reader.abort_handle(), tokio::spawn(writer.run(reader)).abort_handle()];
        Ok(Self { shared, outgoing, tasks, next_id: AtomicI32::new(0), max_request: options.max_request })
    }

    /// Whether calls may still succeed on it.
    pub(super) fn is_usable(&self) -> bool {
        self.shared.state().failed.is_none()
    }

    /// Sends one call and waits for its answer's body. `request` is delimited.
    pub(super) async fn call(
        &self,
        protocol: Protocol,
        method: &str,
        retry: i32,
        request: &[u8],
    ) -> Result<Bytes, Error> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        let frame = header::call(id, &self.shared.client, retry, protocol, method, request);
        if frame.len() > self.max_request {
            return Err(Error::RequestTooLong {
                method: method.to_owned(),
                length: frame.len(),
                limit: self.max_request,
            });
        }
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.shared.state();
            if let Some(error) = &state.failed {
                return Err(unsent(error));
            }
            state.waiting.insert(id, answer);
            state.last_call = Instant::now();
        }
        let _waiting = Waiting(&self.shared, id);
        let failure = || {
            self.shared
                .state()
                .failed
                .clone()
                .unwrap_or_else(|| self.shared.lost(io::ErrorKind::ConnectionAborted.into()))
        };
        if self.outgoing.send(frame).await.is_err() {
            return Err(unsent(&failure()));
        }
        answered.await.unwrap_or_else(|_| Err(failure()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The call never left: what broke the connection can't have hurt it, and it may be sent again whatever it does.
fn unsent(error: &Error) -> Error {
    match error {
        Error::Lost { address, source } => Error::Connect { address: address.clone(), source: Arc::clone(source) },
        other => other.clone(),
    }
}

/// A frame inside a sealed one.
fn wrapped(sealer: &mut Sealer, frame: &[u8]) -> Result<Bytes, SaslError> {
    Ok(header::sasl(&RpcSaslProto {
        version: None,
        state: SaslState::Wrap.into(),
        token: Some(sealer.seal(frame)?),
        auths: Vec::new(),
    }))
}

struct Writer {
    shared: Arc<Shared>,
    write: OwnedWriteHalf,
    sealer: Option<Sealer>,
    queue: mpsc::Receiver<Bytes>,
    ping: Duration,
    idle: Duration,
}

/// What a silent connection needs.
#[derive(Debug, PartialEq, Eq)]
enum Quiet {
    Wait(Duration),
    Ping,
    Close,
}

/// Decides what to do on a connection on which `waiting` calls are open.
fn when_quiet(
    waiting: usize,
    since_read: Duration,
    since_call: Duration,
    since_ping: Duration,
    ping: Duration,
    idle: Duration,
) -> Quiet {
    // The shortest wait keeps the writer from spinning whatever the settings are.
    let floor = Duration::from_millis(10);
    if waiting == 0 {
        let quiet = since_read.min(since_call);
        return if quiet >= idle { Quiet::Close } else { Quiet::Wait((idle - quiet).max(floor)) };
    }
    let silent = since_read.min(since_ping).min(since_call);
    // The calls may end meanwhile, so idleness is looked at as well.
    if silent >= ping { Quiet::Ping } else { Quiet::Wait((ping - silent).min(idle).max(floor)) }
}

impl Writer {
    /// Writes until the connection ends. A server that refuses says why and closes: what the writer meets then is only the consequence, so the reader is heard first.
    async fn run(mut self, reader: JoinHandle<()>) {
        if let Err(source) = self.write_until_it_fails().await {
            let _ = timeout(LAST_WORD, reader).await;
            self.shared.fail(self.shared.lost(source));
        }
    }

    async fn write_until_it_fails(&mut self) -> io::Result<()> {
        let mut pinged = Instant::now();
        let mut wait = self.idle.min(self.ping);
        loop {
            match timeout(wait, self.queue.recv()).await {
                Ok(Some(frame)) => self.write_all_queued(frame).await?,
                Ok(None) => return Ok(()),
                Err(_) => {}
            }
            let quiet = {
                let state = self.shared.state();
                if state.failed.is_some() {
                    return Ok(());
                }
                let (read, call) = (state.last_read.elapsed(), state.last_call.elapsed());
                when_quiet(state.waiting.len(), read, call, pinged.elapsed(), self.ping, self.idle)
            };
            wait = match quiet {
                Quiet::Wait(wait) => wait,
                Quiet::Ping => {
                    pinged = Instant::now();
                    self.write(header::ping(&self.shared.client)).await?;
                    self.ping
                }
                Quiet::Close => {
                    // A call that comes in this moment finds the connection failed before it is sent, and goes to a new one.
                    let idle = {
                        let mut state = self.shared.state();
                        if state.waiting.is_empty() {
                            state.failed = Some(self.shared.lost(io::Error::new(
                                io::ErrorKind::ConnectionAborted,
                                "closed after a time without calls",
                            )));
                        }
                        state.waiting.is_empty()
                    };
                    if idle {
                        let _ = self.write.shutdown().await;
                        return Ok(());
                    }
                    self.ping
                }
            };
        }
    }

    /// Everything that waits goes out in one piece where it is small.
    async fn write_all_queued(&mut self, first: Bytes) -> io::Result<()> {
        let mut next = Some(first);
        let mut batch = Vec::new();
        while let Some(frame) = next {
            let frame = match &mut self.sealer {
                Some(sealer) => wrapped(sealer, &frame).map_err(io::Error::other)?,
                None => frame,
            };
            if batch.is_empty() && frame.len() > 32 * 1024 {
                self.write.write_all(&frame).await?;
            } else {
                batch.extend_from_slice(&frame);
            }
            if batch.len() > 32 * 1024 {
                break;
            }
            next = self.queue.try_recv().ok();
        }
        self.write.write_all(&batch).await
    }

    async fn write(&mut self, frame: Bytes) -> io::Result<()> {
        let frame = match &mut self.sealer {
            Some(sealer) => wrapped(sealer, &frame).map_err(io::Error::other)?,
            None => frame,
        };
        self.write.write_all(&frame).await
    }
}

struct Reader {
    shared: Arc<Shared>,
    read: OwnedReadHalf,
    opener: Option<Opener>,
    limit: usize,
}

impl Reader {
    async fn run(mut self) {
        let error = self.read_until_it_fails().await;
        self.shared.fail(error);
    }

    async fn read_until_it_fails(&mut self) -> Error {
        // A sealed frame is a little longer than what it holds, and what it holds is a stream of frames of its own.
        let sealing = if self.opener.is_some() { 1024 } else { 0 };
        let mut decoder = Decoder::new(self.limit.saturating_add(sealing));
        let mut inner = Decoder::new(self.limit);
        loop {
            loop {
                match decoder.next() {
                    Ok(Some(frame)) => {
                        if let Err(error) = self.take(frame, &mut inner) {
                            return error;
                        }
                    }
                    Ok(None) => break,
                    Err(source) => return Error::Protocol { address: self.shared.address.clone(), source },
                }
            }
            match self.read.read_buf(decoder.space()).await {
                Ok(0) => return self.shared.lost(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.shared.state().last_read = Instant::now(),
                Err(source) => return self.shared.lost(source),
            }
        }
    }

    fn take(&mut self, frame: Bytes, inner: &mut Decoder) -> Result<(), Error> {
        let address = || self.shared.address.clone();
        let protocol = |source| Error::Protocol { address: address(), source };
        let answer = header::answer(frame).map_err(protocol)?;
        let Some(opener) = &mut self.opener else { return self.deliver(answer) };
        match answer {
            Answer::Sasl(message) if message.state() == SaslState::Wrap => {
                let opened =
                    opener.open(message.token()).map_err(|source| Error::Sasl { address: address(), source })?;
                inner.feed(&opened);
                while let Some(frame) = inner.next().map_err(protocol)? {
                    self.deliver(header::answer(frame).map_err(protocol)?)?;
                }
                Ok(())
            }
            // What is not sealed could be anybody's, except that a server may give up at any time.
            Answer::Fatal(exception) => Err(Error::Remote { address: address(), exception }),
            Answer::Sasl(_) | Answer::Success { .. } | Answer::Error { .. } => Err(self
                .shared
                .lost(io::Error::new(io::ErrorKind::InvalidData, "a frame without seal on a sealed connection"))),
        }
    }

    fn deliver(&self, answer: Answer) -> Result<(), Error> {
        let address = || self.shared.address.clone();
        let (id, result) = match answer {
            Answer::Success { id, body } => (id, Ok(body)),
            Answer::Error { id, exception } => (id, Err(Error::Remote { address: address(), exception })),
            Answer::Fatal(exception) => return Err(Error::Remote { address: address(), exception }),
            Answer::Sasl(_) => {
                return Err(self
                    .shared
                    .lost(io::Error::new(io::ErrorKind::InvalidData, "a negotiation in the middle of calls")));
            }
        };
        // A call that was given up is not there any more.
        let waiting = self.shared.state().waiting.remove(&id);
        if let Some(call) = waiting {
            let _ = call.send(result);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::ExceptionKind;
    use super::super::frame::Builder;
    use super::*;
    use crate::proto::common::{RpcResponseHeaderProto, RpcStatusProto};

    const S: Duration = Duration::from_secs(1);

    /// What a server says of a client that it refuses, before it closes.
    fn refusal() -> Bytes {
        let header = RpcResponseHeaderProto {
            call_id: u32::MAX,
            status: RpcStatusProto::Fatal.into(),
            exception_class_name: Some("org.apache.hadoop.security.AccessControlException".to_owned()),
            error_msg: Some("not for you".to_owned()),
            ..Default::default()
        };
        Builder::new().message(&header).finish()
    }

    #[tokio::test]
    async fn a_server_that_refuses_is_heard_although_nothing_can_be_written_to_it_any_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(&refusal()).await.unwrap();
        drop(server);

        let now = Instant::now();
        let state = State { waiting: HashMap::new(), failed: None, last_read: now, last_call: now };
        let shared = Arc::new(Shared { address: "rm:8030".into(), client: [0; 16], state: state.into() });
        let (read, mut write) = stream.into_split();
        // The next write is a broken pipe, as it is once the server has closed.
        write.shutdown().await.unwrap();
        let (outgoing, queue) = mpsc::channel(1);
        outgoing.send(header::ping(&shared.client)).await.unwrap();
        let reader = Reader { shared: Arc::clone(&shared), read, opener: None, limit: 1 << 20 };
        let writer = Writer { shared: Arc::clone(&shared), write, sealer: None, queue, ping: 60 * S, idle: 60 * S };

        // The writer meets its error while the reader has not looked yet.
        let (heard, hear) = oneshot::channel::<()>();
        let reader = tokio::spawn(async move {
            let _ = hear.await;
            reader.run().await;
        });
        let writer = tokio::spawn(writer.run(reader));
        // It has taken the frame, and in the same turn failed to write it.
        drop(outgoing.reserve().await);
        heard.send(()).unwrap();
        writer.await.unwrap();
        let failed = shared.state().failed.clone().unwrap();
        assert_eq!(failed.kind(), Some(ExceptionKind::AccessControl), "{failed:?}");
    }

    #[test]
    fn a_connection_without_calls_is_closed_after_its_time_and_one_with_calls_is_pinged() {
        assert_eq!(when_quiet(0, 10 * S, 10 * S, 20 * S, 60 * S, 10 * S), Quiet::Close);
        assert_eq!(when_quiet(0, 3 * S, 20 * S, 20 * S, 60 * S, 10 * S), Quiet::Wait(7 * S));
        assert_eq!(when_quiet(1, 60 * S, 61 * S, 70 * S, 60 * S, 10 * S), Quiet::Ping);
        assert_eq!(when_quiet(1, 90 * S, 91 * S, 20 * S, 60 * S, 100 * S), Quiet::Wait(40 * S));
        assert_eq!(when_quiet(1, 90 * S, 5 * S, 90 * S, 60 * S, 10 * S), Quiet::Wait(10 * S));
    }
}
