//! Members of a group: several workers of a process, several processes, topics that are made later, and an index that is away.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::{Value as Json, json};

use crate::{Sensor, stderr};

const PARTITIONS: i32 = 4;

/// A topic of so many lines, the same number of them in each partition.
async fn topic_of(sensor: &Sensor, lines: i32) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &sensor.kafka);
    let admin: AdminClient<DefaultClientContext> = config.create().expect("a client");
    let topic = NewTopic::new(&sensor.name, PARTITIONS, TopicReplication::Fixed(1));
    admin.create_topics([&topic], &AdminOptions::new()).await.expect("a topic");
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
    for n in 0..lines {
        let line = format!(r#"{{"n":{n},"part":{},"timestamp":1461576382642}}"#, n % PARTITIONS);
        let record = BaseRecord::<(), _>::to(&sensor.name).partition(n % PARTITIONS).payload(line.as_bytes());
        producer.send(record).unwrap_or_else(|(error, _)| panic!("{error}"));
    }
    producer.flush(Duration::from_secs(60)).expect("all lines are taken");
}

fn to_file(sensor: &Sensor, documents: &std::path::Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maas_enrich"));
    command
        .args(["run", "-s", &sensor.name, "--source", &sensor.topic(), "--config"])
        .arg(sensor.directory.path())
        .arg(format!("--sink=file:{}", documents.display()))
        .args(options)
        .env_remove("MAAS_ZK")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_out_the_partitions_and_keep_the_order_of_each() {
    const LINES: i32 = 20_000;
    let sensor = Sensor::new();
    topic_of(&sensor, LINES).await;
    let documents = sensor.directory.path().join("documents");
    let output = to_file(&sensor, &documents, &["--once", "--workers", "3"]).output().expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = std::fs::read_to_string(&documents).expect("documents");
    let mut orders: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for line in text.lines() {
        let document: Json = serde_json::from_str(line).expect("a line is a document");
        orders.entry(document["part"].as_i64().unwrap_or(-1)).or_default().extend(document["n"].as_i64());
    }
    for (partition, numbers) in &orders {
        // A partition that goes from one worker to another may be read anew from where it was committed; it still ends with all lines in order.
        let mut last = numbers.clone();
        last.sort_unstable();
        last.dedup();
        assert_eq!(last.len(), (LINES / PARTITIONS) as usize, "partition {partition}");
        let steps_back = numbers.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        assert!(steps_back <= 3, "partition {partition} goes back {steps_back} times");
    }
    assert_eq!(orders.len(), PARTITIONS as usize);
    let again = to_file(&sensor, &documents, &["--once", "--workers", "3"]).output().expect("it runs");
    assert!(stderr(&again).contains("done: 0 in"), "all is committed: {}", stderr(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_one_document_though_members_of_the_group_come_and_go() {
    const LINES: i32 = 40_000;
    let sensor = Sensor::new();
    topic_of(&sensor, LINES).await;
    let start = || sensor.run(&sensor.topic()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut members = vec![start()];
    let deadline = Instant::now() + Duration::from_secs(90);
    let mut reached = 0;
    while sensor.count().await < LINES as u64 {
        assert!(Instant::now() < deadline, "{} of {LINES} documents", sensor.count().await);
        reached += 1;
        if reached < 6 {
            members.push(start());
            // Alternately one is told to end and one is killed.
            let mut first = members.remove(0);
            if reached % 2 == 0 {
                first.kill().expect("it can be killed");
            } else {
                crate::terminate(&first);
            }
            first.wait().expect("it ends");
        }
    }
    for mut member in members {
        crate::terminate(&member);
        assert!(member.wait().expect("it ends").success());
    }
    assert_eq!(sensor.count().await, LINES as u64);
    let again = sensor.run(&sensor.topic()).arg("--once").output().expect("it runs");
    assert!(stderr(&again).contains("done: 0 in"), "all is committed: {}", stderr(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_later_is_read_when_it_is_there() {
    let sensor = Sensor::new();
    let mut child = sensor.run(&sensor.topic()).spawn().expect("it runs");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.by_ref().any(|line| line.contains("there is no such topic yet")));
    tokio::task::spawn_blocking(move || said.for_each(drop));
    sensor.produce([r#"{"n":1,"timestamp":1461576382642}"#]);
    let deadline = Instant::now() + Duration::from_secs(40);
    while sensor.count().await == 0 {
        assert!(Instant::now() < deadline, "nothing is read");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    crate::terminate(&child);
    assert!(child.wait().expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_nowhere_is_waited_for() {
    let sensor = Sensor::new();
    let index = format!("{}/{}_index_2016.04.25.09", sensor.search, sensor.name);
    let put = async |path: &str, name: Json| {
        let body = json!({"index.routing.allocation.include._name": name}).to_string();
        let body = if path == "/_settings" { body } else { format!(r#"{{"settings":{body}}}"#) };
        let request = sensor.client.put(format!("{index}{path}")).header("content-type", "application/json");
        let status = request.body(body).send().await.expect("an answer").status();
        assert!(status.is_success(), "{status}");
    };
    // Elsewhere than where any server is: none of its parts can be written to.
    put("?timeout=1s", json!("nowhere")).await;
    sensor.produce([r#"{"n":1,"timestamp":1461576382642}"#]);
    let mut child = sensor.run(&sensor.topic()).arg("--once").spawn().expect("it runs");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.by_ref().any(|line| line.contains("writing is tried again")));
    put("/_settings", Json::Null).await;
    assert!(said.any(|line| line.contains("done: 1 in, 1 out, 0 errors")));
    assert!(child.wait().expect("it ends").success());
    assert_eq!(sensor.count().await, 1);
}
