//! What YARN's clients need of a configuration, with the defaults of Hadoop 3.5 where a key is not set.

use std::time::Duration;

use super::{ConfigError, Configuration};
use crate::rpc::{Authentication, Options, Protection, RetryPolicy, ServicePrincipal};
use crate::types::Resource;

/// Whether there are several ResourceManagers.
const HA_ENABLED: &str = "yarn.resourcemanager.ha.enabled";

/// One of the ResourceManager's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// For clients: `yarn.resourcemanager.address`, port 8032.
    Client,
    /// For application masters: `yarn.resourcemanager.scheduler.address`, port 8030.
    Scheduler,
    /// Web pages and REST: `yarn.resourcemanager.webapp.address`, port 8088.
    Web,
}

impl Server {
    fn key_and_port(self) -> (&'static str, u16) {
        match self {
            Self::Client => ("yarn.resourcemanager.address", 8032),
            Self::Scheduler => ("yarn.resourcemanager.scheduler.address", 8030),
            Self::Web => ("yarn.resourcemanager.webapp.address", 8088),
        }
    }
}

/// Where the ResourceManagers are, and how calls are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YarnConfig {
    /// The client service of each ResourceManager.
    pub client_addresses: Vec<String>,
    /// The service for application masters of each ResourceManager.
    pub scheduler_addresses: Vec<String>,
    /// How connections to ResourceManagers are made and kept.
    pub options: Options,
    /// The same for NodeManagers: they differ in how long they are tried again.
    pub node_options: Options,
    /// Whether the cluster asks for Kerberos (`hadoop.security.authentication`): then it takes no user's name on trust.
    pub wants_kerberos: bool,
    /// What ResourceManagers are called where Kerberos says who they are (`yarn.resourcemanager.principal`).
    pub resource_manager: ServicePrincipal,
    /// What a container gets at least (`yarn.scheduler.minimum-allocation-mb`, `-vcores`); its memory is a multiple of this.
    pub minimum: Resource,
    /// Whether a node's name in an ask is `host:port` and not its host alone (`yarn.scheduler.include-port-in-node-name`).
    pub ports_in_node_names: bool,
}

impl YarnConfig {
    /// Reads what is configured in the directory that the environment names: see [`Configuration::from_environment`].
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::new(&Configuration::from_environment()?)
    }

    /// What this configuration says.
    pub fn new(configuration: &Configuration) -> Result<Self, ConfigError> {
        let options = options(configuration)?;
        let node_options = Options {
            retry: RetryPolicy {
                max_pause: configuration
                    .millis("yarn.client.nodemanager-connect.retry-interval-ms", Duration::from_secs(10))?,
                max_wait: wait(configuration, "yarn.client.nodemanager-connect.max-wait-ms", Duration::from_secs(180))?,
                ..RetryPolicy::default()
            },
            ..options.clone()
        };
        Ok(Self {
            client_addresses: Self::addresses(configuration, Server::Client)?,
            scheduler_addresses: Self::addresses(configuration, Server::Scheduler)?,
            options,
            node_options,
            wants_kerberos: wants_kerberos(configuration)?,
            resource_manager: principal(configuration, "yarn.resourcemanager.principal")?,
            minimum: minimum(configuration)?,
            ports_in_node_names: configuration.flag("yarn.scheduler.include-port-in-node-name", false)?,
        })
    }

    /// How a client says who it is to the ResourceManager, as this configuration wants it: by Kerberos, or as this user.
    pub fn authentication(&self, user: impl Into<String>) -> Authentication {
        if self.wants_kerberos {
            Authentication::Kerberos { server: self.resource_manager.clone() }
        } else {
            Authentication::simple(user)
        }
    }

    /// Who renews the tokens that an application carries: the ResourceManager, by its principal. `None` where it has none.
    pub fn renewer(&self) -> Option<String> {
        let host =
            self.client_addresses.first().and_then(|address| address.rsplit_once(':')).map_or("", |(host, _)| host);
        self.resource_manager.name.as_ref().map(|name| name.replace("_HOST", &host.to_ascii_lowercase()))
    }

    /// The addresses of one service, host and port: one, or one for each id of `yarn.resourcemanager.ha.rm-ids`.
    pub fn addresses(configuration: &Configuration, server: Server) -> Result<Vec<String>, ConfigError> {
        let (key, port) = server.key_and_port();
        if !configuration.flag(HA_ENABLED, false)? {
            let host = configuration.get("yarn.resourcemanager.hostname")?.unwrap_or_else(|| "0.0.0.0".to_owned());
            return Ok(vec![with_port(key, configuration.get(key)?.unwrap_or(host), port)?]);
        }
        let ids = configuration.list("yarn.resourcemanager.ha.rm-ids")?;
        if ids.is_empty() {
            return Err(ConfigError::Missing {
                key: "yarn.resourcemanager.ha.rm-ids".to_owned(),
                why: "yarn.resourcemanager.ha.enabled is true",
            });
        }
        let address = |id: &String| {
            let (key, host) = (format!("{key}.{id}"), format!("yarn.resourcemanager.hostname.{id}"));
            match configuration.get(&key)?.or(configuration.get(&host)?) {
                Some(address) => with_port(&key, address, port),
                None => Err(ConfigError::Missing { key: host, why: "it is one of yarn.resourcemanager.ha.rm-ids" }),
            }
        };
        ids.iter().map(address).collect()
    }

    /// The user in whose name calls are made where names are taken on trust: `HADOOP_USER_NAME`, else `USER` (which a NodeManager sets to the
    /// application's owner, whoever its processes run as), else `LOGNAME`, else the process's own user.
    pub fn user() -> Result<String, ConfigError> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        var("HADOOP_USER_NAME")
            .or_else(|| var("USER"))
            .or_else(|| var("LOGNAME"))
            .or_else(user_of_this_process)
            .ok_or(ConfigError::NoUser)
    }
}

