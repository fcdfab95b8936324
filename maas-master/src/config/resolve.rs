//! All layers together: the settings a master runs with, checked.

use super::capacity::Machine;
use super::credentials::credential_from_file;
use super::{Choice, Layer, advertised_host, choose_launcher};
use crate::cli::{Cli, On};
use crate::policy::Policy;
use maas_client::api::Amounts;
use maas_client::zk::Credential;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of settings can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file of settings is not what it should be.
    #[error("{}: {detail}", path.display())]
    NotToml {
        /// Which.
        path: PathBuf,
        /// What and where.
        detail: String,
    },
    /// A variable of the environment is not what it should be.
    #[error("${name} {value:?}: {detail}")]
    Variable {
        /// Which.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The credentials file.
    #[error("credentials of --zk-auth-file {} can't be used: {detail}", path.display())]
    Credentials {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A value that can't be.
    #[error("{key} {value:?}: {detail}")]
    Value {
        /// Which setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it, and what to do.
        detail: String,
    },
    /// No home to put the state directory in.
    #[error("$HOME is not set; give --state-dir")]
    NoHome,
}

/// The settings a master runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// ZooKeeper's connect string, chroot included.
    pub zookeeper: String,
    /// Path of Metron's configuration node.
    pub config_node: String,
    /// How long to look for ZooKeeper where waiting is bounded.
    pub zk_timeout: Duration,
    /// Session time-out asked for.
    pub session_timeout: Duration,
    /// The master's knobs, that time-out among them.
    pub policy: Policy,
    /// Digest credential, when the tree has one.
    pub credential: Option<Credential>,
    /// Where models run, and the sentence about it.
    pub launcher: Choice,
    /// URL of the model store.
    pub store: String,
    /// Whether that was chosen; else a cluster's own file system is taken where models run on one.
    pub store_is_given: bool,
    /// Where instances, logs and caches live.
    pub state_dir: PathBuf,
    /// Where HTTP listens.
    pub http: SocketAddr,
    /// Whether other hosts get logs without a token.
    pub http_open: bool,
    /// The file with the bearer token; `None`: `http-token` in the state directory.
    pub http_token_file: Option<PathBuf>,
    /// The host published with every endpoint.
    pub advertise: String,
    /// What models may use here.
    pub capacity: Amounts,
    /// Whether the sum of virtual cores is limited too: only when a number was given.
    pub limits_vcores: bool,
    /// cgroup v2 directory for instances.
    pub cgroup: Option<PathBuf>,
    /// The runner's program, when given.
    pub runner: Option<PathBuf>,
    /// Environment of every model.
    pub env: BTreeMap<String, String>,
    /// Whether Metron's runners may register.
    pub metron_runners: bool,
    /// Whether events are JSON lines on stdout.
    pub json: bool,
}

/// Where a session time-out may lie: below, a pause of the master loses the lead; above, take-over is slow.
const SESSION_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 2_000..=120_000;

impl Config {
    /// The settings of this process.
    pub fn of_process(cli: &Cli) -> Result<Config, crate::error::Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let layer = layers(cli, variable)?;
        let zookeeper = cli.connection.zookeeper.address()?.connect;
        let config_node = cli.connection.zookeeper.root()?;
        let state_dir = state_dir(&layer, variable)?;
        let launcher = choose_launcher(layer.on, variable);
        let advertise = match &layer.advertise {
            Some(host) => checked_host(host)?,
            // Only a local master publishes its own host.
            None if launcher.on == On::Local => advertised_host(&zookeeper),
            None => maas_cli::who::host_name(),
        };
        let session_timeout = session_timeout(layer.session_timeout_ms)?;
        let policy = layer.limits.over(Policy { session_timeout, ..Policy::default() })?;
        let credential = layer.zk_auth_file.as_deref().map(credential_from_file).transpose()?;
        Ok(Config {
            zookeeper,
            config_node,
            zk_timeout: cli.connection.zookeeper.timeout(),
            session_timeout,
            policy,
            credential,
            launcher,
            store_is_given: layer.store.is_some(),
            store: store_url(layer.store, &state_dir)?,
            state_dir,
            http: layer.http.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            http_open: layer.http_open.unwrap_or(false),
            http_token_file: layer.http_token_file,
            advertise,
            limits_vcores: layer.capacity.as_ref().is_some_and(|given| given.vcores.is_some()),
            capacity: layer.capacity.unwrap_or_default().on(Machine::found()),
            cgroup: layer.cgroup,
            runner: layer.runner,
            env: layer.env,
            metron_runners: layer.metron_runners.unwrap_or(false),
            json: cli.connection.json,
        })
    }
}

