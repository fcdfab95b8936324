//! Sinks that are away: the pipeline stays a member of its group meanwhile, and ends in a bounded time when it is told to, with nothing committed that is not written.
//!
//! What is away is a door in front of the real server that can be shut: a port that passes bytes on, or none.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::{Sensor, terminate, write};

/// How long a member may not ask.
const POLLS: Duration = Duration::from_secs(6);

/// A port that passes on to a server while it is open. Shut, it takes connections and says nothing, as a network that swallows everything.
struct Door {
    port: u16,
    open: watch::Sender<bool>,
    /// Whether somebody said something while it was shut.
    knocks: Arc<AtomicBool>,
}

impl Door {
    async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (open, is_open) = watch::channel(true);
        let knocks = Arc::new(AtomicBool::new(false));
        let heard = knocks.clone();
        let server = server.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((inside, _)) = listener.accept().await {
                tokio::spawn(pass(inside, server.clone(), is_open.clone(), heard.clone()));
            }
        });
        Self { port, open, knocks }
    }

    fn search(&self) -> String {
        format!("es+http://127.0.0.1:{}", self.port)
    }

    fn was_knocked_at(&self) -> bool {
        self.knocks.load(Relaxed)
    }

    fn shut(&self) {
        self.open.send_replace(false);
    }

    fn open(&self) {
        self.open.send_replace(true);
    }
}

/// Passes bytes on until the door is shut; then says nothing, and when it is open again breaks off.
async fn pass(mut inside: TcpStream, server: String, mut is_open: watch::Receiver<bool>, knocks: Arc<AtomicBool>) {
    let is = *is_open.borrow_and_update();
    if is && let Ok(mut outside) = TcpStream::connect(server).await {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut inside, &mut outside) => return,
            _ = is_open.wait_for(|open| !open) => {}
        }
    }
    if inside.readable().await.is_ok() {
        knocks.store(true, Relaxed);
    }
    let _ = is_open.wait_for(|open| *open).await;
}

/// How many members the sensor's group has.
fn members(sensor: &Sensor) -> usize {
    let config = ClientConfig::new().set("bootstrap.servers", &sensor.kafka).clone();
    let client: BaseConsumer = config.create().expect("a client");
    let group = format!("{}_parser", sensor.name);
    let groups = client.fetch_group_list(Some(&group), Duration::from_secs(10)).expect("an answer");
    groups.groups().iter().map(|group| group.members().len()).sum()
}

/// What the group has committed of the sensor's topic, all partitions together.
fn committed(sensor: &Sensor) -> i64 {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &sensor.kafka).set("group.id", format!("{}_parser", sensor.name));
    let consumer: BaseConsumer = config.create().expect("a client");
    let mut asked = rdkafka::TopicPartitionList::new();
    asked.add_partition(&sensor.name, 0);
    let known = consumer.committed_offsets(asked, Duration::from_secs(10)).expect("an answer");
    known.elements().iter().filter_map(|element| element.offset().to_raw()).filter(|offset| *offset > 0).sum()
}

