//! Starting the script through its guard, and hearing from the guard.
//!
//! The guard's standard input is one end of a socket pair; the runner's end closes on exec and with the runner, so its
//! end of file means that the runner is gone. The other way the guard reports.

use crate::capture::Capture;
use crate::guard::Report;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What to start.
pub(crate) struct Start<'a> {
    /// Program and arguments.
    pub(crate) program: Vec<OsString>,
    /// The whole environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// The working directory.
    pub(crate) work: &'a Path,
    /// Where output goes.
    pub(crate) logs: &'a Path,
    /// Longest log file, bytes.
    pub(crate) log_bytes: u64,
    /// `cgroup.procs` of the control group it shall live in.
    pub(crate) group: Option<PathBuf>,
}

/// A guard that runs, with the script below it.
pub(crate) struct Running {
    /// The guard's process id.
    pub(crate) guard: i32,
    /// What the script writes.
    pub(crate) capture: Capture,
    /// Keeps the guard alive: dropping it has everything killed.
    _leash: UnixStream,
}

/// Starts the guard. `hear` gets each report, then `None` when the guard is gone; it is called from a thread.
pub(crate) fn start(start: Start<'_>, mut hear: impl FnMut(Option<Report>) + Send + 'static) -> io::Result<Running> {
    let (leash, end) = UnixStream::pair()?;
    let (stdout, stdout_writer) = io::pipe()?;
    let (stderr, stderr_writer) = io::pipe()?;
    let capture = Capture::start(stdout, stderr, start.logs, start.log_bytes)?;
    // This very binary, also when the file was replaced meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("maas_runner").arg("guard");
    if let Some(group) = &start.group {
        command.arg("--group").arg(group);
    }
    let guard = command
        .arg("--")
        .args(&start.program)
        .env_clear()
        .envs(&start.environment)
        .current_dir(start.work)
        .stdin(Stdio::from(OwnedFd::from(end)))
        .stdout(stdout_writer)
        .stderr(stderr_writer)
        // A signal to the runner's group is the runner's to answer.
        .process_group(0)
        .spawn()?;
    // The parent's copies of the pipes' writing ends must go, or the pipes never end.
    drop(command);
    let mut reader = leash.try_clone()?;
    std::thread::Builder::new().name("guard".to_string()).spawn(move || {
        let mut pending = Vec::new();
        let mut buffer = [0u8; 512];
        loop {
            let length = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            pending.extend_from_slice(&buffer[..length]);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                if let Some(report) = Report::parse(&String::from_utf8_lossy(&line)) {
                    hear(Some(report));
                }
            }
        }
        hear(None);
    })?;
    Ok(Running { guard: i32::try_from(guard.id()).unwrap_or(i32::MAX), capture, _leash: leash })
}
