//! What ADD and its relatives refuse before anything is sent: each with its code, its exit code and its words.

use crate::program::{Output, maas_deploy};
use std::os::unix::fs::symlink;
use std::path::Path;

/// ADD of a directory, to a ZooKeeper that nobody would reach.
fn add(dir: &Path, more: &[&str]) -> Output {
    let dir = dir.to_str().unwrap();
    let args = ["add", "-zq", "127.0.0.1:1", "-n", "dga", "-v", "1.0", "-ni", "1", "-lmp", dir, "--json"];
    maas_deploy(&[&args, more].concat())
}

/// Code, exit code and message.
fn refusal(output: &Output) -> (String, i32, String) {
    (output.error_code(), output.code, output.json()["error"]["message"].as_str().unwrap_or_default().to_string())
}

#[test]
fn names_versions_numbers_and_variables_are_checked_first() {
    let base = ["-zq", "127.0.0.1:1", "--json"];
    let table: &[(&[&str], &str, i32)] = &[
        (&["add", "-n", "my model", "-v", "1.0", "-ni", "1", "-m", "1"], "bad_name", 3),
        (&["add", "-n", "../x", "-v", "1.0", "-ni", "1", "-m", "1"], "bad_name", 3),
        (&["add", "-n", "dga", "-v", "$(x)", "-ni", "1", "-m", "1"], "bad_name", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "0", "-m", "1"], "count_max", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "-1", "-m", "1"], "count_max", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "1001", "-m", "1"], "count_max", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "0"], "memory_max", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "-1"], "memory_max", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "99999999999"], "memory_max", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "1", "--env", "A B=1"], "bad_env", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "1", "--request-id", "a/b"], "bad_name", 3),
        (&["add", "-n", "dga", "-v", "1.0", "-ni", "x", "-m", "1"], "usage", 2),
        (&["scale", "-n", "dga", "-v", "1.0", "-ni", "10001"], "count_max", 3),
        (&["remove", "-n", "dga", "-v", "1.0", "-ni", "0"], "count_max", 3),
        (&["call", "-n", "dga", "host"], "bad_arguments", 3),
        (&["plan", "-n", "dga", "-v", "1.0", "-ni", "1"], "usage", 2),
        (&["events", "--since", "soon"], "usage", 2),
        (&["events", "--after", "zzz"], "usage", 2),
        (&["list", "--http", "notaurl"], "usage", 2),
    ];
    for (args, code, exit) in table {
        let output = maas_deploy(&[args, &base[..]].concat());
        assert_eq!((output.error_code().as_str(), output.code), (*code, *exit), "{args:?}: {}", output.stdout);
    }
}

#[test]
fn a_model_directory_that_can_not_be_one_is_refused_under_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    let missing = refusal(&add(&dir.path().join("nowhere"), &["-m", "64"]));
    assert_eq!((missing.0.as_str(), missing.1), ("not_directory", 3));
    assert_eq!(refusal(&add(dir.path(), &["-m", "64"])).0, "empty");
    std::fs::write(dir.path().join("model.py"), "").unwrap();
    assert_eq!(refusal(&add(dir.path(), &["-m", "64"])).0, "no_script");
    std::fs::write(dir.path().join("run.sh"), "").unwrap();
    symlink("/etc/passwd", dir.path().join("out")).unwrap();
    let (code, exit, message) = refusal(&add(dir.path(), &["-m", "64"]));
    assert_eq!((code.as_str(), exit), ("link_out", 3));
    assert!(message.contains("out"), "{message}");
    std::fs::remove_file(dir.path().join("out")).unwrap();
    std::fs::write(dir.path().join("other.sh"), "").unwrap();
    let (code, _, message) = refusal(&add(dir.path(), &["-m", "64"]));
    assert_eq!(code, "two_scripts");
    assert!(message.contains("run.sh") && message.contains("other.sh"), "{message}");
}

#[test]
fn memory_is_needed_from_the_option_or_the_settings() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("run.sh"), "").unwrap();
    let (code, exit, message) = refusal(&add(dir.path(), &[]));
    assert_eq!((code.as_str(), exit), ("usage", 2));
    assert!(message.contains("-m MB"), "{message}");
    std::fs::write(dir.path().join("maas.json"), r#"{"resources":{"memory_mb":64}}"#).unwrap();
    // Good so far: now ZooKeeper is asked.
    assert_eq!(refusal(&add(dir.path(), &[])).0, "zookeeper_unreachable");
    std::fs::write(dir.path().join("maas.json"), r#"{"resources":{"memory":64}}"#).unwrap();
    let (code, exit, _) = refusal(&add(dir.path(), &[]));
    assert_eq!((code.as_str(), exit), ("bad_settings", 3));
}

#[test]
fn an_error_is_one_line_with_its_causes_below() {
    let output = maas_deploy(&["add", "-zq", "h:1", "-n", "a b", "-v", "1", "-ni", "1", "-m", "1"]);
    assert_eq!(output.code, 3);
    assert!(output.stdout.is_empty());
    assert!(output.stderr.starts_with("error: name \"a b\""), "{}", output.stderr);
}
