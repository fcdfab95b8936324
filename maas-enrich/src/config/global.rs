//! `global.json`: variables of all expressions, the search server's address, field validations, how models are called.
//!
//! Any key is allowed, since each may be a variable.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};
use stellar_fns::maas::Settings;
use stellar_fns::services::Services;
use stellar_fns::services::report::Logged;

use super::{Compile, Error};
use crate::message::Message;
use crate::sink::search::check_date_format;
use crate::validate::{self, Validation};

/// The global configuration.
#[derive(Debug, Default)]
pub struct Global {
    /// All of it, as variables.
    pub variables: Message,
    /// What each message must fulfil after its transformations.
    pub validations: Vec<Validation>,
    /// How models are called.
    pub models: Settings,
    /// What else expressions ask: databases of addresses, enrichments, web services, objects.
    pub services: Services,
    /// Which fields triage writes.
    pub triage: TriageFields,
    /// `es.ip` and `es.port` as HOST:PORT.
    pub search: Option<String>,
    /// `es.date.format`, in Java's notation.
    pub date_format: Option<String>,
}

/// Which fields triage writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriageFields {
    /// `threat:triage:level`; key `triage.level`.
    pub level: bool,
    /// `threat.triage.score` and `threat.triage.rules.…`; key `triage.score`.
    pub score: bool,
}

impl Default for TriageFields {
    fn default() -> Self {
        Self { level: true, score: true }
    }
}

impl Global {
    /// Reads and compiles the file.
    pub fn compile(text: &str, with: &mut Compile) -> Result<Self, Error> {
        let json: JsonMap<String, Json> = serde_json::from_str(text)?;
        let models =
            Settings::from_globals(&json).map_err(|error| Error::value("stellar.maas.settings", error.to_string()))?;
        let services = Services::from_globals(&json, Arc::new(Logged::default()))
            .map_err(|error| Error::value(error.key(), error.told()))?;
        let flag = |key: &str| match json.get(key) {
            None | Some(Json::Null) => Ok(true),
            Some(Json::Bool(bool)) => Ok(*bool),
            Some(other) => Err(Error::value(key, format!("must be true or false, not {other}"))),
        };
        let triage = TriageFields { level: flag("triage.level")?, score: flag("triage.score")? };
        let text_of = |key: &str| json.get(key).and_then(Json::as_str).map(str::to_owned);
        let date_format = text_of("es.date.format");
        if let Some(format) = &date_format {
            check_date_format(format).map_err(|message| Error::value("es.date.format", message))?;
        }
        Ok(Self {
            validations: validate::compile(json.get("fieldValidations"), with)?,
            search: search(&json),
            date_format,
            variables: Message::from_json(text.as_bytes())?,
            models,
            services,
            triage,
        })
    }
}

/// `es.ip` may be a host, HOST:PORT or a list of them: the first counts.
fn search(json: &JsonMap<String, Json>) -> Option<String> {
    let host = match json.get("es.ip")? {
        Json::String(text) => text.split(',').next()?.trim().to_owned(),
        Json::Array(items) => items.first()?.as_str()?.to_owned(),
        _ => return None,
    };
    if host.is_empty() || host.contains(':') {
        return (!host.is_empty()).then_some(host);
    }
    let port = match json.get("es.port") {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => "9200".to_owned(),
    };
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_switches_are_read() {
        let mut with = Compile::default();
        let global =
            Global::compile(r#"{"es.ip":"node1","es.port":"9210","triage.level":false,"x":1}"#, &mut with).unwrap();
        assert_eq!(global.search.as_deref(), Some("node1:9210"));
        assert!(!global.triage.level && global.triage.score);
        assert!(global.variables.has("x"));
        assert!(Global::compile(r#"{"triage.level":"no"}"#, &mut with).is_err());
        assert!(Global::compile("{\n oops", &mut with).unwrap_err().to_string().starts_with("line 2"));
    }
}
