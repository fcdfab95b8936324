//! Masters that run: ready, standing by, taking over, stopping, detached.

use crate::program::{Master, document, run, zookeeper};
use std::io::{Read, Write};
use std::net::TcpStream;

fn get(base: &str, path: &str) -> String {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_master_says_ready_answers_and_leaves_on_sigterm() {
    let (zk, dir) = (zookeeper(), tempfile::tempdir().unwrap());
    let mut master = Master::start(&zk, dir.path(), &["--capacity", "memory=1000,vcores=2,gpus=1"]);
    let ready = master.expect("ready");
    assert_eq!(ready["capacity"], serde_json::json!({ "memory_mb": 1000, "vcores": 2, "gpus": 1 }));
    assert_eq!((ready["pid"].as_u64().unwrap(), ready["epoch"].as_i64().unwrap()), (u64::from(master.child.id()), 1));
    let base = ready["http"].as_str().unwrap();
    assert!(base.starts_with("http://127.0.0.1:"), "{base}");
    let answer = get(base, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("maas-epoch: 1"), "{answer}");
    assert!(get(base, "/metrics").contains("maas_leader 1"));

    let (code, output) = run(&["status", "-zq", &zk, "--json"]);
    let status = document(&output);
    assert_eq!((code, &status["leader"]["epoch"], &status["standbys"]), (0, &1.into(), &serde_json::json!([])));
    assert_eq!(status["capacity"]["nodes"][0]["total"]["memory_mb"], 1000);
    assert_eq!(status["leader"]["http"], serde_json::Value::Null);

    master.signal("TERM");
    assert_eq!(master.expect("stopped")["instances"], 0);
    assert_eq!(master.exit_code(), 0);
    let said = master.stderr();
    assert!(said.lines().next().unwrap().contains("--on local") && said.lines().next().unwrap().contains("--on yarn"));
    assert_eq!(run(&["status", "-zq", &zk]).0, 4);
}

#[test]
fn a_master_whose_log_can_not_be_written_leads_all_the_same() {
    let (zk, dir) = (zookeeper(), tempfile::tempdir().unwrap());
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut master = Master::start_logging_to(full.into(), &zk, dir.path(), &[]);
    let ready = master.expect("ready");
    assert!(get(ready["http"].as_str().unwrap(), "/readyz").starts_with("HTTP/1.1 200"));
    master.signal("TERM");
    master.expect("stopped");
    assert_eq!(master.exit_code(), 0);
}

#[test]
fn a_second_master_stands_by_takes_over_and_both_obey_stop() {
    let (zk, one, two) = (zookeeper(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = one.path().join("service.toml");
    std::fs::write(&settings, "session_timeout_ms = 4000\n").unwrap();
    let settings = ["--config", settings.to_str().unwrap()];
    let mut first = Master::start(&zk, one.path(), &settings);
    let first_epoch = first.expect("ready")["epoch"].as_i64().unwrap();
    let mut second = Master::start(&zk, two.path(), &settings);
    let standby = second.expect("standby");
    assert_eq!(standby["leader"]["epoch"], first_epoch);
    let base = standby["http"].as_str().unwrap();
    let answer = get(base, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("application/problem+json"), "{answer}");
    assert!(get(base, "/api/v1/models").starts_with("HTTP/1.1 200"));

    first.signal("KILL");
    first.exit_code();
    let epoch = second.expect("ready")["epoch"].as_i64().unwrap();
    assert!(epoch > first_epoch, "{epoch}");

    let mut third = Master::start(&zk, one.path(), &settings);
    third.expect("standby");
    let (code, output) = run(&["stop", "-zq", &zk, "--json"]);
    assert_eq!((code, document(&output)["event"].as_str().unwrap()), (0, "stopped"), "{output:?}");
    for master in [&mut second, &mut third] {
        let stopped = master.expect("stopped");
        assert!(stopped["reason"].as_str().unwrap().contains("maas_service stop"), "{stopped}");
        assert_eq!(master.exit_code(), 0);
    }
    let (code, output) = run(&["stop", "-zq", &zk]);
    assert_eq!(code, 4, "{output:?}");
}

#[test]
fn a_detached_master_is_ready_when_the_command_returns_and_goes_on() {
    let (zk, dir) = (zookeeper(), tempfile::tempdir().unwrap());
    let state_dir = dir.path().to_str().unwrap();
    let args = ["-zq", &zk, "--on", "local", "--state-dir", state_dir, "--detach", "--json"];
    let (code, output) = run(&args);
    assert_eq!(code, 0, "{output:?}");
    let ready = document(&output);
    assert_eq!(ready["event"], "ready");
    assert!(get(ready["http"].as_str().unwrap(), "/healthz").starts_with("HTTP/1.1 200"));
    let log = std::fs::read_to_string(ready["log"].as_str().unwrap()).unwrap();
    assert!(log.contains("connected to ZooKeeper"), "{log}");

    // Its own session: the pid is a session's leader.
    let pid = ready["pid"].as_u64().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap().to_string();
    assert_eq!(session, pid.to_string());

    let (code, output) = run(&args);
    assert_eq!(code, 8, "{output:?}");
    let refused = document(&output);
    assert_eq!(refused["error"]["code"], "state_dir_taken");
    assert!(refused["error"]["message"].as_str().unwrap().contains(&format!("pid {pid}")), "{refused}");

    let (code, output) = run(&["stop", "-zq", &zk, "--with-models"]);
    assert_eq!(code, 0, "{output:?}");
    let started = std::time::Instant::now();
    while std::path::Path::new(&format!("/proc/{pid}/exe")).exists() {
        assert!(started.elapsed() < crate::program::BOUND);
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

#[test]
fn with_credentials_state_is_ours_and_anybody_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (zk, dir) = (zookeeper(), tempfile::tempdir().unwrap());
    let auth = dir.path().join("auth");
    std::fs::write(&auth, "maas:geheim\n").unwrap();
    std::fs::set_permissions(&auth, std::fs::Permissions::from_mode(0o600)).unwrap();
    let auth = auth.to_str().unwrap();
    let mut master = Master::start(&zk, &dir.path().join("state"), &["--zk-auth-file", auth]);
    master.expect("ready");
    assert_eq!(run(&["status", "-zq", &zk]).0, 0);
    let (code, output) = run(&["stop", "-zq", &zk]);
    assert_eq!(code, 9, "{output:?}");
    assert_eq!(run(&["stop", "-zq", &zk, "--zk-auth-file", auth]).0, 0);
    master.expect("stopped");
    assert_eq!(master.exit_code(), 0);
    assert!(!master.stderr().contains("geheim"));
}
