//! What models write into `endpoint.dat`, and when.

use anyhow::{Result, ensure};
use integration_tests::{Site, until};
use serde_json::Value;
use std::time::Duration;

/// Publishes a model that never gets ready and waits until an event says this reason.
async fn never_ready(options: &str, settings: &str, code: &str, part: &str) -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves(options)?.file("maas.json", settings)?;
    site.deploy(&["-mo", "ADD", "-n", "m", "-v", "1.0", "-ni", "1", "-m", "64", "-lmp", model.arg()])
        .await?
        .exits(0)?;
    until(Duration::from_secs(40), code, async || {
        let status = site.deploy(&["-mo", "STATUS", "-n", "m", "-v", "1.0", "--json"]).await?.exits(0)?;
        let events = site.deploy(&["-mo", "EVENTS", "-n", "m", "--json"]).await?.exits(0)?;
        let mut all =
            events.json().map(|all| all.as_array().cloned().unwrap_or_default()).or_else(|_| events.json_lines())?;
        let said = status.json()?;
        let one = if said.is_array() { said[0].clone() } else { said };
        all.extend(one["instances"].as_array().cloned().unwrap_or_default());
        let fits = |event: &Value| {
            event["reason_code"] == code && event["reason"].as_str().is_some_and(|text| text.contains(part))
        };
        ensure!(all.iter().any(fits), "{}\n{}", status.stdout, events.stdout);
        Ok(())
    })
    .await?;
    assert_eq!(site.registered("m").await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_file_that_is_no_json_is_said() -> Result<()> {
    never_ready("--endpoint 'here I am'", "{}", "bad_endpoint", "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_another_host_is_said() -> Result<()> {
    never_ready(r#"--endpoint '{"url":"http://192.0.2.7:{port}"}'"#, "{}", "bad_endpoint", "192.0.2.7").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_with_an_impossible_port_is_said() -> Result<()> {
    never_ready(r#"--endpoint '{"url":"http://localhost:99999"}'"#, "{}", "bad_endpoint", "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_with_another_scheme_is_said() -> Result<()> {
    never_ready(r#"--endpoint '{"url":"ftp://localhost:{port}"}'"#, "{}", "bad_endpoint", "ftp").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_writes_none_is_given_up_after_its_time() -> Result<()> {
    never_ready("--quiet", r#"{"start_timeout_s":2}"#, "no_endpoint", "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_does_not_answer_its_probe_is_not_registered() -> Result<()> {
    never_ready("--deaf", r#"{"start_timeout_s":3,"ready":{"http":"/ping"}}"#, "probe_failed", "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_file_written_slowly_in_place_is_waited_for() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves("--slow-endpoint")?;
    site.add(&model, "m", "1.0", 1).await?;
    site.answering("m", 1).await?;
    let record = site.node("/maas/state/models/m/1.0/status").await?.unwrap_or_default();
    ensure!(record["restarts"].as_u64().unwrap_or(0) == 0, "{record}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_the_endpoint_file_are_published_and_called() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let options = r#"--endpoint '{"url":"http://0.0.0.0:{port}","functions":{"score":"v2/score","apply":"apply"}}'"#;
    let model = site.model("m")?.serves(options)?;
    site.add(&model, "m", "1.0", 1).await?;
    let registered = site.answering("m", 1).await?;
    ensure!(registered[0].url().starts_with("http://127.0.0.1:"), "{registered:?}");
    let call =
        site.deploy(&["-mo", "CALL", "-n", "m", "--function", "score", "a=1 2", "b=ä&c"]).await?.exits(0)?.json()?;
    let target = call["target"].as_str().unwrap_or_default();
    ensure!(target.starts_with("/v2/score?") && !target.contains(' ') && target.contains("%C3%A4%26c"), "{target}");
    Ok(())
}
