//! Partitions change hands while calls of a slow model are out: each line is one document nevertheless.

use crate::world::World;
use anyhow::{Result, ensure};
use integration_tests::until;
use std::fmt::Write;
use std::time::Duration;

const LINES: u64 = 4_000;
const BOUND: Duration = Duration::from_secs(90);
const PARSER: &str = r#"{"parserClassName":"JSON","fieldTransformations":[{"transformation":"STELLAR","output":["verdict"],
  "config":{"verdict":"MAP_GET('is_malicious', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('m'), {'host' : host}))"}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_one_document_though_members_are_killed_while_calls_are_out() -> Result<()> {
    let world = World::new("opensearch-2.19").await?;
    let _master = world.site.master().await?;
    world.site.add(&world.site.model("m")?.serves("--delay 150")?, "m", "1.0", 1).await?;
    let config = world.config(&[
        ("global.json", r#"{"stellar.maas.settings":{"cache.ttl.ms":0}}"#),
        ("parsers/asked.json", PARSER),
    ])?;
    world.kafka.make_topic("asked", 4).await?;
    let mut lines = String::new();
    for number in 0..LINES {
        let timestamp = 1_571_163_620_000 + number;
        // Writing to a String can't fail.
        let _ = writeln!(lines, r#"{{"n":{number},"host":"host{number}.example.com","timestamp":{timestamp}}}"#);
    }
    world.kafka.produce("asked", lines.as_bytes()).await?;

    let more_than = async |documents: u64| {
        until(BOUND, "more documents", async || {
            let count = world.count("asked_index").await?;
            ensure!(count > documents, "{count} of {documents} and more; {}", world.log());
            Ok(count)
        })
        .await
    };
    let start = || world.pipeline("asked", "asked", &config, &[]);
    let mut members = [start()?, start()?];
    let mut documents = more_than(0).await?;
    for one in 0..3 {
        let member = &mut members[one % 2];
        member.kill().await?;
        *member = start()?;
        documents = more_than(documents.min(LINES - 1)).await?;
    }
    more_than(LINES - 1).await?;
    drop(members);
    // What was written and not committed is written over.
    let mut rest = world.pipeline("asked", "asked", &config, &["--once"])?;
    ensure!(rest.wait().await?.success(), "{}", world.log());
    assert_eq!(world.count("asked_index").await?, LINES);
    assert_eq!(world.count("error").await?, 0, "no line is an error");
    ensure!(world.documents("asked_index").await?.iter().any(|one| one["verdict"].is_string()), "the model was asked");
    let mut none = world.pipeline("asked", "asked", &config, &["--once"])?;
    ensure!(none.wait().await?.success(), "{}", world.log());
    ensure!(world.log().contains("done: 0 in"), "all is committed: {}", world.log());
    Ok(())
}
