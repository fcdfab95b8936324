//! The keys of a configuration of REST_*: Metron's, in global.json and in expressions alike.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map as JsonMap, Value as Json};

use crate::services::settings::local_file;

/// Metron's keys that are read and mean nothing here: connections are kept as they come, and nobody waits for one.
const WITHOUT_EFFECT: [&str; 3] = ["connection.request.timeout", "pooling.max.total", "pooling.default.max.per.route"];
/// What only global.json may say.
pub(super) const GLOBAL: [&str; 3] = ["hosts.allowed", "max.bytes", "passwords.dir"];
/// The keys that mean something, for who writes another.
const KEYS: &str = "timeout, connect.timeout, socket.timeout, response.codes.allowed, empty.content.override, error.value.override, \
    verify.content.length, enforce.json, basic.auth.user, basic.auth.password.path, proxy.host, proxy.port, proxy.basic.auth.user, \
    proxy.basic.auth.password.path";

/// What one configuration says; what it leaves out is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Given {
    pub(super) timeout: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) socket: Option<Duration>,
    pub(super) codes: Option<Vec<u16>>,
    pub(super) empty: Option<Json>,
    pub(super) error: Option<Json>,
    pub(super) verify_length: Option<bool>,
    pub(super) enforce_json: Option<bool>,
    pub(super) user: Option<String>,
    pub(super) password: Option<PathBuf>,
    pub(super) proxy_host: Option<String>,
    pub(super) proxy_port: Option<u16>,
    pub(super) proxy_user: Option<String>,
    pub(super) proxy_password: Option<PathBuf>,
}

impl Given {
    /// Reads a configuration; keys that only global.json may have are refused, as are unknown ones.
    pub(crate) fn read(config: &JsonMap<String, Json>) -> Result<Self, String> {
        let mut given = Self::default();
        for (key, value) in config {
            given.set(key, value).map_err(|reason| format!("{key}: {reason}"))?;
        }
        given.check_pairs()?;
        Ok(given)
    }

    /// What goes together stands in one configuration: half of it, with the rest from another, could send a password where it was not meant to go.
    fn check_pairs(&self) -> Result<(), String> {
        let pairs = [
            (self.user.is_some(), self.password.is_some(), "basic.auth.user", "basic.auth.password.path"),
            (self.proxy_host.is_some(), self.proxy_port.is_some(), "proxy.host", "proxy.port"),
            (
                self.proxy_user.is_some(),
                self.proxy_password.is_some(),
                "proxy.basic.auth.user",
                "proxy.basic.auth.password.path",
            ),
        ];
        for (first, second, first_key, second_key) in pairs {
            if first != second {
                let (given, missing) = if first { (first_key, second_key) } else { (second_key, first_key) };
                return Err(format!("{given} without {missing}; write both in the same configuration"));
            }
        }
        if self.proxy_user.is_some() && self.proxy_host.is_none() {
            return Err("proxy.basic.auth.user without proxy.host; write both in the same configuration".into());
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &Json) -> Result<(), String> {
        match key {
            "timeout" => self.timeout = Some(milliseconds(value)?),
            "connect.timeout" => self.connect = Some(milliseconds(value)?),
            "socket.timeout" => self.socket = Some(milliseconds(value)?),
            "response.codes.allowed" => self.codes = Some(codes(value)?),
            "empty.content.override" => self.empty = Some(value.clone()),
            "error.value.override" => self.error = Some(value.clone()),
            "verify.content.length" => self.verify_length = Some(truth(value)?),
            "enforce.json" => self.enforce_json = Some(truth(value)?),
            "basic.auth.user" => self.user = Some(text(value)?),
            "basic.auth.password.path" => self.password = Some(file(value)?),
            "proxy.host" => self.proxy_host = Some(text(value)?),
            "proxy.port" => self.proxy_port = Some(port(value)?),
            "proxy.basic.auth.user" => self.proxy_user = Some(text(value)?),
            "proxy.basic.auth.password.path" => self.proxy_password = Some(file(value)?),
            key if WITHOUT_EFFECT.contains(&key) => {}
            key if GLOBAL.contains(&key) => return Err("is for stellar.rest.settings of global.json only".into()),
            _ => return Err(format!("there is no such setting; there are {KEYS}")),
        }
        Ok(())
    }

    /// Takes what this leaves out from another: who asks as a whole, and the proxy with who asks there as a whole.
    pub(super) fn or(self, other: &Self) -> Self {
        let Self {
            timeout,
            connect,
            socket,
            codes,
            empty,
            error,
            verify_length,
            enforce_json,
            user,
            password,
            proxy_host,
            proxy_port,
            proxy_user,
            proxy_password,
        } = other.clone();
        let (user, password) = if self.user.is_some() { (self.user, self.password) } else { (user, password) };
        let (proxy_host, proxy_port, proxy_user, proxy_password) = if self.proxy_host.is_some() {
            (self.proxy_host, self.proxy_port, self.proxy_user, self.proxy_password)
        } else {
            (proxy_host, proxy_port, proxy_user, proxy_password)
        };
        Self {
            timeout: self.timeout.or(timeout),
            connect: self.connect.or(connect),
            socket: self.socket.or(socket),
            codes: self.codes.or(codes),
            empty: self.empty.or(empty),
            error: self.error.or(error),
            verify_length: self.verify_length.or(verify_length),
            enforce_json: self.enforce_json.or(enforce_json),
            user,
            password,
            proxy_host,
            proxy_port,
            proxy_user,
            proxy_password,
        }
    }
}

fn milliseconds(value: &Json) -> Result<Duration, String> {
    let wanted = || format!("{value} is no number of milliseconds; give 1 to 86400000");
    let number = value.as_u64().filter(|number| (1..=86_400_000).contains(number)).ok_or_else(wanted)?;
    Ok(Duration::from_millis(number))
}

fn codes(value: &Json) -> Result<Vec<u16>, String> {
    let wanted = || format!("{value} is no list of statuses from 100 to 599");
    let code =
        |item: &Json| item.as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| (100..600).contains(code));
    value.as_array().ok_or_else(wanted)?.iter().map(|item| code(item).ok_or_else(wanted)).collect()
}

fn truth(value: &Json) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("{value} is neither true nor false"))
}

fn port(value: &Json) -> Result<u16, String> {
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| format!("{value} is no port"))
}

fn text(value: &Json) -> Result<String, String> {
    let text = value.as_str().ok_or_else(|| format!("{value} is no text"))?;
    if text.chars().any(char::is_control) {
        return Err("has a control character".into());
    }
    Ok(text.to_owned())
}

fn file(value: &Json) -> Result<PathBuf, String> {
    local_file(&text(value)?, "copy the file to this machine and give its path")
}
