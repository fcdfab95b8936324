//! All of a sensor's files together, compiled: what a pipeline runs.

use thiserror::Error as ThisError;

use super::enrichment::EnrichmentSettings;
use super::parser::ParserSettings;
use super::{Compile, Error, Files, Global, Indexing, Warning};
use crate::grok::Library;

/// A file of the configuration can't be used.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
#[error("{file}: {reason}")]
pub struct BadFile {
    /// Which.
    pub file: String,
    /// Why.
    pub reason: Box<Error>,
}

/// A sensor's configuration.
#[derive(Debug)]
pub struct Sensor {
    /// Its name, which is also `source.type`.
    pub name: String,
    /// global.json.
    pub global: Global,
    /// parsers/NAME.json.
    pub parser: ParserSettings,
    /// enrichments/NAME.json.
    pub enrichment: EnrichmentSettings,
    /// indexing/NAME.json.
    pub indexing: Indexing,
}

impl Sensor {
    /// Compiles a sensor's files. Only its parser's must be there. The warnings name their file.
    pub fn compile(name: &str, files: &Files) -> Result<(Self, Vec<(String, Warning)>), BadFile> {
        let mut warnings = Vec::new();
        let mut noted = |file: &str, with: Compile| {
            warnings.extend(with.into_warnings().into_iter().map(|warning| (file.to_owned(), warning)));
        };
        let bad = |file: &str| {
            let file = file.to_owned();
            move |source| BadFile { file, reason: Box::new(source) }
        };

        let mut with = Compile::default();
        let text = files.get("global.json");
        let global = text.map(|text| Global::compile(text, &mut with)).transpose().map_err(bad("global.json"))?;
        noted("global.json", with);

        let file = format!("parsers/{name}.json");
        let mut with = Compile::default();
        let library = Library::new(files.patterns());
        let text =
            files.get(&file).ok_or_else(|| bad(&file)(Error::value("parserClassName", "there is no such file")))?;
        let parser = ParserSettings::compile(text, &library, &mut with).map_err(bad(&file))?;
        if parser.parser.is_none() {
            return Err(bad(&file)(Error::value("parserClassName", "is needed; name a parser, such as GROK")));
        }
        noted(&file, with);

        let file = format!("enrichments/{name}.json");
        let mut with = Compile::default();
        let text = files.get(&file);
        let enrichment =
            text.map(|text| EnrichmentSettings::compile(text, &mut with)).transpose().map_err(bad(&file))?;
        noted(&file, with);

        let file = format!("indexing/{name}.json");
        let mut with = Compile::default();
        let indexing = match files.get(&file) {
            Some(text) => Indexing::compile(text, name, &mut with).map_err(bad(&file))?,
            None => Indexing::default_for(name),
        };
        noted(&file, with);

        let sensor = Self {
            name: name.to_owned(),
            global: global.unwrap_or_default(),
            parser,
            enrichment: enrichment.unwrap_or_default(),
            indexing,
        };
        Ok((sensor, warnings))
    }
}
