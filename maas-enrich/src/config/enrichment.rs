//! `enrichments/SENSOR.json`: groups of statements for enrichment and threat intelligence, and the rules of triage.
//!
//! Reads and compiles; how groups run is [`crate::enrich`]'s, how rules are weighed [`crate::triage`]'s.

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use stellar_fns::Value;

use super::{Compile, Error};
use crate::enrich::{Group, Groups, Statement};
use crate::message::Message;
use crate::triage::{self, Triage};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    enrichment: Option<RawStage>,
    threat_intel: Option<RawStage>,
    configuration: Option<Message>,
    #[serde(flatten)]
    rest: IndexMap<String, IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStage {
    field_map: Option<Message>,
    config: Option<Message>,
    triage_config: Option<triage::RawTriage>,
    #[serde(flatten)]
    rest: IndexMap<String, IgnoredAny>,
}

/// Keys of the original that mean nothing here: adapters on HBase, and what older versions had in this file.
const UNUSED: &[&str] = &["fieldToTypeMap", "index", "batchSize"];

/// What is done to a message after parsing.
#[derive(Debug, Default)]
pub struct EnrichmentSettings {
    /// The first stage.
    pub enrichment: Groups,
    /// The second.
    pub threat_intel: Groups,
    /// The third.
    pub triage: Triage,
    /// Variables of the first and second stage.
    pub config: Message,
    /// Variables of the rules.
    pub triage_config: Message,
    /// In a test's configuration: what stands for the global one.
    pub configuration: Option<Message>,
}

impl EnrichmentSettings {
    /// Reads and compiles the file.
    pub fn compile(text: &str, with: &mut Compile) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_str(text)?;
        let unknown = raw.rest.keys().map(String::as_str).filter(|key| !UNUSED.contains(key));
        with.unknown_keys("", unknown, &["enrichment", "threatIntel"]);
        let enrichment = raw.enrichment.unwrap_or_default();
        let threat_intel = raw.threat_intel.unwrap_or_default();
        for (at, stage) in [("enrichment", &enrichment), ("threatIntel", &threat_intel)] {
            let unknown = stage.rest.keys().map(String::as_str).filter(|key| !UNUSED.contains(key));
            with.unknown_keys(at, unknown, &["fieldMap", "config", "triageConfig"]);
        }
        if enrichment.triage_config.is_some() {
            with.warn("enrichment.triageConfig", "stands under threatIntel, ignored here");
        }
        Ok(Self {
            enrichment: groups("enrichment.fieldMap", enrichment.field_map.as_ref(), with)?,
            threat_intel: groups("threatIntel.fieldMap", threat_intel.field_map.as_ref(), with)?,
            triage: Triage::compile("threatIntel.triageConfig", threat_intel.triage_config, with)?,
            config: enrichment.config.unwrap_or_default(),
            triage_config: threat_intel.config.unwrap_or_default(),
            configuration: raw.configuration,
        })
    }
}

/// The groups of one stage alone: `{"fieldMap":…,"config":…}`, with the variables beside them.
pub fn compile_stage(text: &str, with: &mut Compile) -> Result<(Groups, Message), Error> {
    let stage: RawStage = serde_json::from_str(text)?;
    Ok((groups("fieldMap", stage.field_map.as_ref(), with)?, stage.config.unwrap_or_default()))
}

fn groups(at: &str, field_map: Option<&Message>, with: &mut Compile) -> Result<Groups, Error> {
    let Some(field_map) = field_map else { return Ok(Groups::default()) };
    for (adapter, _) in field_map.iter().filter(|(adapter, _)| *adapter != "stellar") {
        with.warn(format!("{at}.{adapter}"), "this adapter is not known here, ignored; write it in Stellar");
    }
    let at = format!("{at}.stellar.config");
    let config = match field_map.get("stellar") {
        None | Some(Value::Null) => return Ok(Groups::default()),
        Some(Value::Map(stellar)) => stellar.get_text("config").unwrap_or_default(),
        Some(_) => return Err(Error::value(at, "must be {\"config\": …}")),
    };
    let mut groups = Vec::new();
    match &config {
        Value::Null => {}
        Value::List(_) => groups.push(Group { name: String::new(), statements: statements(&at, &config, with)? }),
        Value::Map(map) => {
            let mut loose = Vec::new();
            for (name, value) in map.read().iter() {
                let name = name.to_string();
                match value {
                    Value::Map(_) | Value::List(_) => {
                        let statements = statements(&format!("{at}.{name}"), value, with)?;
                        groups.push(Group { name, statements });
                    }
                    value => loose.extend(statement(&at, name, value, with)?),
                }
            }
            if !loose.is_empty() {
                groups.push(Group { name: String::new(), statements: loose });
            }
        }
        other => return Err(Error::value(at, format!("must be a map or a list, not {}", other.type_name()))),
    }
    Ok(Groups(groups))
}

fn statements(at: &str, config: &Value, with: &mut Compile) -> Result<Vec<Statement>, Error> {
    let mut statements = Vec::new();
    match config {
        Value::Map(map) => {
            for (name, value) in map.read().iter() {
                statements.extend(statement(at, name.to_string(), value, with)?);
            }
        }
        Value::List(list) => {
            for (index, line) in list.read().iter().enumerate() {
                let key = format!("{at}[{index}]");
                let parts = line.as_text().and_then(|line| line.split_once(":="));
                let Some((name, source)) = parts else {
                    with.warn(key, "is no NAME := EXPRESSION, ignored");
                    continue;
                };
                let expression = with.expressions.compile(&key, source.trim())?;
                statements.push(Statement { name: name.trim().into(), expression });
            }
        }
        _ => {}
    }
    Ok(statements)
}

fn statement(at: &str, name: String, value: &Value, with: &mut Compile) -> Result<Option<Statement>, Error> {
    let key = format!("{at}.{name}");
    let Some(source) = value.as_text() else {
        with.warn(key, "is no text, ignored; write the expression as text");
        return Ok(None);
    };
    let expression = with.expressions.compile(&key, source)?;
    Ok(Some(Statement { name: name.into(), expression }))
}
