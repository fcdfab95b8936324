//! Starts the program and reads what it says, never longer than a bound.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The longest anything may take here.
pub(crate) const BOUND: Duration = Duration::from_secs(40);

/// A chroot of its own on the test's ZooKeeper.
pub(crate) fn zookeeper() -> String {
    let server = std::env::var("MAAS_TEST_ZK").unwrap_or_else(|_| {
        panic!("these tests need a ZooKeeper: scripts/services/zookeeper.sh start, then export MAAS_TEST_ZK=HOST:PORT")
    });
    format!("{server}/test-{}", uuid::Uuid::new_v4())
}

/// The program with a clean environment. The runner is only looked for: nothing is started in these tests.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maas_service"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
    command.env("MAAS_RUNNER", env!("CARGO_BIN_EXE_maas_service")).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(args: &[&str]) -> (i32, Output) {
    let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < BOUND, "{args:?} does not end");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap_or(-1), output)
}

/// The one JSON document on standard output.
pub(crate) fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// A master in the foreground; killed when dropped.
pub(crate) struct Master {
    pub(crate) child: Child,
    lines: Receiver<Value>,
    errors: Receiver<String>,
}

impl Master {
    pub(crate) fn start(zookeeper: &str, state_dir: &Path, more: &[&str]) -> Master {
        Master::start_logging_to(Stdio::piped(), zookeeper, state_dir, more)
    }

    /// What it says on standard error goes elsewhere.
    pub(crate) fn start_logging_to(stderr: Stdio, zookeeper: &str, state_dir: &Path, more: &[&str]) -> Master {
        let state_dir = state_dir.to_str().unwrap();
        let mut args = vec!["-zq", zookeeper, "--on", "local", "--state-dir", state_dir, "--json"];
        args.extend(more);
        let mut child = command(&args).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let (sender, errors) = channel();
        if let Some(mut stderr) = child.stderr.take() {
            std::thread::spawn(move || {
                let mut text = String::new();
                let _ = stderr.read_to_string(&mut text);
                let _ = sender.send(text);
            });
        }
        Master { child, lines, errors }
    }

    /// The next line, which is of this kind.
    pub(crate) fn expect(&mut self, event: &str) -> Value {
        let line = self.lines.recv_timeout(BOUND);
        let line = line.unwrap_or_else(|error| panic!("no {event} line: {error}; {}", self.stderr()));
        assert_eq!(line["event"], event, "{line}");
        line
    }

    /// The next line, whatever it is.
    pub(crate) fn document(&mut self) -> Value {
        self.lines.recv_timeout(BOUND).unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(started.elapsed() < BOUND, "it does not end");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// All it said on standard error; it must have ended, or is ended here.
    pub(crate) fn stderr(&mut self) -> String {
        let _ = self.child.kill();
        self.errors.recv_timeout(BOUND).unwrap_or_default()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