/// What of a file of settings holds for a master on another machine too: nothing that names a place of this one, and
/// nothing that flags say.
#[cfg(feature = "yarn")]
pub fn settings_for_elsewhere(cli: &Cli) -> Result<String, Error> {
    const OF_THIS_MACHINE: [&str; 11] = [
        "on",
        "store",
        "state_dir",
        "http",
        "http_token_file",
        "advertise",
        "capacity",
        "cgroup",
        "runner",
        "env",
        "zk_auth_file",
    ];
    let Some((path, text)) = file_of(cli, |name| std::env::var(name).ok())? else { return Ok(String::new()) };
    let wrong = |detail: String| Error::NotToml { path: path.clone(), detail };
    let mut table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    table.retain(|key, _| !OF_THIS_MACHINE.contains(&key));
    toml::to_string(&table).map_err(|error| wrong(error.to_string()))
}

fn layers(cli: &Cli, variable: impl Fn(&str) -> Option<String> + Copy) -> Result<Layer, Error> {
    let from_file = match file_of(cli, variable)? {
        Some((path, text)) => Layer::from_toml(&path, &text)?,
        None => Layer::default(),
    };
    let flags = Layer::from_flags(&cli.service, cli.connection.zk_auth_file.as_deref());
    Ok(from_file.under(Layer::from_environment(variable)?).under(flags))
}

fn file_of(cli: &Cli, variable: impl Fn(&str) -> Option<String>) -> Result<Option<(PathBuf, String)>, Error> {
    match &cli.service.config {
        // A file that was asked for must be there; the usual places may be empty.
        Some(path) => Ok(Some((path.clone(), read(path)?))),
        None => first_of_usual_files(variable),
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_path_buf(), source })
}

fn first_of_usual_files(variable: impl Fn(&str) -> Option<String>) -> Result<Option<(PathBuf, String)>, Error> {
    let home = variable("HOME").map(|home| Path::new(&home).join(".config/maas/service.toml"));
    for path in home.into_iter().chain([PathBuf::from("/etc/maas/service.toml")]) {
        match read(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(Error::Unreadable { source, .. })
                if matches!(source.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn state_dir(layer: &Layer, variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, Error> {
    let chosen = match &layer.state_dir {
        Some(dir) => dir.clone(),
        None if rustix::process::geteuid().is_root() => PathBuf::from("/var/lib/maas"),
        None => {
            let home = variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).ok_or(Error::NoHome)?;
            home.join(".local/state/maas")
        }
    };
    // Runners get paths below it and run in another working directory.
    std::path::absolute(&chosen).map_err(|source| Error::Unreadable { path: chosen, source })
}

fn store_url(given: Option<String>, state_dir: &Path) -> Result<String, Error> {
    let value = match given {
        Some(given) => given,
        None => return Ok(file_url(&state_dir.join("store"))),
    };
    if value.starts_with('/') {
        return Ok(file_url(Path::new(&value)));
    }
    match value.split_once("://") {
        Some(("file", path)) if path.starts_with('/') => Ok(value),
        Some(("hdfs" | "s3", _)) => Ok(value),
        _ => {
            Err(Error::Value { key: "--store", value, detail: "give file:///DIR, hdfs://… or s3://…".to_string() })
        }
    }
}

fn file_url(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn session_timeout(given: Option<u64>) -> Result<Duration, Error> {
    let given = given.unwrap_or(10_000);
    if !SESSION_TIMEOUT_MS.contains(&given) {
        let (low, high) = (SESSION_TIMEOUT_MS.start(), SESSION_TIMEOUT_MS.end());
        let detail = format!("from {low} to {high} ms");
        return Err(Error::Value { key: "session_timeout_ms", value: given.to_string(), detail });
    }
    Ok(Duration::from_millis(given))
}

fn checked_host(host: &str) -> Result<String, Error> {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let is_name = !host.is_empty()
        && host.len() <= 253
        && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_');
    if is_address || is_name {
        return Ok(host.to_string());
    }
    let detail = "a host name or address, without scheme and port".to_string();
    Err(Error::Value { key: "--advertise", value: host.to_string(), detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_lies_in_the_state_directory_unless_told_otherwise() {
        let dir = Path::new("/s");
        assert_eq!(store_url(None, dir).unwrap(), "file:///s/store");
        assert_eq!(store_url(Some("/m".into()), dir).unwrap(), "file:///m");
        assert_eq!(store_url(Some("hdfs://nn/m".into()), dir).unwrap(), "hdfs://nn/m");
        for bad in ["m", "file://m", "ftp://h/x", ""] {
            assert!(store_url(Some(bad.into()), dir).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_with_schemes_ports_or_spaces_are_refused() {
        for good in ["node1.example.org", "10.0.0.1", "::1"] {
            assert!(checked_host(good).is_ok(), "{good}");
        }
        for bad in ["http://x", "x:80", "a b", ""] {
            assert!(checked_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_time_out_outside_its_range_names_the_range() {
        assert_eq!(session_timeout(None).unwrap(), Duration::from_secs(10));
        assert!(session_timeout(Some(1)).unwrap_err().to_string().contains("2000"));
    }
}
