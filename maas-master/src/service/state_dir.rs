//! The state directory: made, held by one master at a time, and the bearer token that lies in it.

use crate::error::Error;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file a running master holds locked; its bytes are the master's pid.
const LOCK: &str = "master.lock";
/// The file with the bearer token for logs.
pub(super) const TOKEN: &str = "http-token";
/// A detached master's log.
pub(super) const LOG: &str = "master.log";

/// A state directory this process holds. Dropping it lets go.
#[derive(Debug)]
pub(super) struct StateDir {
    path: PathBuf,
    _lock: File,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { doing, path, source }
}

/// Makes the directory when it is not there; nobody else may look into it.
pub(super) fn ensure(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make the state directory", path))
}

impl StateDir {
    /// Makes it and takes hold of it; refused while another master has it.
    pub(super) fn hold(path: &Path) -> Result<StateDir, Error> {
        ensure(path)?;
        let lock_path = path.join(LOCK);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed("open", &lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                // What can't be read is shown as empty: the lock alone decides.
                let _ = lock.read_to_string(&mut pid);
                let pid = match pid.trim() {
                    "" => "not written yet".to_string(),
                    pid => pid.chars().take(20).collect(),
                };
                return Err(Error::StateDirBusy { dir: path.to_path_buf(), pid });
            }
            Err(error) => return Err(failed("lock", &lock_path)(error.into())),
        }
        let written = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .and_then(|()| lock.flush());
        written.map_err(failed("write", &lock_path))?;
        Ok(StateDir { path: path.to_path_buf(), _lock: lock })
    }

    /// The bearer token: of the file given, else of the one in this directory, which is made when missing.
    pub(super) fn token(&self, given: Option<&Path>) -> Result<String, Error> {
        let own = self.path.join(TOKEN);
        let path = given.unwrap_or(&own);
        match std::fs::read_to_string(path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_string()),
            Ok(_) if given.is_some() => {
                let empty = std::io::Error::new(std::io::ErrorKind::InvalidData, "it is empty");
                return Err(failed("use the bearer token of", path)(empty));
            }
            Err(error) if given.is_some() || error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("read the bearer token of", path)(error));
            }
            Ok(_) | Err(_) => {}
        }
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        made.and_then(|mut file| writeln!(file, "{token}")).map_err(failed("write the bearer token to", path))?;
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_master_at_a_time_holds_a_state_directory_and_the_other_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let held = StateDir::hold(&path).unwrap();
        let refused = StateDir::hold(&path).unwrap_err();
        assert_eq!(refused.exit(), maas_cli::exit::CONFLICT);
        assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        assert!(StateDir::hold(&path).is_ok());
    }

    #[test]
    fn a_token_is_made_once_and_a_given_file_must_hold_one() {
        let dir = tempfile::tempdir().unwrap();
        let held = StateDir::hold(dir.path()).unwrap();
        let token = held.token(None).unwrap();
        assert!(token.len() == 64 && held.token(None).unwrap() == token);
        let given = dir.path().join("given");
        assert!(held.token(Some(&given)).is_err());
        std::fs::write(&given, "\n").unwrap();
        assert!(held.token(Some(&given)).is_err());
        std::fs::write(&given, "secret\n").unwrap();
        assert_eq!(held.token(Some(&given)).unwrap(), "secret");
    }
}
