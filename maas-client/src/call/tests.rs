//! Calls over the memory tree to models played by small servers: what is sent, what is tried again, what is reported.

use super::*;
use crate::config::Roots;
use crate::resolver;
use crate::tree::memory::{MemoryServer, MemoryTree};
use crate::tree::{Access, Mode, TreeExt};
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A model: answers each request with what its script says; counts and keeps what it was asked.
struct Model {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU32>,
    tasks: JoinSet<()>,
}

/// What a played model does with a request.
#[derive(Clone)]
enum Does {
    Answers(u16, String),
    /// Closes without a word.
    Closes,
    /// Announces more than it sends.
    Breaks,
    Hangs,
    /// Answers, and closes the connection without having said so.
    AnswersAndCloses(String),
    Babbles,
}

fn good() -> Does {
    Does::Answers(200, r#"{"is_malicious":"legit"}"#.into())
}

impl Model {
    async fn start(does: impl Fn(u32) -> Does + Send + Sync + 'static) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
        let mut tasks = JoinSet::new();
        let (seen, opened, does) = (asked.clone(), connections.clone(), Arc::new(does));
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::Relaxed);
                open.spawn(serve(stream, seen.clone(), does.clone()));
            }
        });
        Model { port, asked, connections, tasks }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// As `kill -9`: nobody listens, all connections are gone.
    async fn kill(&mut self) {
        self.tasks.shutdown().await;
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, does: Arc<impl Fn(u32) -> Does>) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let length =
            text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let length: usize = length.unwrap_or(0);
        while bytes.len() < head + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8(bytes[head..head + length].to_vec()).unwrap();
        bytes.drain(..head + length);
        let count = {
            let mut asked = asked.lock().unwrap();
            asked.push(format!("{} {body}", text.lines().next().unwrap()).trim().to_string());
            asked.len()
        };
        let (answer, close) = match does(u32::try_from(count).unwrap()) {
            Does::Answers(status, body) => (answer(status, &body), false),
            Does::AnswersAndCloses(body) => (answer(200, &body), true),
            Does::Closes => return,
            Does::Breaks => ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\"".to_string(), true),
            Does::Babbles => ("220 smtp ready\r\n\r\n".to_string(), true),
            Does::Hangs => std::future::pending().await,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || close {
            return;
        }
    }
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

struct Bed {
    tree: Arc<MemoryTree>,
    roots: Roots,
    caller: Caller,
    call: Call,
}

impl Bed {
    async fn new(policy: Policy) -> Bed {
        let server = MemoryServer::new();
        let (tree, roots) = (server.session(), Roots::default());
        let resolver = Resolver::new(server.session(), roots.clone(), resolver::Policy::default());
        let call = Call::new("dga".parse().unwrap());
        Bed { tree, roots, caller: Caller::new(resolver, policy).unwrap(), call }
    }

    async fn with(models: &[&Model]) -> Bed {
        let bed = Bed::new(Policy::default()).await;
        bed.register_all(models).await;
        bed
    }

