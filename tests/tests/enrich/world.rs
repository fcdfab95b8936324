//! What these tests share: a site with a Kafka, a search server and the programs of the pipeline, and questions to the index.

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use integration_tests::{Service, Site, program, repository};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// The servers of one test, and its place.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) kafka: Service,
    pub(crate) search: Service,
}

impl World {
    /// All of them, started side by side.
    pub(crate) async fn new(engine: &str) -> Result<World> {
        let (site, kafka, search) = tokio::try_join!(Site::new(), Service::kafka(), Service::search(engine))?;
        Ok(World { site, kafka, search })
    }

    /// `METRON_HOME/bin`, with the pipeline's programs and the scripts that have Metron's names.
    pub(crate) fn metron_home(&self) -> Result<PathBuf> {
        let bin = self.site.path("home/bin");
        std::fs::create_dir_all(&bin)?;
        for name in ["maas_enrich", "zk_load_configs"] {
            std::os::unix::fs::symlink(program(name)?, bin.join(name))?;
        }
        for name in ["start_parser_topology.sh", "zk_load_configs.sh"] {
            std::fs::copy(repository().join("scripts").join(name), bin.join(name))?;
        }
        Ok(bin)
    }

    /// A configuration directory with these files.
    pub(crate) fn config(&self, files: &[(&str, &str)]) -> Result<PathBuf> {
        let directory = self.site.path("config");
        for (name, text) in files {
            let path = directory.join(name);
            std::fs::create_dir_all(path.parent().context("a file has a directory")?)?;
            std::fs::write(path, text)?;
        }
        Ok(directory)
    }

    /// A pipeline of this sensor, from a topic into the index. It is killed when it is dropped.
    pub(crate) fn pipeline(&self, sensor: &str, topic: &str, config: &Path, options: &[&str]) -> Result<Child> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.site.path("pipeline.log"))?;
        let mut command = Command::new(program("maas_enrich")?);
        command
            .args(["run", "-s", sensor, "--source", &format!("kafka://{}/{topic}", self.kafka.address)])
            .args(["--sink", &format!("es+{}", self.search.address), "-z", &self.site.connect])
            .arg("--config")
            .arg(config)
            .args(options)
            .env("HOME", self.site.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command.spawn().context("can't start maas_enrich")
    }

    /// What the pipelines said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.site.path("pipeline.log")).unwrap_or_default()
    }

    /// How many documents the indices of a sensor hold.
    pub(crate) async fn count(&self, index: &str) -> Result<u64> {
        self.ask(&format!("{index}*/_refresh"), None).await?;
        let counted = self.ask(&format!("{index}*/_count"), None).await?;
        counted["count"].as_u64().with_context(|| format!("no count: {counted}"))
    }

    /// The documents of a sensor's indices by time, at most 1,000.
    pub(crate) async fn documents(&self, index: &str) -> Result<Vec<Value>> {
        self.ask(&format!("{index}*/_refresh"), None).await?;
        let query = json!({"size": 1000, "sort": [{"timestamp": {"order": "asc", "unmapped_type": "long"}}]});
        let found = self.ask(&format!("{index}*/_search"), Some(&query)).await?;
        let hits = found["hits"]["hits"].as_array().with_context(|| format!("no hits: {found}"))?;
        Ok(hits.iter().map(|hit| hit["_source"].clone()).collect())
    }

    /// A question to the search server.
    pub(crate) async fn ask(&self, path: &str, body: Option<&Value>) -> Result<Value> {
        self.send("POST", path, &body.map(Value::to_string).unwrap_or_default()).await
    }

    /// A request to the search server, within 30 s.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let request = hyper::Request::builder().method(method).uri(format!("{}/{path}", self.search.address));
        let request = request.header("content-type", "application/json").body(Full::new(body.to_owned().into()))?;
        let exchange = async {
            let answer = client.request(request).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) =
            tokio::time::timeout(Duration::from_secs(30), exchange).await.context(path.to_owned())??;
        let text = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
    }
}

/// A file of the original's squid example; where that is absent, ours.
pub(crate) fn squid(theirs: &str, ours: &str) -> Result<String> {
    let path = original(theirs).unwrap_or_else(|| repository().join("examples/squid/config").join(ours));
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// A file of the original's squid example, which lies beside the repository, or where `MAAS_SHARED` says.
pub(crate) fn original(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("MAAS_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    Some(shared.join("stellar/squid").join(name)).filter(|path| path.exists())
}
