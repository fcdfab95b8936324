//! Kafka with TLS, and with TLS and passwords: what is trusted is used, what is not is told clearly.
//!
//! `MAAS_TEST_KAFKA_DIR` names the folder of a broker that listens so (scripts/services/kafka.sh start --listeners all).

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::{stderr, write};

/// A broker's folder.
fn broker() -> PathBuf {
    let dir = std::env::var("MAAS_TEST_KAFKA_DIR").unwrap_or_else(|_| {
        panic!("MAAS_TEST_KAFKA_DIR is needed; start a broker with scripts/services/kafka.sh start --listeners all")
    });
    PathBuf::from(dir)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `HOST:PORT` of one of its listeners.
fn listener(broker: &Path, name: &str) -> String {
    format!("127.0.0.1:{}", text(&broker.join(format!("port.{name}"))).trim())
}

/// A directory with the configuration of a sensor and a log of one line.
fn sensor() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("parsers")).expect("a directory");
    write(&directory.path().join("parsers/web.json"), &[r#"{"parserClassName":"JSON"}"#]);
    write(&directory.path().join("log"), &[r#"{"n":1,"timestamp":1461576382642}"#]);
    directory
}

fn run(directory: &Path, source: &str, sink: &str, settings: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_maas_enrich"))
        .args(["run", "-s", "web", "--once", "--source", source, "--sink", sink, "--config"])
        .arg(directory)
        .arg("--kafka-config")
        .arg(settings)
        .env_remove("MAAS_ZK")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

#[test]
fn documents_go_and_lines_come_over_tls_and_with_each_kind_of_password() {
    let (broker, sensor) = (broker(), sensor());
    for (name, settings) in [("ssl", "ssl"), ("sasl", "plain"), ("sasl", "scram")] {
        let settings = broker.join(format!("tls/{settings}.properties"));
        let topic = format!("kafka://{}/t{}", listener(&broker, name), uuid::Uuid::new_v4().simple());
        let log = format!("file:{}", sensor.path().join("log").display());
        let there = run(sensor.path(), &log, &topic, &settings);
        assert!(there.status.success(), "{}", stderr(&there));
        let back = run(sensor.path(), &topic, "-", &settings);
        assert!(back.status.success() && stderr(&back).contains("done: 1 in, 1 out"), "{}", stderr(&back));
        assert!(String::from_utf8_lossy(&back.stdout).contains(r#""n":1"#));
    }
}

#[test]
fn a_certificate_that_is_not_trusted_and_a_wrong_password_are_told_and_have_their_exit_codes() {
    let (broker, sensor) = (broker(), sensor());
    let changed = |settings: &str, name: &str, value: &str| {
        let path = sensor.path().join(format!("changed-{settings}"));
        let lines = text(&broker.join(format!("tls/{settings}.properties")));
        let own = |line: &str| match line.starts_with(name) {
            true => format!("{name}={value}"),
            false => line.to_owned(),
        };
        std::fs::write(&path, lines.lines().map(own).collect::<Vec<_>>().join("\n")).expect("a file");
        path
    };
    let log = format!("file:{}", sensor.path().join("log").display());
    let (tls, sasl) = (listener(&broker, "ssl"), listener(&broker, "sasl"));

    // The system's own authorities don't know the broker's.
    let untrusted = changed("ssl", "ssl.ca.location", "probe");
    let wrong_plain = changed("plain", "sasl.password", "wrong-secret");
    let wrong_scram = changed("scram", "sasl.password", "wrong-secret");
    for (address, settings, code, said) in [
        (&tls, &untrusted, 6, "certificate verify failed"),
        (&sasl, &wrong_plain, 9, "Authentication failed"),
        (&sasl, &wrong_scram, 9, "Authentication failed"),
    ] {
        let topic = format!("kafka://{address}/none");
        for output in [run(sensor.path(), &topic, "-", settings), run(sensor.path(), &log, &topic, settings)] {
            assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
            assert!(stderr(&output).contains(said), "{}", stderr(&output));
            assert!(!stderr(&output).contains("wrong-secret"));
        }
    }
}
