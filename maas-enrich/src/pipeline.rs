//! The whole way of a line: parse, transform, filter, validate, enrich, triage. In goes a line, out come a message or none, and records of what failed.
//!
//! No I/O but the calls of models that expressions make. Sources, sinks, order and commits are `run`'s.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stellar_fns::{Environment, Value};
use thiserror::Error as ThisError;

use crate::config::Sensor;
use crate::error_record::{ErrorType, Failing, error_record};
use crate::event::Raw;
use crate::expression::Failed;
use crate::message::Message;
use crate::parse::{self, ORIGINAL, Parsed, TIMESTAMP, now_ms};
use crate::{enrich, transform};

/// A longer line is an error.
pub const LONGEST_LINE: usize = 512 << 10;
/// Which sensor a message is of.
const SOURCE_TYPE: &str = "source.type";
/// The documented name of what triage makes of a message.
const LEVEL: &str = "threat:triage:level";

/// A part of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A line becomes fields.
    Parse,
    /// Field transformations.
    Transform,
    /// Filter and validations.
    Validate,
    /// The first groups.
    Enrich,
    /// The second groups.
    ThreatIntel,
    /// The rules.
    Triage,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Self; 6] =
        [Self::Parse, Self::Transform, Self::Validate, Self::Enrich, Self::ThreatIntel, Self::Triage];

    /// As metrics and listings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Transform => "transform",
            Self::Validate => "validate",
            Self::Enrich => "enrich",
            Self::ThreatIntel => "threat_intel",
            Self::Triage => "triage",
        }
    }
}

/// Sees what each stage made.
pub trait Observer {
    /// A stage is done with this message.
    fn done(&mut self, stage: Stage, message: &Message, took: Duration);
}

/// What came of a line.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The message, unless the line was a comment, was dropped by the filter, or failed.
    pub message: Option<Message>,
    /// The further messages of a line that has several.
    pub more: Vec<Message>,
    /// What failed, and in which stage. A message may go on nevertheless.
    pub errors: Vec<(Stage, Message)>,
}

/// What is known of a message beside itself.
struct Known<'a> {
    raw: &'a Raw,
    /// Which of the line's messages it is, from 0.
    number: usize,
    metadata: &'a Message,
}

impl Known<'_> {
    fn guid(&self) -> String {
        match self.number {
            0 => self.raw.guid(""),
            number => self.raw.guid(&format!("message {number}")),
        }
    }
}

/// Since when.
struct Clock(Instant);

