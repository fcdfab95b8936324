//! Programs of others: kazoo and Apache Curator 2.7.1 with the recipes that Metron's own clients use.

use anyhow::{Context, Result, ensure};
use integration_tests::{Site, curator, kazoo, until};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const NINE_KEYS: [&str; 9] =
    ["name", "id", "address", "port", "sslPort", "payload", "registrationTimeUTC", "serviceType", "uriSpec"];

/// A model as Metron's client leaves it in the store: flat files, no manifest.
fn publish_flat(site: &Site, name: &str) -> Result<()> {
    site.model(&format!("store/metron/{name}"))?.serves("")?;
    Ok(())
}

fn request(name: &str, action: &str, instances: u32) -> String {
    let (memory, path) = if action == "ADD" { (64, json!(format!("/metron/{name}"))) } else { (0, Value::Null) };
    json!({"name": name, "version": "1.0", "numInstances": instances, "memory": memory, "action": action, "path": path})
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_foreign_clients_understand_each_other() -> Result<()> {
    let site = Site::new().await?;
    curator(&site.connect, &["register", "dga", "1.0", "2", "http://127.0.0.1:9"], "").await?;
    let seen = kazoo(&site.connect, &["services", "dga"], "").await?.json_lines()?;
    assert_eq!(seen[0]["keys"], json!(NINE_KEYS));
    kazoo(&site.connect, &["offer"], "\"{\\\"name\\\":1}\"").await?;
    let taken = curator(&site.connect, &["poll", "5000"], "").await?;
    assert_eq!(taken.stdout.trim(), r#"{"name":1}"#);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kazoo_adds_and_removes_and_reads_our_registrations() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    publish_flat(&site, "k")?;
    kazoo(&site.connect, &["offer"], &serde_json::to_string(&request("k", "ADD", 2))?).await?;
    site.answering("k", 2).await?;
    let seen = kazoo(&site.connect, &["services", "k"], "").await?.json_lines()?;
    assert_eq!(seen.len(), 2);
    for one in &seen {
        assert_eq!(one["keys"], json!(NINE_KEYS), "{one}");
        assert_eq!((&one["ephemeral"], &one["data"]["serviceType"]), (&json!(true), &json!("DYNAMIC")), "{one}");
        assert_eq!(one["data"]["payload"]["@class"], "org.apache.metron.maas.config.ModelEndpoint");
    }
    kazoo(&site.connect, &["offer"], &serde_json::to_string(&request("k", "REMOVE", 1))?).await?;
    site.answering("k", 1).await?;
    assert_eq!(site.wanted("k", "1.0").await?, Some(1));
    site.no_orphans(&["k"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn curator_adds_and_removes_and_discovers_our_registrations() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    publish_flat(&site, "c")?;
    curator(&site.connect, &["offer"], &request("c", "ADD", 2)).await?;
    let registered = site.answering("c", 2).await?;
    let seen = curator(&site.connect, &["services", "c"], "").await?.json_lines()?;
    let mut ids: Vec<&str> = seen.iter().filter_map(|one| one["id"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, registered.iter().map(|one| one.id.as_str()).collect::<Vec<_>>());
    for one in &seen {
        assert_eq!((&one["name"], &one["version"], &one["type"]), (&json!("c"), &json!("1.0"), &json!("DYNAMIC")));
        assert_eq!(one["functions"], json!({"apply": "apply"}));
        let url = one["url"].as_str().context("a url")?;
        assert_eq!(url, format!("http://{}:{}", one["address"].as_str().unwrap_or_default(), one["port"]));
    }
    curator(&site.connect, &["offer"], &request("c", "REMOVE", 2)).await?;
    site.answering("c", 0).await?;
    assert_eq!(curator(&site.connect, &["services", "c"], "").await?.stdout, "");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_register_is_listed_and_called_and_left_alone() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves("")?;
    site.add(&model, "m", "1.0", 1).await?;
    let url = site.answering("m", 1).await?[0].url().to_string();
    curator(&site.connect, &["register", "theirs", "2.0", "7", &url], "").await?;
    let listed = until(Duration::from_secs(10), "theirs in LIST", async || {
        let list = site.deploy(&["-mo", "LIST", "-n", "theirs", "--json"]).await?.exits(0)?.json()?;
        ensure!(list[0]["name"] == "theirs", "{list}");
        Ok(list)
    })
    .await?;
    assert_eq!((&listed[0]["managed"], &listed[0]["endpoints"][0]["url"]), (&json!(false), &json!(url)));
    let call = site.deploy(&["-mo", "CALL", "-n", "theirs", "host=yahoo.com"]).await?.exits(0)?;
    assert_eq!(call.json()?["is_malicious"], "legit");
    // A registration of ours goes with its model; theirs stays.
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "1", "--wait", "60"]).await?.exits(0)?;
    assert_eq!(site.registered("theirs").await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_master_of_metrons_has_its_six_keys_only() -> Result<()> {
    let site = Site::new().await?;
    let model = site.model("m")?.serves("")?;
    let store = format!("file://{}", site.path("store").display());
    let args = [
        "-mo",
        "ADD",
        "-n",
        "m",
        "-v",
        "1.0",
        "-ni",
        "2",
        "-m",
        "512",
        "-lmp",
        model.arg(),
        "-hmp",
        "/models",
        "--store",
        &store,
    ];
    site.deploy(&args).await?.exits(0)?;
    let taken = curator(&site.connect, &["poll", "5000"], "").await?;
    let expected =
        r#"{"name":"m","version":"1.0","numInstances":2,"memory":512,"action":"ADD","path":"/models/m/1.0"}"#;
    let message = taken.stdout.trim();
    assert_eq!(serde_json::from_str::<Value>(message)?, serde_json::from_str::<Value>(expected)?);
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "1"]).await?.exits(0)?;
    let taken = curator(&site.connect, &["poll", "5000"], "").await?;
    let expected = r#"{"name":"m","version":"1.0","numInstances":1,"memory":0,"action":"REMOVE","path":null}"#;
    assert_eq!(serde_json::from_str::<Value>(taken.stdout.trim())?, serde_json::from_str::<Value>(expected)?);
    // LIST reads; Metron's left a message behind.
    site.deploy(&["-mo", "LIST"]).await?.exits(0)?;
    assert_eq!(site.children("/maas/queue").await?, Vec::<String>::new());
    assert!(Path::new(&site.path("store")).exists());
    Ok(())
}
