//! `MAAS_MODEL_APPLY`, 64 at once, beside a bare pooled client on the same server: different arguments each time, then the same ones from the cache.
//!
//! Two servers: the model of the examples, as users run it, and one that does nothing but answer, which shows what a call costs by itself. One thread asks.
//! Goal: 0.85 × the bare client's throughput.

use std::cell::Cell;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use maas_client::config::Roots;
use maas_client::model::ModelId;
use maas_client::registry::{Registration, default_functions};
use maas_client::tree::memory::MemoryServer;
use maas_client::tree::{Access, Op, SharedTree, TreeExt};
use stellar_fns::maas::{Logged, Models, Settings};
use stellar_fns::{Compiler, Environment, Program, SharedLayers, Value, VariableMap};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};

use super::line::{line, median};

const AT_ONCE: usize = 64;
const ROUNDS: usize = 9;
const ANSWER: &str = r#"{"is_malicious":"malicious"}"#;
const EXPRESSION: &str = "MAP_GET('is_malicious', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : host}))";
const GOAL: f64 = 0.85;

/// A server, and how often it is asked in a round.
struct Server {
    name: &'static str,
    url: String,
    per_round: usize,
}

/// Measures and prints.
pub(crate) fn measure() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = Example::start(folder.path());
    runtime.block_on(compare(&Server { name: "model_apply_64", url: model.url(), per_round: 640 }));
    runtime.block_on(compare(&Server { name: "model_apply_64_idle", url: serve(), per_round: 6_400 }));
}

/// The mock DGA model of the examples.
struct Example {
    process: Child,
    endpoint: PathBuf,
}

impl Example {
    fn start(folder: &Path) -> Example {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mock_dga/dga.sh");
        let mut command = Command::new(script);
        let silent = command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        let process = silent.spawn().expect("python3");
        Example { process, endpoint: folder.join("endpoint.dat") }
    }

    /// Where it listens, which it says when it does.
    fn url(&mut self) -> String {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            if let Ok(said) = std::fs::read(&self.endpoint) {
                let said: serde_json::Value = serde_json::from_slice(&said).expect("JSON");
                return said["url"].as_str().expect("a url").to_owned();
            }
            assert!(Instant::now() < patience && self.process.try_wait().expect("a process").is_none(), "no model");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server on a thread of its own, as a model has a process of its own. Gives its url.
fn serve() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address").port()).expect("the bench listens");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("an option");
                tokio::spawn(async move {
                    let service = service_fn(|_request: Request<hyper::body::Incoming>| async {
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
                    });
                    let served = hyper::server::conn::http1::Builder::new();
                    // A connection that ends is no loss.
                    let _ = served.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
    });
    format!("http://127.0.0.1:{}", told.recv().expect("a port"))
}

async fn models(url: &str) -> Models {
    let tree: SharedTree = MemoryServer::new().session();
    let roots = Roots::default();
    tree.ensure_path(&roots.service("dga"), Access::Open).await.expect("a name");
    let registration = Registration {
        model: ModelId::new("dga", "1.0").expect("a good name"),
        id: "i0".to_owned(),
        url: url.to_owned(),
        functions: default_functions(),
        registered_ms: 1,
    };
    let create = Op::create_ephemeral(roots.registration("dga", "i0"), registration.encode());
    tree.multi(vec![create]).await.expect("an endpoint");
    Models::new(Handle::current(), tree, roots, &Settings::default(), Box::new(Logged::default())).expect("a caller")
}

async fn compare(server: &Server) {
    let Server { name, url, per_round } = server;
    let environment = Arc::new(Environment { models: Some(Arc::new(models(url).await)), ..Environment::default() });
    let program = Compiler::default().compile(EXPRESSION).expect("an expression");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let bare: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let number = Cell::new(0_u64);
    let next = || number.replace(number.get() + 1);
    let different = async || ask(&program, &environment, &format!("host{}.example.com", next())).await;
    let same = async || ask(&program, &environment, "one.example.com").await;
    let through_bare = async || {
        let url = format!("{url}/apply?host=host{}.example.com", next());
        let response = bare.get(url.parse().expect("a url")).await.expect("an answer");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert!(body.windows(9).any(|part| part == b"malicious"), "{body:?}");
    };
    let (mut ours, mut cached, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(round(*per_round, &different).await);
        bares.push(round(*per_round, &through_bare).await);
        cached.push(round(*per_round, &same).await);
    }
    let (ours, cached, bares) = (median(ours), median(cached), median(bares));
    let rate = |per_second: f64| format!("{per_second:.0}/s");
    let ratio = ours / bares;
    line(name, &rate(ours), &rate(bares), &format!("{ratio:.2}"), &format!(">={GOAL}"), ratio >= GOAL);
    let (row, ratio) = (format!("{name}_cached"), format!("{:.1}", cached / bares));
    line(&row, &rate(cached), &rate(bares), &ratio, "-", true);
}

async fn ask(program: &Program, environment: &Arc<Environment>, host: &str) {
    let variables = SharedLayers::new([Arc::new(VariableMap::from_iter([("host", Value::from(host))]))]);
    let answer = program.evaluate_asking(variables, environment).await;
    assert_eq!(answer, Ok(Value::from("malicious")));
}

/// Questions per second of one round, `AT_ONCE` of them at a time.
async fn round(questions: usize, one: &impl AsyncFn()) -> f64 {
    let start = Instant::now();
    let askers = (0..AT_ONCE).map(|_| async move {
        for _ in 0..questions / AT_ONCE {
            one().await;
        }
    });
    futures_util::future::join_all(askers).await;
    questions as f64 / start.elapsed().as_secs_f64()
}