/// The scheduler's smallest allocation.
fn minimum(configuration: &Configuration) -> Result<Resource, ConfigError> {
    let vcores = configuration.number("yarn.scheduler.minimum-allocation-vcores", 1)?;
    let memory_mb = configuration.number("yarn.scheduler.minimum-allocation-mb", 1024)?;
    Ok(Resource::new(memory_mb, i32::try_from(vcores).unwrap_or(i32::MAX)))
}

/// A server's principal and its pattern.
pub(super) fn principal(configuration: &Configuration, key: &str) -> Result<ServicePrincipal, ConfigError> {
    Ok(ServicePrincipal {
        key: key.to_owned(),
        name: configuration.get(key)?,
        pattern: configuration.get(&format!("{key}.pattern"))?,
    })
}

pub(super) fn options(configuration: &Configuration) -> Result<Options, ConfigError> {
    let defaults = Options::default();
    let size = |key: &str, default: usize| -> Result<usize, ConfigError> {
        let number = configuration.number(key, i64::try_from(default).unwrap_or(i64::MAX))?;
        usize::try_from(number).ok().filter(|&size| size > 0).ok_or_else(|| ConfigError::Value {
            key: key.to_owned(),
            value: number.to_string(),
            expected: "a number of bytes over 0",
        })
    };
    let call = configuration.millis("ipc.client.rpc-timeout.ms", defaults.call_timeout.unwrap_or_default())?;
    Ok(Options {
        connect_timeout: configuration.millis("ipc.client.connect.timeout", defaults.connect_timeout)?,
        call_timeout: Some(call).filter(|time| !time.is_zero()),
        ping_interval: configuration.millis("ipc.ping.interval", defaults.ping_interval)?,
        max_idle: configuration.millis("ipc.client.connection.maxidletime", defaults.max_idle)?,
        max_request: size("ipc.maximum.data.length", defaults.max_request)?,
        max_response: size("ipc.maximum.response.length", defaults.max_response)?,
        protection: protection(configuration, defaults.protection)?,
        retry: retry(configuration, defaults.retry)?,
    })
}

/// A time that may be -1, for ever.
fn wait(configuration: &Configuration, key: &str, default: Duration) -> Result<Duration, ConfigError> {
    match configuration.get(key)?.as_deref() {
        Some("-1") => Ok(Duration::MAX),
        _ => configuration.millis(key, default),
    }
}

