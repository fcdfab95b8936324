//! An instance's directory: the launcher's order in it, the lock held for life, the work directory, and what is left
//! behind at the end.

use maas_client::launch::{EXIT_FILE, Exit, LAUNCH_FILE, LOCK_FILE, LaunchSpec, LockFile};
use maas_client::model::ModelName;
use maas_client::reason::{Reason, ReasonCode};
use maas_store::manifest::Manifest;
use maas_store::{payload, store};
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The longest `launch.json` that is read, bytes.
const MAX_SPEC: u64 = 1 << 20;

/// Room that is reserved for `exit.json`, bytes.
const EXIT_ROOM: usize = 64 << 10;

/// Why there is nothing to run here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} is no launch order: {source}", .path.display())]
    Spec { path: PathBuf, source: serde_json::Error },
    #[error("{} has more than {MAX_SPEC} bytes", .0.display())]
    SpecTooLong(PathBuf),
    #[error("{} names instance {id:?}, which is no instance id", .path.display())]
    Id { path: PathBuf, id: String },
    #[error("{} is locked: another runner holds this instance", .0.display())]
    Locked(PathBuf),
}

/// The directory.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Takes the directory's absolute path, so that a changed working directory does not matter.
    pub(crate) fn open(path: &Path) -> Result<Directory, Error> {
        let root = fs::canonicalize(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
        Ok(Directory { root })
    }

    /// Its name, which is the instance's id where the order can't be read.
    pub(crate) fn name(&self) -> String {
        self.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The model's working directory.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// The model's directory for temporary files.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Where its output goes.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// True when an instance has ended here: an id is never started twice.
    pub(crate) fn has_ended(&self) -> bool {
        self.root.join(EXIT_FILE).exists()
    }

    /// The launcher's order.
    pub(crate) fn spec(&self) -> Result<LaunchSpec, Error> {
        let path = self.root.join(LAUNCH_FILE);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(MAX_SPEC + 1).read_to_end(&mut bytes))
            .map_err(|source| Error::Io { path: path.clone(), source })?;
        if bytes.len() as u64 > MAX_SPEC {
            return Err(Error::SpecTooLong(path));
        }
        let spec: LaunchSpec =
            serde_json::from_slice(&bytes).map_err(|source| Error::Spec { path: path.clone(), source })?;
        // The id becomes a node, a control group and an environment variable.
        if spec.id.parse::<ModelName>().is_err() {
            return Err(Error::Id { path, id: spec.id.chars().take(160).collect() });
        }
        Ok(spec)
    }

    /// Takes the lock; it is held until the file is dropped, at the latest by the process's end.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.root.join(LOCK_FILE);
        let failed = |source| Error::Io { path: path.clone(), source };
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Says in the lock file who holds it.
    pub(crate) fn describe(&self, mut lock: &File, gpu_indices: Vec<u32>) -> std::io::Result<()> {
        let own = crate::process_tree::own_pid();
        let content = LockFile {
            pid: std::process::id(),
            start_ticks: maas_client::process::look(own)?.map_or(0, |process| process.start_ticks),
            boot_id: maas_client::process::boot_id()?,
            gpu_indices,
        };
        lock.set_len(0)?;
        lock.write_all(&serde_json::to_vec(&content)?)
    }

    /// Takes the room for [`Directory::write_exit`], so that a disk that a model has filled does not keep its end from
    /// being told.
    pub(crate) fn reserve_exit(&self) -> std::io::Result<()> {
        fs::write(self.unfinished_exit(), vec![b' '; EXIT_ROOM])
    }

    fn unfinished_exit(&self) -> PathBuf {
        self.root.join(format!("{EXIT_FILE}.tmp"))
    }

    /// Leaves behind how it ended: whole or not at all.
    pub(crate) fn write_exit(&self, exit: &Exit) -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(exit)?;
        // Written over what was reserved, and only then cut to its length.
        let mut file = File::options().write(true).create(true).truncate(false).open(self.unfinished_exit())?;
        file.write_all(&bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()?;
        fs::rename(self.unfinished_exit(), self.root.join(EXIT_FILE))
    }

    /// Makes the work directory from the payload, every byte checked, and gives its manifest.
    pub(crate) fn localize(&self, spec: &LaunchSpec) -> Result<Manifest, Reason> {
        let here = |source: std::io::Error| {
            Reason::new(ReasonCode::ScriptNotStarted, format!("{} can't be made: {source}", self.work().display()))
        };
        for directory in [self.work(), self.temporary()] {
            match fs::remove_dir_all(&directory) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(here(error)),
                _ => fs::create_dir(&directory).map_err(here)?,
            }
        }
        let manifest = payload::read(&spec.payload).map_err(|error| payload_reason(&error))?.ok_or_else(|| {
            Reason::new(ReasonCode::PayloadUnreadable, format!("{} has no manifest", spec.payload.display()))
        })?;
        if manifest.digest() != spec.digest {
            let text = format!("{} is not the payload {} that was published", spec.payload.display(), spec.digest);
            return Err(Reason::new(ReasonCode::PayloadChanged, text));
        }
        payload::copy_into(&spec.payload, &manifest, &self.work()).map_err(|error| payload_reason(&error))?;
        // One that the model has not written says nothing.
        match fs::remove_file(self.work().join(crate::endpoint::FILE)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(here(error)),
            _ => Ok(manifest),
        }
    }

    /// How the script is executed: by its own `#!` line, or by the shell when it has none.
    pub(crate) fn command(&self, script: &str) -> std::io::Result<Vec<std::ffi::OsString>> {
        let path = self.work().join(script);
        let mut start = Vec::new();
        File::open(&path)?.take(2).read_to_end(&mut start)?;
        let here = format!("./{script}");
        if start == b"#!" {
            // The bit may have been lost on the way through a store that keeps none.
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
            return Ok(vec![here.into()]);
        }
        Ok(vec!["/bin/sh".into(), here.into()])
    }
}

fn payload_reason(error: &store::Error) -> Reason {
    let code = match error {
        store::Error::Changed { .. } | store::Error::Manifest { .. } => ReasonCode::PayloadChanged,
        store::Error::NoSpace { .. } => ReasonCode::ScriptNotStarted,
        _ => ReasonCode::PayloadUnreadable,
    };
    Reason::new(code, maas_client::reason::chain(error))
}
