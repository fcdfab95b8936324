//! Processes of this machine by what the kernel says of them: who belongs to an instance, who holds a lock, who lives.
//!
//! A pid alone is never trusted: it counts only with its start time and boot, and a signal goes through a pidfd. Nor is a
//! look that fails: only "no such process" and "no such file" say that something is gone, anything else is an error, and
//! who asked asks again.

use maas_client::launch::LockFile;
use maas_client::process::{all, boot_id, is_gone, look};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};
use rustix::process::{getrlimit, pidfd_open, pidfd_send_signal, prlimit, setrlimit};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// The variable every process of an instance has in its environment.
pub(super) const INSTANCE_VARIABLE: &str = "MAAS_INSTANCE_ID";
/// How often a runner is looked at that can't be watched.
const POLL_EVERY: Duration = Duration::from_millis(200);
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The pids of all living processes of these instances, found by their environment.
pub(super) fn find(ids: &BTreeSet<String>) -> io::Result<BTreeMap<String, Vec<i32>>> {
    let mut found: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for pid in all()? {
        if let Some(id) = instance_of(pid)?.filter(|id| ids.contains(id)) {
            found.entry(id).or_default().push(pid);
        }
    }
    Ok(found)
}

/// The instance a process belongs to. Zombies and processes of other users have no readable environment.
fn instance_of(pid: i32) -> io::Result<Option<String>> {
    let environment = match fs::read(format!("/proc/{pid}/environ")) {
        Ok(environment) => environment,
        Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    let prefix = INSTANCE_VARIABLE.as_bytes();
    Ok(environment.split(|byte| *byte == 0).find_map(|pair| {
        let value = pair.strip_prefix(prefix)?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    }))
}

/// Kills every process of an instance; returns how many there were.
pub(super) fn kill_all(id: &str) -> io::Result<usize> {
    let ids = BTreeSet::from([id.to_string()]);
    let pids = find(&ids)?.remove(id).unwrap_or_default();
    for pid in &pids {
        // Between the look and the pidfd the pid may have passed to another process: look again through the pidfd.
        let Some(fd) = open(*pid)? else { continue };
        if instance_of(*pid)?.as_deref() == Some(id) {
            // One that has just ended needs no signal.
            let _ = pidfd_send_signal(&fd, Signal::KILL);
        }
    }
    Ok(pids.len())
}

/// A pidfd, when there is such a process.
fn open(pid: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(pid) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The runner a lock file names, when exactly that process lives.
pub(super) fn runner_of(lock: &LockFile) -> io::Result<Option<OwnedFd>> {
    if lock.boot_id != boot_id()? {
        return Ok(None);
    }
    let Ok(pid) = i32::try_from(lock.pid) else { return Ok(None) };
    let lives = || Ok::<_, io::Error>(look(pid)?.is_some_and(|it| it.alive && it.start_ticks == lock.start_ticks));
    if !lives()? {
        return Ok(None);
    }
    let Some(fd) = open(pid)? else { return Ok(None) };
    // After the pidfd is open the pid can't pass on unseen.
    Ok(lives()?.then_some(fd))
}

/// Returns once the process has ended: told by the kernel, or by looking again and again where that can't be had.
pub(super) async fn ended(process: &OwnedFd) {
    #[expect(deprecated, reason = "its successor is unsafe code; the descriptor outlives this")]
    let watched = match AsyncFd::new(process.as_fd()) {
        // A pidfd is readable once its process has ended.
        Ok(watched) => watched.readable().await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = watched {
        tracing::warn!(%error, "a runner can't be watched and is looked at now and then");
        while !matches!(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&AT_ONCE)), Ok(1..)) {
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

/// Whether nobody holds the lock. A missing file is held by nobody.
///
/// Only asked when everything else says that the runner is dead: for a moment this takes the lock itself.
pub(super) fn lock_is_free(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_gone(&error) => return Ok(true),
        Err(error) => return Err(error),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Raises the number of files that this process may have open as far as it is allowed to; gives the limit of before.
pub(super) fn raise_file_limit() -> Rlimit {
    let before = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, ..before }) {
        tracing::warn!(%error, "the limit on open files stays as it is");
    }
    before
}

/// Gives a child the limit on open files that we were started with: programs that use `select` break under a higher one.
pub(super) fn restore_file_limit(pid: Option<u32>, limit: Rlimit) {
    let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) else { return };
    if let Err(error) = prlimit(Some(pid), Resource::Nofile, limit) {
        tracing::debug!(%error, "a runner has our limit on open files");
    }
}
