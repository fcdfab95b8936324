//! Models, registered in ZooKeeper, and a bare client that asks them: one that answers at once, and the one of the example, which is a Python program.

use std::cell::Cell;
use std::convert::Infallible;
use std::path::Path;
use std::process::Stdio;
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
use maas_client::tree::{Access, Op, SharedTree, TreeExt};
use maas_client::zk::{ZkOptions, ZkTree};
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::runtime::Builder;

/// Calls at once, as the pipeline has them.
pub(crate) const AT_ONCE: usize = 64;
const ANSWER: &str = r#"{"is_malicious":"legit"}"#;

/// The model `dga`, for as long as this lives.
pub(crate) struct Model {
    /// Where ZooKeeper names it.
    pub(crate) zookeeper: String,
    url: String,
    _tree: SharedTree,
    _process: Option<(Child, tempfile::TempDir)>,
}

impl Model {
    /// One that answers at once, on a thread of its own, as a model has a process of its own.
    pub(crate) async fn fast() -> Model {
        Self::registered(format!("http://127.0.0.1:{}", serve()), None).await
    }

    /// The one that the walk-through deploys.
    pub(crate) async fn example() -> Model {
        let place = tempfile::tempdir().expect("a directory");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mock_dga/dga.sh");
        let mut command = Command::new(program);
        command.current_dir(place.path()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().expect("it starts");
        let start = Instant::now();
        let url = loop {
            let said = std::fs::read_to_string(place.path().join("endpoint.dat")).unwrap_or_default();
            if let Some(url) =
                serde_json::from_str::<Json>(&said).ok().and_then(|said| Some(said["url"].as_str()?.to_owned()))
            {
                break url;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "the model does not say where it listens");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        Self::registered(url.trim_end_matches('/').to_owned(), Some((child, place))).await
    }

    async fn registered(url: String, process: Option<(Child, tempfile::TempDir)>) -> Model {
        let server =
            std::env::var("MAAS_TEST_ZK").expect("MAAS_TEST_ZK is needed; scripts/bench.sh enrich starts a ZooKeeper");
        let zookeeper = format!("{server}/bench-{}", uuid::Uuid::new_v4());
        let options =
            ZkOptions { connect_timeout: Some(std::time::Duration::from_secs(10)), ..ZkOptions::new(&zookeeper) };
        let tree: SharedTree = ZkTree::connect(options).await.expect("ZooKeeper answers");
        let roots = Roots::default();
        tree.ensure_path(&roots.service("dga"), Access::Open).await.expect("a name");
        let registration = Registration {
            model: ModelId::new("dga", "1.0").expect("a good name"),
            id: "i0".to_owned(),
            url: url.clone(),
            functions: default_functions(),
            registered_ms: 1,
        };
        let create = Op::create_ephemeral(roots.registration("dga", "i0"), registration.encode());
        tree.multi(vec![create]).await.expect("an endpoint");
        Model { zookeeper, url, _tree: tree, _process: process }
    }

    /// Questions per second of a bare client.
    pub(crate) async fn bare(&self, questions: usize) -> f64 {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        let number = Cell::new(0_u64);
        let start = Instant::now();
        let askers = (0..AT_ONCE).map(|_| async {
            for _ in 0..questions / AT_ONCE {
                number.set(number.get() + 1);
                let url = format!("{}/apply?host=host{}.com", self.url, number.get());
                let response = client.get(url.parse().expect("a url")).await.expect("an answer");
                let answer = response.into_body().collect().await.expect("a body").to_bytes();
                assert!(answer.starts_with(b"{\"is_malicious\""), "an answer");
            }
        });
        futures_util::future::join_all(askers).await;
        questions as f64 / start.elapsed().as_secs_f64()
    }
}

fn serve() -> u16 {
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
    told.recv().expect("a port")
}
