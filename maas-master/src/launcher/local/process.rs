//! Processes of this machine by what the kernel says of them: who belongs to an instance, who holds a lock, who lives.
//!
//! A pid alone is never trusted: it counts only with its start time and boot, and a signal goes through a pidfd.

use maas_client::launch::LockFile;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The variable every process of an instance has in its environment.
pub(super) const INSTANCE_VARIABLE: &str = "MAAS_INSTANCE_ID";

/// The pids of all living processes of these instances, found by their environment.
pub(super) fn find(ids: &BTreeSet<String>) -> BTreeMap<String, Vec<i32>> {
    let mut found: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    let Ok(entries) = fs::read_dir("/proc") else { return found };
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if let Some(id) = instance_of(pid).filter(|id| ids.contains(id)) {
            found.entry(id).or_default().push(pid);
        }
    }
    found
}

/// The instance a process belongs to. Zombies and processes of other users have no readable environment.
fn instance_of(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let prefix = INSTANCE_VARIABLE.as_bytes();
    environment.split(|byte| *byte == 0).find_map(|pair| {
        let value = pair.strip_prefix(prefix)?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// Kills every process of an instance; returns how many there were.
pub(super) fn kill_all(id: &str) -> usize {
    let ids = BTreeSet::from([id.to_string()]);
    let pids = find(&ids).remove(id).unwrap_or_default();
    for pid in &pids {
        // Between the look and the pidfd the pid may have passed to another process: look again through the pidfd.
        let Some(fd) = open(*pid) else { continue };
        if instance_of(*pid).as_deref() == Some(id) {
            // One that has just ended needs no signal.
            let _ = pidfd_send_signal(&fd, Signal::KILL);
        }
    }
    pids.len()
}

/// A pidfd, when there is such a process.
pub(super) fn open(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::NONBLOCK).ok()
}

/// The runner a lock file names, when exactly that process lives.
pub(super) fn runner_of(lock: &LockFile, boot_id: &str) -> Option<OwnedFd> {
    if lock.boot_id != boot_id {
        return None;
    }
    let pid = i32::try_from(lock.pid).ok()?;
    let fd = open(pid)?;
    // After the pidfd is open the pid can't pass on unseen.
    (start_ticks(pid)? == lock.start_ticks && !is_zombie(pid)).then_some(fd)
}

fn stat_fields(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and parentheses; the fields after the last one are plain.
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_string).collect())
}

fn start_ticks(pid: i32) -> Option<u64> {
    stat_fields(pid)?.get(19)?.parse().ok()
}

fn is_zombie(pid: i32) -> bool {
    stat_fields(pid).is_none_or(|fields| matches!(fields.first().map(String::as_str), Some("Z" | "X")))
}

/// This boot's id.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_string()).unwrap_or_default()
}

/// Whether nobody holds the lock. A missing file is held by nobody.
///
/// Only asked when everything else says that the runner is dead: for a moment this takes the lock itself.
pub(super) fn lock_is_free(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return true };
    flock(&file, FlockOperation::NonBlockingLockShared).is_ok()
}
