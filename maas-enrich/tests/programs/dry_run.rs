//! `--dry-run` while it waits for lines: it ends when it is told to, and a pipeline that runs does not notice it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{maas_enrich, write_config};

const PATIENCE: Duration = Duration::from_secs(30);

fn dry_run(directory: &Path, source: &str) -> Command {
    write_config(directory, &[("parsers/web.json", r#"{"parserClassName":"JSON"}"#)]);
    let mut command = maas_enrich();
    command.args(["run", "-s", "web", "--dry-run", "--source", source, "--config"]).arg(directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Tells when the first line has been shown.
fn shown(child: &mut Child) -> Receiver<()> {
    let stdout = child.stdout.take().expect("it has one");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.contains("-> written") {
                // An Err says that the test has ended.
                let _ = sender.send(());
            }
        }
    });
    receiver
}

fn tell(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, signal).expect("it can be told to end");
}

/// Ends in bounded time, or the test fails.
fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("it can be looked at") {
            return status;
        }
        if Instant::now() >= deadline {
            child.kill().expect("it can be killed");
            panic!("it did not end");
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_dry_run_that_waits_on_standard_input_ends_on_both_signals() {
    for signal in [Signal::TERM, Signal::INT] {
        let directory = tempfile::tempdir().unwrap();
        let mut child = dry_run(directory.path(), "-").spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let shown = shown(&mut child);
        writeln!(stdin, r#"{{"n":1}}"#).unwrap();
        shown.recv_timeout(PATIENCE).unwrap();
        tell(&child, signal);
        assert_eq!(ended(&mut child).code(), Some(0));
    }
}

#[cfg(feature = "kafka")]
#[test]
fn a_dry_run_of_a_topic_ends_on_both_signals_and_takes_nothing_from_the_group() {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
    use rdkafka::{ClientConfig, Offset};

    let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers());
    let producer: BaseProducer = config.create().unwrap();
    producer.send(BaseRecord::<(), _>::to("t").payload(r#"{"n":1}"#)).unwrap();
    producer.flush(PATIENCE).unwrap();
    let member: BaseConsumer = config.set("group.id", "t_parser").set("enable.auto.commit", "false").create().unwrap();
    member.subscribe(&["t"]).unwrap();
    let partitions = || {
        // Whatever has become of the group is heard here.
        drop(member.poll(Duration::from_millis(20)));
        member.assignment().unwrap().count()
    };
    let deadline = Instant::now() + PATIENCE;
    while partitions() == 0 {
        assert!(Instant::now() < deadline, "the member has no partition");
    }
    for signal in [Signal::TERM, Signal::INT] {
        let directory = tempfile::tempdir().unwrap();
        let source = format!("kafka://{}/t", cluster.bootstrap_servers());
        let mut child = dry_run(directory.path(), &source).spawn().unwrap();
        let shown = shown(&mut child);
        let deadline = Instant::now() + PATIENCE;
        while shown.try_recv().is_err() {
            assert_eq!(partitions(), 1, "the member keeps its partition");
            assert!(Instant::now() < deadline, "nothing is shown");
        }
        tell(&child, signal);
        assert_eq!(ended(&mut child).code(), Some(0));
        assert_eq!(partitions(), 1, "the member keeps its partition");
    }
    let committed = member.committed(PATIENCE).unwrap();
    assert!(committed.elements().iter().all(|element| element.offset() == Offset::Invalid), "{committed:?}");
}
