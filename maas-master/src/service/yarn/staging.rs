//! What an application needs from HDFS: programs and Hadoop's configuration in `/user/<user>/.maas/<application>`, each
//! file named by its content.

use super::upload::Wanted;
use crate::error::Error;
use hadoop_yarn::types::ApplicationId;
use maas_cli::ErrorCode;
use maas_store::hdfs::{SharedFile, SharedFiles};
use maas_store::store;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

/// Hadoop's own files that the master reads, where they are.
pub(super) const HADOOP_FILES: [&str; 3] = ["core-site.xml", "hdfs-site.xml", "yarn-site.xml"];
/// The master's own settings, as far as they are no flags.
pub(super) const SETTINGS: &str = "service.toml";

/// What there is to stage.
pub(super) struct Goods {
    /// The file system, `hdfs://HOST:PORT`.
    pub(super) file_system: String,
    /// The application's directory there.
    pub(super) directory: String,
    /// The programs.
    pub(super) master: PathBuf,
    pub(super) runner: PathBuf,
    /// Where Hadoop's configuration lies.
    pub(super) hadoop_conf: PathBuf,
    /// The content of [`SETTINGS`].
    pub(super) settings: String,
}

/// What was staged.
pub(super) struct Staged {
    pub(super) master: SharedFile,
    pub(super) runner: SharedFile,
    /// By their names in the container.
    pub(super) settings: Vec<(String, SharedFile)>,
}

/// The directory of an application.
pub(super) fn directory(user: &str, application: &str) -> String {
    format!("{}/{application}", directories(user))
}

/// Where the directories of a user's applications are.
fn directories(user: &str) -> String {
    format!("/user/{user}/.maas")
}

/// The user's applications that have something there. Blocking.
pub(super) fn staged(file_system: &str, user: &str) -> Result<Vec<ApplicationId>, store::Error> {
    let names = SharedFiles::open(file_system)?.names(&directories(user))?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Puts everything there, as long as it is wanted. Blocking.
pub(super) fn stage(goods: &Goods, wanted: &Wanted) -> Result<Staged, Error> {
    let files = SharedFiles::open(&goods.file_system).map_err(|error| failed(goods, error))?;
    let put = |path: &Path, name: &str, executable: bool| -> Result<SharedFile, Error> {
        go_on(wanted)?;
        let digest = digest_of(path).map_err(|source| Error::File { doing: "read", path: path.into(), source })?;
        let target = format!("{}/{digest}-{name}", goods.directory);
        files.put_file(&target, executable, path).map_err(|error| failed(goods, error))
    };
    let put_settings = || -> Result<SharedFile, Error> {
        go_on(wanted)?;
        let target = format!("{}/{SETTINGS}", goods.directory);
        files.put(&target, false, &mut goods.settings.as_bytes()).map_err(|error| failed(goods, error))
    };
    // Side by side: what takes time with small files is that each is closed.
    thread::scope(|scope| {
        let hadoop = HADOOP_FILES.map(|name| {
            let path = goods.hadoop_conf.join(name);
            let put = &put;
            path.is_file().then(|| (format!("conf/{name}"), scope.spawn(move || put(&path, name, false))))
        });
        let own = scope.spawn(put_settings);
        let runner = scope.spawn(|| put(&goods.runner, "maas_runner", true));
        let master = put(&goods.master, "maas_master", true);
        let mut settings = Vec::new();
        for (name, file) in hadoop.into_iter().flatten() {
            settings.push((name, ended(file)?));
        }
        settings.push((SETTINGS.to_string(), ended(own)?));
        Ok(Staged { master: master?, runner: ended(runner)?, settings })
    })
}

/// What a thread gives; a panic goes on here.
fn ended<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Asked before each file.
fn go_on(wanted: &Wanted) -> Result<(), Error> {
    if wanted.is_so() {
        return Ok(());
    }
    Err(Error::System { doing: "go on with what was given up", source: io::ErrorKind::TimedOut.into() })
}

/// Takes the directory away again. Blocking.
pub(super) fn clear(file_system: &str, directory: &str) -> Result<(), store::Error> {
    SharedFiles::open(file_system)?.delete(directory)
}

fn failed(goods: &Goods, source: store::Error) -> Error {
    Error::Cluster {
        what: format!("can't put the programs into {}{}", goods.file_system, goods.directory),
        code: source.code().parse().unwrap_or(ErrorCode::StoreUnreachable),
        source: Some(Box::new(source)),
    }
}

/// The first half of a file's SHA-256, in hex: enough to tell programs apart.
fn digest_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
