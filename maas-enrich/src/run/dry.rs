//! `--dry-run`: what each stage does to the first lines, and nothing written.

use std::io::{self, Write};
use std::time::Duration;

use maas_cli::output::Out;
use serde_json::{Value as Json, json};

use crate::event::Raw;
use crate::message::Message;
use crate::pipeline::{Observer, Pipeline, Stage};
use crate::source::{Error, Source};

/// Keeps what every stage made.
#[derive(Default)]
struct Seen(Vec<(Stage, Message)>);

impl Observer for Seen {
    fn done(&mut self, stage: Stage, message: &Message, _: Duration) {
        self.0.push((stage, message.clone()));
    }
}

/// Shows up to so many lines. Gives how many error records there were.
pub(super) async fn show(
    source: &mut dyn Source,
    pipeline: &Pipeline,
    lines: usize,
    as_json: bool,
) -> Result<u64, Error> {
    let mut out = Out::stdout();
    let (mut shown, mut errors) = (0, 0);
    while shown < lines {
        let Some(batch) = source.next().await? else { break };
        for raw in batch.into_iter().take(lines - shown) {
            shown += 1;
            let mut seen = Seen::default();
            let outcome = pipeline.process(&raw, &mut seen).await;
            errors += outcome.errors.len() as u64;
            let records: Vec<&Message> = outcome.errors.iter().map(|(_, record)| record).collect();
            let steps = steps(&seen.0);
            let said = if as_json {
                let line = String::from_utf8_lossy(&raw.bytes);
                let more = &outcome.more;
                out.json(&json!({"line": line, "stages": steps, "message": outcome.message, "more": more, "errors": records}))
            } else {
                out.bytes(&text(&raw, &steps, outcome.message.is_some(), &records)?)
            };
            said.map_err(written)?;
        }
    }
    Ok(errors)
}

/// What each stage set and took away.
fn steps(seen: &[(Stage, Message)]) -> Vec<Json> {
    let nothing = Message::default();
    let mut before = &nothing;
    let mut steps = Vec::new();
    for (stage, message) in seen {
        let is_new = |name: &str, json: &Json| json!(before)[name] != *json || !before.has(name);
        let all = json!(message);
        let set: serde_json::Map<String, Json> = message
            .iter()
            .filter(|(name, _)| is_new(name, &all[name.as_str()]))
            .map(|(name, _)| (name.to_string(), all[name.as_str()].clone()))
            .collect();
        let removed: Vec<&str> =
            before.iter().map(|(name, _)| name.as_str()).filter(|name| !message.has(name)).collect();
        if !set.is_empty() || !removed.is_empty() {
            steps.push(json!({"stage": stage.as_str(), "set": set, "removed": removed}));
        }
        before = message;
    }
    steps
}

fn text(raw: &Raw, steps: &[Json], goes_on: bool, errors: &[&Message]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut write = || -> io::Result<()> {
        writeln!(out, "{}", String::from_utf8_lossy(&raw.bytes))?;
        for step in steps {
            writeln!(out, "  {}", step["stage"].as_str().unwrap_or_default())?;
            for (name, value) in step["set"].as_object().into_iter().flatten() {
                writeln!(out, "    {name} = {value}")?;
            }
            for name in step["removed"].as_array().into_iter().flatten() {
                writeln!(out, "    {} removed", name.as_str().unwrap_or_default())?;
            }
        }
        for record in errors {
            let text = |name: &str| record.get(name).map(ToString::to_string).unwrap_or_default();
            writeln!(out, "  {}: {}", text("error_type"), text("stack").replace('\n', "\n    "))?;
        }
        writeln!(out, "{}", if goes_on { "  -> written" } else { "  -> not written" })
    };
    write().map_err(written)?;
    Ok(out)
}

fn written(source: io::Error) -> Error {
    Error::Unreadable { name: "standard output".into(), source }
}