    async fn register_all(&self, models: &[&Model]) {
        for (index, model) in models.iter().enumerate() {
            self.register(&format!("i{index}"), model.port, r#"{"apply":"apply"}"#).await;
        }
    }

    async fn register(&self, id: &str, port: u16, functions: &str) {
        self.tree.ensure_path(&self.roots.service("dga"), Access::WorldReads).await.unwrap();
        let bytes = format!(
            r#"{{"name":"dga","id":"{id}","address":"127.0.0.1","port":{port},"sslPort":null,"payload":{{"@class":"org.apache.metron.maas.config.ModelEndpoint","endpoint":{{"url":"http://127.0.0.1:{port}","functions":{functions}}},"name":"dga","version":"1.0","containerId":"{id}"}},"registrationTimeUTC":1,"serviceType":"DYNAMIC","uriSpec":null}}"#
        );
        let path = self.roots.registration("dga", id);
        self.tree.create(&path, bytes.into(), Mode::Ephemeral, Access::WorldReads).await.unwrap();
    }

    async fn settings(&self, settings: &str) {
        self.tree.ensure_path(&self.roots.model("dga"), Access::WorldReads).await.unwrap();
        let path = format!("{}/1.0", self.roots.model("dga"));
        let bytes = format!(r#"{{"count":1,"call":{settings}}}"#);
        self.tree.create(&path, bytes.into(), Mode::Persistent, Access::WorldReads).await.unwrap();
    }

    async fn answer(&self) -> Answer {
        self.caller.call(&self.call).await.unwrap()
    }

    async fn error(&self) -> Error {
        self.caller.call(&self.call).await.unwrap_err()
    }

    fn count(&self, outcome: Outcome) -> u64 {
        let counts = self.caller.metrics().calls;
        counts.iter().filter(|((_, _, counted), _)| *counted == outcome).map(|(_, count)| count).sum()
    }
}

fn named(value: serde_json::Value) -> Arguments {
    Arguments::Named(value.as_object().unwrap().clone())
}

#[tokio::test]
async fn an_answer_tells_who_gave_it() {
    let model = Model::start(|_| good()).await;
    let mut bed = Bed::with(&[&model]).await;
    bed.call.arguments = named(json!({"host": "yahoo.com"}));
    let answer = bed.answer().await;
    assert_eq!(answer.value["is_malicious"], "legit");
    assert_eq!(answer.body, r#"{"is_malicious":"legit"}"#);
    assert_eq!((answer.model.to_string().as_str(), &*answer.instance, answer.status), ("dga 1.0", "i0", 200));
    assert_eq!(&*answer.url, format!("http://127.0.0.1:{}", model.port));
    assert!(!answer.cached && answer.tries == 1);
    bed.answer().await;
    assert_eq!(model.asked(), ["GET /apply?host=yahoo.com HTTP/1.1"; 2]);
    assert_eq!(model.connections.load(Ordering::Relaxed), 1, "the connection is kept");
    let counts = bed.caller.metrics();
    assert_eq!((bed.count(Outcome::Ok), counts.seconds.iter().sum::<u64>()), (2, 2));
}

#[tokio::test]
async fn a_model_that_says_so_is_sent_a_json_body() {
    let model = Model::start(|_| good()).await;
    let mut bed = Bed::with(&[&model]).await;
    bed.settings(r#"{"method":"POST"}"#).await;
    bed.call.arguments = named(json!({"host": "a b", "n": [1, 2]}));
    bed.answer().await;
    assert_eq!(model.asked(), [r#"POST /apply HTTP/1.1 {"host":"a b","n":[1,2]}"#]);
}

#[tokio::test]
async fn the_function_the_caller_names_wins() {
    let model = Model::start(|_| good()).await;
    let mut bed = Bed::with(&[]).await;
    bed.register("a", model.port, r#"{"apply":"score","why":"explain/v2"}"#).await;
    for function in [None, Some("apply"), Some("why"), Some("other")] {
        bed.call.function = function.map(str::to_string);
        bed.answer().await;
    }
    let paths: Vec<String> = model.asked().iter().map(|line| line.split(' ').nth(1).unwrap().to_string()).collect();
    assert_eq!(paths, ["/score", "/score", "/explain/v2", "/other"]);
}

#[tokio::test]
async fn no_call_fails_while_one_healthy_instance_is_left() {
    let mut models = Vec::new();
    for _ in 0..5 {
        models.push(Model::start(|_| good()).await);
    }
    let mut bed = Bed::with(&models.iter().collect::<Vec<_>>()).await;
    // Hundreds of calls on one thread: how fast this machine is shall not matter.
    bed.settings(r#"{"timeout_ms":30000}"#).await;
    bed.call.deadline = Some(Duration::from_secs(90));
    bed.answer().await;
    let mut calls = JoinSet::new();
    let calling = |calls: &mut JoinSet<Result<Answer, Error>>| {
        for _ in 0..150 {
            let (caller, call) = (bed.caller.clone(), bed.call.clone());
            calls.spawn(async move { caller.call(&call).await });
        }
    };
    for model in &mut models[1..] {
        calling(&mut calls);
        tokio::task::yield_now().await;
        model.kill().await;
        calling(&mut calls);
    }
    while let Some(answer) = calls.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(bed.count(Outcome::Ok), 1 + 4 * 300);
}

#[tokio::test]
async fn a_closed_pooled_connection_is_tried_again_at_once() {
    let model = Model::start(|_| Does::AnswersAndCloses("{}".into())).await;
    let bed = Bed::with(&[&model]).await;
    for _ in 0..20 {
        bed.answer().await;
    }
}

#[tokio::test]
async fn failures_that_may_pass_are_tried_elsewhere() {
    for bad in [Does::Closes, Does::Breaks, Does::Answers(503, "{}".into()), Does::Hangs] {
        let failing = Model::start(move |_| bad.clone()).await;
        let healthy = Model::start(|_| good()).await;
        let mut bed = Bed::with(&[&failing, &healthy]).await;
        bed.call.deadline = Some(Duration::from_millis(600));
        // Which one is picked first is chance; in two hundred calls it is no more.
        for _ in 0..200 {
            assert_eq!(&*bed.answer().await.instance, "i1");
            if !failing.asked().is_empty() {
                break;
            }
        }
        assert!(!failing.asked().is_empty(), "never tried");
    }
}

#[tokio::test]
async fn one_time_out_ejects_nobody() {
    let hung = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let hangs = move |_| if hung.swap(true, Ordering::Relaxed) { good() } else { Does::Hangs };
    let slow = Model::start(hangs).await;
    let healthy = Model::start(|_| good()).await;
    let mut bed = Bed::with(&[&slow, &healthy]).await;
    bed.call.deadline = Some(Duration::from_secs(3));
    for _ in 0..200 {
        bed.answer().await;
    }
    assert!(slow.asked().len() > 1, "asked {} times", slow.asked().len());
}

#[tokio::test]
async fn what_is_not_idempotent_is_sent_once() {
    for bad in [Does::Closes, Does::Breaks, Does::Answers(503, "{}".into()), Does::Hangs] {
        let model = Model::start(move |_| bad.clone()).await;
        let mut bed = Bed::with(&[&model, &model]).await;
        bed.settings(r#"{"idempotent":false}"#).await;
        bed.call.deadline = Some(Duration::from_millis(150));
        bed.error().await;
        assert_eq!(model.asked().len(), 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone() {
    let mut dead = Model::start(|_| good()).await;
    let healthy = Model::start(|_| good()).await;
    let bed = Bed::with(&[&dead, &healthy]).await;
    dead.kill().await;
    let mut tries = 0;
    for _ in 0..50 {
        tries += bed.answer().await.tries;
    }
    assert!(tries <= 51, "{tries} tries for 50 calls");
}

#[tokio::test]
async fn errors_say_what_when_where_and_how_often() {
    let bed = Bed::with(&[]).await;
    let error = bed.error().await;
    assert_eq!(
        (error.outcome(), error.to_string().as_str()),
        (Outcome::NoEndpoint, "no endpoint of dga is registered; see maas_deploy list")
    );

    let model = Model::start(|_| Does::Hangs).await;
    let mut bed = Bed::with(&[&model, &model]).await;
    bed.call.deadline = Some(Duration::from_millis(90));
    let error = bed.error().await;
    assert_eq!(error.outcome(), Outcome::Timeout);
    let start = format!("dga 1.0 at http://127.0.0.1:{}/apply: no answer in ", model.port);
    assert!(error.to_string().starts_with(&start), "{error}");
    assert!((2..=3).contains(&error.at().unwrap().tries), "{error}");

    let mut dead = Model::start(|_| good()).await;
    dead.kill().await;
    let bed = Bed::with(&[&dead]).await;
    let error = bed.error().await;
    assert_eq!(error.outcome(), Outcome::Refused);
    assert!(error.to_string().contains("no connection"), "{error}");

    let model = Model::start(|_| Does::Answers(404, "no such function".into())).await;
    let bed = Bed::with(&[&model, &model]).await;
    let error = bed.error().await;
    assert_eq!((error.outcome(), error.body().unwrap().as_ref()), (Outcome::Status, &b"no such function"[..]));
    assert_eq!(model.asked().len(), 1);

    for (bad, says) in [
        (Does::Answers(200, "[1]".into()), "no JSON object"),
        (Does::Answers(200, "{\"a\":".into()), "no JSON object"),
        (Does::Babbles, "no HTTP"),
        (Does::Answers(200, format!("{{\"a\":\"{}\"}}", "x".repeat(2000))), "more than 1000 bytes"),
    ] {
        let model = Model::start(move |_| bad.clone()).await;
        let connection = ConnectionPolicy { answer_most: 1000, ..ConnectionPolicy::default() };
        let bed = Bed::new(Policy { connection, ..Policy::default() }).await;
        bed.register_all(&[&model]).await;
        let error = bed.error().await;
        assert_eq!(error.outcome(), Outcome::BadAnswer, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(bed.count(Outcome::BadAnswer), 1);
    }
}

#[tokio::test]
async fn without_zookeeper_the_outcome_says_so_within_the_deadline() {
    let server = MemoryServer::new();
    let session = server.session();
    session.disconnect();
    let resolver = Resolver::new(session, Roots::default(), resolver::Policy::default());
    let caller = Caller::new(resolver, Policy::default()).unwrap();
    let mut call = Call::new("dga".parse().unwrap());
    call.deadline = Some(Duration::from_millis(50));
    assert_eq!(caller.call(&call).await.unwrap_err().outcome(), Outcome::NoZookeeper);
}

#[tokio::test]
async fn one_instance_can_be_asked_for() {
    let (one, other) = (Model::start(|_| good()).await, Model::start(|_| good()).await);
    let mut bed = Bed::with(&[&one, &other]).await;
    bed.call.instance = Some("i1".into());
    for _ in 0..10 {
        assert_eq!(&*bed.answer().await.instance, "i1");
    }
    assert!(one.asked().is_empty());
    bed.call.instance = Some("i2".into());
    let error = bed.error().await;
    assert_eq!(error.to_string(), "dga 1.0 has no instance i2; see maas_deploy status");
}

#[cfg(feature = "cache")]
#[tokio::test]
async fn an_endpoint_can_be_wished_for_and_others_stand_in_for_it() {
    let mut models = [Model::start(|_| good()).await, Model::start(|_| good()).await];
    let mut bed = Bed::with(&models.iter().collect::<Vec<_>>()).await;
    bed.call.first = Some(format!("http://127.0.0.1:{}", models[1].port));
    for _ in 0..20 {
        assert_eq!(&*bed.answer().await.instance, "i1");
    }
    models[1].kill().await;
    assert_eq!(&*bed.answer().await.instance, "i0");
    bed.call.first = Some("http://127.0.0.1:1".into());
    assert_eq!(&*bed.answer().await.instance, "i0", "what is not registered is not asked");
}

#[tokio::test]
async fn the_cache_hits_whichever_endpoint_answered_and_keeps_no_failure() {
    let does = |count| if count == 1 { Does::Answers(400, "{}".into()) } else { good() };
    let (one, other) = (Model::start(does).await, Model::start(does).await);
    let mut bed = Bed::new(Policy { cache: cache::Policy::default(), ..Policy::default() }).await;
    bed.register_all(&[&one, &other]).await;
    let asked = || one.asked().len() + other.asked().len();
    let mut failures = 0;
    while let Err(error) = bed.caller.call(&bed.call).await {
        assert_eq!(error.outcome(), Outcome::Status);
        failures += 1;
    }
    assert!((1..=2).contains(&failures));
    let before = asked();
    for _ in 0..20 {
        let answer = bed.answer().await;
        assert!(answer.cached && answer.tries == 0 && answer.value["is_malicious"] == "legit");
    }
    assert_eq!(asked(), before);
    bed.call.arguments = named(json!({"host": "other"}));
    while bed.caller.call(&bed.call).await.is_err() {}
    assert!(asked() > before);
    let before = asked();
    let kept = |host: &str| {
        let Arguments::Named(arguments) = named(json!({ "host": host })) else { unreachable!("they are named") };
        bed.caller.kept(&bed.call.name, None, None, &arguments)
    };
    assert!(kept("other").is_some_and(|answer| answer.cached));
    assert!(kept("never asked").is_none());
    assert_eq!(asked(), before);
    let counts = bed.caller.metrics();
    assert_eq!(counts.cache_hits, 21);
    assert!(counts.cache_misses >= 3);
}
