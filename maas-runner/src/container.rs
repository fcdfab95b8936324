//! A YARN container as an instance's directory: the order is a secret of its token file, the logs lie where the node
//! collects them with a word whose they are, and the end is told on standard error, which the node repeats to the master.
//!
//! The token file's layout is Hadoop's (`HDTS`, form 0: tokens, then secrets, each with its length in front). It is read
//! by hand, because this program is shipped to every node and stays small. Nothing in it is trusted.

use crate::error::{Error, exit};
use maas_client::launch::{
    CREDENTIAL_SECRET, EXIT_FILE, Exit, IDENTITY_FILE, Identity, LAUNCH_FILE, LAUNCH_SECRET, LaunchSpec,
};
use maas_client::reason::InstanceState;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

/// The variable that names the token file.
const TOKEN_FILE: &str = "HADOOP_TOKEN_FILE_LOCATION";
/// The variable with the node's name.
const NODE: &str = "NM_HOST";
/// The variable with the log directories, separated by commas.
const LOGS: &str = "LOG_DIRS";
/// The longest token file that is read, bytes.
const MAX_TOKENS: u64 = 4 << 20;
/// The longest `exit.json` that is read, bytes.
const MAX_EXIT: u64 = 1 << 20;

/// Why a container can't be an instance's directory.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0} is not set, as in every YARN container; --container is for those")]
    NoVariable(&'static str),
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is no token file: {what} at byte {at}", .path.display())]
    Tokens { path: PathBuf, what: &'static str, at: usize },
    #[error("{} holds no secret {LAUNCH_SECRET}; a master's launcher puts it there", .0.display())]
    NoOrder(PathBuf),
    #[error("the secret {LAUNCH_SECRET} is no launch order: {0}")]
    Order(#[source] serde_json::Error),
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        Error::Instance(Box::new(trouble), exit::INPUT)
    }
}

/// Makes the directory what a runner expects, and gives the credential for ZooKeeper, where there is one. The token file
/// goes, so that the model does not find the order and the credential in it.
pub(crate) fn prepare(directory: &Path) -> Result<Option<String>, Error> {
    let variable = |name| std::env::var_os(name).filter(|it| !it.is_empty()).ok_or(Trouble::NoVariable(name));
    let tokens = PathBuf::from(variable(TOKEN_FILE)?);
    let host = variable(NODE)?.to_string_lossy().into_owned();
    let logs = variable(LOGS)?.to_string_lossy().into_owned();
    let here =
        std::path::absolute(directory).map_err(|source| Trouble::Io { path: directory.to_path_buf(), source })?;
    let credential = make(&here, &tokens, host, Path::new(logs.split(',').next().unwrap_or_default()))?;
    Ok(credential)
}

fn make(directory: &Path, tokens: &Path, host: String, logs: &Path) -> Result<Option<String>, Trouble> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Trouble::Io { path, source }
    };
    let mut bytes = Vec::new();
    let file = fs::File::open(tokens).map_err(failed(tokens))?;
    file.take(MAX_TOKENS).read_to_end(&mut bytes).map_err(failed(tokens))?;
    let secrets = secrets(&bytes).map_err(|(what, at)| Trouble::Tokens { path: tokens.to_path_buf(), what, at })?;
    let secret = |name: &str| secrets.iter().find(|(alias, _)| *alias == name.as_bytes()).map(|(_, value)| *value);
    let order = secret(LAUNCH_SECRET).ok_or_else(|| Trouble::NoOrder(tokens.to_path_buf()))?;
    let mut spec: LaunchSpec = serde_json::from_slice(order).map_err(Trouble::Order)?;
    spec.payload = directory.join(&spec.payload);
    spec.advertise = host;
    let path = directory.join(LAUNCH_FILE);
    let json = serde_json::to_vec(&spec).map_err(Trouble::Order)?;
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    written.and_then(|mut file| file.write_all(&json)).map_err(failed(&path))?;
    let link = directory.join("logs");
    match symlink(logs, &link) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(&link)(error)),
        _ => {}
    }
    tell_whose(logs, &spec);
    let credential = secret(CREDENTIAL_SECRET).map(|line| String::from_utf8_lossy(line).into_owned());
    match fs::remove_file(tokens) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(tokens)(error)),
        _ => Ok(credential),
    }
}

/// Leaves a word among the logs whose they are, for after the end: the cluster keeps them by container.
fn tell_whose(logs: &Path, spec: &LaunchSpec) {
    let identity = Identity { instance: spec.id.clone(), model: spec.model.clone() };
    if let Ok(mut json) = serde_json::to_vec(&identity) {
        json.push(b'\n');
        // As with all other logs: where they can't be written the instance goes on.
        let _full_disk = fs::write(logs.join(IDENTITY_FILE), json);
    }
}

/// Says how a failed instance ended; one that was told to end has nothing to say.
pub(crate) fn tell_end(directory: &Path, to: &mut dyn Write) {
    let mut bytes = Vec::new();
    let read = fs::File::open(directory.join(EXIT_FILE)).and_then(|file| file.take(MAX_EXIT).read_to_end(&mut bytes));
    let exit = read.ok().and_then(|_| serde_json::from_slice::<Exit>(&bytes).ok());
    if let Some(line) = exit.filter(|exit| exit.state == InstanceState::Failed).and_then(|exit| exit.to_line()) {
        let _nobody_reads = writeln!(to, "{line}");
    }
}

