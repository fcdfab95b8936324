//! `parsers/SENSOR.json`: how lines become messages, and what is done to their fields first.
//!
//! Reads the file and picks the parser and the transformations; what they do is in [`crate::parse`] and [`crate::transform`].

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::raw::{OneOrMore, class};
use super::{Compile, Error};
use crate::expression::Expression;
use crate::grok::Library;
use crate::message::Message;
use crate::parse::{self, Envelope, Parser};
use crate::transform::{self, Transformation};

/// Keys of the original that mean nothing here: how its topologies run.
const UNUSED: &[&str] = &[
    "writerClassName",
    "errorWriterClassName",
    "numWorkers",
    "numAckers",
    "spoutNumTasks",
    "parserNumTasks",
    "errorWriterParallelism",
    "errorWriterNumTasks",
    "spoutConfig",
    "securityProtocol",
    "stormConfig",
    "cacheConfig",
    "invalidWriterClassName",
];

const KNOWN: &[&str] = &[
    "parserClassName",
    "filterClassName",
    "sensorTopic",
    "outputTopic",
    "errorTopic",
    "readMetadata",
    "mergeMetadata",
    "rawMessageStrategy",
    "rawMessageStrategyConfig",
    "parserConfig",
    "fieldTransformations",
    "parserParallelism",
    "spoutParallelism",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    parser_class_name: Option<String>,
    filter_class_name: Option<String>,
    sensor_topic: Option<String>,
    output_topic: Option<String>,
    error_topic: Option<String>,
    read_metadata: Option<bool>,
    merge_metadata: Option<bool>,
    raw_message_strategy: Option<String>,
    raw_message_strategy_config: Option<Message>,
    parser_config: Option<Message>,
    field_transformations: Option<Vec<RawTransformation>>,
    parser_parallelism: Option<usize>,
    spout_parallelism: Option<usize>,
    #[serde(flatten)]
    rest: IndexMap<String, IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct RawTransformation {
    transformation: Option<String>,
    input: Option<OneOrMore>,
    output: Option<OneOrMore>,
    config: Option<Message>,
    #[serde(flatten)]
    rest: IndexMap<String, IgnoredAny>,
}

/// Characters of a topic's name at most.
const LONGEST_TOPIC: usize = 249;

/// The steps from a line to a message.
#[derive(Debug)]
pub struct ParserSettings {
    /// Reads a line; none where the file names no parser, which only whole pipelines need.
    pub parser: Option<Parser>,
    /// What is done to the fields, in order.
    pub transformations: Vec<Transformation>,
    /// Messages for which this doesn't hold are dropped.
    pub filter: Option<Expression>,
    /// Also variables of the transformations.
    pub config: Message,
    /// The topic the sensor is read from.
    pub topic: Option<String>,
    /// Where messages go, and where errors go, when they go to Kafka.
    pub output_topic: Option<String>,
    /// The topic of errors.
    pub error_topic: Option<String>,
    /// What lines are taken out of, if they come packed.
    pub envelope: Option<Envelope>,
    /// Whether what is known of where a line came from is a variable.
    pub reads_metadata: bool,
    /// Whether it becomes part of the message.
    pub merges_metadata: bool,
    /// What goes before the names of metadata.
    pub metadata_prefix: String,
    /// How many readers or parsers there are to be at once, where the file says so: the larger of the two.
    pub parallelism: Option<usize>,
}

impl ParserSettings {
    /// Reads and compiles the file. Patterns are looked up in the library.
    pub fn compile(text: &str, library: &Library, with: &mut Compile) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_str(text)?;
        let unknown = raw.rest.keys().map(String::as_str).filter(|key| !UNUSED.contains(key));
        with.unknown_keys("", unknown, KNOWN);
        let config = raw.parser_config.unwrap_or_default();
        let parser = raw.parser_class_name.map(|name| parse::compile(&name, &config, library, with)).transpose()?;
        let mut transformations = Vec::new();
        for (index, one) in raw.field_transformations.unwrap_or_default().into_iter().enumerate() {
            transformations.push(transformation(&format!("fieldTransformations[{index}]"), one, with)?);
        }
        let filter = filter(raw.filter_class_name.as_deref(), &config, with)?;
        let strategy = raw.raw_message_strategy_config.unwrap_or_default();
        let envelope = match raw.raw_message_strategy.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("DEFAULT") => None,
            Some("ENVELOPE") => Some(Envelope::compile(&strategy)?),
            Some(other) => {
                let message = format!("{other:?} is not known; DEFAULT or ENVELOPE");
                return Err(Error::value("rawMessageStrategy", message));
            }
        };
        let given = |topic: Option<String>| topic.filter(|topic| !topic.is_empty());
        let (output_topic, error_topic) = (given(raw.output_topic), given(raw.error_topic));
        let topics = [("sensorTopic", &raw.sensor_topic), ("outputTopic", &output_topic), ("errorTopic", &error_topic)];
        for (key, topic) in topics {
            if let Some(topic) = topic.as_deref().filter(|topic| !is_topic(topic)) {
                let message =
                    format!("{topic:?} can't be a topic; letters, digits, . _ - only, {LONGEST_TOPIC} at most");
                return Err(Error::value(key, message));
            }
        }
        let prefix = strategy.get("metadataPrefix").and_then(|prefix| prefix.as_text()).unwrap_or("metron.metadata");
        Ok(Self {
            parser,
            transformations,
            filter,
            config,
            topic: raw.sensor_topic,
            output_topic,
            error_topic,
            // What is written on an envelope is meant to be read.
            reads_metadata: raw.read_metadata.unwrap_or(envelope.is_some()),
            merges_metadata: raw.merge_metadata.unwrap_or(envelope.is_some()),
            envelope,
            metadata_prefix: prefix.to_owned(),
            parallelism: raw.parser_parallelism.max(raw.spout_parallelism),
        })
    }
}

/// Whether Kafka takes it for a topic's name.
fn is_topic(name: &str) -> bool {
    let is_fine = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    (1..=LONGEST_TOPIC).contains(&name.len()) && name.chars().all(is_fine) && name != "." && name != ".."
}

fn transformation(key: &str, raw: RawTransformation, with: &mut Compile) -> Result<Transformation, Error> {
    with.unknown_keys(key, raw.rest.keys().map(String::as_str), &["transformation", "input", "output", "config"]);
    let name =
        raw.transformation.ok_or_else(|| Error::value(key, "has no transformation; name one, such as STELLAR"))?;
    let input = raw.input.map(OneOrMore::into_list).unwrap_or_default();
    let output = raw.output.map(OneOrMore::into_list).unwrap_or_default();
    transform::compile(key, class(&name), input, output, raw.config.unwrap_or_default(), with)
}

fn filter(name: Option<&str>, config: &Message, with: &mut Compile) -> Result<Option<Expression>, Error> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
    match class(name) {
        "STELLAR" | "QUERY" | "StellarFilter" => {}
        other => {
            let known = "filters are STELLAR".to_owned();
            return Err(Error::Foreign { key: "filterClassName".into(), class: other.into(), known });
        }
    }
    let query = config
        .get("filter.query")
        .and_then(|query| query.as_text())
        .ok_or_else(|| Error::value("parserConfig.filter.query", "is needed by the filter; write an expression"))?;
    Ok(Some(with.expressions.compile("parserConfig.filter.query", query)?))
}