/// Pacing towards the ResourceManager, or towards several of them. A number of failovers counts in the place of a time, as in Hadoop.
fn retry(configuration: &Configuration, default: RetryPolicy) -> Result<RetryPolicy, ConfigError> {
    let alone = RetryPolicy {
        max_pause: configuration.millis("yarn.resourcemanager.connect.retry-interval.ms", default.max_pause)?,
        max_wait: wait(configuration, "yarn.resourcemanager.connect.max-wait.ms", default.max_wait)?,
        ..default
    };
    if !configuration.flag(HA_ENABLED, false)? {
        return Ok(alone);
    }
    let count = |key: &str| -> Result<Option<u32>, ConfigError> {
        let number = configuration.number(key, -1)?;
        Ok(u32::try_from(number).ok())
    };
    let max_failovers = count("yarn.client.failover-max-attempts")?;
    Ok(RetryPolicy {
        first_pause: configuration.millis("yarn.client.failover-sleep-base-ms", alone.first_pause)?,
        max_pause: configuration.millis("yarn.client.failover-sleep-max-ms", alone.max_pause)?,
        max_wait: if max_failovers.is_some() { Duration::MAX } else { alone.max_wait },
        max_failovers,
        retries: count("yarn.client.failover-retries")?.unwrap_or(0),
    })
}

fn protection(configuration: &Configuration, default: Vec<Protection>) -> Result<Vec<Protection>, ConfigError> {
    let key = "hadoop.rpc.protection";
    let words = configuration.list(key)?;
    if words.is_empty() {
        return Ok(default);
    }
    let one = |word: String| match word.to_ascii_lowercase().as_str() {
        "authentication" => Ok(Protection::Authentication),
        "integrity" => Ok(Protection::Integrity),
        "privacy" => Ok(Protection::Privacy),
        _ => Err(ConfigError::Value {
            key: key.to_owned(),
            value: word,
            expected: "authentication, integrity, privacy, or a list of them",
        }),
    };
    words.into_iter().map(one).collect()
}

/// An address with its port, which it may have already.
pub(super) fn with_port(key: &str, address: String, port: u16) -> Result<String, ConfigError> {
    let bare = !address.contains(':') || address.ends_with(']');
    let full = if bare { format!("{address}:{port}") } else { address };
    match full.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, Ok(_))) if !host.is_empty() => Ok(full),
        _ => Err(ConfigError::Value { key: key.to_owned(), value: full, expected: "host:port" }),
    }
}

/// The name behind our user id.
fn user_of_this_process() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

