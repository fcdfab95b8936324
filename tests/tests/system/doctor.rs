//! DOCTOR on a running system: what lives is healthy, what a killed runner of Metron's left is found, mended, put back.

use anyhow::{Context, Result, ensure};
use integration_tests::Site;
use serde_json::Value;
use zookeeper_client::{Acls, CreateMode};

fn codes(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().filter_map(|finding| finding["code"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_registration_is_mended_and_the_living_are_left_alone() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("good")?.serves("")?;
    site.add(&model, "good", "1.0", 1).await?;
    let healthy = site.deploy(&["-mo", "DOCTOR", "--over", "1", "--json"]).await?.exits(0)?.json()?;
    ensure!(codes(&healthy).is_empty(), "{healthy}");

    // As Metron's runner registers, with a port that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let dead = format!(
        r#"{{"name":"good","id":"2","address":"127.0.0.1","port":{port},"sslPort":null,"payload":{{"@class":"org.apache.metron.maas.config.ModelEndpoint","endpoint":{{"url":"http://127.0.0.1:{port}","functions":{{"apply":"apply"}}}},"name":"good","version":"1.0","containerId":"2"}},"registrationTimeUTC":1,"serviceType":"STATIC","uriSpec":null}}"#
    );
    let path = "/maas/service/good/2";
    site.zk.create(path, dead.as_bytes(), &CreateMode::Persistent.with_acls(Acls::anyone_all())).await?;
    let found = site.deploy(&["doctor", "--over", "1", "--json"]).await?.exits(3)?.json()?;
    ensure!(codes(&found) == ["stale_registration"] && found["findings"][0]["path"] == path, "{found}");
    let unasked = site.deploy(&["doctor", "--over", "1", "--repair"]).await?.exits(2)?;
    ensure!(unasked.stderr.contains(path), "{unasked:?}");

    let saved = site.path("saved.json");
    let saved = saved.to_str().context("plain names")?;
    let repair = ["doctor", "--over", "1", "--repair", "--yes", "--save", saved, "--json"];
    let repaired = site.deploy(&repair).await?.exits(0)?.json()?;
    ensure!(repaired["repaired"][0] == path, "{repaired}");
    ensure!(site.answering("good", 1).await?[0].ephemeral);
    site.deploy(&["doctor", "--restore", saved]).await?.exits(0)?;
    let (data, _) = site.zk.get_data(path).await?;
    ensure!(data == dead.as_bytes());
    Ok(())
}
