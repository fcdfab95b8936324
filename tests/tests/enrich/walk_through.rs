//! The walk-through of the original's documentation, to the end: two lines of a proxy's log become two documents of the index.

use crate::world::{World, original, squid};
use anyhow::{Context, Result, ensure};
use integration_tests::{repository, until};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_two_lines_of_the_walk_through_become_its_two_documents() -> Result<()> {
    walk_through("opensearch-2.19").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_through_works_on_a_search_server_of_the_originals_time() -> Result<()> {
    walk_through("elasticsearch-5.6").await
}

async fn walk_through(engine: &str) -> Result<()> {
    let world = World::new(engine).await?;
    let (site, bin) = (&world.site, world.metron_home()?);
    let _master = site.master().await?;
    let example = repository().join("examples/mock_dga");
    let example = example.to_str().context("plain names")?;
    let dga = ["-mo", "ADD", "-n", "dga", "-v", "1.0", "-m", "512", "-ni", "1", "-lmp", example, "-hmp", "/models"];
    site.deploy(&[&dga[..], &["--wait", "60"]].concat()).await?.exits(0)?;

    // The original's own template, with its mapping type; where it is absent, the pipeline installs its own.
    if let (true, Some(template)) =
        (engine.starts_with("elasticsearch"), original("indexing/squid_index.template.json"))
    {
        world.send("PUT", "_template/squid_index", &std::fs::read_to_string(template)?).await?;
    }
    let config = world.config(&[
        ("global.json", "{}"),
        ("parsers/squid.json", &squid("parsers/squid.maas.json", "parsers/squid.json")?),
        ("enrichments/squid.json", &squid("enrichments/squid.json", "enrichments/squid.json")?),
        ("indexing/squid.json", &squid("indexing/squid.json", "indexing/squid.json")?),
    ])?;
    let config = config.to_str().context("plain names")?;
    let (zk, kafka) = (site.connect.as_str(), world.kafka.address.as_str());
    site.run(&bin.join("zk_load_configs.sh"), &["-m", "PUSH", "-i", config, "-z", zk]).await?.exits(0)?;
    world.kafka.make_topic("squid", 1).await?;
    let sink = format!("es+{}", world.search.address);
    let start = bin.join("start_parser_topology.sh");
    site.run_with(&start, &["-k", kafka, "-z", zk, "-s", "squid"], &[("MAAS_SINK", &sink)]).await?.exits(0)?;

    world.kafka.produce("squid", &std::fs::read(repository().join("examples/squid/access.log"))?).await?;
    let mut documents = until(Duration::from_secs(60), "two documents", async || {
        let found = world.documents("squid_index").await?;
        ensure!(found.len() >= 2, "{found:?}");
        Ok(found)
    })
    .await?;
    for document in &mut documents {
        let guid = document.as_object_mut().and_then(|fields| fields.remove("guid"));
        ensure!(guid.as_ref().and_then(Value::as_str).map(str::len) == Some(36), "no guid: {guid:?}");
    }
    assert_eq!(documents, [yahoo(), cnn()]);

    let maas_enrich = bin.join("maas_enrich");
    let status = site.run(&maas_enrich, &["status", "--json", "-z", zk]).await?.exits(0)?.json()?;
    assert_eq!(status[0]["sensor"], "squid", "{status}");
    site.run(&maas_enrich, &["stop", "-s", "squid", "-z", zk]).await?.exits(0)?;
    assert_eq!(world.count("squid_index").await?, 2);
    Ok(())
}

/// As the original's documentation prints it, with the index's names of fields.
fn yahoo() -> Value {
    json!({
        "action": "TCP_MISS", "bytes": 366, "code": 301, "domain_without_subdomains": "yahoo.com", "elapsed": 192,
        "full_hostname": "yahoo.com", "ip_dst_addr": "72.30.35.10", "ip_src_addr": "127.0.0.1", "is_malicious": "legit", "method": "GET",
        "original_string": "1571163620.277    192 127.0.0.1 TCP_MISS/301 366 GET http://yahoo.com/ - DIRECT/72.30.35.10 text/html",
        "source:type": "squid", "timestamp": 1_571_163_620_277_u64, "url": "http://yahoo.com/",
    })
}

/// The same, with what triage makes of it.
fn cnn() -> Value {
    json!({
        "action": "TCP_MISS", "bytes": 539, "code": 301, "domain_without_subdomains": "cnn.com", "elapsed": 106,
        "full_hostname": "cnn.com", "ip_dst_addr": "151.101.1.67", "ip_src_addr": "127.0.0.1", "is_malicious": "malicious", "method": "GET",
        "original_string": "1571163632.536    106 127.0.0.1 TCP_MISS/301 539 GET http://cnn.com/ - DIRECT/151.101.1.67 -",
        "source:type": "squid", "timestamp": 1_571_163_632_536_u64, "url": "http://cnn.com/",
        "is_alert": "true", "threat:triage:level": 100, "threat:triage:score": 100.0,
        "threat:triage:rules:0:comment": null, "threat:triage:rules:0:name": null, "threat:triage:rules:0:reason": null,
        "threat:triage:rules:0:score": "100",
    })
}
