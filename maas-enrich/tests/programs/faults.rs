//! `maas_enrich run` where something is missing, full or wrong: clear words, the right exit code, and nothing lost.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use rustix::process::{Pid, Signal, kill_process};

use crate::topology::{load, zookeeper};
use crate::{maas_enrich, stderr, write_config};

const PARSER: (&str, &str) = ("parsers/web.json", r#"{"parserClassName":"JSON"}"#);

fn terminate(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, Signal::TERM).expect("it can be told to end");
}

#[test]
fn room_on_a_disk_is_waited_for_and_the_end_is_obeyed_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    write_config(directory.path(), &[PARSER]);
    let mut child = maas_enrich()
        .args(["run", "-s", "web", "--source", "-", "--sink", "file:/dev/full", "--config"])
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{{\"n\":1}}").unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.by_ref().any(|line| line.contains("writing is tried again") && line.contains("No space left")));
    terminate(&child);
    assert!(said.any(|line| line.contains("No space left")));
    assert_eq!(child.wait().unwrap().code(), Some(6));
}

#[test]
fn servers_that_are_not_there_at_the_start_are_named_and_given_up() {
    let directory = tempfile::tempdir().unwrap();
    write_config(directory.path(), &[PARSER]);
    let nobody = "127.0.0.1:1";
    let config = directory.path().to_str().unwrap();
    let search = format!("es+http://{nobody}");
    for arguments in [
        &["--source", "-", "--sink", "-", "-z", nobody][..],
        &["--source", "-", "--sink", search.as_str(), "--config", config][..],
    ] {
        let started = Instant::now();
        let output = maas_enrich().args(["run", "-s", "web"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(6), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).starts_with("error: ") && stderr(&output).contains(nobody), "{}", stderr(&output));
        assert!(started.elapsed() < Duration::from_secs(40));
    }
}

/// A search server that takes everything, and what it was given.
async fn search() -> (String, Arc<Mutex<String>>) {
    let given = Arc::new(Mutex::new(String::new()));
    let take = async |State(given): State<Arc<Mutex<String>>>, body: String| {
        given.lock().unwrap().push_str(&body);
        r#"{"errors":false,"items":[]}"#
    };
    let router = Router::new()
        .route("/", get(async || r#"{"version":{"number":"2.19.1","distribution":"opensearch"}}"#))
        .route("/_template/{name}", get(async || "{}").put(async || "{}"))
        .route("/_bulk", post(take))
        .with_state(given.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("es+http://{address}"), given)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_index_is_written_to_without_a_restart() {
    let (zookeeper, (sink, given)) = (zookeeper().await, search().await);
    let directory = tempfile::tempdir().unwrap();
    let push = |index: &str| {
        let indexing = format!(r#"{{"elasticsearch":{{"index":"{index}","batchSize":1}}}}"#);
        write_config(directory.path(), &[PARSER, ("indexing/web.json", &indexing)]);
        let output = load(&zookeeper, &["-m", "PUSH", "-i", directory.path().to_str().unwrap()]);
        assert!(output.status.success(), "{}", stderr(&output));
    };
    push("one");
    let mut child = maas_enrich()
        .args(["run", "-s", "web", "--source", "-", "--sink", &sink, "-z", &zookeeper])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Until the change is there, lines go where they went before.
    let mut written = async |index: &str| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !given.lock().unwrap().contains(&format!("{index}_index")) {
            assert!(Instant::now() < deadline, "nothing comes into {index}");
            writeln!(stdin, "{{\"n\":1}}").unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    written("one").await;
    push("two");
    written("two").await;
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn one_reads_a_file_however_many_workers_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    write_config(directory.path(), &[PARSER]);
    let run = |workers: &str| {
        maas_enrich()
            .args(["run", "-s", "web", "--source", "-", "--sink", "-", "--workers", workers, "--config"])
            .arg(directory.path())
            .output()
            .unwrap()
    };
    for (workers, said) in [("2", "share out a topic's partitions"), ("0", "no number from 1 to 64")] {
        let output = run(workers);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}
