//! How web services are asked: `stellar.rest.settings` of global.json, and the same with `get` and `post` for one of the functions.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map as JsonMap, Value as Json};

use super::keys::{GLOBAL, Given};
use super::{Allowed, Credentials, Method};
use crate::services::settings::{SettingsError, local_file};

const KEY: &str = "stellar.rest.settings";
const GET_KEY: &str = "stellar.rest.get.settings";
const POST_KEY: &str = "stellar.rest.post.settings";
/// Bytes of an answer unless `max.bytes` says otherwise, and at most.
const BYTES: u64 = 1 << 20;
const MOST_BYTES: u64 = 16 << 20;

/// What the global configuration says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RestSettings {
    /// The hosts that may be asked.
    pub allowed: Allowed,
    /// Bytes of an answer; 0 stands for 1 MiB.
    max_bytes: u64,
    /// Where the password files are that expressions may name.
    passwords_dir: Option<PathBuf>,
    get: Given,
    post: Given,
}

/// How a request is made.
#[derive(Clone, Debug, PartialEq)]
pub struct How {
    /// Longest time of all of it, redirections included; 1 s.
    pub timeout: Duration,
    /// Longest time for a connection; the whole time.
    pub connect: Duration,
    /// Longest time without a byte of the answer; the whole time.
    pub socket: Duration,
    /// Statuses of answers; 200.
    pub codes: Vec<u16>,
    /// Whether the answer must have as many bytes as its header says; false.
    pub verify_length: bool,
    /// Whether what is posted must be JSON; true.
    pub enforce_json: bool,
    /// Who asks.
    pub credentials: Option<Credentials>,
    /// Through which host and port, and who asks there.
    pub proxy: Option<(String, u16, Option<Credentials>)>,
    /// What an answer without a body gives; null.
    pub empty: Json,
    /// What a failure gives; null.
    pub error: Json,
}

impl RestSettings {
    /// Those of a global configuration; where it has none, nobody may be asked.
    pub fn from_globals(globals: &JsonMap<String, Json>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let mut common = part(globals, KEY)?;
        for key in GLOBAL {
            if let Some(value) = common.remove(key) {
                let set = settings.set(key, &value);
                set.map_err(|reason| SettingsError::unusable(KEY, format!("{key}: {reason}")))?;
            }
        }
        let given = |config: &JsonMap<String, Json>, key| {
            Given::read(config).map_err(|reason| SettingsError::unusable(key, reason))
        };
        let common = given(&common, KEY)?;
        settings.get = given(&part(globals, GET_KEY)?, GET_KEY)?.or(&common);
        settings.post = given(&part(globals, POST_KEY)?, POST_KEY)?.or(&common);
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &Json) -> Result<(), String> {
        match key {
            "hosts.allowed" => {
                let texts =
                    value.as_array().and_then(|items| items.iter().map(Json::as_str).collect::<Option<Vec<_>>>());
                let texts = texts.ok_or_else(|| format!("{value} is no list of texts"))?;
                self.allowed = Allowed::parse(texts).map_err(|bad| bad.to_string())?;
            }
            "max.bytes" => {
                let bytes = value.as_u64().filter(|bytes| (1..=MOST_BYTES).contains(bytes));
                self.max_bytes = bytes.ok_or_else(|| format!("{value}; give 1 to {MOST_BYTES}"))?;
            }
            _ => {
                let path = value.as_str().ok_or_else(|| format!("{value} is no text"))?;
                self.passwords_dir = Some(local_file(path, "give a directory of this machine")?);
            }
        }
        Ok(())
    }

    /// Bytes of an answer.
    pub fn max_bytes(&self) -> u64 {
        if self.max_bytes == 0 { BYTES } else { self.max_bytes }
    }

    /// How a request is made, where an expression says this of it.
    pub(crate) fn how(&self, method: Method, given: Given) -> Result<How, String> {
        let names_file = given.password.is_some() || given.proxy_password.is_some();
        if names_file && self.passwords_dir.is_none() {
            return Err(format!(
                "set passwords.dir in {KEY} of global.json to the directory of the password files that expressions may name"
            ));
        }
        // An expression may name password files of one directory only: what is in the file is sent to a host.
        let below = |own: bool| self.passwords_dir.clone().filter(|_| own);
        let (below, proxy_below) = (below(given.password.is_some()), below(given.proxy_password.is_some()));
        let global = match method {
            Method::Get => &self.get,
            Method::Post => &self.post,
        };
        let given = given.or(global);
        let credentials = |user: Option<String>, password: Option<PathBuf>, below| {
            user.zip(password).map(|(user, password)| Credentials { user, password, below })
        };
        let timeout = given.timeout.unwrap_or(Duration::from_secs(1));
        let proxy_credentials = credentials(given.proxy_user, given.proxy_password, proxy_below);
        Ok(How {
            timeout,
            connect: given.connect.unwrap_or(timeout),
            socket: given.socket.unwrap_or(timeout),
            codes: given.codes.unwrap_or_else(|| vec![200]),
            verify_length: given.verify_length.unwrap_or(false),
            enforce_json: given.enforce_json.unwrap_or(true),
            credentials: credentials(given.user, given.password, below),
            proxy: given.proxy_host.zip(given.proxy_port).map(|(host, port)| (host, port, proxy_credentials)),
            empty: given.empty.unwrap_or_default(),
            error: given.error.unwrap_or_default(),
        })
    }
}

fn part(globals: &JsonMap<String, Json>, key: &'static str) -> Result<JsonMap<String, Json>, SettingsError> {
    match globals.get(key) {
        None => Ok(JsonMap::new()),
        Some(Json::Object(object)) => Ok(object.clone()),
        Some(_) => Err(SettingsError::unusable(key, "is no JSON object")),
    }
}
