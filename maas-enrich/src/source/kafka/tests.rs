//! A member of a group against a broker that fails on demand; Kafka's client plays it.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::{KafkaTopic, Wanted};
use crate::event::Place;
use crate::kafka::Properties;
use crate::source::Source;

const PATIENCE: Duration = Duration::from_secs(30);
const LINES: usize = 10;

fn client(cluster: &MockCluster<'_, DefaultProducerContext>) -> ClientConfig {
    ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).set("group.id", "g").clone()
}

fn committed(client: &BaseConsumer) -> Result<Offset, KafkaError> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition("t", 0);
    let known = client.committed_offsets(asked, PATIENCE)?;
    Ok(known.find_partition("t", 0).map_or(Offset::Invalid, |element| element.offset()))
}

#[tokio::test]
async fn a_commit_that_the_broker_refuses_after_it_was_sent_is_sent_again() {
    let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let producer: BaseProducer = client(&cluster).create().unwrap();
    for _ in 0..LINES {
        producer.send(BaseRecord::<(), _>::to("t").payload("line")).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let brokers = cluster.bootstrap_servers();
    let wanted = Wanted { brokers, topic: "t".into(), group: "g".into(), earliest: true, once: None };
    let mut topic = KafkaTopic::open(&wanted, &Properties::default()).unwrap();
    let mut places: Vec<Place> = Vec::new();
    while places.len() < LINES {
        let lines = tokio::time::timeout(PATIENCE, topic.next()).await.unwrap().unwrap().unwrap();
        places.extend(lines.into_iter().map(|line| line.place));
    }
    // Nothing that the client would try again by itself.
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &[refusal, refusal]);
    topic.acknowledge(&places[LINES - 1..]);

    let other: BaseConsumer = client(&cluster).create().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while committed(&other).unwrap() != Offset::Offset(10) {
        assert!(Instant::now() < deadline, "it is not committed");
        // No further line comes, and nothing more is acknowledged.
        let _ = tokio::time::timeout(Duration::from_millis(100), topic.next()).await;
    }
    assert!(topic.was_refused());
}
