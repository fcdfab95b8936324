//! The pipeline on a real Kafka and a real search server.
//!
//! `MAAS_TEST_KAFKA` names the brokers (scripts/services/kafka.sh start), `MAAS_TEST_SEARCH` the search server's url (scripts/services/search.sh start);
//! `scripts/test.sh enrich` starts both. Each test has a topic and an index of its own.

mod ends;
mod group;
mod outage;
mod secure;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

fn server(variable: &str, script: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is needed; start a server with scripts/services/{script}.sh start"))
}

/// A sensor of its own, named so that its index and topic are its own too.
struct Sensor {
    name: String,
    directory: tempfile::TempDir,
    kafka: String,
    search: String,
    client: reqwest::Client,
}

impl Sensor {
    fn new() -> Self {
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        let directory = tempfile::tempdir().expect("a directory");
        let parsers = directory.path().join("parsers");
        std::fs::create_dir(&parsers).expect("a directory");
        let parser = r#"{"parserClassName":"JSON","fieldTransformations":[{"transformation":"STELLAR","output":"twice","config":{"twice":"n + n"}}]}"#;
        std::fs::write(parsers.join(format!("{name}.json")), parser).expect("a file");
        let (kafka, search) = (server("MAAS_TEST_KAFKA", "kafka"), server("MAAS_TEST_SEARCH", "search"));
        Self { name, directory, kafka, search, client: reqwest::Client::new() }
    }

    fn run(&self, source: &str) -> Command {
        self.run_to(source, &format!("es+{}", self.search))
    }

    fn run_to(&self, source: &str, sink: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maas_enrich"));
        command
            .args(["run", "-s", &self.name, "--source", source, "--config"])
            .arg(self.directory.path())
            .args(["--sink", sink])
            .env_remove("MAAS_ZK")
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn topic(&self) -> String {
        format!("kafka://{}/{}", self.kafka, self.name)
    }

    fn produce<L: AsRef<[u8]>>(&self, lines: impl IntoIterator<Item = L>) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka).set("message.max.bytes", "1048000");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
        for line in lines {
            producer
                .send(BaseRecord::<(), _>::to(&self.name).payload(line.as_ref()))
                .unwrap_or_else(|(error, _)| panic!("{error}"));
        }
        producer.flush(Duration::from_secs(60)).expect("all lines are taken");
    }

    async fn ask(&self, path: &str, body: Json) -> Json {
        let request = self.client.post(format!("{}/{path}", self.search)).header("content-type", "application/json");
        let text = request.body(body.to_string()).send().await.expect("an answer").text().await.expect("a text");
        serde_json::from_str(&text).expect("JSON")
    }

    /// All documents, at most 100.
    async fn documents(&self) -> Vec<Json> {
        self.ask(&format!("{}_index*/_refresh", self.name), json!({})).await;
        let body = json!({"size": 100, "sort": [{"timestamp": "asc"}]});
        let found = self.ask(&format!("{}_index*/_search", self.name), body).await;
        let hits = found["hits"]["hits"].as_array().cloned().unwrap_or_default();
        hits.into_iter().map(|hit| hit["_source"].clone()).collect()
    }

    async fn count(&self) -> u64 {
        self.ask(&format!("{}_index*/_refresh", self.name), json!({})).await;
        let counted = self.ask(&format!("{}_index*/_count", self.name), json!({})).await;
        counted["count"].as_u64().unwrap_or(0)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn terminate(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, Signal::TERM).expect("it can be told to end");
}

fn write(path: &Path, lines: &[&str]) {
    std::fs::write(path, lines.join("\n")).expect("a file");
}

