//! An instance's directory: made before its runner starts, read at its end, cleaned when its record is gone.

use super::process;
use jiff::Timestamp;
use maas_client::launch::{EXIT_FILE, Exit, LAUNCH_FILE, LOCK_FILE, LaunchSpec, LockFile};
use maas_client::model::ModelId;
use maas_client::process::is_gone;
use maas_client::reason::InstanceState;
use maas_client::state::Ended;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Left in the directory of an ended instance whose logs are kept.
const ENDED_FILE: &str = "ended.json";
/// Failed instances of a version whose logs are kept.
const KEEP_FAILED: usize = 5;
/// How long their logs are kept.
const KEEP_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How much of each stream is kept, bytes.
const KEEP_BYTES: u64 = 64 << 10;
/// The longest file of a runner's that is read, bytes.
const MAX_FILE: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct EndedFile {
    #[serde(flatten)]
    model: ModelId,
    failed: bool,
    ended: Timestamp,
}

/// `<state-dir>/instances`.
pub(super) fn instances(state_dir: &Path) -> PathBuf {
    state_dir.join("instances")
}

/// One instance's directory. Ids are ours, but they come from ZooKeeper: only plain names make a path.
pub(super) fn directory(state_dir: &Path, id: &str) -> Option<PathBuf> {
    let plain = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain.then(|| instances(state_dir).join(id))
}

/// Makes the directory and writes the launch file, readable by this user only.
pub(super) fn prepare(directory: &Path, spec: &LaunchSpec) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let path = directory.join(LAUNCH_FILE);
    let written = directory.join("launch.json.new");
    let bytes = serde_json::to_vec(spec).map_err(io::Error::other)?;
    // What a crashed master left may be half a file.
    match fs::remove_file(&written) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&written)?;
    file.write_all(&bytes)?;
    fs::rename(written, path)
}

/// The runner's own log, appended to.
pub(super) fn runner_log(directory: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(directory.join("runner.log"))
}

/// What a look at an instance's directory says.
pub(super) struct Look {
    /// Whether its runner lives.
    pub(super) found: Found,
    /// The GPUs it was given; they are its own until its death is proved.
    pub(super) gpus: Vec<u32>,
}

/// Whether a runner lives.
pub(super) enum Found {
    /// No directory, or nothing was ever started in it.
    Nothing,
    /// The runner lives.
    Runner { pid: u32, handle: std::os::fd::OwnedFd },
    /// A runner was started there and does not live; others of its processes may.
    Ended,
}

/// Looks at an instance's directory. The lock alone proves death; the lock file names who to look for first.
pub(super) fn look(directory: &Path) -> io::Result<Look> {
    let lock = read_json::<LockFile>(&directory.join(LOCK_FILE))?;
    let runner = lock.as_ref().map(process::runner_of).transpose()?.flatten();
    let found = match (runner, &lock) {
        (Some(handle), Some(lock)) => Found::Runner { pid: lock.pid, handle },
        (_, Some(_)) => Found::Ended,
        (_, None) if directory.join(EXIT_FILE).try_exists()? => Found::Ended,
        (_, None) => Found::Nothing,
    };
    let gpus = match lock {
        Some(lock) => lock.gpu_indices,
        None => launched(directory)?.map(|spec| spec.gpu_indices).unwrap_or_default(),
    };
    Ok(Look { found, gpus })
}

/// What the launch file asks for.
fn launched(directory: &Path) -> io::Result<Option<LaunchSpec>> {
    read_json(&directory.join(LAUNCH_FILE))
}

/// The lock of an instance's directory.
pub(super) fn lock_path(directory: &Path) -> PathBuf {
    directory.join(LOCK_FILE)
}

/// What the runner wrote at its end.
pub(super) fn exit(directory: &Path, id: &str) -> io::Result<Option<Exit>> {
    Ok(read_json::<Exit>(&directory.join(EXIT_FILE))?.filter(|exit| exit.id == id))
}

/// A file's content; `None` when there is none, or none that is what it should be.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes)) {
        Ok(_) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Cleans an ended instance's directory: a failed one keeps the ends of its logs, another nothing.
