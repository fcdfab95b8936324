//! Whether a file can be pushed: what is wrong with it, and what is only worth a warning. Pure.
//!
//! A whole configuration of the original goes through: what is not ours is warned about. Of what is refused all errors are told, not the first only.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use stellar_fns::Compiler;
use stellar_fns::configuration::{self, Finding, Kind};

use crate::config::enrichment::EnrichmentSettings;
use crate::config::parser::ParserSettings;
use crate::config::{Compile, Error, Files, Global, Indexing, Warning};
use crate::grok::Library;

/// What is to be said about a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Why it is refused; nothing: it is not.
    pub(super) refused: Vec<Refusal>,
    /// What is noticed.
    pub(super) warnings: Vec<Warning>,
}

/// One reason to refuse a file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    /// The key, as a JSON pointer; empty where the file is no JSON.
    key: String,
    /// Line and column from 1, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// What is wrong, and what to do.
    message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(out, "line {line}, column {column}: ")?;
        }
        if !self.key.is_empty() {
            write!(out, "{}: ", self.key)?;
        }
        out.write_str(&self.message)
    }
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Self {
        let message = match finding.hint {
            Some(hint) => format!("{}; {hint}", finding.message),
            None => finding.message,
        };
        Self { key: finding.key, line: Some(finding.line), column: Some(finding.column), message }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (key, line, column, message) = match error {
            Error::Json { line, column, message } => (String::new(), Some(line), Some(column), message),
            Error::Value { key, message } => (key, None, None, message),
            Error::Expression(bad) => (bad.key, None, None, bad.message),
            Error::Foreign { key, class, known } => (key, None, None, format!("{class} is not known here; {known}")),
        };
        Self { key, line, column, message }
    }
}

/// Checks one of the files; patterns come from all of them.
pub(super) fn check(name: &str, text: &str, files: &Files) -> Findings {
    let mut with = Compile::default();
    let result = compile(name, text, files, &mut with);
    let mut warnings = with.into_warnings();
    let mut refused = Vec::new();
    match result {
        Ok(()) => {}
        Err(Error::Foreign { key, class, known }) => {
            let message = format!("{class} is not known here, this sensor can't be run; {known}");
            warnings.push(Warning { key, message });
        }
        Err(error) => refused.push(error),
    }
    let expressions = match refused.first() {
        Some(Error::Json { .. }) => Vec::new(),
        _ => expressions(name, text),
    };
    // Compiling ends at the first expression that is in error; all of them are known better.
    refused.retain(|error| expressions.is_empty() || !matches!(error, Error::Expression(_)));
    let refused = refused.into_iter().map(Refusal::from).chain(expressions.into_iter().map(Refusal::from));
    Findings { refused: refused.collect(), warnings }
}

/// What is wrong with the expressions of a file.
fn expressions(name: &str, text: &str) -> Vec<Finding> {
    match Kind::of(Path::new(name), text) {
        kind @ (Kind::Parser | Kind::Enrichment | Kind::Global) => {
            configuration::check(kind, text, &Compiler::default()).errors
        }
        Kind::Other | Kind::Script => Vec::new(),
    }
}

fn compile(name: &str, text: &str, files: &Files, with: &mut Compile) -> Result<(), Error> {
    let (kind, rest) = name.split_once('/').unwrap_or(("", name));
    let sensor = rest.strip_suffix(".json").unwrap_or(rest);
    match kind {
        "patterns" => Ok(()),
        "parsers" => {
            let settings = ParserSettings::compile(text, &Library::new(files.patterns()), with)?;
            if settings.parser.is_none() {
                with.warn("parserClassName", "is missing, this sensor can't be run; name a parser, such as GROK");
            }
            Ok(())
        }
        "enrichments" => EnrichmentSettings::compile(text, with).map(drop),
        "indexing" => Indexing::compile(text, sensor, with).map(drop),
        "" if name == "global.json" => Global::compile(text, with).map(drop),
        _ => {
            serde_json::from_str::<serde::de::IgnoredAny>(text)?;
            with.warn(name, "is not read by any program here; it is kept");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, text: &str) -> (Vec<String>, usize) {
        let findings = check(name, text, &Files::default());
        (findings.refused.iter().map(ToString::to_string).collect(), findings.warnings.len())
    }

    #[test]
    fn all_that_does_not_compile_is_refused_with_its_place() {
        let text = "{\"parserClassName\":\"JSON\",\"fieldTransformations\":[{\"transformation\":\"STELLAR\",\n\
                    \"output\":[\"x\",\"y\"],\"config\":{\"x\":\"TO_UPPER(\",\n  \"y\":\"1 +\",\"z\":\"1 + 1\"}}]}";
        let (refused, _) = checked("parsers/x.json", text);
        assert_eq!(refused.len(), 3, "{refused:?}");
        assert!(refused[0].starts_with("line 2, column "), "{refused:?}");
        assert!(refused[2].contains("line 3, column ") && refused[2].contains("/fieldTransformations/0/config/y: "));
        let (refused, _) = checked("global.json", "{\n\"a\": }");
        assert!(refused[0].starts_with("line 2, column 6: ") && refused.len() == 1, "{refused:?}");
        let text = r#"{"parserClassName":"JSON","parserConfig":{"mapStrategy":"FOLD"}}"#;
        let (refused, _) = checked("parsers/x.json", text);
        assert!(refused[0].starts_with("parserConfig.mapStrategy: ") && refused.len() == 1, "{refused:?}");
    }

    #[test]
    fn a_topic_that_cannot_be_is_refused() {
        for (topic, is_fine) in [("squid", true), ("a.b_c-1", true), ("", false), ("a b/c", false), ("..", false)] {
            let text = format!(r#"{{"parserClassName":"JSON","sensorTopic":"{topic}","errorTopic":""}}"#);
            let (refused, _) = checked("parsers/x.json", &text);
            assert_eq!(refused.is_empty(), is_fine, "{refused:?}");
            assert!(refused.iter().all(|said| said.starts_with("sensorTopic: ")), "{refused:?}");
        }
    }

    #[test]
    fn what_is_not_ours_is_only_warned_about() {
        let text = r#"{"parserClassName":"org.apache.metron.parsers.bro.BasicBroParser","sensorTopic":"bro","parserKonfig":{}}"#;
        assert_eq!(checked("parsers/bro.json", text), (vec![], 2));
        assert_eq!(checked("parsers/e.json", "{}"), (vec![], 1));
        assert_eq!(checked("profiler.json", "{}"), (vec![], 1));
        let text = r#"{"enrichment":{"fieldMap":{"geo":["ip"],"stellar":{"config":{"a":"ENRICHMENT_NOWHERE(1)"}}}}}"#;
        assert_eq!(checked("enrichments/x.json", text), (vec![], 2));
    }
}