impl Clock {
    /// The time since the last lap.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}

/// A line that can't become a message.
#[derive(Debug, ThisError)]
enum Trouble {
    #[error("the line has more than {LONGEST_LINE} bytes")]
    TooLong,
    #[error(transparent)]
    Parse(#[from] parse::Trouble),
    #[error(transparent)]
    Transform(#[from] transform::Trouble),
    #[error("the filter failed")]
    Filter(#[source] Failed),
    #[error("the message has no timestamp; name the field that holds it as timestampField")]
    NoTimestamp,
    #[error("validation {name} of {fields} is not fulfilled")]
    Invalid { name: String, fields: String },
    #[error("validation {name} failed")]
    Validation { name: String, source: Failed },
    #[error(transparent)]
    Enrich(#[from] enrich::Trouble),
    #[error("triage failed; the message goes on without a score")]
    Triage(#[source] Failed),
}

impl Trouble {
    /// Which of the parts that may fail of one message with the same [`ErrorType`].
    fn part(&self) -> Cow<'static, str> {
        match self {
            Self::Enrich(trouble) if !trouble.group.is_empty() => format!("group {}", trouble.group).into(),
            Self::Triage(_) => "triage".into(),
            _ => "".into(),
        }
    }
}

/// Runs lines of one sensor. Cheap to clone; the same for all workers.
#[derive(Debug, Clone)]
pub struct Pipeline {
    sensor: Arc<Sensor>,
    environment: Arc<Environment>,
}

impl Pipeline {
    /// A pipeline of this configuration, whose expressions see this environment.
    pub fn new(sensor: Arc<Sensor>, environment: Arc<Environment>) -> Self {
        Self { sensor, environment }
    }

    /// A pipeline of another configuration in the same environment.
    #[must_use]
    pub fn with(&self, sensor: Arc<Sensor>) -> Self {
        Self { sensor, environment: self.environment.clone() }
    }

    /// The configuration.
    pub fn sensor(&self) -> &Sensor {
        &self.sensor
    }

    /// Runs a line through all stages. Never fails: what does is in the outcome.
    pub async fn process(&self, raw: &Raw, observer: &mut impl Observer) -> Outcome {
        let mut outcome = Outcome::default();
        let mut clock = Clock(Instant::now());
        let opened =
            self.open(raw).and_then(|(line, metadata)| Ok((self.parse(&line, &metadata, raw.came_ms)?, metadata)));
        let (messages, metadata) = match opened {
            Ok(opened) => opened,
            Err(trouble) => {
                outcome.errors.push(self.failed(raw, &raw.guid(""), Stage::Parse, ErrorType::Parser, &trouble));
                return outcome;
            }
        };
        for (number, message) in messages.into_iter().enumerate() {
            observer.done(Stage::Parse, &message, clock.lap());
            let known = Known { raw, number, metadata: &metadata };
            let Some(message) = self.go_on(message, &known, observer, &mut clock, &mut outcome.errors).await else {
                continue;
            };
            match outcome.message {
                None => outcome.message = Some(message),
                Some(_) => outcome.more.push(message),
            }
        }
        outcome
    }

    /// A record of what failed of the message with this guid.
    fn failed(&self, raw: &Raw, guid: &str, stage: Stage, kind: ErrorType, trouble: &Trouble) -> (Stage, Message) {
        let failing = Failing { kind, part: &trouble.part(), message: guid };
        (stage, error_record(failing, &self.sensor.name, raw, trouble, now_ms(&self.environment)))
    }

    /// Runs a message through what comes after parsing. None: it was dropped or failed.
    async fn go_on(
        &self,
        mut message: Message,
        known: &Known<'_>,
        observer: &mut impl Observer,
        clock: &mut Clock,
        errors: &mut Vec<(Stage, Message)>,
    ) -> Option<Message> {
        let raw = known.raw;
        let failed = |stage, kind, trouble: &Trouble| self.failed(raw, &known.guid(), stage, kind, trouble);
        let around = [&self.sensor.parser.config, known.metadata];
        for transformation in &self.sensor.parser.transformations {
            if let Err(trouble) = transformation.apply(&mut message, &around, &self.environment).await {
                errors.push(failed(Stage::Transform, ErrorType::Parser, &trouble.into()));
                return None;
            }
        }
        // One that is null would be the same for all messages of a line.
        if message.get("guid").is_none_or(Value::is_null) {
            message.set("guid", Value::from(known.guid()));
        }
        message.set_if_absent(ORIGINAL, || Value::from(String::from_utf8_lossy(&raw.bytes).into_owned()));
        observer.done(Stage::Transform, &message, clock.lap());

        match self.admits(&message).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err((kind, trouble)) => {
                errors.push(failed(Stage::Validate, kind, &trouble));
                return None;
            }
        }
        observer.done(Stage::Validate, &message, clock.lap());

        let settings = &self.sensor.enrichment;
        let globals = &self.sensor.global.variables;
        for (stage, groups, kind) in [
            (Stage::Enrich, &settings.enrichment, ErrorType::Enrichment),
            (Stage::ThreatIntel, &settings.threat_intel, ErrorType::ThreatIntel),
        ] {
            let around = [&settings.config, globals];
            let troubles = groups.apply(&mut message, &around, &self.environment).await;
            errors.extend(troubles.into_iter().map(|trouble| failed(stage, kind, &trouble.into())));
            observer.done(stage, &message, clock.lap());
        }

        if let Err(trouble) = self.triage(&mut message).await {
            errors.push(failed(Stage::Triage, ErrorType::ThreatIntel, &Trouble::Triage(trouble)));
        }
        observer.done(Stage::Triage, &message, clock.lap());
        Some(message)
    }

    /// The line, taken out of its envelope if it has one, and what expressions see of where it came from.
    fn open<'a>(&self, raw: &'a Raw) -> Result<(Cow<'a, [u8]>, Message), Trouble> {
        if raw.bytes.len() > LONGEST_LINE {
            return Err(Trouble::TooLong);
        }
        let (line, written) = match &self.sensor.parser.envelope {
            None => (Cow::Borrowed(raw.bytes.as_slice()), Message::default()),
            Some(envelope) => envelope.open(&raw.bytes)?,
        };
        Ok((line, self.metadata(raw, &written)))
    }

    fn metadata(&self, raw: &Raw, written: &Message) -> Message {
        let parser = &self.sensor.parser;
        if !parser.reads_metadata && !parser.merges_metadata {
            return Message::default();
        }
        let prefix = &parser.metadata_prefix;
        let named =
            raw.metadata.iter().flat_map(|metadata| metadata.iter()).chain(written.iter()).map(|(name, value)| {
                let name = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
                (name, value.clone())
            });
        named.collect()
    }

    fn parse(&self, line: &[u8], metadata: &Message, came: Option<i64>) -> Result<Parsed, Trouble> {
        let line = String::from_utf8_lossy(line);
        let Some(parser) = &self.sensor.parser.parser else { return Ok(Parsed::new()) };
        let mut messages = parser.parse(&line, &self.environment, came)?;
        for message in &mut messages {
            if self.sensor.parser.merges_metadata {
                for (name, value) in metadata.iter() {
                    message.set(name.clone(), value.clone());
                }
            }
            if self.sensor.parser.envelope.is_some()
                && let Some(line) = parse::original(metadata, &self.sensor.parser.metadata_prefix)
            {
                message.set(ORIGINAL, line);
            }
            message.set(SOURCE_TYPE, Value::text(&self.sensor.name));
        }
        Ok(messages)
    }

    async fn admits(&self, message: &Message) -> Result<bool, (ErrorType, Trouble)> {
        if message.get(TIMESTAMP).is_none_or(Value::is_null) {
            return Err((ErrorType::Invalid, Trouble::NoTimestamp));
        }
        if let Some(filter) = &self.sensor.parser.filter {
            let globals = &self.sensor.global.variables;
            let scope = crate::expression::Scope::new([message, &self.sensor.parser.config, globals]);
            let keeps = filter.holds(&scope, &self.environment).await;
            if !keeps.map_err(|failed| (ErrorType::Parser, Trouble::Filter(failed)))? {
                return Ok(false);
            }
        }
        for validation in &self.sensor.global.validations {
            let name = || validation.name.clone();
            let passes = validation.passes(message, &self.sensor.global.variables, &self.environment).await;
            if !passes.map_err(|source| (ErrorType::Invalid, Trouble::Validation { name: name(), source }))? {
                let fields = match validation.input.as_slice() {
                    [] => "the message".to_owned(),
                    fields => fields.join(", "),
                };
                return Err((ErrorType::Invalid, Trouble::Invalid { name: name(), fields }));
            }
        }
        Ok(true)
    }

    /// Triage, with the level that the documentation names beside what the code of the original writes.
    async fn triage(&self, message: &mut Message) -> Result<(), Failed> {
        let settings = &self.sensor.enrichment;
        let around = [&self.sensor.global.variables, &settings.triage_config];
        let Some(score) = settings.triage.apply(message, &around, &self.environment).await? else { return Ok(()) };
        let fields = self.sensor.global.triage;
        if !fields.score {
            use crate::triage::{RULES, SCORE};
            message.retain(|name, _| name != SCORE && !name.starts_with(RULES));
        }
        if fields.level {
            message.set(LEVEL, number(score));
        }
        Ok(())
    }
}

/// A score as a whole number where it is one.
#[expect(clippy::cast_possible_truncation, reason = "only whole numbers far below the limits are cast")]
fn number(score: f64) -> Value {
    if score.fract() == 0.0 && score.abs() < 1e9 { Value::Int(score as i32) } else { Value::Double(score) }
}
