//! Connections and clients against a server that a test plays by hand, so that it can answer out of order, late, wrongly or not at all.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::frame::{Builder, Decoder, FrameError, take};
use super::header::Protocol;
use super::{Authentication, Client, Error, ExceptionKind, Options, Repeat, RetryPolicy};
use crate::proto::common::{
    IpcConnectionContextProto, RequestHeaderProto, RpcRequestHeaderProto, RpcResponseHeaderProto, RpcStatusProto,
};
use crate::proto::yarn::{ApplicationIdProto, GetApplicationReportRequestProto, PriorityProto};

const PROTOCOL: Protocol = Protocol { name: "a.protocol.PB", version: 1 };
const BOUND: Duration = Duration::from_secs(20);

struct Server(TcpListener);

/// A connection that a client made.
struct Peer {
    stream: TcpStream,
    decoder: Decoder,
    preamble: [u8; 7],
}

struct Call {
    id: i32,
    retry: i32,
    method: String,
    body: Bytes,
}

impl Server {
    async fn new() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (Self(listener), address)
    }

    /// The next connection, its preamble and context read.
    async fn accept(&self) -> Peer {
        let (mut stream, _) = timeout(BOUND, self.0.accept()).await.expect("a connection").unwrap();
        let mut preamble = [0; 7];
        stream.read_exact(&mut preamble).await.unwrap();
        let mut peer = Peer { stream, decoder: Decoder::new(1 << 20), preamble };
        let mut frame = peer.frame().await.expect("a context");
        let header: RpcRequestHeaderProto = take(&mut frame, "header").unwrap();
        let context: IpcConnectionContextProto = take(&mut frame, "context").unwrap();
        assert_eq!((header.call_id, context.protocol()), (-3, PROTOCOL.name));
        peer
    }
}

impl Peer {
    /// The next frame, or `None` when the client closed.
    async fn frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.decoder.next().unwrap() {
                return Some(frame);
            }
            let read = timeout(BOUND, self.stream.read_buf(self.decoder.space())).await.expect("the client is silent");
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    async fn call(&mut self) -> Call {
        let mut frame = self.frame().await.expect("a call");
        let header: RpcRequestHeaderProto = take(&mut frame, "header").unwrap();
        let request: RequestHeaderProto = take(&mut frame, "header").unwrap();
        Call { id: header.call_id, retry: header.retry_count(), method: request.method_name, body: frame }
    }

    /// Gives a call's own bytes back.
    async fn echo(&mut self, call: &Call) {
        let header = RpcResponseHeaderProto { call_id: call.id.cast_unsigned(), ..Default::default() };
        self.stream.write_all(&Builder::new().message(&header).raw(&call.body).finish()).await.unwrap();
    }

    async fn refuse(&mut self, id: i32, status: RpcStatusProto, class: &str) {
        let header = RpcResponseHeaderProto {
            call_id: id.cast_unsigned(),
            status: status.into(),
            exception_class_name: Some(class.to_owned()),
            error_msg: Some("why".to_owned()),
            ..Default::default()
        };
        self.stream.write_all(&Builder::new().message(&header).finish()).await.unwrap();
    }
}

fn options() -> Options {
    let retry = RetryPolicy { max_pause: Duration::from_millis(1), max_wait: BOUND, ..RetryPolicy::default() };
    Options { retry, ..Options::default() }
}

fn client(servers: &[&String], options: Options) -> Client {
    Client::new(
        PROTOCOL,
        servers.iter().map(|server| (*server).clone()).collect(),
        Authentication::simple("alice"),
        options,
    )
}

/// Calls with a number, which a server gives back.
async fn call(client: &Client, repeat: Repeat, number: i32) -> Result<i32, Error> {
    let answer: PriorityProto = client.call("method", repeat, &PriorityProto { priority: Some(number) }).await?;
    Ok(answer.priority())
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], options());
    let serve = async {
        let mut peer = server.accept().await;
        assert_eq!(peer.preamble, *b"hrpc\x09\x00\x00");
        let mut calls = vec![peer.call().await, peer.call().await, peer.call().await];
        assert!(calls.iter().all(|call| call.method == "method" && call.retry == 0));
        calls.reverse();
        for call in calls {
            peer.echo(&call).await;
        }
        peer
    };
    let (a, b, c, _peer) = tokio::join!(
        call(&client, Repeat::Never, 1),
        call(&client, Repeat::Never, 2),
        call(&client, Repeat::Never, 3),
        serve
    );
    assert_eq!((a.unwrap(), b.unwrap(), c.unwrap()), (1, 2, 3));
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_repeated_only_where_that_is_harmless() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], options());
    let serve = async {
        for expected in [0, 0, 1] {
            let mut peer = server.accept().await;
            let call = peer.call().await;
            assert_eq!(call.retry, expected);
            if expected == 1 {
                peer.echo(&call).await;
                return Some(peer);
            }
        }
        None
    };
    let calls = async {
        let lost = call(&client, Repeat::Never, 1).await.unwrap_err();
        assert!(matches!(lost, Error::Lost { .. }), "{lost:?}");
        assert_eq!(call(&client, Repeat::Harmless, 2).await.unwrap(), 2);
    };
    tokio::join!(calls, serve);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_asked_again_over_a_new_connection() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], Options { call_timeout: Some(Duration::from_millis(200)), ..options() });
    let serve = async {
        let mut hanging = server.accept().await;
        hanging.call().await;
        let mut peer = server.accept().await;
        let call = peer.call().await;
        peer.echo(&call).await;
        (hanging, peer)
    };
    let calls = async {
        let late = call(&client, Repeat::Never, 1).await.unwrap_err();
        assert!(matches!(late, Error::Timeout { .. }), "{late:?}");
        assert_eq!(call(&client, Repeat::Never, 2).await.unwrap(), 2);
    };
    tokio::join!(calls, serve);
}