#[tokio::test]
async fn documents_come_into_the_index_once_and_what_the_index_refuses_becomes_an_error_record() {
    let sensor = Sensor::new();
    let log = sensor.directory.path().join("log");
    write(
        &log,
        &[
            r#"{"n":1,"timestamp":1461576382642,"is_alert":true,"ip_src_addr":"10.0.0.1"}"#,
            r#"{"n":2,"timestamp":1461576382643,"ip_src_addr":"no address"}"#,
            r#"{"n":3,"timestamp":1461576382644}"#,
        ],
    );
    let errors = sensor.directory.path().join("errors");
    for _ in 0..2 {
        let output = sensor
            .run(&format!("file:{}", log.display()))
            .args(["--once", &format!("--errors=file:{}", errors.display())])
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let documents = sensor.documents().await;
    assert_eq!(documents.len(), 2, "{documents:?}");
    assert_eq!((&documents[0]["twice"], &documents[0]["source:type"]), (&json!(2), &json!(sensor.name)));
    assert_eq!((&documents[1]["twice"], &documents[1]["is_alert"]), (&json!(6), &Json::Null));
    let records = std::fs::read_to_string(&errors).expect("records");
    let record: Json = serde_json::from_str(records.lines().next().expect("a record")).expect("JSON");
    assert_eq!(record["error_type"], "indexing_error");
    assert!(record["message"].as_str().is_some_and(|message| message.contains("pars")), "{record}");
}

#[tokio::test]
async fn lines_of_a_topic_are_each_a_document_however_often_the_pipeline_is_killed() {
    const LINES: u64 = 20_000;
    let sensor = Sensor::new();
    sensor.produce((0..LINES).map(|n| format!(r#"{{"n":{n},"timestamp":1461576382642}}"#)));
    for _ in 0..2 {
        let mut child = sensor.run(&sensor.topic()).stderr(Stdio::null()).spawn().expect("it runs");
        let before = sensor.count().await;
        progress(&sensor, &mut child, before).await;
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    let output = sensor.run(&sensor.topic()).arg("--once").output().expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(sensor.count().await, LINES);
    let again = sensor.run(&sensor.topic()).arg("--once").output().expect("it runs");
    assert!(stderr(&again).contains("done: 0 in"), "all is committed: {}", stderr(&again));
}

/// Waits until there are more documents than before, or all.
async fn progress(sensor: &Sensor, child: &mut Child, before: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while sensor.count().await <= before && before < 20_000 {
        assert!(child.try_wait().expect("it can be looked at").is_none(), "it ended by itself");
        assert!(Instant::now() < deadline, "nothing is written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn documents_can_go_to_a_topic_and_come_from_it_again() {
    let sensor = Sensor::new();
    let log = sensor.directory.path().join("log");
    write(&log, &[r#"{"n":1,"guid":"g","timestamp":1}"#, "bad"]);
    let sink = sensor.topic();
    let output = Command::new(env!("CARGO_BIN_EXE_maas_enrich"))
        .args(["run", "-s", &sensor.name, "--once", "--sink", &sink, "--errors", &sink, "--config"])
        .arg(sensor.directory.path())
        .arg(format!("--source=file:{}", log.display()))
        .env_remove("MAAS_ZK")
        .env("HOME", "/nonexistent")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let output = sensor.run(&sink).args(["--once"]).output().expect("it runs");
    assert!(output.status.success() && stderr(&output).contains("done: 2 in"), "{}", stderr(&output));
}

#[tokio::test]
async fn lines_that_nobody_can_read_become_error_records_and_hold_up_no_other() {
    let sensor = Sensor::new();
    let good = |n: u64| format!(r#"{{"n":{n},"timestamp":1461576382642}}"#).into_bytes();
    let bad = [
        b"{\"n\":1,".to_vec(),
        b"[1,2]".to_vec(),
        format!(r#"{{"n":1,"text":"{}"}}"#, "x".repeat(1_000_000)).into_bytes(),
        (0..=255).cycle().take(5_000).collect(),
        vec![0; 10],
        "[".repeat(100_000).into_bytes(),
        format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000)).into_bytes(),
    ];
    let (before, after) = ((0..50).map(good), (50..100).map(good));
    sensor.produce(before.chain(bad.iter().cloned()).chain(after));
    let output = sensor.run(&sensor.topic()).arg("--once").output().expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(sensor.count().await, 100, "{}", stderr(&output));
    assert!(sensor.documents().await.iter().all(|document| document["twice"].is_number()));

    sensor.ask("error/_refresh", json!({})).await;
    let query = json!({"size": 100, "query": {"match": {"failed_sensor_type": sensor.name}}});
    let found = sensor.ask("error/_search", query).await;
    let records = found["hits"]["hits"].as_array().expect("records");
    assert_eq!(records.len(), bad.len(), "{found}");
    for record in records {
        let record = &record["_source"];
        assert!(record["raw_message"].is_string() && record["stack"].is_string(), "{record}");
        assert_eq!(record["error_type"], "parser_error");
    }
    let again = sensor.run(&sensor.topic()).arg("--once").output().expect("it runs");
    assert!(stderr(&again).contains("done: 0 in"), "all is committed: {}", stderr(&again));
}
