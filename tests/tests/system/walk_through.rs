//! The lines of the predecessor's documentation, as they stand, from a directory laid out as `install.sh` does it.

use anyhow::{Context, Result, ensure};
use integration_tests::{Site, get, program, repository, until};
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

/// `METRON_HOME/bin`, with the programs and the scripts that have Metron's names.
fn metron_home(site: &Site) -> Result<PathBuf> {
    let bin = site.path("home/bin");
    std::fs::create_dir_all(&bin)?;
    for name in ["maas_service", "maas_master", "maas_runner", "maas_deploy"] {
        symlink(program(name)?, bin.join(name))?;
    }
    for name in ["maas_service.sh", "maas_deploy.sh"] {
        std::fs::copy(repository().join("scripts").join(name), bin.join(name))?;
    }
    Ok(bin)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_walk_through_work_as_they_stand() -> Result<()> {
    let site = Site::new().await?;
    let bin = metron_home(&site)?;
    let (service, deploy) = (bin.join("maas_service.sh"), bin.join("maas_deploy.sh"));
    let state = site.path("state");
    let state = state.to_str().context("plain names")?;
    let zk = site.connect.as_str();
    let example = repository().join("examples/mock_dga");
    let example = example.to_str().context("plain names")?;

    site.run_with(&service, &["-zq", zk], &[("MAAS_STATE_DIR", state)]).await?.exits(0)?;
    let published = [
        "-zq",
        zk,
        "-lmp",
        example,
        "-hmp",
        "/user/root/models",
        "-mo",
        "ADD",
        "-m",
        "512",
        "-n",
        "dga",
        "-v",
        "1.0",
        "-ni",
        "1",
    ];
    site.run(&deploy, &published).await?.exits(0)?;
    let url = until(Duration::from_secs(30), "dga in LIST", async || {
        let list = site.run(&deploy, &["-zq", zk, "-mo", "LIST"]).await?.exits(0)?;
        let mut lines = list.stdout.lines();
        ensure!(lines.next() == Some("Model dga @ 1.0"), "{list:?}");
        Ok(lines.next().context("a url below the model")?.trim().to_string())
    })
    .await?;
    let (status, body) = get(&format!("{url}/apply?host=caseystella.com")).await?;
    assert_eq!((status, serde_json::from_str::<Value>(&body)?["is_malicious"].as_str()), (200, Some("malicious")));
    let (_, body) = get(&format!("{url}/apply?host=yahoo.com")).await?;
    assert_eq!(serde_json::from_str::<Value>(&body)?["is_malicious"], "legit");

    site.run(&deploy, &["-zq", zk, "-mo", "REMOVE", "-n", "dga", "-v", "1.0", "-ni", "1"]).await?.exits(0)?;
    until(Duration::from_secs(30), "no registration", async || {
        let left = site.registered("dga").await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await?;
    let list = site.run(&deploy, &["-zq", zk, "-mo", "LIST"]).await?.exits(0)?;
    assert_eq!(list.stdout, "");
    site.run(&service, &["stop", "--with-models", "-zq", zk]).await?.exits(0)?;
    site.empty().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_through_call_and_a_second_add_adds() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves("")?;
    let added = site
        .deploy(&[
            "-mo",
            "ADD",
            "-n",
            "m",
            "-v",
            "1.0",
            "-ni",
            "2",
            "-m",
            "64",
            "-lmp",
            model.arg(),
            "--wait",
            "60",
            "--json",
        ])
        .await?;
    let document = added.exits(0)?.json()?;
    assert_eq!(document["outcome"], "done", "{document}");
    assert_eq!(document["instances"].as_array().map(Vec::len), Some(2), "{document}");
    site.add(&model, "m", "1.0", 1).await?;
    site.answering("m", 3).await?;
    let call = site.deploy(&["-mo", "CALL", "-n", "m", "host=yahoo.com"]).await?.exits(0)?;
    assert_eq!(call.json()?["is_malicious"], "legit");
    let listed = site.deploy(&["-mo", "LIST", "--json"]).await?.exits(0)?.json()?;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["current"], &listed[0]["managed"], &listed[0]["wanted"]),
        (&"m".into(), &true.into(), &true.into(), &3.into())
    );
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "1", "--wait", "60"]).await?.exits(0)?;
    site.answering("m", 1).await?;
    site.deploy(&["-mo", "STATUS", "-n", "m", "--check"]).await?.exits(0)?;
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "1", "--wait", "60"]).await?.exits(0)?;
    assert_eq!(site.running_instances(), Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_version_by_number_is_the_current_one() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves("")?;
    for version in ["9.0", "10.0", "10.0-rc1"] {
        site.add(&model, "m", version, 1).await?;
    }
    let call = site.deploy(&["-mo", "CALL", "-n", "m", "host=x"]).await?.exits(0)?;
    assert_eq!(call.json()?["version"], "10.0");
    let listed = site.deploy(&["-mo", "LIST"]).await?.exits(0)?;
    let models: Vec<&str> = listed.stdout.lines().filter(|line| line.starts_with("Model ")).collect();
    assert_eq!(models, ["Model m @ 9.0", "Model m @ 10.0-rc1", "Model m @ 10.0"]);
    Ok(())
}
