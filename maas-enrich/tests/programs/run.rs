//! `maas_enrich run` with files and streams.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value as Json;

use crate::{maas_enrich, stderr, stdout, write_config};

const PARSER: &str = r#"{"parserClassName":"JSON","fieldTransformations":[
  {"transformation":"STELLAR","output":["host","half"],"config":{"host":"URL_TO_HOST(url)","half":"10 / n"}}]}"#;
const ENRICHMENT: &str = r#"{"enrichment":{"fieldMap":{"stellar":{"config":{"loud":"TO_UPPER(host)"}}}},
  "threatIntel":{"triageConfig":{"riskLevelRules":[{"rule":"host == 'bad.com'","score":7}]}}}"#;

fn configured(directory: &Path) {
    write_config(directory, &[("parsers/web.json", PARSER), ("enrichments/web.json", ENRICHMENT)]);
}

fn documents(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).expect("a document is JSON")).collect()
}

#[test]
fn a_file_becomes_documents_and_what_fails_becomes_error_records_with_nothing_held_up() {
    let directory = tempfile::tempdir().unwrap();
    configured(directory.path());
    let log = directory.path().join("log");
    let mut bytes = br#"{"url":"http://bad.com/","n":4,"is_alert":true}"#.to_vec();
    bytes.extend(b"\nno json\n");
    bytes.extend(vec![b'x'; 1_000_000]);
    bytes.extend(b"\n\xff\xfe\x00\x01\n");
    bytes.extend(br#"{"url":"http://zero.com/","n":0}"#);
    bytes.extend(b"\n");
    bytes.extend(br#"{"url":"http://good.com/","n":5,"guid":"mine"}"#);
    std::fs::write(&log, bytes).unwrap();
    let errors = directory.path().join("errors");
    let run = || {
        maas_enrich()
            .args(["run", "-s", "web", "--once", "--sink", "-", "--config"])
            .arg(directory.path())
            .arg(format!("--source=file:{}", log.display()))
            .arg(format!("--errors=file:{}", errors.display()))
            .output()
            .unwrap()
    };
    let output = run();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("done: 6 in, 2 out, 4 errors"), "{}", stderr(&output));
    let written = documents(&stdout(&output));
    assert_eq!(written.len(), 2);
    assert_eq!((&written[0]["host"], &written[0]["loud"]), (&Json::from("bad.com"), &Json::from("BAD.COM")));
    assert_eq!((&written[0]["threat:triage:level"], &written[0]["threat.triage.score"]), (&7.into(), &7.0.into()));
    assert_eq!(written[0]["source.type"], "web");
    assert_eq!((&written[1]["guid"], &written[1]["half"]), (&Json::from("mine"), &2.into()));
    let records = documents(&std::fs::read_to_string(&errors).unwrap());
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| record["error_type"] == "parser_error"));
    assert_eq!(records[0]["raw_message"], "no json");
    assert!(records[3]["stack"].as_str().unwrap().contains("caused by: fieldTransformations[0].config.half"));
    let again = documents(&stdout(&run()));
    assert_eq!(again[0]["guid"], written[0]["guid"], "the same line has the same guid");
}

#[test]
fn standard_input_is_read_in_order_and_errors_can_decide_the_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    configured(directory.path());
    let mut child = maas_enrich()
        .args(["run", "-s", "web", "--source", "-", "--sink", "-", "--fail-on-errors", "--config"])
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for n in 1..=5_000 {
            writeln!(stdin, r#"{{"url":"http://h{n}/","n":{n}}}"#).unwrap();
        }
        writeln!(stdin, "bad").unwrap();
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let numbers: Vec<i64> =
        documents(&stdout(&output)).iter().map(|document| document["n"].as_i64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=5_000));
    assert!(stderr(&output).contains("there were 1 error records"), "{}", stderr(&output));
}

#[test]
fn a_dry_run_shows_each_stage_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    configured(directory.path());
    let log = directory.path().join("log");
    std::fs::write(&log, "{\"url\":\"http://bad.com/\",\"n\":2,\"is_alert\":true}\nbad\n{}\n").unwrap();
    let sink = directory.path().join("documents");
    let output = maas_enrich()
        .args(["run", "-s", "web", "--dry-run", "2", "--config"])
        .arg(directory.path())
        .arg(format!("--source=file:{}", log.display()))
        .arg(format!("--sink=file:{}", sink.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    for part in [
        "  transform\n",
        "    host = \"bad.com\"",
        "  enrich\n    loud = \"BAD.COM\"",
        "parser_error: the line is no JSON object",
        "-> not written",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!sink.exists());
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    write_config(
        directory.path(),
        &[(
            "parsers/web.json",
            r#"{"parserClassName":"JSON","fieldTransformations":[{"transformation":"STELLAR","output":"a","config":{"a":"1 +"}}]}"#,
        )],
    );
    let run = |sensor: &str| {
        maas_enrich()
            .args(["run", "--source", "-", "--sink", "-", "-s", sensor, "--config"])
            .arg(directory.path())
            .output()
            .unwrap()
    };
    let output = run("web");
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("parsers/web.json"), "{}", stderr(&output));
    assert!(stderr(&output).contains("fieldTransformations[0].config.a"), "{}", stderr(&output));
    let output = run("wbe");
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("did you mean web?"), "{}", stderr(&output));
}

#[test]
fn events_are_json_and_documents_go_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    configured(directory.path());
    let log = directory.path().join("log");
    std::fs::write(&log, "{\"url\":\"http://a/\",\"n\":2}\n").unwrap();
    let output = maas_enrich()
        .args(["run", "-s", "web", "--once", "--json", "--sink", "null", "--http", "127.0.0.1:0", "--config"])
        .arg(directory.path())
        .arg(format!("--source=file:{}", log.display()))
        .output()
        .unwrap();
    let events = documents(&stdout(&output));
    assert_eq!(events[0]["event"], "ready");
    assert!(events[0]["http"].as_str().is_some_and(|http| http.starts_with("http://127.0.0.1:")));
    let done = events.last().unwrap();
    assert_eq!(
        (&done["event"], &done["in"], &done["out"], &done["errors"]),
        (&"done".into(), &1.into(), &1.into(), &0.into())
    );
}
