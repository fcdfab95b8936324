//! `maas_enrich apply`: one stage on given messages, to see what a configuration does.
//!
//! JSON lines `{"id","config","message","group"?}` in, `{"id","message"}` or `{"id","error"}` out, in order, one each. Of triage only what the original's code
//! writes.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use stellar_fns::Environment;

use crate::config::Compile;
use crate::config::enrichment::{EnrichmentSettings, compile_stage};
use crate::config::parser::ParserSettings;
use crate::grok::Library;
use crate::message::Message;

/// Which stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// The field transformations of a parser's configuration
    Transformation,
    /// One group of an enrichment's configuration
    Enrichment,
    /// The threat triage of an enrichment's configuration
    Triage,
}

#[derive(Debug, Deserialize)]
struct Case<'a> {
    #[serde(default)]
    id: Json,
    #[serde(borrow)]
    config: &'a RawValue,
    message: Message,
    #[serde(default)]
    group: String,
}

/// What a case that can't be used is answered by.
#[derive(Debug, Deserialize)]
struct Id {
    #[serde(default)]
    id: Json,
}

#[derive(Debug, Serialize)]
struct Answer {
    id: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Said>,
}

#[derive(Debug, Serialize)]
struct Said {
    message: String,
    causes: Vec<String>,
}

/// Why there is no message; told to whoever asked.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Answers every line of the input.
pub async fn run(
    stage: Stage,
    input: impl BufRead,
    mut output: impl Write,
    environment: &Arc<Environment>,
) -> io::Result<()> {
    for line in input.split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = answer(stage, &line, environment).await;
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
    }
    output.flush()
}

async fn answer(stage: Stage, line: &[u8], environment: &Arc<Environment>) -> Answer {
    let case: Case<'_> = match serde_json::from_slice(line) {
        Ok(case) => case,
        Err(error) => {
            let message = format!("no {{\"id\",\"config\",\"message\"}}: {error}");
            let id = serde_json::from_slice::<Id>(line).map_or(Json::Null, |line| line.id);
            return Answer { id, message: None, error: Some(Said { message, causes: Vec::new() }) };
        }
    };
    let id = case.id.clone();
    match applied(stage, case, environment).await {
        Ok(message) => Answer { id, message: Some(message), error: None },
        Err(trouble) => {
            let mut causes = Vec::new();
            let mut next = trouble.source();
            while let Some(cause) = next {
                causes.push(cause.to_string());
                next = cause.source();
            }
            Answer { id, message: None, error: Some(Said { message: trouble.to_string(), causes }) }
        }
    }
}

async fn applied(stage: Stage, case: Case<'_>, environment: &Arc<Environment>) -> Result<Message, Trouble> {
    let mut with = Compile::default();
    let text = case.config.get();
    let mut message = case.message;
    match stage {
        Stage::Transformation => {
            let settings = ParserSettings::compile(text, &Library::default(), &mut with)?;
            for transformation in &settings.transformations {
                transformation.apply(&mut message, &[&settings.config], environment).await?;
            }
            Ok(message)
        }
        Stage::Enrichment => {
            let (groups, config) = compile_stage(text, &mut with)?;
            match groups.get(&case.group) {
                Some(group) => Ok(group.results(&message, &[&config], environment).await?),
                None => Ok(Message::default()),
            }
        }
        Stage::Triage => {
            let settings = EnrichmentSettings::compile(text, &mut with)?;
            let globals = settings.configuration.unwrap_or_default();
            settings.triage.apply(&mut message, &[&globals, &settings.triage_config], environment).await?;
            Ok(message)
        }
    }
}
