//! Configurations in ZooKeeper: `zk_load_configs`, and pipelines that follow them.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value as Json;

use crate::{maas_enrich, program, stderr, stdout, write_config};

/// A chroot of its own below the server of `MAAS_TEST_ZK`.
pub(crate) async fn zookeeper() -> String {
    let server = std::env::var("MAAS_TEST_ZK")
        .expect("MAAS_TEST_ZK is needed; start a server with scripts/services/zookeeper.sh start");
    let mut options = maas_client::zk::ZkOptions::new(format!("{server}/enrich-{}", uuid::Uuid::new_v4()));
    options.connect_timeout = Some(Duration::from_secs(10));
    let connect = options.connect.clone();
    // The chroot is made when it is not there.
    let tree = maas_client::zk::ZkTree::connect(options).await.expect("ZooKeeper answers");
    maas_client::tree::Tree::close(&*tree).await;
    connect
}

pub(crate) fn load(zookeeper: &str, arguments: &[&str]) -> std::process::Output {
    program(env!("CARGO_BIN_EXE_zk_load_configs")).args(["-z", zookeeper]).args(arguments).output().unwrap()
}

const GOOD: &str = r#"{"parserClassName":"JSON","fieldTransformations":[{"transformation":"STELLAR","output":["z","a"],"config":{"z":"n + 1","a":"z + 1"}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn all_files_are_pushed_or_none() {
    let zookeeper = zookeeper().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    write_config(directory.path(), &[("global.json", "{}"), ("parsers/web.json", "{\"parserClassName\":\"JSON\",")]);
    let output = load(&zookeeper, &["-m", "PUSH", "-i", path]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("refused parsers/web.json: line 1, column"), "{}", stdout(&output));
    assert_eq!(stdout(&load(&zookeeper, &["-m", "DUMP"])), "");

    write_config(
        directory.path(),
        &[
            ("parsers/web.json", GOOD),
            ("parsers/bro.json", r#"{"parserClassName":"org.x.BroParser"}"#),
            ("patterns/p", "X y"),
        ],
    );
    let dry = load(&zookeeper, &["-m", "push", "-i", path, "--dry-run"]);
    assert!(dry.status.success(), "{}", stderr(&dry));
    let output = load(&zookeeper, &["-m", "PUSH", "-i", path]);
    assert_eq!(
        stdout(&output),
        "added global.json\nadded parsers/bro.json\nadded parsers/web.json\nadded patterns/p\n"
    );
    assert!(stderr(&output).contains("org.x.BroParser is not known here"), "{}", stderr(&output));
    assert!(stdout(&load(&zookeeper, &["-m", "PUSH", "-i", path])).starts_with("unchanged global.json\n"));

    let patched = load(
        &zookeeper,
        &["-m", "PATCH", "-c", "PARSER", "-n", "web", "-pk", "/sensorTopic", "-pv", "\"w\"", "-pm", "ADD"],
    );
    assert_eq!(stdout(&patched), "changed parsers/web.json\n", "{}", stderr(&patched));
    let pulled = tempfile::tempdir().unwrap();
    let to = pulled.path().to_str().unwrap();
    assert!(load(&zookeeper, &["-m", "PULL", "-o", to]).status.success());
    assert_eq!(load(&zookeeper, &["-m", "PULL", "-o", to]).status.code(), Some(8));
    let text = std::fs::read_to_string(pulled.path().join("parsers/web.json")).unwrap();
    assert!(text.contains("\"sensorTopic\": \"w\""), "{text}");
    assert!(text.find("\"z\":").unwrap() < text.find("\"a\":").unwrap(), "the order of evaluation is kept: {text}");
    let dumped = load(&zookeeper, &["-m", "DUMP", "-c", "GLOBAL"]);
    assert_eq!(stdout(&dumped), "GLOBAL Config: global\n{}\n");
    assert_eq!(load(&zookeeper, &["-m", "DUMP", "-c", "PARSER", "-n", "wbe"]).status.code(), Some(4));
}

/// Lines of a process, read by a thread so that waiting for one has a bound.
struct Lines(Receiver<String>);

