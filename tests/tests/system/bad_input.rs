//! What nobody should send: each is set aside or refused with its reason, and nothing else waits for it.

use anyhow::{Result, ensure};
use base64::Engine;
use integration_tests::{Site, kazoo, until};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::time::Duration;

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn bad_messages() -> Vec<Vec<u8>> {
    let add = json!({"name":"bad","version":"1.0","numInstances":1,"memory":64,"action":"ADD","path":"/bad"});
    let with = |key: &str, value: Value| {
        let mut message = add.clone();
        message[key] = value;
        message.to_string().into_bytes()
    };
    let mut bad = vec![
        b"".to_vec(),
        br#"{"name":"bad","vers"#.to_vec(),
        b"\xff\xfe{}".to_vec(),
        vec![b' '; 1_000_000],
        format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)).into_bytes(),
        b"[]".to_vec(),
        b"42".to_vec(),
        with("surprise", json!(1)),
        with("action", json!("EXPLODE")),
        with("numInstances", json!(-1)),
        with("numInstances", json!(1e300)),
        with("numInstances", json!(1001)),
        with("memory", json!(-64)),
        with("memory", json!(u64::MAX)),
        with("version", Value::Null),
    ];
    for name in ["a/b", "..", ".", "a\"b", "a'b", "a\nb", "$(touch /tmp/pwned)", "", "-rf", "a b", "ä"] {
        bad.push(with("name", json!(name)));
    }
    for version in ["../1", "1/0", "$(id)", ""] {
        bad.push(with("version", json!(version)));
    }
    for path in ["/../../etc", "../etc", "/a/../../b"] {
        bad.push(with("path", json!(path)));
    }
    bad
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_set_aside_and_delay_nothing() -> Result<()> {
    let site = Site::new().await?;
    let mut master = site.master().await?;
    site.model("store/metron/good")?.serves("")?;
    let mut lines: Vec<String> = bad_messages().iter().map(|message| base64(message)).collect();
    let bad = lines.len();
    lines.push(base64(b"null"));
    let good = json!({"name":"good","version":"1.0","numInstances":1,"memory":64,"action":"ADD","path":"/metron/good"});
    lines.push(base64(good.to_string().as_bytes()));
    kazoo(&site.connect, &["offer-base64"], &(lines.join("\n") + "\n")).await?;

    site.answering_within(Duration::from_secs(20), "good", 1).await?;
    until(Duration::from_secs(20), "an empty queue", async || {
        let left = site.children("/maas/queue").await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await?;
    let mut reasons = 0;
    for id in site.children("/maas/state/rejected").await? {
        let rejected = site.node(&format!("/maas/state/rejected/{id}")).await?.unwrap_or_default();
        ensure!(rejected["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{rejected}");
        reasons += 1;
    }
    for id in site.children("/maas/state/requests").await? {
        let request = site.node(&format!("/maas/state/requests/{id}")).await?.unwrap_or_default();
        if request["outcome"] == "refused" {
            ensure!(request["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{request}");
            reasons += 1;
        }
    }
    assert_eq!(reasons, bad);
    assert_eq!(site.registered("bad").await?, []);
    assert!(!std::path::Path::new("/tmp/pwned").exists());
    let refused = site.deploy(&["-mo", "REQUESTS", "--refused"]).await?.exits(0)?;
    assert!(!refused.stdout.is_empty());
    assert!(master.terminate().await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swept_queue_root_is_made_again() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves("")?;
    site.add(&model, "m", "1.0", 1).await?;
    kazoo(&site.connect, &["sweep", "/maas/queue"], "").await?;
    until(Duration::from_secs(20), "the queue's root", async || {
        ensure!(site.zk.check_stat("/maas/queue").await?.is_some(), "not there");
        Ok(())
    })
    .await?;
    // Names begin again at 0, and the request is none the less a new one.
    site.add(&model, "m", "1.0", 1).await?;
    site.answering("m", 2).await?;
    assert_eq!(site.children("/maas/state/requests").await?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_model_directory_is_refused_before_anything_is_sent() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let none = site.model("none")?.file("readme.txt", "no script here")?;
    let two = site.model("two")?.file("a.sh", "#!/bin/sh\n")?.file("b.sh", "#!/bin/sh\n")?;
    let empty = site.model("empty")?;
    let out = site.model("out")?.file("run.sh", "#!/bin/sh\n")?;
    symlink("/etc/passwd", out.path().join("link"))?;
    let config = site.model("config")?.file("run.sh", "#!/bin/sh\n")?.file("maas.json", r#"{"drain":3}"#)?;
    let both = site.model("both")?.file("run.sh", "#!/bin/sh\n")?.file("maas.json", "{}")?.file("maas.yaml", "{}")?;
    for (model, code) in
        [(&none, "no_script"), (&two, "two_scripts"), (&empty, ""), (&out, "link_out"), (&config, ""), (&both, "")]
    {
        let args = ["-mo", "ADD", "-n", "m", "-v", "1.0", "-ni", "1", "-m", "64", "-lmp", model.arg(), "--json"];
        let refused = site.deploy(&args).await?.exits(3)?;
        let document = refused.json()?;
        ensure!(code.is_empty() || document["error"]["code"] == code, "{document}");
    }
    let missing = ["-mo", "ADD", "-n", "m", "-v", "1.0", "-ni", "1", "-m", "64", "-lmp", "/nowhere/at/all"];
    let code = site.deploy(&missing).await?.code;
    ensure!([3, 4].contains(&code), "exit {code}");
    assert_eq!(site.children("/maas/state/requests").await?, Vec::<String>::new());
    assert_eq!(site.children("/maas/state/models").await?, Vec::<String>::new());
    // An endpoint.dat of another run is neither sent nor taken for the new one's.
    let stale = site.model("stale")?.serves("")?.file("endpoint.dat", r#"{"url":"http://localhost:1"}"#)?;
    let added = site.add(&stale, "stale", "1.0", 1).await?;
    assert!(added.stderr.contains("endpoint.dat"), "{}", added.stderr);
    site.answering("stale", 1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_and_unknown_things_have_their_exit_codes() -> Result<()> {
    let site = Site::new().await?;
    site.deploy(&["-mo", "ADDD", "-n", "m"]).await?.exits(2)?;
    site.deploy(&["-mo", "ADD", "-n", "my model", "-v", "1.0", "-ni", "1", "-m", "64"])
        .await
        .map(|output| assert!([2, 3].contains(&output.code), "{output:?}"))?;
    site.deploy(&["-mo", "STATUS", "-n", "nobody", "-v", "1.0"]).await?.exits(4)?;
    site.deploy(&["-mo", "CALL", "-n", "nobody"]).await?.exits(4)?;
    site.service(&["status"]).await?.exits(4)?;
    site.deploy(&["-mo", "LIST", "-zq", "127.0.0.1:1", "--zk-timeout", "1"]).await?.exits(6)?;
    Ok(())
}
