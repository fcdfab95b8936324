//! What a program asks of its ZooKeeper tree: servers, chroot, time-outs, credential. Validated here, used elsewhere.

use crate::tree::{Error, check_path};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// How to connect. Start from [`ZkOptions::client`], [`ZkOptions::command`], or [`ZkOptions::new`] (services).
#[derive(Debug, Clone)]
pub struct ZkOptions {
    /// `HOST:PORT,HOST:PORT/chroot`.
    pub connect: String,
    /// Session time-out asked for; the server may grant another. 10 s for services, 30 s for clients.
    pub session_timeout: Duration,
    /// Longest any single call may take, waiting for a connection included.
    pub call_timeout: Duration,
    /// Longest to wait for the first connection; `None`: for ever, saying so every 10 s (services).
    pub connect_timeout: Option<Duration>,
    /// Make the chroot's path when it is not there.
    pub create_chroot: bool,
    /// Whom to connect as; `None`: nobody, and all nodes are open.
    pub credential: Option<Credential>,
}

impl ZkOptions {
    /// For services: session of 10 s, connecting for as long as it takes, the chroot made when missing.
    pub fn new(connect: impl Into<String>) -> Self {
        ZkOptions {
            connect: connect.into(),
            session_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(10),
            connect_timeout: None,
            create_chroot: true,
            credential: None,
        }
    }

    /// For programs that look up and call models: session of 30 s, giving up after 10 s, no chroot made.
    pub fn client(connect: impl Into<String>) -> Self {
        ZkOptions::command(connect, Duration::from_secs(10))
    }

    /// For commands: session of 30 s, giving up after `give_up`.
    pub fn command(connect: impl Into<String>, give_up: Duration) -> Self {
        ZkOptions {
            session_timeout: Duration::from_secs(30),
            call_timeout: give_up,
            connect_timeout: Some(give_up),
            create_chroot: false,
            ..ZkOptions::new(connect)
        }
    }
}

/// The connect string, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Servers {
    /// `HOST:PORT,…` as the library wants it.
    pub(super) hosts: String,
    /// Each server as given, without a scheme.
    pub(super) each: Vec<String>,
    /// The chroot, `None` for the root.
    pub(super) chroot: Option<String>,
}

impl Servers {
    /// Takes a connect string apart; refuses what no server could be behind.
    pub(super) fn parse(connect: &str) -> Result<Servers, Error> {
        let invalid = |why: &str| Error::Invalid { message: format!("ZooKeeper address {connect:?}: {why}") };
        let last = connect.rfind(',').map_or(0, |comma| comma + 1);
        let scheme = connect[last..].find("://").map_or(0, |at| at + 3);
        let (hosts, chroot) = match connect[last + scheme..].find('/') {
            Some(slash) => connect.split_at(last + scheme + slash),
            None => (connect, "/"),
        };
        let mut each = Vec::new();
        for host in hosts.split(',') {
            if host.starts_with("tcp+tls://") {
                return Err(invalid("TLS to ZooKeeper is not spoken yet; use its plain port"));
            }
            let bare = host.trim_start_matches("tcp://");
            if bare.is_empty() || bare.starts_with(':') || bare.contains(['/', ' ']) {
                return Err(invalid("HOST:PORT,HOST:PORT/chroot is needed"));
            }
            let has_port = bare.rsplit_once(':').is_some_and(|(name, _)| !name.is_empty() && !bare.ends_with(']'));
            let port = if has_port { bare.rsplit_once(':').map_or("", |(_, port)| port) } else { "2181" };
            if !port.parse::<u16>().is_ok_and(|port| port > 0) {
                return Err(invalid(&format!("port {port:?} is none")));
            }
            each.push(if has_port { bare.to_string() } else { format!("{bare}:2181") });
        }
        let chroot = chroot.trim_end_matches('/');
        if !chroot.is_empty() {
            check_path(chroot).map_err(|_| invalid("the chroot is no absolute path"))?;
        }
        let chroot = (!chroot.is_empty()).then(|| chroot.to_string());
        Ok(Servers { hosts: hosts.to_string(), each, chroot })
    }
}