pub(super) fn clean(state_dir: &Path, id: &str, model: &ModelId, ended: &Ended) -> io::Result<()> {
    let Some(directory) = directory(state_dir, id) else { return Ok(()) };
    if !directory.try_exists()? {
        return Ok(());
    }
    remove_group(&directory, id)?;
    let failed = ended.state == InstanceState::Failed;
    if !failed {
        return remove(&directory);
    }
    // First the mark, so that a crash in between leaves a directory that is known to be over.
    let mark = EndedFile { model: model.clone(), failed, ended: ended.ended };
    let bytes = serde_json::to_vec(&mark).map_err(io::Error::other)?;
    fs::write(directory.join(ENDED_FILE), bytes)?;
    remove(&directory.join("work"))?;
    remove(&directory.join("tmp"))?;
    for name in [LAUNCH_FILE, LOCK_FILE] {
        remove(&directory.join(name))?;
    }
    for stream in ["stdout", "stderr"] {
        keep_end(&directory.join("logs"), stream)?;
    }
    prune(state_dir, Some(model))
}

/// Removes the control group that a killed runner has left: the runner itself takes away that of an orderly end.
fn remove_group(directory: &Path, id: &str) -> io::Result<()> {
    let Some(parent) = launched(directory)?.and_then(|spec| spec.cgroup) else { return Ok(()) };
    let leaf = parent.join(id);
    // Only an empty directory goes; on a control group's own files the kernel insists.
    match fs::remove_dir(&leaf) {
        Err(error) if !is_gone(&error) => tracing::warn!(group = %leaf.display(), %error, "a control group stays"),
        _ => {}
    }
    Ok(())
}

/// Keeps the last bytes of a stream over its two files.
fn keep_end(logs: &Path, stream: &str) -> io::Result<()> {
    let (current, older) = (logs.join(stream), logs.join(format!("{stream}.1")));
    let length = fs::metadata(&current).map_or(0, |data| data.len());
    if length >= KEEP_BYTES {
        remove(&older)?;
        return cut_front(&current, KEEP_BYTES);
    }
    if older.exists() { cut_front(&older, KEEP_BYTES - length) } else { Ok(()) }
}

fn cut_front(path: &Path, keep: u64) -> io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length <= keep {
        return Ok(());
    }
    file.seek(SeekFrom::Start(length - keep))?;
    let mut end = Vec::new();
    file.take(keep).read_to_end(&mut end)?;
    let shorter = path.with_extension("cut");
    fs::write(&shorter, end)?;
    fs::rename(shorter, path)
}

/// Removes the kept logs that are too old and, of `model`, those that are too many.
pub(super) fn prune(state_dir: &Path, model: Option<&ModelId>) -> io::Result<()> {
    let mut kept: Vec<(Timestamp, PathBuf)> = Vec::new();
    for path in entries(state_dir)? {
        let Some(mark) = read_json::<EndedFile>(&path.join(ENDED_FILE))? else { continue };
        let age = Duration::try_from(Timestamp::now().duration_since(mark.ended)).unwrap_or_default();
        if age > KEEP_FOR {
            remove(&path)?;
        } else if Some(&mark.model) == model {
            kept.push((mark.ended, path));
        }
    }
    kept.sort();
    let surplus = kept.len().saturating_sub(KEEP_FAILED);
    kept.iter().take(surplus).try_for_each(|(_, path)| remove(path))
}

/// All instances' directories; none before the first is made.
fn entries(state_dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(instances(state_dir)) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if is_gone(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Ids of directories that hold an instance that is not marked as ended.
pub(super) fn not_ended(state_dir: &Path) -> io::Result<Vec<String>> {
    let mut ids = Vec::new();
    for path in entries(state_dir)? {
        if !path.join(ENDED_FILE).try_exists()? {
            ids.extend(path.file_name().and_then(|name| name.to_str()).map(str::to_string));
        }
    }
    Ok(ids)
}

/// Which model a directory's launch file names.
pub(super) fn model_of(directory: &Path) -> io::Result<Option<ModelId>> {
    Ok(launched(directory)?.map(|spec| spec.model))
}

/// Removes a file or directory; not found is done.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let done = match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
