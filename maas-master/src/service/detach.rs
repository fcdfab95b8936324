//! `--detach`: starts this program again without it, in a session of its own, and returns when that one is ready.

use super::announce::{Line, note};
use super::state_dir;
use crate::config::Config;
use crate::error::Error;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How often it is said what is waited for.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// A log longer than this is moved aside at the start.
const LONGEST_LOG: u64 = 16 << 20;
/// Lines of the log that are shown when the master ended.
const SHOWN_LINES: usize = 20;

/// Starts it and waits until it leads or stands by.
pub(super) fn detach(config: &Config, timeout_ms: Option<u64>) -> Result<u8, Error> {
    state_dir::ensure(&config.state_dir)?;
    let log = config.state_dir.join(state_dir::LOG);
    let log_file = open_log(&log).map_err(|source| Error::File { doing: "write", path: log.clone(), source })?;
    let log_start = log_file.metadata().map_or(0, |metadata| metadata.len());
    let mut child = start(log_file)?;
    let line = wait_until_ready(&mut child, &log, log_start, timeout_ms.map(Duration::from_millis))?;
    say(&line, &log, config.json)?;
    Ok(exit::DONE)
}

fn open_log(log: &Path) -> std::io::Result<File> {
    if std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > LONGEST_LOG) {
        let mut older = log.as_os_str().to_os_string();
        older.push(".1");
        std::fs::rename(log, PathBuf::from(older))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(log)
}

fn start(log: File) -> Result<Child, Error> {
    let failed = |source| Error::System { doing: "start the master", source };
    let program = std::env::current_exe().map_err(failed)?;
    Command::new(program)
        .args(without_detach(std::env::args_os().skip(1)))
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(failed)
}

/// The same arguments; `--json` is added, because the lines tell us when it is ready.
fn without_detach(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept: Vec<OsString> = args.filter(|arg| arg != "--detach" && arg != "--json").collect();
    kept.push("--json".into());
    kept
}

/// What the master says on its standard output.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Said {
    /// How it stands.
    Line(Line),
    /// Why it ends.
    Error {
        /// As every command says it.
        error: Ending,
    },
}

/// What happens while it is waited for.
enum Heard {
    Said(Said),
    /// It says nothing more: it has ended, or is about to.
    Silent,
    /// Ctrl-C or SIGTERM at the one that waits.
    Interrupted,
}

#[derive(serde::Deserialize)]
struct Ending {
    code: String,
    message: String,
    #[serde(default)]
    causes: Vec<String>,
}

impl From<Ending> for Failure {
    fn from(ending: Ending) -> Failure {
        // The same program speaks: a code it does not know would be a defect.
        let failure = Failure::new(ending.code.parse().unwrap_or(ErrorCode::Defect), ending.message);
        ending.causes.into_iter().fold(failure, Failure::with_cause)
    }
}

fn wait_until_ready(child: &mut Child, log: &Path, log_start: u64, longest: Option<Duration>) -> Result<Line, Error> {
    let (sender, heard) = mpsc::channel();
    tell_interrupts(sender.clone())?;
    if let Some(stdout) = child.stdout.take() {
        // Ends with the pipe; after the first line nobody listens any more.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(said) = serde_json::from_str::<Said>(&line)
                    && sender.send(Heard::Said(said)).is_err()
                {
                    return;
                }
            }
            let _nobody_waits = sender.send(Heard::Silent);
        });
    }
    let started = Instant::now();
    loop {
        let left = longest.map_or(SAY_EVERY, |longest| longest.saturating_sub(started.elapsed()).min(SAY_EVERY));
        match heard.recv_timeout(left) {
            Ok(Heard::Said(Said::Line(line @ (Line::Ready { .. } | Line::Standby { .. })))) => return Ok(line),
            Ok(Heard::Said(Said::Line(Line::Stopped { .. }))) => {}
            Ok(Heard::Said(Said::Error { error })) => return Err(Error::Cli(error.into())),
            Ok(Heard::Interrupted) => {
                // Both fail only when it has ended by itself meanwhile.
                let _ = child.kill();
                let _ = child.wait();
                let failure =
                    Failure::new(ErrorCode::Interrupted, "interrupted before the master was ready; it is ended");
                return Err(Error::Cli(failure));
            }
            Ok(Heard::Silent) | Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(|source| Error::System { doing: "wait for the master", source })?;
                show_log(log, log_start);
                return Err(ended(status, log));
            }
            Err(RecvTimeoutError::Timeout) => {
                if longest.is_some_and(|longest| started.elapsed() >= longest) {
                    // Both fail only when it has ended by itself meanwhile.
                    let _ = child.kill();
                    let _ = child.wait();
                    show_log(log, log_start);
                    let seconds = started.elapsed().as_secs();
                    return Err(Error::DetachTimedOut { seconds, log: log.to_path_buf() });
                }
                let last = log_since(log, log_start).pop().unwrap_or_default();
                note(&format!("not ready after {} s, still waiting: {last}", started.elapsed().as_secs()));
            }
        }
    }
}

/// Tells when this program is asked to end, from now on.
fn tell_interrupts(sender: mpsc::Sender<Heard>) -> Result<(), Error> {
    let failed = |source| Error::System { doing: "listen to signals", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        let _nobody_waits = sender.send(Heard::Interrupted);
    });
    Ok(())
}

fn ended(status: ExitStatus, log: &Path) -> Error {
    Error::DetachedEnded {
        status: status.to_string(),
        code: status.code().unwrap_or(i32::from(exit::DEFECT)),
        log: log.to_path_buf(),
    }
}

fn show_log(log: &Path, from: u64) {
    let lines = log_since(log, from);
    for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
        note(&format!("  {line}"));
    }
}

/// What this master has logged so far.
fn log_since(log: &Path, from: u64) -> Vec<String> {
    use std::io::{Read, Seek, SeekFrom};
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.take(1 << 20).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    read().unwrap_or_default().lines().map(str::to_string).collect()
}

fn say(line: &Line, log: &Path, json: bool) -> Result<(), Error> {
    let failed = |source| Error::System { doing: "write to standard output", source };
    if !json {
        return Out::stdout().line(format!("{}; log {}", line.sentence(), log.display())).map_err(failed);
    }
    let mut document = serde_json::to_value(line).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("log".to_string(), log.display().to_string().into());
    }
    Out::stdout().json(&document).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_start_has_the_same_arguments_without_detach() {
        let args = ["-zq", "h:1", "--detach", "--json", "--on", "local"].map(OsString::from);
        let expected = ["-zq", "h:1", "--on", "local", "--json"].map(OsString::from);
        assert_eq!(without_detach(args.into_iter()), expected);
    }
}