/// The runner's user name among digest credentials.
const RUNNER_USER: &str = "maas-runner";

/// A digest credential. Its password is in no log: `Debug` shows the user only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    user: String,
    password: String,
}

impl Credential {
    /// Reads `USER:PASSWORD` (first line; white space around it is dropped).
    pub fn parse(line: &str) -> Result<Credential, Error> {
        let line = line.lines().next().unwrap_or_default().trim();
        match line.split_once(':') {
            Some((user, password)) if !user.is_empty() && !password.is_empty() => {
                Ok(Credential { user: user.to_string(), password: password.to_string() })
            }
            _ => Err(Error::Invalid { message: "the ZooKeeper credential is no USER:PASSWORD".into() }),
        }
    }

    /// Reads `USER:PASSWORD` from a file, which nobody but its owner may read.
    pub fn from_file(path: &Path) -> Result<Credential, Error> {
        let refused = |why: String| Error::Invalid { message: format!("credential file {}: {why}", path.display()) };
        // Of the file that is open: another one may have its name by the time it is read.
        let mut file = File::open(path).map_err(|error| refused(error.to_string()))?;
        let mode = file.metadata().map_err(|error| refused(error.to_string()))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(refused(format!("others may read it (mode {mode:o}); chmod 600 it")));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
        Credential::parse(&text)
    }

    /// The second credential, good for claims and registrations only. Derived one way, so that every master of a
    /// cluster gives its runners the same, and none of them can tell the masters' own from it.
    pub fn for_runner(&self) -> Credential {
        let digest = Sha256::digest(format!("maas-runner\0{}\0{}", self.user, self.password));
        let password = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Credential { user: RUNNER_USER.into(), password }
    }

    /// True for a credential made by [`Credential::for_runner`].
    pub(super) fn is_runner(&self) -> bool {
        self.user == RUNNER_USER
    }

    /// `USER:PASSWORD`, the form the server wants and the runner reads from its standard input.
    pub fn to_line(&self) -> String {
        format!("{}:{}", self.user, self.password)
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_string_is_taken_apart_or_refused() {
        let servers = Servers::parse("a:2181,b,[::1]:99/metron/x").unwrap();
        assert_eq!(servers.each, ["a:2181", "b:2181", "[::1]:99"]);
        assert_eq!((servers.hosts.as_str(), servers.chroot.as_deref()), ("a:2181,b,[::1]:99", Some("/metron/x")));
        assert_eq!(Servers::parse("tcp://h:1/").unwrap().chroot, None);
        for bad in ["", ",", "a:0", "a:x", "a:1,,b:1", "a:1/x//y", "a:1/../y", ":2181", "tcp+tls://h:1"] {
            assert!(Servers::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_credential_that_others_may_read_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "maas:s3cret\n").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let read = Credential::from_file(file.path());
            assert_eq!(read.is_ok(), good, "{mode:o}");
            assert!(read.err().is_none_or(|error| error.to_string().contains("chmod 600")));
        }
    }

    #[test]
    fn a_client_has_a_clients_session_and_makes_no_chroot() {
        let client = ZkOptions::client("h:1/x");
        assert_eq!(client.session_timeout, Duration::from_secs(30));
        assert!(client.connect_timeout.is_some() && !client.create_chroot);
    }

    #[test]
    fn a_credential_shows_its_user_only() {
        let credential = Credential::parse(" maas:s3cret:x \n").unwrap();
        assert_eq!(credential.to_line(), "maas:s3cret:x");
        assert!(!format!("{credential:?}{:?}", credential.for_runner()).contains("s3cret"));
        assert_eq!(credential.for_runner(), credential.for_runner());
        assert!(Credential::parse("nobody").is_err() && Credential::parse("").is_err());
    }
}
