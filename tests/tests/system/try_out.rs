//! TRY: a model is started, called and ended where the person sits, with no ZooKeeper and no master.

use anyhow::{Context, Result, ensure};
use integration_tests::{Site, repository};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_scratch_copy_answers_and_leaves_nothing_behind() -> Result<()> {
    let site = Site::new().await?;
    let example = repository().join("examples/mock_dga");
    let example = example.to_str().context("plain names")?;
    // An address that nobody has: TRY must not look for ZooKeeper at all.
    let try_out = ["-zq", "192.0.2.1:1", "-mo", "TRY", "-lmp", example];
    let said = site.deploy(&[&try_out[..], &["host=yahoo.com"]].concat()).await?.exits(0)?;
    ensure!(said.json()? == json!({"is_malicious": "legit"}), "{said:?}");
    let said = site.deploy(&[&try_out[..], &["--json", "host=cnn.com"]].concat()).await?.exits(0)?.json()?;
    ensure!(said["outcome"] == "answered" && said["answer"]["is_malicious"] == "malicious", "{said}");
    let started = site.deploy(&[&try_out[..], &["--json"]].concat()).await?.exits(0)?.json()?;
    ensure!(started["outcome"] == "ready" && started["functions"]["apply"] == "apply", "{started}");
    ensure!(site.children("/").await?.is_empty(), "something stands in ZooKeeper");
    ensure!(site.running_instances().is_empty(), "{:?}", site.running_instances());
    site.empty().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_says_why_and_a_bad_directory_is_refused() -> Result<()> {
    let site = Site::new().await?;
    let bad = site.model("bad")?.file("run.sh", "#!/bin/sh\necho no weights here >&2\nexit 3\n")?;
    let failed = site.deploy(&["try", "-lmp", bad.arg(), "--json"]).await?.exits(7)?.json()?;
    let told = (&failed["outcome"], &failed["reason_code"], &failed["exit_code"], &failed["stderr"]);
    ensure!(told == (&json!("failed"), &json!("script_exited"), &json!(3), &json!(["no weights here"])), "{failed}");
    let said = site.deploy(&["try", "-lmp", bad.arg()]).await?.exits(7)?;
    ensure!(said.stderr.contains("no weights here") && said.stdout.is_empty(), "{said:?}");
    let none = site.model("none")?.file("readme", "")?;
    let refused = site.deploy(&["try", "-lmp", none.arg(), "--json"]).await?.exits(3)?.json()?;
    ensure!(refused["error"]["code"] == "no_script", "{refused}");
    site.empty().await
}
