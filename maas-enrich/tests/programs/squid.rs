//! The squid example: its logs through its configuration, with a model that answers as the example's.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maas_enrich::config::{Files, Sensor};
use maas_enrich::event::{Place, Raw};
use maas_enrich::message::Message;
use maas_enrich::pipeline::{Observer, Pipeline, Stage};
use serde_json::Value as Json;
use stellar_fns::Environment;
use stellar_fns::maas::{Answer, Endpoint, Failure, ModelCall, ModelCaller, Outcome};

/// Calls yahoo.com and amazon.com legit, every other host malicious, and answers nothing without a host.
#[derive(Debug)]
struct Dga;

#[async_trait]
impl ModelCaller for Dga {
    async fn endpoint(&self, name: &str, _: Option<&str>) -> Result<Endpoint, Failure> {
        Ok(Endpoint { name: name.into(), version: "1.0".into(), url: "http://x".into(), functions: Arc::default() })
    }

    async fn apply(&self, call: ModelCall) -> Result<Answer, Failure> {
        let host = call.arguments.get("host").and_then(Json::as_str).filter(|host| !host.is_empty());
        let Some(host) = host else {
            return Err(Failure {
                outcome: Outcome::BadAnswer,
                model: Some(call.name.into()),
                version: call.version.map(Into::into),
                message: "no host".into(),
            });
        };
        let verdict = if ["yahoo.com", "amazon.com"].contains(&host) { "legit" } else { "malicious" };
        let value = serde_json::Map::from_iter([("is_malicious".to_owned(), Json::from(verdict))]);
        Ok(Answer {
            value: Arc::new(value),
            size: 0,
            model: call.name,
            version: "1.0".into(),
            instance: "1".into(),
            url: "http://x".into(),
            latency: Duration::ZERO,
            cached: false,
        })
    }

    fn report(&self, _: &'static str, _: &Failure) {}
}

struct Nobody;

impl Observer for Nobody {
    fn done(&mut self, _: Stage, _: &Message, _: Duration) {}
}

fn pipeline(directory: &Path, parser: &str, with_triage: bool, patterns: bool) -> Pipeline {
    let mut files = Files::from_directory(directory).expect("the example can be read");
    let text = files.get(&format!("parsers/{parser}.json")).expect("the parser is there").to_owned();
    files.0.insert("parsers/squid.json".into(), text);
    files.0.insert("global.json".into(), r#"{"triage.level":false}"#.into());
    if !with_triage {
        files.0.remove("enrichments/squid.json");
    }
    if !patterns {
        files.0.retain(|name, _| !name.starts_with("patterns/"));
    }
    let (sensor, warnings) = Sensor::compile("squid", &files).expect("the example compiles");
    assert_eq!(warnings, []);
    let environment = Environment { models: Some(Arc::new(Dga)), ..Environment::default() };
    Pipeline::new(Arc::new(sensor), Arc::new(environment))
}

async fn documents(pipeline: &Pipeline, log: &Path) -> Vec<Json> {
    let log = std::fs::read_to_string(log).expect("the log can be read");
    let mut documents = Vec::new();
    for (index, line) in log.lines().enumerate() {
        let place = Place::File { identity: "log".into(), offset: index as u64, so_far: uuid::Uuid::nil() };
        let raw = Raw::new(line.as_bytes().to_vec(), place);
        let outcome = pipeline.process(&raw, &mut Nobody).await;
        assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
        let mut document: Json = serde_json::to_value(outcome.message.expect("a message")).expect("a document");
        let guid = document.as_object_mut().and_then(|fields| fields.remove("guid")).expect("a guid");
        assert_eq!(guid.as_str().map(str::len), Some(36));
        documents.push(document);
    }
    documents
}

fn expected(file: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(file).expect("the documents can be read");
    let parse = |line: &str| -> Json { serde_json::from_str(line).expect("a document is JSON") };
    let mut documents: Vec<Json> = text.lines().map(parse).collect();
    for document in &mut documents {
        document.as_object_mut().expect("an object").remove("guid");
    }
    documents
}

#[tokio::test]
async fn every_log_of_the_example_becomes_the_expected_documents() {
    let Some(directory) = crate::example("squid") else { return };
    let mut checked = 0;
    for patterns in [true, false] {
        let parsed = pipeline(&directory, "squid.maas", false, patterns);
        let triaged = pipeline(&directory, "squid.maas", true, patterns);
        for entry in std::fs::read_dir(directory.join("logs")).expect("the logs can be listed") {
            let log = entry.expect("a log").path();
            let name = log.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            let wanted = |kind: &str| expected(&directory.join(format!("expected/{name}.{kind}.jsonl")));
            assert_eq!(documents(&parsed, &log).await, wanted("parsed"), "{name}, patterns of files: {patterns}");
            assert_eq!(documents(&triaged, &log).await, wanted("triaged"), "{name}, patterns of files: {patterns}");
            checked += 1;
        }
    }
    println!("{checked} logs as expected");
    assert!(checked >= 12);
}

#[tokio::test]
async fn the_documents_of_the_sample_data_and_the_readme_come_out() {
    let Some(directory) = crate::example("squid") else { return };
    let log = |name: &str| directory.join("logs").join(name);
    let wanted = |name: &str| expected(&directory.join("expected").join(name));
    let default = pipeline(&directory, "squid.default", false, true);
    assert_eq!(documents(&default, &log("squid_example_output.log")).await, wanted("squid_example_parsed.jsonl"));
    let maas = pipeline(&directory, "squid.maas", false, true);
    assert_eq!(documents(&maas, &log("maas_readme.log")).await, wanted("enrichments_topic.from_readme.jsonl"));
}