type Place = (&'static str, usize);

/// A secret's name and value.
type Secret<'a> = (&'a [u8], &'a [u8]);

/// The secrets of a token file.
fn secrets(bytes: &[u8]) -> Result<Vec<Secret<'_>>, Place> {
    if bytes.get(..5) != Some(b"HDTS\0") {
        return Err(("it does not begin with HDTS and form 0", 0));
    }
    let mut reader = Reader { bytes, at: 5 };
    for _ in 0..reader.number()? {
        // Alias, identifier, password, kind, service.
        for _ in 0..5 {
            reader.block()?;
        }
    }
    let mut secrets = Vec::new();
    for _ in 0..reader.number()? {
        secrets.push((reader.block()?, reader.block()?));
    }
    Ok(secrets)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Place> {
        let end = self.at.checked_add(count).ok_or(("a length", self.at))?;
        let taken = self.bytes.get(self.at..end).ok_or(("the end", self.at))?;
        self.at = end;
        Ok(taken)
    }

    fn block(&mut self) -> Result<&'a [u8], Place> {
        let length = self.number()?;
        self.take(length)
    }

    /// A number that is not negative, in Hadoop's variable length: one byte up to 127, else a byte that says how many follow.
    fn number(&mut self) -> Result<usize, Place> {
        let at = self.at;
        let first = i8::from_be_bytes([self.take(1)?.first().copied().unwrap_or_default()]);
        if first >= 0 {
            return Ok(usize::from(first.unsigned_abs()));
        }
        let count = match first {
            -120..=-113 => usize::from((first + 112).unsigned_abs()),
            _ => return Err(("a negative number", at)),
        };
        let value = self.take(count)?.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
        usize::try_from(value).map_err(|_| ("a number", at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(bytes: &[u8]) -> Vec<u8> {
        let mut block = match u8::try_from(bytes.len()) {
            Ok(short) if short < 128 => vec![short],
            _ => vec![(-114i8).to_be_bytes()[0], (bytes.len() >> 8) as u8, (bytes.len() & 0xff) as u8],
        };
        block.extend_from_slice(bytes);
        block
    }

    fn file(secrets: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"HDTS\0\x01".to_vec();
        for part in ["", "identifier", "password", "NMToken", "127.0.0.1:1"] {
            bytes.extend(block(part.as_bytes()));
        }
        bytes.push(secrets.len() as u8);
        for (name, value) in secrets {
            bytes.extend(block(name.as_bytes()));
            bytes.extend(block(value));
        }
        bytes
    }

    #[test]
    fn secrets_stand_behind_the_tokens() {
        let long = vec![7u8; 300];
        let bytes = file(&[("a", b"1"), ("b", &long)]);
        assert_eq!(super::secrets(&bytes).unwrap(), [(&b"a"[..], &b"1"[..]), (&b"b"[..], &long[..])]);
        assert_eq!(super::secrets(b"HDTS\0\0\0").unwrap(), []);
    }

    #[test]
    fn a_file_that_is_cut_off_or_changed_anywhere_is_refused_or_read_and_never_worse() {
        let bytes = file(&[("maas.launch", &[1u8; 200])]);
        for end in 0..bytes.len() {
            assert!(super::secrets(&bytes[..end]).is_err(), "{end}");
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0x88, 0x8f, 0x90, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                let _either = super::secrets(&changed);
            }
        }
    }

    #[test]
    fn the_order_becomes_the_launch_file_and_the_token_file_goes() {
        let here = tempfile::tempdir().unwrap();
        let (tokens, logs) = (here.path().join("container_tokens"), here.path().join("log"));
        fs::create_dir(&logs).unwrap();
        let order = br#"{"id":"1-1-aaaa","model":{"name":"dga","version":"1.0"},"zookeeper":"zk:2181","session_timeout_ms":10000,
            "roots":{"queue":"/q","services":"/s","state":"/t"},"payload":"payload","digest":"sha256:00","resources":{"memory_mb":64},
            "service_env":{},"env":{},"secrets":{},"advertise":"","cgroup":null}"#;
        fs::write(&tokens, file(&[("maas.launch", order), ("maas.zookeeper", b"runner:word")])).unwrap();
        let credential = make(here.path(), &tokens, "node7".into(), &logs).unwrap();
        assert_eq!(credential.as_deref(), Some("runner:word"));
        let spec: LaunchSpec = serde_json::from_slice(&fs::read(here.path().join(LAUNCH_FILE)).unwrap()).unwrap();
        assert_eq!((spec.advertise.as_str(), spec.payload), ("node7", here.path().join("payload")));
        assert!(!tokens.exists() && here.path().join("logs").is_dir());
        let identity = fs::read_to_string(logs.join(IDENTITY_FILE)).unwrap();
        assert_eq!(identity, "{\"instance\":\"1-1-aaaa\",\"name\":\"dga\",\"version\":\"1.0\"}\n");
        assert!(matches!(make(here.path(), &tokens, String::new(), &logs), Err(Trouble::Io { .. })));
    }
}
