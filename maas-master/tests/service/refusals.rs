//! How it refuses: exit codes and what is said.

use crate::program::{Master, document, run, zookeeper};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn other_launchers_are_named_as_missing() {
    let missing: &[&str] = if cfg!(feature = "yarn") { &["ec2"] } else { &["yarn", "ec2"] };
    for on in missing {
        let (code, output) = run(&["-zq", "127.0.0.1:1", "--on", on]);
        assert_eq!(code, 2);
        assert!(said(&output).contains(&format!("--on {on} is not built in this version")), "{}", said(&output));
    }
}

#[test]
fn an_address_is_needed_and_a_dead_one_is_given_up() {
    let (code, output) = run(&["status"]);
    assert_eq!(code, 2);
    for place in ["-zq", "MAAS_ZK", "client.toml", "/etc/maas"] {
        assert!(said(&output).contains(place), "{}", said(&output));
    }
    let (code, output) = run(&["status", "-zq", "127.0.0.1:1", "--zk-timeout", "1", "--json"]);
    assert_eq!(code, 6);
    assert_eq!(document(&output)["error"]["code"], "zookeeper_unreachable");
}

#[test]
fn wrong_settings_name_their_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("service.toml");
    std::fs::write(&file, "stroe = \"x\"\n").unwrap();
    let state_dir = dir.path().to_str().unwrap();
    for (args, word) in [
        (vec!["--config", file.to_str().unwrap()], "stroe"),
        (vec!["--config", "/nonexistent/x.toml"], "/nonexistent/x.toml"),
        (vec!["--capacity", "ram=1"], "memory, vcores, gpus"),
        (vec!["--advertise", "http://x"], "--advertise"),
        (vec!["--store", "ftp://x"], "--store"),
        (vec!["-e", "MAAS_GPUS=1"], "MAAS_GPUS"),
        (vec!["--zk-auth-file", "/nonexistent/auth"], "/nonexistent/auth"),
    ] {
        let mut all = vec!["-zq", "127.0.0.1:1", "--on", "local", "--state-dir", state_dir];
        all.extend(args);
        let (code, output) = run(&all);
        assert_eq!(code, 2, "{all:?}");
        assert!(said(&output).contains(word), "{all:?}: {}", said(&output));
    }
}

#[test]
fn a_state_of_a_newer_format_is_not_led() {
    let (zk, dir) = (zookeeper(), tempfile::tempdir().unwrap());
    let mut master = Master::start(&zk, dir.path(), &[]);
    master.expect("ready");
    master.signal("TERM");
    master.exit_code();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use maas_client::tree::{Op, Tree};
        let options = maas_client::zk::ZkOptions::command(zk.clone(), std::time::Duration::from_secs(10));
        let tree = maas_client::zk::ZkTree::connect(options).await.unwrap();
        let newer = r#"{"format":99,"store":"file:///x","launcher":"local"}"#;
        tree.multi(vec![Op::set("/maas/state/cluster", newer, None)]).await.unwrap();
        tree.close().await;
    });
    let mut master = Master::start(&zk, dir.path(), &[]);
    assert_eq!(master.exit_code(), 3);
    let failure = master.document();
    assert_eq!(failure["error"]["code"], "newer_format");
    assert!(failure["error"]["message"].as_str().unwrap().contains("99"), "{failure}");
}

#[test]
fn a_detached_start_that_takes_too_long_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let state_dir = dir.path().to_str().unwrap();
    let (code, output) =
        run(&["-zq", "127.0.0.1:1", "--on", "local", "--state-dir", state_dir, "--detach", "-t", "300"]);
    assert_eq!(code, 5, "{output:?}");
    assert!(said(&output).contains("master.log"), "{}", said(&output));
    let lock = std::fs::read_to_string(dir.path().join("master.lock")).unwrap_or_default();
    assert!(!std::path::Path::new("/proc").join(lock.trim()).join("exe").exists() || lock.trim().is_empty());
}