impl Lines {
    fn of(stdout: ChildStdout) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // An Err says that the test has ended.
                let _ = sender.send(line);
            }
        });
        Self(receiver)
    }

    fn event(&self, name: &str) -> Json {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            let line = self.0.recv_timeout(left).unwrap_or_else(|_| panic!("no event {name}"));
            let event: Json = serde_json::from_str(&line).expect("an event is JSON");
            if event["event"] == name {
                return event;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_change_takes_effect_a_refused_one_does_not_and_a_pipeline_can_be_found_and_stopped() {
    let zookeeper = zookeeper().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    write_config(directory.path(), &[("parsers/web.json", GOOD)]);
    assert!(load(&zookeeper, &["-m", "PUSH", "-i", path]).status.success());
    let written = directory.path().join("written.txt");
    let mut child = maas_enrich()
        .args(["run", "-s", "web", "--json", "--source", "-", "-z", &zookeeper])
        .arg(format!("--sink=file:{}", written.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let events = Lines::of(child.stdout.take().unwrap());
    events.event("ready");
    writeln!(stdin, r#"{{"n":1}}"#).unwrap();
    until(|| std::fs::read_to_string(&written).is_ok_and(|text| text.contains(r#""z":2,"a":3"#)));

    // As another program might: with no check before.
    let tree = maas_client::zk::ZkTree::connect(maas_client::zk::ZkOptions::client(&zookeeper)).await.unwrap();
    let node = "/metron/topology/parsers/web";
    let op = maas_client::tree::Op::set(node, "{", None);
    maas_client::tree::Tree::multi(&*tree, vec![op]).await.unwrap();
    let refused = events.event("config_refused");
    assert_eq!(refused["path"], node);
    writeln!(stdin, r#"{{"n":10}}"#).unwrap();
    until(|| std::fs::read_to_string(&written).is_ok_and(|text| text.contains(r#""z":11"#)));

    write_config(directory.path(), &[("parsers/web.json", &GOOD.replace("n + 1", "n + 100"))]);
    assert!(load(&zookeeper, &["-m", "PUSH", "-i", path]).status.success());
    events.event("reconfigured");
    writeln!(stdin, r#"{{"n":1}}"#).unwrap();
    until(|| std::fs::read_to_string(&written).is_ok_and(|text| text.contains(r#""z":101"#)));

    let status = maas_enrich().args(["status", "--json", "-z", &zookeeper]).output().unwrap();
    let found: Json = serde_json::from_str(&stdout(&status)).unwrap();
    assert_eq!((&found[0]["sensor"], &found[0]["pid"]), (&"web".into(), &child.id().into()));
    let stopped = tokio::task::spawn_blocking(move || {
        maas_enrich().args(["stop", "-s", "web", "-z", &zookeeper]).output().unwrap()
    });
    // Its input is still open: it ends because it was told to.
    assert!(child.wait().unwrap().success());
    assert!(stopped.await.unwrap().status.success());
    drop(stdin);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_comes_while_the_store_of_patterns_is_away_is_taken_when_it_is_back() {
    const GROK: &str = r#"{"parserClassName":"Grok","parserConfig":{"grokPath":"/apps/web","patternLabel":"WEB"}}"#;
    let zookeeper = zookeeper().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let store = elsewhere.path();
    // Where the file is wanted there is something that can't be read at present: a link to itself.
    std::fs::create_dir_all(store.join("apps")).unwrap();
    std::os::unix::fs::symlink("web", store.join("apps/web")).unwrap();
    let global = format!(r#"{{"grok.store":"file://{}"}}"#, store.display());
    write_config(directory.path(), &[("global.json", &global), ("parsers/web.json", GOOD)]);
    assert!(load(&zookeeper, &["-m", "PUSH", "-i", path]).status.success());
    let written = directory.path().join("written.txt");
    let mut child = maas_enrich()
        .args(["run", "-s", "web", "--json", "--source", "-", "--http", "127.0.0.1:0", "-z", &zookeeper])
        .arg(format!("--sink=file:{}", written.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let events = Lines::of(child.stdout.take().unwrap());
    let http = events.event("ready")["http"].as_str().unwrap().to_owned();
    let status = async || {
        let text = reqwest::get(format!("{http}/status")).await.unwrap().text().await.unwrap();
        serde_json::from_str::<Json>(&text).unwrap()["waiting_configuration"].clone()
    };
    assert_eq!(status().await, Json::Null);

    let tree = maas_client::zk::ZkTree::connect(maas_client::zk::ZkOptions::client(&zookeeper)).await.unwrap();
    let op = maas_client::tree::Op::set("/metron/topology/parsers/web", GROK, None);
    maas_client::tree::Tree::multi(&*tree, vec![op]).await.unwrap();
    assert!(events.event("config_waits")["reason"].as_str().is_some_and(|reason| reason.contains("/apps/web")));
    assert!(status().await.is_string());
    writeln!(stdin, r#"{{"n":1}}"#).unwrap();
    until(|| std::fs::read_to_string(&written).is_ok_and(|text| text.contains(r#""z":2"#)));

    std::fs::remove_file(store.join("apps/web")).unwrap();
    std::fs::write(store.join("apps/web"), "WEB %{WORD:word}").unwrap();
    events.event("reconfigured");
    assert_eq!(status().await, Json::Null);
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

fn until(condition: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "it did not come to that");
        std::thread::yield_now();
    }
}

#[test]
fn without_zookeeper_the_command_says_where_it_may_be_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_zk_load_configs"))
        .args(["-m", "DUMP"])
        .env_remove("MAAS_ZK")
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("$MAAS_ZK"), "{}", stderr(&output));
}
