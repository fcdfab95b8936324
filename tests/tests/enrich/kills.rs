//! Whatever is killed while lines come in, each line is one document in the end.

use crate::world::{World, squid};
use anyhow::{Result, ensure};
use integration_tests::until;
use std::fmt::Write;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_one_document_though_pipeline_kafka_and_search_server_are_killed() -> Result<()> {
    lines_through_kills(6_000, 2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/test.sh soak runs it"]
async fn soak_each_of_many_lines_is_one_document_though_all_are_killed() -> Result<()> {
    lines_through_kills(100_100, 10).await
}

/// Sends lines in portions; within each the pipeline is killed, within one Kafka, and within another the search server.
async fn lines_through_kills(lines: u64, kills: u64) -> Result<()> {
    const BOUND: Duration = Duration::from_secs(120);
    let world = World::new("opensearch-2.19").await?;
    let config = world.config(&[
        ("global.json", "{}"),
        ("parsers/squid.json", &squid("parsers/squid.default.json", "parsers/squid.json")?),
        ("indexing/squid.json", r#"{"elasticsearch":{"index":"squid","batchSize":100,"enabled":true}}"#),
    ])?;
    world.kafka.make_topic("squid", 2).await?;
    let portion = lines / (kills + 1);
    for round in 0..=kills {
        let mut pipeline = world.pipeline("squid", "squid", &config, &[])?;
        let text = log(round * portion, portion);
        let faults = async {
            let before = round * portion;
            until(BOUND, "documents of this portion", async || {
                let count = world.count("squid_index").await?;
                ensure!(count > before, "{count} of {before} and more; {}", world.log());
                Ok(())
            })
            .await?;
            if round == kills / 3 {
                world.kafka.kill().await?;
                world.kafka.restart().await?;
            }
            if round == kills * 2 / 3 {
                world.search.kill().await?;
                world.search.restart().await?;
            }
            if round < kills {
                pipeline.kill().await?;
            }
            anyhow::Ok(())
        };
        tokio::try_join!(world.kafka.produce("squid", text.as_bytes()), faults)?;
        if round == kills {
            until(BOUND, "all documents", async || {
                let count = world.count("squid_index").await?;
                ensure!(count >= lines, "{count} of {lines}; {}", world.log());
                Ok(())
            })
            .await?;
        }
    }
    assert_eq!(world.count("squid_index").await?, lines);
    assert_eq!(world.count("error").await?, 0, "no line is an error");
    Ok(())
}

/// Lines of a proxy's log.
fn log(from: u64, count: u64) -> String {
    let mut text = String::new();
    for number in from..from + count {
        let millis = 1_571_163_620_000 + number;
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "{}.{:03}    192 127.0.0.1 TCP_MISS/301 {number} GET http://host{}.example.com/{number} - DIRECT/72.30.35.10 text/html",
            millis / 1_000,
            millis % 1_000,
            number % 1_000
        );
    }
    text
}
