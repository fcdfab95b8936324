//! Topics of the bench: filled, and read and written by a plain loop of the same client.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use super::lines::{Hosts, line};

/// Where Kafka is.
pub(crate) fn brokers() -> String {
    std::env::var("MAAS_TEST_KAFKA").expect("MAAS_TEST_KAFKA is needed; scripts/bench.sh enrich starts a Kafka")
}

fn producer() -> ThreadedProducer<DefaultProducerContext> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers()).set("queue.buffering.max.messages", "1000000").set("linger.ms", "5");
    config.create().expect("a producer")
}

/// A new topic with so many lines.
pub(crate) async fn filled(lines: u64, hosts: Hosts) -> String {
    let topic = format!("bench-{}", uuid::Uuid::new_v4().simple());
    let producer = producer();
    for number in 0..lines {
        send(&producer, &topic, line(number, hosts).as_bytes()).await;
    }
    producer.flush(Duration::from_secs(60)).expect("all lines are taken");
    topic
}

async fn send(producer: &ThreadedProducer<DefaultProducerContext>, topic: &str, payload: &[u8]) {
    let mut record = BaseRecord::<(), _>::to(topic).payload(payload);
    while let Err((_, unsent)) = producer.send(record) {
        // The queue is full.
        tokio::time::sleep(Duration::from_millis(1)).await;
        record = unsent;
    }
}

/// Lines per second of a loop that does nothing but read them and write them to another topic.
pub(crate) async fn plain(topic: &str, lines: u64) -> f64 {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers()).set("group.id", format!("plain-{topic}"));
    config.set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create().expect("a consumer");
    consumer.subscribe(&[topic]).expect("a topic");
    let (producer, target) = (producer(), format!("{topic}-copy"));
    let mut start = Instant::now();
    for number in 0..lines * 9 / 10 {
        if number == lines / 10 {
            start = Instant::now();
        }
        let message = consumer.recv().await.expect("a line");
        send(&producer, &target, message.payload().unwrap_or_default()).await;
    }
    producer.flush(Duration::from_secs(60)).expect("all lines are taken");
    (lines * 8 / 10) as f64 / start.elapsed().as_secs_f64()
}
