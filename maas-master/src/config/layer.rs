//! One layer of settings, each value optional: what a file, the environment or the flags say.

use super::capacity::CapacityGiven;
use super::limits::Limits;
use super::resolve::Error;
use crate::cli::{On, ServiceArgs};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `K=V`, a variable of every model's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The variable's name.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("{text:?} is not K=V"));
        };
        check_variable(key)?;
        Ok(Pair { key: key.to_string(), value: value.to_string() })
    }
}

fn check_variable(key: &str) -> Result<(), String> {
    let good = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        return Err(format!("{key:?} is no name of a variable; letters, digits and _ only"));
    }
    if key.starts_with("MAAS_") {
        return Err(format!("{key} is set by the runner itself; choose another name"));
    }
    Ok(())
}

/// What one source says. Unknown keys of a file are errors.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layer {
    /// `--on`.
    pub on: Option<On>,
    /// `--store`.
    pub store: Option<String>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--http`.
    pub http: Option<SocketAddr>,
    /// `--http-open`.
    pub http_open: Option<bool>,
    /// `--http-token-file`.
    pub http_token_file: Option<PathBuf>,
    /// `--advertise`.
    pub advertise: Option<String>,
    /// `--capacity`.
    pub capacity: Option<CapacityGiven>,
    /// `--cgroup`.
    pub cgroup: Option<PathBuf>,
    /// `--runner`.
    pub runner: Option<PathBuf>,
    /// `--env`, all of them.
    pub env: BTreeMap<String, String>,
    /// `--metron-runners`.
    pub metron_runners: Option<bool>,
    /// `--zk-auth-file`.
    pub zk_auth_file: Option<PathBuf>,
    /// ZooKeeper session time-out, ms.
    pub session_timeout_ms: Option<u64>,
    /// The master's knobs; only a file says them.
    pub limits: Limits,
}

impl Layer {
    /// What the flags say.
    pub fn from_flags(flags: &ServiceArgs, zk_auth_file: Option<&Path>) -> Layer {
        let flag = |given: bool| given.then_some(true);
        Layer {
            on: flags.on,
            store: flags.store.clone(),
            state_dir: flags.state_dir.clone(),
            http: flags.http,
            http_open: flag(flags.http_open),
            http_token_file: flags.http_token_file.clone(),
            advertise: flags.advertise.clone(),
            capacity: flags.capacity,
            cgroup: flags.cgroup.clone(),
            runner: flags.runner.clone(),
            env: flags.env.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect(),
            metron_runners: flag(flags.metron_runners),
            zk_auth_file: zk_auth_file.map(Path::to_path_buf),
            session_timeout_ms: None,
            limits: Limits::default(),
        }
    }

    /// What the environment says; `variable` looks one up.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Layer, Error> {
        fn parsed<T: FromStr>(name: &'static str, value: Option<String>) -> Result<Option<T>, Error>
        where
            T::Err: std::fmt::Display,
        {
            let Some(value) = value else { return Ok(None) };
            match value.parse() {
                Ok(parsed) => Ok(Some(parsed)),
                Err(error) => Err(Error::Variable { name, value, detail: format!("{error}") }),
            }
        }
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Layer {
            store: variable("MAAS_STORE"),
            state_dir: variable("MAAS_STATE_DIR").map(PathBuf::from),
            http: parsed("MAAS_HTTP_LISTEN", variable("MAAS_HTTP_LISTEN"))?,
            advertise: variable("MAAS_ADVERTISE"),
            capacity: parsed("MAAS_CAPACITY", variable("MAAS_CAPACITY"))?,
            runner: variable("MAAS_RUNNER").map(PathBuf::from),
            zk_auth_file: variable("MAAS_ZK_AUTH_FILE").map(PathBuf::from),
            ..Layer::default()
        })
    }

    /// What a file says.
    pub fn from_toml(path: &Path, text: &str) -> Result<Layer, Error> {
        let refused = |detail: String| Error::NotToml { path: path.to_path_buf(), detail };
        let layer: Layer = toml::from_str(text).map_err(|source| refused(source.to_string()))?;
        for key in layer.env.keys() {
            check_variable(key).map_err(refused)?;
        }
        Ok(layer)
    }

    /// This layer, with what `above` says put over it.
    #[must_use]
    pub fn under(self, above: Layer) -> Layer {
        let mut env = self.env;
        let limits = if above.limits == Limits::default() { self.limits } else { above.limits };
        env.extend(above.env);
        Layer {
            on: above.on.or(self.on),
            store: above.store.or(self.store),
            state_dir: above.state_dir.or(self.state_dir),
            http: above.http.or(self.http),
            http_open: above.http_open.or(self.http_open),
            http_token_file: above.http_token_file.or(self.http_token_file),
            advertise: above.advertise.or(self.advertise),
            capacity: above.capacity.or(self.capacity),
            cgroup: above.cgroup.or(self.cgroup),
            runner: above.runner.or(self.runner),
            env,
            metron_runners: above.metron_runners.or(self.metron_runners),
            zk_auth_file: above.zk_auth_file.or(self.zk_auth_file),
            session_timeout_ms: above.session_timeout_ms.or(self.session_timeout_ms),
            limits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_later_layer_wins_and_environments_are_joined() {
        let file = Layer::from_toml(
            Path::new("f"),
            "store = \"file:///a\"\nadvertise = \"a\"\ncapacity = \"memory=100\"\n[env]\nA = \"1\"\nB = \"1\"\n",
        )
        .unwrap();
        let environment =
            Layer::from_environment(|name| (name == "MAAS_STORE").then(|| "file:///b".to_string())).unwrap();
        let flags = ServiceArgs { env: vec!["B=2".parse().unwrap()], ..ServiceArgs::default() };
        let all = file.under(environment).under(Layer::from_flags(&flags, None));
        assert_eq!(all.store.as_deref(), Some("file:///b"));
        assert_eq!(all.advertise.as_deref(), Some("a"));
        assert_eq!(all.env.into_iter().collect::<Vec<_>>(), [("A".into(), "1".into()), ("B".into(), "2".into())]);
    }

    #[test]
    fn a_bad_value_names_its_key() {
        let error = Layer::from_toml(Path::new("f"), "stroe = 1").unwrap_err();
        assert!(error.to_string().contains("stroe"), "{error}");
        let error = Layer::from_environment(|name| (name == "MAAS_HTTP_LISTEN").then(|| "x".into())).unwrap_err();
        assert!(error.to_string().contains("MAAS_HTTP_LISTEN"), "{error}");
    }

    #[test]
    fn variables_of_the_runner_and_names_that_are_none_are_refused() {
        for bad in ["A", "=1", "A-B=1", "1A=1", "MAAS_GPUS=1"] {
            assert!(bad.parse::<Pair>().is_err(), "{bad}");
        }
        assert_eq!("A_1=x=y".parse::<Pair>().unwrap().value, "x=y");
    }
}