#[tokio::test]
async fn a_silent_server_is_pinged_while_calls_are_open() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], Options { ping_interval: Duration::from_millis(30), ..options() });
    let serve = async {
        let mut peer = server.accept().await;
        let call = peer.call().await;
        let mut ping = peer.frame().await.expect("a ping");
        let header: RpcRequestHeaderProto = take(&mut ping, "header").unwrap();
        assert_eq!((header.call_id, ping.len()), (-4, 0));
        peer.echo(&call).await;
        peer
    };
    let (answer, _peer) = tokio::join!(call(&client, Repeat::Never, 5), serve);
    assert_eq!(answer.unwrap(), 5);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_the_next_call_opens_another() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], Options { max_idle: Duration::from_millis(50), ..options() });
    for number in [1, 2] {
        let serve = async {
            let mut peer = server.accept().await;
            let call = peer.call().await;
            peer.echo(&call).await;
            assert!(peer.frame().await.is_none(), "the client closes");
        };
        let (answer, ()) = tokio::join!(call(&client, Repeat::Never, number), serve);
        assert_eq!(answer.unwrap(), number);
    }
}

#[tokio::test]
async fn a_standby_leads_to_the_next_server_and_the_client_stays_there() {
    let ((standby, first), (leader, second)) = (Server::new().await, Server::new().await);
    let client = client(&[&first, &second], options());
    let serve = async {
        let mut peer = standby.accept().await;
        let call = peer.call().await;
        peer.refuse(call.id, RpcStatusProto::Error, "org.apache.hadoop.ipc.StandbyException").await;
        let mut peer = leader.accept().await;
        for _ in 0..2 {
            let call = peer.call().await;
            peer.echo(&call).await;
        }
    };
    let calls = async {
        assert_eq!(call(&client, Repeat::Never, 1).await.unwrap(), 1);
        assert_eq!(call(&client, Repeat::Never, 2).await.unwrap(), 2);
    };
    tokio::join!(calls, serve);
}

#[tokio::test]
async fn an_error_leaves_the_connection_usable_and_a_fatal_one_ends_every_call_on_it() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], options());
    let serve = async {
        let mut peer = server.accept().await;
        let one = peer.call().await;
        peer.refuse(one.id, RpcStatusProto::Error, "org.apache.hadoop.yarn.exceptions.YarnException").await;
        peer.call().await;
        peer.call().await;
        peer.refuse(-1, RpcStatusProto::Fatal, "org.apache.hadoop.security.AccessControlException").await;
        peer
    };
    let calls = async {
        let error = call(&client, Repeat::Harmless, 1).await.unwrap_err();
        assert_eq!(error.kind(), Some(ExceptionKind::Other));
        let (a, b) = tokio::join!(call(&client, Repeat::Harmless, 2), call(&client, Repeat::Harmless, 3));
        for error in [a.unwrap_err(), b.unwrap_err()] {
            assert_eq!(error.kind(), Some(ExceptionKind::AccessControl), "{error:?}");
        }
    };
    tokio::join!(calls, serve);
}

#[tokio::test]
async fn what_is_too_long_is_neither_sent_nor_read() {
    let (server, address) = Server::new().await;
    let client = client(&[&address], Options { max_request: 80, max_response: 1000, ..options() });
    let serve = async {
        let mut peer = server.accept().await;
        peer.call().await;
        peer.stream.write_all(&2000u32.to_be_bytes()).await.unwrap();
        peer
    };
    let calls = async {
        let id = ApplicationIdProto { id: Some(i32::MAX), cluster_timestamp: Some(i64::MAX) };
        let request = GetApplicationReportRequestProto { application_id: Some(id) };
        let long = client
            .call::<PriorityProto>("aMethodWithAVeryLongNameIndeed", Repeat::Harmless, &request)
            .await
            .unwrap_err();
        assert!(matches!(long, Error::RequestTooLong { limit: 80, .. }), "{long:?}");
        let error = call(&client, Repeat::Harmless, 1).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { source: FrameError::TooLong { length: 2000, .. }, .. }), "{error:?}");
    };
    tokio::join!(calls, serve);
}

#[tokio::test]
async fn nobody_listening_is_told_with_the_address() {
    let (server, address) = Server::new().await;
    drop(server);
    let client = client(&[&address], Options { retry: RetryPolicy::never(), ..Options::default() });
    let error = call(&client, Repeat::Harmless, 1).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no connection to {address}"));
    assert!(error.is_unreachable());
}
