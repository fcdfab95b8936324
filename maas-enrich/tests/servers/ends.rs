//! `--once` on topics whose last offsets are no lines: marks of transactions, records of a transaction that was given up, a topic that was made anew.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::Sensor;

const PATIENCE: Duration = Duration::from_secs(30);

/// Ends in bounded time, or the test fails.
async fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("it can be looked at") {
            return status;
        }
        if Instant::now() >= deadline {
            child.kill().expect("it can be killed");
            panic!("it did not end");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn once(sensor: &Sensor) {
    let mut child =
        sensor.run(&sensor.topic()).arg("--once").stderr(std::process::Stdio::inherit()).spawn().expect("it runs");
    assert!(ended(&mut child).await.success());
}

fn line(n: u64) -> String {
    format!(r#"{{"n":{n},"timestamp":1461576382642}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn once_ends_behind_the_marks_of_transactions() {
    let sensor = Sensor::new();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &sensor.kafka).set("transactional.id", &sensor.name);
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("transactions");
    let send = |lines: std::ops::Range<u64>| {
        producer.begin_transaction().expect("a transaction");
        for n in lines {
            let line = line(n);
            let record = BaseRecord::<(), _>::to(&sensor.name).payload(line.as_bytes());
            producer.send(record).unwrap_or_else(|(error, _)| panic!("{error}"));
        }
        producer.flush(PATIENCE).expect("all lines are taken");
    };
    send(0..10);
    producer.commit_transaction(PATIENCE).expect("it is committed");
    once(&sensor).await;
    assert_eq!(sensor.count().await, 10);
    // What was given up is at the end, before its mark.
    send(10..15);
    producer.commit_transaction(PATIENCE).expect("it is committed");
    send(90..95);
    producer.abort_transaction(PATIENCE).expect("it is given up");
    once(&sensor).await;
    assert_eq!(sensor.count().await, 15);
    once(&sensor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_reads_a_topic_that_was_made_anew() {
    let sensor = Sensor::new();
    sensor.produce((0..100).map(line));
    once(&sensor).await;
    assert_eq!(sensor.count().await, 100);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &sensor.kafka).create().expect("a client");
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    admin.delete_topics(&[&sensor.name], &options).await.expect("it is deleted");
    let topic = NewTopic::new(&sensor.name, 1, TopicReplication::Fixed(1));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let made = admin.create_topics([&topic], &options).await.expect("an answer");
        if made.iter().all(Result::is_ok) {
            break;
        }
        assert!(Instant::now() < deadline, "{made:?}");
    }
    sensor.produce((100..110).map(line));
    // Brokers drop what a group has committed with the topic, unless it is committed once more just then.
    let group = format!("{}_parser", sensor.name);
    let config = ClientConfig::new().set("bootstrap.servers", &sensor.kafka).set("group.id", group).clone();
    let member: BaseConsumer = config.create().expect("a client");
    let mut stale = TopicPartitionList::new();
    stale.add_partition_offset(&sensor.name, 0, Offset::Offset(100)).expect("an offset");
    member.commit(&stale, CommitMode::Sync).expect("it is committed");
    drop(member);
    once(&sensor).await;
    // The new lines stand where old ones stood, and so have the ids of their documents.
    let documents = sensor.documents().await;
    assert_eq!(documents.len(), 100);
    assert_eq!(documents.iter().filter(|document| document["n"].as_u64() >= Some(100)).count(), 10);
}