fn line(n: u64) -> String {
    format!(r#"{{"n":{n},"timestamp":1461576382642}}"#)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Ends in a bounded time.
async fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("it did not end", async || {
        status = child.try_wait().expect("it can be looked at");
        status.is_some()
    })
    .await;
    status.expect("it has ended")
}

/// All that it says is passed on to a watch of whether it contains a text.
fn says(child: &mut Child, text: &'static str) -> Arc<AtomicBool> {
    let said = Arc::new(AtomicBool::new(false));
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let told = said.clone();
    std::thread::spawn(move || {
        for line in lines {
            told.fetch_or(line.contains(text), Relaxed);
        }
    });
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_sink_is_away_for_long_stays_in_its_group() {
    let sensor = Sensor::new();
    sensor.produce((0..10).map(line));
    let door = Door::to(&sensor.search).await;
    let settings = sensor.directory.path().join("settings");
    write(&settings, &[&format!("max.poll.interval.ms={}", POLLS.as_millis())]);
    let mut program = sensor.run_to(&sensor.topic(), &door.search());
    let mut child = program.arg("--kafka-config").arg(&settings).spawn().expect("it runs");
    let left = says(&mut child, "Application maximum poll interval");
    until("nothing is written", async || sensor.count().await == 10).await;
    door.shut();
    // More than may be under way.
    sensor.produce((10..5_000).map(line));
    until("no request is out", async || door.was_knocked_at()).await;
    let since = Instant::now();
    while since.elapsed() < POLLS * 5 / 2 {
        assert_eq!(members(&sensor), 1, "it lost its membership");
        assert!(!left.load(Relaxed), "it lost its membership");
    }
    door.open();
    until("not all is written", async || sensor.count().await == 5_000).await;
    terminate(&child);
    assert!(ended(&mut child).await.success());
    assert!(!left.load(Relaxed));
    assert_eq!(committed(&sensor), 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_whose_search_server_is_away_ends_when_it_is_told_to_and_commits_nothing() {
    let sensor = Sensor::new();
    sensor.produce((0..10).map(line));
    let door = Door::to(&sensor.search).await;
    let mut child = sensor.run_to(&sensor.topic(), &door.search()).spawn().expect("it runs");
    let said = says(&mut child, "read again next time");
    until("nothing is committed", async || committed(&sensor) == 10).await;
    door.shut();
    sensor.produce((10..2_000).map(line));
    until("no request is out", async || door.was_knocked_at()).await;
    terminate(&child);
    assert_eq!(ended(&mut child).await.code(), Some(6));
    until("why it ended is said", async || said.load(Relaxed)).await;
    assert_eq!(committed(&sensor), 10);
    let output = sensor.run(&sensor.topic()).arg("--once").output().expect("it runs");
    assert!(output.status.success());
    assert_eq!(sensor.count().await, 2_000);
}

/// A broker tells its clients its own address, so a door in front of it is passed by: the sink is a broker of its own that this test stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_whose_brokers_are_away_writes_each_record_once_and_ends_when_it_is_told_to() {
    let sensor = Sensor::new();
    sensor.produce((0..10).map(line));
    let directory = tempfile::tempdir().expect("a directory");
    let broker = |verb: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/services/kafka.sh");
        let output = Command::new(script).arg(verb).arg("--dir").arg(directory.path()).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        lines.lines().find_map(|line| Some(line.strip_prefix("MAAS_KAFKA=")?.to_owned())).unwrap_or_default()
    };
    let stops = Stops(&broker);
    let sink = format!("kafka://{}/documents", broker("start"));
    let start = || {
        let mut child = sensor.run_to(&sensor.topic(), &sink).spawn().expect("it runs");
        let said = says(&mut child, "writing is tried again");
        (child, said)
    };
    let (mut child, said) = start();
    until("nothing is committed", async || committed(&sensor) == 10).await;
    broker("kill9");
    sensor.produce((10..1_000).map(line));
    // Longer than what the client once had for a record.
    until("it says that it waits", async || said.load(Relaxed)).await;
    broker("start");
    until("not all is written", async || committed(&sensor) == 1_000).await;

    broker("kill9");
    said.store(false, Relaxed);
    sensor.produce((1_000..1_100).map(line));
    until("it says that it waits", async || said.load(Relaxed)).await;
    terminate(&child);
    assert_eq!(ended(&mut child).await.code(), Some(6));
    assert_eq!(committed(&sensor), 1_000);

    broker("start");
    let (mut child, _) = start();
    until("not all is written", async || committed(&sensor) == 1_100).await;
    terminate(&child);
    assert!(ended(&mut child).await.success());
    let documents = sensor.directory.path().join("documents");
    let to_file = format!("file:{}", documents.display());
    let output = sensor.run_to(&sink, &to_file).arg("--once").output().expect("it runs");
    assert!(output.status.success(), "{}", crate::stderr(&output));
    let text = std::fs::read_to_string(&documents).expect("documents");
    let mut numbers: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["n"].to_string())
        .collect();
    assert_eq!(numbers.len(), 1_100, "{}", crate::stderr(&output));
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 1_100);
    drop(stops);
}

/// Stops the broker however the test ends.
struct Stops<'a>(&'a dyn Fn(&str) -> String);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        (self.0)("stop");
    }
}