/// Whether servers take nobody's name on trust.
pub(super) fn wants_kerberos(configuration: &Configuration) -> Result<bool, ConfigError> {
    let method = configuration.get("hadoop.security.authentication")?;
    Ok(method.is_some_and(|method| method.eq_ignore_ascii_case("kerberos")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::config) fn configuration(pairs: &[(&str, &str)]) -> Configuration {
        let mut configuration = Configuration::new();
        for (key, value) in pairs {
            configuration.set(*key, *value);
        }
        configuration
    }

    #[test]
    fn nothing_configured_gives_hadoop_s_defaults() {
        let yarn = YarnConfig::new(&Configuration::new()).unwrap();
        assert_eq!(
            (yarn.client_addresses, yarn.scheduler_addresses),
            (vec!["0.0.0.0:8032".to_owned()], vec!["0.0.0.0:8030".to_owned()])
        );
        assert_eq!(yarn.options, Options::default());
        assert_eq!(yarn.node_options.retry.max_wait, Duration::from_secs(180));
    }

    #[test]
    fn a_host_name_counts_for_every_service_that_has_no_address_of_its_own() {
        let configuration = configuration(&[
            ("yarn.resourcemanager.hostname", "rm"),
            ("yarn.resourcemanager.address", "${yarn.resourcemanager.hostname}:9032"),
        ]);
        let yarn = YarnConfig::new(&configuration).unwrap();
        assert_eq!(
            (yarn.client_addresses, yarn.scheduler_addresses),
            (vec!["rm:9032".to_owned()], vec!["rm:8030".to_owned()])
        );
    }

    #[test]
    fn several_resource_managers_are_listed_in_order() {
        let pairs = [
            ("yarn.resourcemanager.ha.enabled", "true"),
            ("yarn.resourcemanager.ha.rm-ids", "rm1, rm2"),
            ("yarn.resourcemanager.hostname.rm1", "a"),
            ("yarn.resourcemanager.address.rm2", "b:1"),
            ("yarn.resourcemanager.hostname.rm2", "c"),
        ];
        let yarn = YarnConfig::new(&configuration(&pairs)).unwrap();
        assert_eq!(
            (yarn.client_addresses, yarn.scheduler_addresses),
            (vec!["a:8032".to_owned(), "b:1".into()], vec!["a:8030".to_owned(), "c:8030".into()])
        );
        let error = YarnConfig::new(&configuration(&pairs[..3])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "yarn.resourcemanager.hostname.rm2 is not set; it is one of yarn.resourcemanager.ha.rm-ids"
        );
    }

    #[test]
    fn failing_over_is_paced_as_configured_where_there_are_several() {
        let failover = [
            ("yarn.client.failover-max-attempts", "7"),
            ("yarn.client.failover-sleep-base-ms", "250"),
            ("yarn.client.failover-sleep-max-ms", "2s"),
            ("yarn.client.failover-retries", "3"),
            ("yarn.resourcemanager.ha.rm-ids", "rm1"),
            ("yarn.resourcemanager.hostname.rm1", "a"),
        ];
        let alone = YarnConfig::new(&configuration(&failover)).unwrap().options.retry;
        assert_eq!(alone, RetryPolicy::default());
        let several = [&failover[..], &[("yarn.resourcemanager.ha.enabled", "true")]].concat();
        let retry = YarnConfig::new(&configuration(&several)).unwrap().options.retry;
        let expected = RetryPolicy {
            first_pause: Duration::from_millis(250),
            max_pause: Duration::from_secs(2),
            max_wait: Duration::MAX,
            max_failovers: Some(7),
            retries: 3,
        };
        assert_eq!(retry, expected);
        let forever = configuration(&[("yarn.resourcemanager.connect.max-wait.ms", "-1")]);
        assert_eq!(YarnConfig::new(&forever).unwrap().options.retry.max_wait, Duration::MAX);
    }

    #[test]
    fn a_cluster_with_kerberos_is_called_by_kerberos() {
        let pairs = [
            ("hadoop.security.authentication", "kerberos"),
            ("yarn.resourcemanager.principal", "rm/_HOST@EXAMPLE.COM"),
            ("yarn.resourcemanager.hostname", "Node7"),
        ];
        let yarn = YarnConfig::new(&configuration(&pairs)).unwrap();
        assert!(matches!(yarn.authentication("alice"), Authentication::Kerberos { .. }));
        assert_eq!(yarn.renewer().as_deref(), Some("rm/node7@EXAMPLE.COM"));
        let plain = YarnConfig::new(&configuration(&[])).unwrap();
        assert_eq!((plain.authentication("alice"), plain.renewer()), (Authentication::simple("alice"), None));
    }

    #[test]
    fn protection_and_times_are_taken_over() {
        let pairs = [
            ("hadoop.rpc.protection", "privacy,integrity"),
            ("ipc.client.rpc-timeout.ms", "0"),
            ("yarn.resourcemanager.connect.retry-interval.ms", "500"),
        ];
        let yarn = YarnConfig::new(&configuration(&pairs)).unwrap();
        assert_eq!(yarn.options.protection, [Protection::Privacy, Protection::Integrity]);
        assert_eq!((yarn.options.call_timeout, yarn.options.retry.max_pause), (None, Duration::from_millis(500)));
        assert!(YarnConfig::new(&configuration(&[("hadoop.rpc.protection", "secret")])).is_err());
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_its_key() {
        let error = YarnConfig::new(&configuration(&[("yarn.resourcemanager.address", "rm:port")])).unwrap_err();
        assert_eq!(error.to_string(), "yarn.resourcemanager.address is \"rm:port\"; host:port");
    }

    #[test]
    fn this_process_has_a_user() {
        assert!(user_of_this_process().is_some());
    }
}
