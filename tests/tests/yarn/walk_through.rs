//! The lines of the predecessor's documentation on a cluster, from the submission to the aggregated logs.

use crate::application::Application;
use crate::cluster::Cluster;
use anyhow::{Context, Result, ensure};
use hadoop_yarn::types::{ApplicationFilter, LogAggregation};
use integration_tests::{Site, get, program, repository, until};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
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
    let (cluster, site) = (Cluster::of_this_run().await?, Site::new().await?);
    let unknown = cluster.run(&site, &program("maas_service")?, &["--on", "yarn", "-q", "nope"]).await?.exits(3)?;
    ensure!(unknown.stderr.contains("no queue nope"), "{unknown:?}");
    let bin = metron_home(&site)?;
    let (service, deploy) = (bin.join("maas_service.sh"), bin.join("maas_deploy.sh"));
    let zk = site.connect.clone();
    cluster.run(&site, &service, &["-zq", &zk]).await?.exits(0)?;
    let found = cluster.rm.applications(&ApplicationFilter::unfinished()).await?;
    let [running] = found.as_slice() else { anyhow::bail!("{found:?}") };
    let tracking_url = running.tracking_url.clone().context("a tracking URL")?;
    let application = Application { id: running.id, cluster, site, tracking_url };
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
    for (host, answer) in [("yahoo.com", "legit"), ("cnn.com", "malicious")] {
        let (status, body) = get(&format!("{}/apply?host={host}", lines[1].trim())).await?;
        ensure!(status == 200 && body.contains(answer), "{host}: {status} {body}");
    }

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
    ensure!(application.site.registered("dga").await?.is_empty(), "a registration is left");
    nothing_is_staged(&application).await?;
    logs_are_aggregated(&application).await
}

/// What was put into HDFS for the application is taken away with it.
async fn nothing_is_staged(application: &Application) -> Result<()> {
    let port = application.cluster.port("nn.web")?;
    let url = format!("http://127.0.0.1:{port}/webhdfs/v1/user/root/.maas/{}?op=GETFILESTATUS", application.id);
    until(Duration::from_secs(20), "an empty staging directory", async || {
        let (status, body) = get(&url).await?;
        ensure!(status == 404, "{status} {body}");
        Ok(())
    })
    .await
}

/// Hadoop's own command reads what the models and their runners wrote.
async fn logs_are_aggregated(application: &Application) -> Result<()> {
    until(Duration::from_secs(30), "aggregated logs", async || {
        let report = application.cluster.report(application.id).await?;
        ensure!(report.log_aggregation == LogAggregation::Succeeded, "{:?}", report.log_aggregation);
        Ok(())
    })
    .await?;
    let class = "org.apache.hadoop.yarn.client.cli.LogsCLI";
    let id = application.id.to_string();
    let logs = application.cluster.java(&application.site, class, &["-applicationId", &id]).await?.exits(0)?;
    for part in ["LogType:runner.stderr", "LogType:stdout", "script started"] {
        ensure!(logs.stdout.contains(part), "no {part} in {logs:?}");
    }
    Ok(())
}
