//! `call`: a model call through the caller, one and 64 at a time, beside a bare hyper-util client and a raw connection.
//!
//! Same server, same request, in turns. Goal: 0.9 × the bare pooled client's throughput.

mod support;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use maas_client::call::{Arguments, Call, Caller, Policy};
use maas_client::config::Roots;
use maas_client::resolver::{self, Resolver};
use maas_client::tree::memory::MemoryServer;
use maas_client::tree::{Access, Op, SharedTree, TreeExt};
use serde_json::json;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

const ROUNDS: usize = 9;
const PER_ROUND: usize = 4_000;
const ANSWER: &str = r#"{"is_malicious":"legit"}"#;

fn main() {
    // The server has a thread of its own, as a model has a process of its own.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address").port()).expect("the bench listens");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("an option");
                tokio::spawn(async move {
                    let service = service_fn(|_request| async {
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
                    });
                    let _ended = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
    });
    let port = told.recv().expect("a port");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(port));
}

async fn measure(port: u16) {
    let tree: SharedTree = MemoryServer::new().session();
    let roots = Roots::default();
    tree.ensure_path(&roots.service("model-0"), Access::Open).await.expect("a name");
    let registered = support::registration("model-0", "i0", port).encode();
    tree.multi(vec![Op::create_ephemeral(roots.registration("model-0", "i0"), registered)]).await.expect("an endpoint");
    let caller =
        Caller::new(Resolver::new(tree, roots, resolver::Policy::default()), Policy::default()).expect("a caller");
    let mut call = Call::new("model-0".parse().expect("a good name"));
    call.arguments = Arguments::Named(json!({"host": "yahoo.com"}).as_object().expect("an object").clone());

    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let bare: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let url: hyper::Uri = format!("http://127.0.0.1:{port}/apply?host=yahoo.com").parse().expect("a url");

    for at_once in [1, 64] {
        let through_caller = async || {
            assert_eq!(caller.call(&call).await.expect("an answer").body, ANSWER);
        };
        let through_bare = async || {
            let response = bare.get(url.clone()).await.expect("an answer");
            assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), ANSWER);
        };
        let (mut ours, mut bares) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(round(at_once, &through_caller).await);
            bares.push(round(at_once, &through_bare).await);
        }
        let (ours, bares) = (median(ours), median(bares));
        let ratio = bares.as_secs_f64() / ours.as_secs_f64();
        let raw = raw_round(port, at_once).await;
        let goal = ">=0.9";
        support::line(
            &format!("call_{at_once}"),
            &rate(ours),
            &rate(bares),
            &format!("{ratio:.2}"),
            goal,
            ratio >= 0.9,
        );
        let ratio = bares.as_secs_f64() / raw.as_secs_f64();
        support::line(&format!("call_{at_once}_raw"), &rate(raw), &rate(bares), &format!("{ratio:.2}"), "-", true);
    }
}

/// The time of one round: `PER_ROUND` calls, `at_once` of them at a time.
async fn round(at_once: usize, one: &impl AsyncFn()) -> Duration {
    let start = Instant::now();
    let callers = (0..at_once).map(|_| async move {
        for _ in 0..PER_ROUND / at_once {
            one().await;
        }
    });
    futures_util::future::join_all(callers).await;
    start.elapsed()
}

/// As a round, each of the `at_once` on a raw connection of its own.
async fn raw_round(port: u16, at_once: usize) -> Duration {
    let mut senders = Vec::new();
    for _ in 0..at_once {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        let (sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection);
        senders.push(sender);
    }
    let start = Instant::now();
    let tasks = senders.into_iter().map(|mut sender| async move {
        for _ in 0..PER_ROUND / at_once {
            sender.ready().await.expect("a connection");
            let request = Request::get("/apply?host=yahoo.com").header("host", "127.0.0.1").body(Empty::new());
            let response = sender.send_request(request.expect("a request")).await.expect("an answer");
            response.into_body().collect().await.expect("a body");
        }
    });
    futures_util::future::join_all(tasks).await;
    start.elapsed()
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort();
    rounds[rounds.len() / 2]
}

fn rate(round: Duration) -> String {
    format!("{:.0}/s", PER_ROUND as f64 / round.as_secs_f64())
}
