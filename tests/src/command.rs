//! Running a program to its end, with a bound and with nothing of this machine's settings.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Longest time any command may take.
const BOUND: Duration = Duration::from_secs(180);

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Fails, with all that was said, unless the command ended with this code.
    pub fn exits(self, code: i32) -> Result<Output> {
        ensure!(
            self.code == code,
            "exit {} instead of {code}\nstdout: {}\nstderr: {}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// Standard output as one JSON document.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("no JSON: {:?}\nstderr: {}", self.stdout, self.stderr))
    }

    /// Standard output as one JSON document a line.
    pub fn json_lines(&self) -> Result<Vec<Value>> {
        let line = |line: &str| serde_json::from_str(line).with_context(|| format!("no JSON: {line:?}"));
        self.stdout.lines().filter(|text| !text.is_empty()).map(line).collect()
    }
}

/// Environment that every program under test gets: none of the machine's, and a home without settings.
pub(crate) fn clean(command: &mut Command, home: &Path) {
    command.env_clear().env("HOME", home).env("LANG", "C.UTF-8").env("NO_COLOR", "1").env("USER", "tester");
    for kept in ["PATH", "TMPDIR", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
}

/// Runs a program to its end.
pub(crate) async fn run<S: AsRef<OsStr>>(
    program: &Path,
    args: &[S],
    home: &Path,
    variables: &[(&str, &str)],
    input: &[u8],
) -> Result<Output> {
    let mut command = Command::new(program);
    clean(&mut command, home);
    command.args(args).envs(variables.iter().copied());
    finish(command, input).await
}

/// Runs a prepared command to its end. Its output may outlive it: a process that it left behind must not hold the test.
pub(crate) async fn finish(mut command: Command, input: &[u8]) -> Result<Output> {
    let shown = format!("{:?}", command.as_std());
    let (stdout, stderr) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
    command.stdin(Stdio::piped()).stdout(stdout.reopen()?).stderr(stderr.reopen()?).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("can't start {shown}"))?;
    let mut stdin = child.stdin.take().context("standard input is piped")?;
    // A program that doesn't read its input closes it; that is its own affair.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let read = |file: &tempfile::NamedTempFile| -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(file.path())?).into_owned())
    };
    let Ok(status) = tokio::time::timeout(BOUND, child.wait()).await else {
        bail!("{shown} did not end in {BOUND:?}\nstdout: {}\nstderr: {}", read(&stdout)?, read(&stderr)?);
    };
    let status = status?;
    let signalled = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    Ok(Output { code: status.code().or(signalled).unwrap_or(-1), stdout: read(&stdout)?, stderr: read(&stderr)? })
}
