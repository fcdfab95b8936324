//! A model that is gone for a while: lines go on without its answers, and with them when it is back.

use crate::world::World;
use anyhow::{Context, Result, bail, ensure};
use integration_tests::{Process, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long the model is gone.
const GONE: Duration = Duration::from_secs(10);
/// How long no document may come meanwhile: the deadline of a call, a batch's age, and what a busy machine adds.
const STALL: Duration = Duration::from_secs(4);

const PARSER: &str = r#"{"parserClassName":"JSON","fieldTransformations":[{"transformation":"STELLAR","output":["verdict"],
  "config":{"verdict":"MAP_GET('is_malicious', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('m'), {'host' : host}))"}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_hangs_for_ten_seconds_holds_nothing_up_and_answers_again_afterwards() -> Result<()> {
    while_gone(async |model| signal(model, Signal::STOP), async |model| signal(model, Signal::CONT)).await
}

async fn while_gone(
    go: impl AsyncFn(&[Process]) -> Result<()>,
    come: impl AsyncFn(&[Process]) -> Result<()>,
) -> Result<()> {
    let world = World::new("opensearch-2.19").await?;
    let _master = world.site.master().await?;
    world.site.add(&world.site.model("m")?.serves("")?, "m", "1.0", 1).await?;
    let model: Vec<Process> = world.site.processes().into_iter().filter(|one| one.instance.is_some()).collect();
    ensure!(!model.is_empty(), "the model has a process");
    let config = world.config(&[
        ("global.json", r#"{"stellar.maas.settings":{"cache.ttl.ms":0}}"#),
        ("parsers/asked.json", PARSER),
    ])?;
    world.kafka.make_topic("asked", 1).await?;
    let _pipeline = world.pipeline("asked", "asked", &config, &[])?;
    let _producer = world.kafka.keep_producing("asked", Duration::from_millis(5), |number| {
        format!(r#"{{"n":{number},"host":"host{number}.example.com","timestamp":{}}}"#, 1_571_163_620_000 + number)
    })?;

    answered(&world).await?;
    go(&model).await?;
    let (start, mut seen, mut last, mut longest) = (Instant::now(), 0, Instant::now(), Duration::ZERO);
    while start.elapsed() < GONE {
        let count = world.count("asked_index").await?;
        if count > seen {
            (seen, last) = (count, Instant::now());
        }
        longest = longest.max(last.elapsed());
    }
    ensure!(longest < STALL, "no document for {longest:?}; {}", world.log());
    // On a busy machine what was answered before may take its time to be written.
    until(Duration::from_secs(60), "a document without an answer", async || {
        let newest = newest(&world).await?;
        ensure!(newest.get("verdict").is_none(), "{newest}; {}", world.log());
        Ok(())
    })
    .await?;
    come(&model).await?;
    answered(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_whose_model_was_gone_are_put_aside_and_become_the_same_documents_later() -> Result<()> {
    let world = World::new("opensearch-2.19").await?;
    let _master = world.site.master().await?;
    let config = world.config(&[("global.json", "{}"), ("parsers/asked.json", PARSER)])?;
    world.kafka.make_topic("asked", 1).await?;
    let lines =
        (0..20).map(|n| format!("{{\"n\":{n},\"host\":\"h{n}\",\"timestamp\":{}}}\n", 1_571_163_620_000_u64 + n));
    world.kafka.produce("asked", lines.collect::<String>().as_bytes()).await?;
    let again = format!("kafka://{}/again", world.kafka.address);
    let mut pipeline = world.pipeline("asked", "asked", &config, &["--once", "--retry", &again])?;
    ensure!(pipeline.wait().await?.success(), "{}", world.log());
    let documents = world.documents("asked_index").await?;
    ensure!(documents.len() == 20 && documents.iter().all(|one| one.get("verdict").is_none()), "{documents:?}");

    world.site.add(&world.site.model("m")?.serves("")?, "m", "1.0", 1).await?;
    let mut pipeline = world.pipeline("asked", "again", &config, &["--once"])?;
    ensure!(pipeline.wait().await?.success(), "{}", world.log());
    let documents = world.documents("asked_index").await?;
    ensure!(documents.len() == 20 && documents.iter().all(|one| one["verdict"].is_string()), "{documents:?}");
    Ok(())
}

/// Waits until the newest document has an answer of the model.
async fn answered(world: &World) -> Result<()> {
    until(Duration::from_secs(30), "an answer of the model", async || {
        let newest = newest(world).await?;
        ensure!(newest["verdict"].is_string(), "{newest}; {}", world.log());
        Ok(())
    })
    .await
}

async fn newest(world: &World) -> Result<Value> {
    let query = serde_json::json!({"size": 1, "sort": [{"timestamp": "desc"}]});
    world.ask("asked_index*/_refresh", None).await?;
    let found = world.ask("asked_index*/_search", Some(&query)).await?;
    found.pointer("/hits/hits/0/_source").cloned().with_context(|| format!("no document: {found}"))
}

fn signal(processes: &[Process], signal: Signal) -> Result<()> {
    for process in processes {
        let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { bail!("{process:?}") };
        kill_process(pid, signal).context("can't signal the model")?;
    }
    Ok(())
}
