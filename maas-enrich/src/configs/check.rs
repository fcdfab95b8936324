//! Whether a file can be pushed: what is wrong with it, and what is only worth a warning. Pure.
//!
//! A whole configuration of the original goes through: what is not ours is warned about.

use crate::config::enrichment::EnrichmentSettings;
use crate::config::parser::ParserSettings;
use crate::config::{Compile, Error, Files, Global, Indexing, Warning};
use crate::grok::Library;

/// What is to be said about a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Why it is refused.
    pub(super) refused: Option<Error>,
    /// What is noticed.
    pub(super) warnings: Vec<Warning>,
}

/// Checks one of the files; patterns come from all of them.
pub(super) fn check(name: &str, text: &str, files: &Files) -> Findings {
    let mut with = Compile::default();
    let result = compile(name, text, files, &mut with);
    let mut warnings = with.into_warnings();
    let refused = match result {
        Ok(()) => None,
        Err(Error::Foreign { key, class, known }) => {
            let message = format!("{class} is not known here, this sensor can't be run; {known}");
            warnings.push(Warning { key, message });
            None
        }
        Err(error) => Some(error),
    };
    Findings { refused, warnings }
}

fn compile(name: &str, text: &str, files: &Files, with: &mut Compile) -> Result<(), Error> {
    let (kind, rest) = name.split_once('/').unwrap_or(("", name));
    let sensor = rest.strip_suffix(".json").unwrap_or(rest);
    match kind {
        "patterns" => Ok(()),
        "parsers" => ParserSettings::compile(text, &Library::new(files.patterns()), with).map(drop),
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

    fn checked(name: &str, text: &str) -> (Option<String>, Vec<String>) {
        let findings = check(name, text, &Files::default());
        let warnings = findings.warnings.iter().map(ToString::to_string).collect();
        (findings.refused.map(|error| error.to_string()), warnings)
    }

    #[test]
    fn what_does_not_compile_is_refused_with_its_place() {
        let text = r#"{"parserClassName":"JSON","fieldTransformations":[{"transformation":"STELLAR","output":"x","config":{"x":"TO_UPPER("}}]}"#;
        let (refused, _) = checked("parsers/x.json", text);
        assert!(refused.unwrap().starts_with("fieldTransformations[0].config.x: "));
        let (refused, _) = checked("global.json", "{\n\"a\": }");
        assert!(refused.unwrap().starts_with("line 2, column 6: "));
    }

    #[test]
    fn what_is_not_ours_is_only_warned_about() {
        let text = r#"{"parserClassName":"org.apache.metron.parsers.bro.BasicBroParser","sensorTopic":"bro","parserKonfig":{}}"#;
        let (refused, warnings) = checked("parsers/bro.json", text);
        assert_eq!((refused, warnings.len()), (None, 2), "{warnings:?}");
        let (refused, warnings) = checked("profiler.json", "{}");
        assert_eq!((refused, warnings.len()), (None, 1));
        let text = r#"{"enrichment":{"fieldMap":{"geo":["ip"],"stellar":{"config":{"a":"ENRICHMENT_NOWHERE(1)"}}}}}"#;
        let (refused, warnings) = checked("enrichments/x.json", text);
        assert_eq!((refused, warnings.len()), (None, 2), "{warnings:?}");
    }
}
