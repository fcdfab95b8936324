//! The lines of the predecessor's documentation on a cluster, from the submission to the aggregated logs.

use crate::aggregated::{logs_are_the_same_as_hadoop_s, what_is_not_there_is_said};
use crate::application::Application;
use crate::cluster::Cluster;
use anyhow::{Context, Result, ensure};
use integration_tests::{ModelDir, Site, get, program, repository, until};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `METRON_HOME/bin`, as `install.sh` lays it out.
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
async fn the_lines_of_the_walk_through_work_on_a_cluster() -> Result<()> {
    let (cluster, site) = (Cluster::shared().await?, Site::new().await?);
    let unknown = cluster.run(&site, &program("maas_service")?, &["--on", "yarn", "-q", "nope"]).await?.exits(3)?;
    ensure!(unknown.stderr.contains("no queue nope"), "{unknown:?}");
    let bin = metron_home(&site)?;
    let (service, deploy) = (bin.join("maas_service.sh"), bin.join("maas_deploy.sh"));
    let zk = site.connect.clone();
    let said = cluster.run(&site, &service, &["-zq", &zk]).await?.exits(0)?;
    let id = said.stderr.lines().find_map(|line| line.split_once("submitted ")).context("an id")?.1.parse()?;
    let report = cluster.report(id).await?;
    let tracking_url = report.tracking_url.context("a tracking URL")?;
    let mut application = Application { id, cluster, site, tracking_url, is_over: false };
    application.leads(1).await?;
    let (status, page) = get(&application.tracking_url).await?;
    ensure!(status == 200 && page.contains("<html"), "{}: {status} {page}", application.tracking_url);

    let example = repository().join("examples/mock_dga");
    let example = example.to_str().context("plain names")?;
    let mut add = vec!["-zq", &zk, "-lmp", example, "-hmp", "/user/root/models", "-mo", "ADD"];
    add.extend(["-m", "512", "-n", "dga", "-v", "1.0", "-ni", "2"]);
    application.cluster.run(&application.site, &deploy, &add).await?.exits(0)?;
    application.site.answering("dga", 2).await?;
    let list = application.cluster.run(&application.site, &deploy, &["-zq", &zk, "-mo", "LIST"]).await?.exits(0)?;
    let lines: Vec<&str> = list.stdout.lines().collect();
    ensure!(lines.len() == 3 && lines[0] == "Model dga @ 1.0", "{list:?}");
    models_answer(&application, lines[1].trim()).await?;

    let logs = application.deploy(&["-mo", "LOGS", "-n", "dga", "-v", "1.0"]).await?.exits(0)?;
    ensure!(logs.stdout.contains("mock DGA listens on port") && !logs.stdout.contains("LogType"), "{logs:?}");

    let seen = application.cluster.application_cli(&application.site, &["-list"]).await?.exits(0)?;
    ensure!(seen.stdout.contains(&application.id.to_string()) && seen.stdout.contains("MAAS"), "{seen:?}");
    let refused = application.service(&["stop"]).await?.exits(2)?;
    ensure!(refused.stderr.contains("--with-models"), "{refused:?}");
    let second = application.service(&["--on", "yarn"]).await?.exits(8)?;
    ensure!(second.stderr.contains(&application.id.to_string()), "{second:?}");

    let remove = ["-zq", &zk, "-mo", "REMOVE", "-n", "dga", "-v", "1.0", "-ni", "1"];
    application.cluster.run(&application.site, &deploy, &remove).await?.exits(0)?;
    application.site.answering("dga", 1).await?;
    application.stop().await?;
    logs_are_the_same_as_hadoop_s(&application, "dga", 2).await?;
    what_is_not_there_is_said(&application, "dga").await?;
    ensure!(application.site.registered("dga").await?.is_empty(), "a registration is left");
    application.nothing_is_staged_of(application.id).await
}

/// curl's way and Stellar's.
async fn models_answer(application: &Application, url: &str) -> Result<()> {
    for (host, answer) in [("yahoo.com", "legit"), ("cnn.com", "malicious")] {
        let called = format!("{url}/apply?host={host}");
        let body = application.site.run(Path::new("curl"), &["-sSf", &called]).await?.exits(0)?;
        ensure!(body.stdout.contains(answer), "{host}: {body:?}");
        let expression =
            format!("MAP_GET('is_malicious', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {{'host' : '{host}'}}))");
        let args = ["-z", &application.site.connect, "-e", &expression];
        let value = application.site.run(&program("stellar")?, &args).await?.exits(0)?;
        ensure!(value.stdout.contains(answer), "{host}: {value:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_a_container_are_followed_until_it_ends_and_read_after_its_application() -> Result<()> {
    let mut application = Application::start().await?;
    let model = ModelDir::new(application.site.path("ticks"))?
        .file("run.sh", "#!/bin/sh\nwhile sleep 0.1; do n=$((n + 1)); echo \"tick $n\"; done\n")?;
    application.add_as("ticks", &model, &["-ni", "1", "-m", "128"]).await?.exits(0)?;
    let logs = ["logs", "-n", "ticks", "--stream", "stdout", "--tail", "1"];
    until(Duration::from_secs(30), "a first tick", async || {
        let seen = application.deploy(&logs).await?.exits(0)?;
        ensure!(seen.stdout.starts_with("tick "), "{seen:?}");
        Ok(())
    })
    .await?;
    let follow = [&logs[..], &["--follow"]].concat();
    let removal = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        application.withdraw("ticks", "1").await
    };
    let (followed, removed) = tokio::join!(application.deploy(&follow), removal);
    removed?;
    let followed = followed?.exits(0)?;
    let numbers: Vec<u32> =
        followed.stdout.lines().filter_map(|line| line.strip_prefix("tick ")?.parse().ok()).collect();
    let first = numbers.first().copied().unwrap_or_default();
    let is_whole = numbers.iter().copied().eq((first..).take(numbers.len()));
    ensure!(numbers.len() > 10 && is_whole, "each tick once, and many of them: {numbers:?}");
    // Asked again from here on: no master leads, and nobody names the application.
    application.stop().await?;
    let ended = application.deploy(&["logs", "-n", "ticks", "--stream", "stdout"]).await?.exits(0)?;
    let numbers: Vec<u32> = ended.stdout.lines().filter_map(|line| line.strip_prefix("tick ")?.parse().ok()).collect();
    let is_whole = numbers.iter().copied().eq((1..).take(numbers.len()));
    ensure!(is_whole && numbers.len() > 10 && ended.stderr.contains(&application.id.to_string()), "{ended:?}");
    let last =
        application.deploy(&["logs", "-n", "ticks", "--stream", "stdout", "--tail", "1", "--json"]).await?.exits(0)?;
    let lines = last.json_lines()?;
    ensure!(lines.len() == 1 && lines[0]["line"] == format!("tick {}", numbers.len()), "{last:?}");
    Ok(())
}
