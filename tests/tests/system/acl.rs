//! A root with credentials: who may read and write what.

use anyhow::{Context, Result, ensure};
use integration_tests::{Master, Site, kazoo};
use maas_client::zk::Credential;
use std::os::unix::fs::PermissionsExt;

#[tokio::test(flavor = "multi_thread")]
async fn with_credentials_the_state_is_the_masters_and_anyone_may_ask() -> Result<()> {
    let site = Site::new().await?;
    let file = site.path("zk-auth");
    std::fs::write(&file, "maas:master-secret\n")?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    let mut options = site.options();
    options.args = vec!["--zk-auth-file".into(), file.to_str().context("plain names")?.into()];
    let master = Master::start(&options).await?;
    let model = site.model("m")?.serves("")?;
    // A client without credentials may publish, and may read what is public.
    site.add(&model, "m", "1.0", 1).await?;
    site.answering("m", 1).await?;
    let listed = site.deploy(&["-mo", "LIST"]).await?.exits(0)?;
    ensure!(listed.stdout.contains("Model m @ 1.0"), "{listed:?}");
    for path in ["/maas/state/x", "/maas/state/instances/x", "/maas/state/models/m/2.0", "/maas/service/m/x"] {
        let answer = kazoo(&site.connect, &["try-create", path], "").await?;
        assert_eq!(answer.stdout.trim(), "\"NoAuthError\"", "{path}");
    }
    let answer = kazoo(&site.connect, &["try-create", "/maas/queue/qn-"], "").await?;
    assert_eq!(answer.stdout.trim(), "\"created\"");
    let acl = kazoo(&site.connect, &["acl", "/maas/state"], "").await?;
    ensure!(acl.stdout.contains("digest"), "{acl:?}");
    // No secret is on a command line, in a log or in what models see.
    let runners = Credential::from_file(&file)?.for_runner().to_line();
    let runners = runners.split_once(':').context("user:password")?.1.to_string();
    let tells = |text: &str| text.contains("master-secret") || text.contains(&runners);
    let processes = site.processes();
    ensure!(processes.len() >= 4, "master, runner, guard and model: {processes:?}");
    for process in processes {
        ensure!(!tells(&process.command), "{process:?}");
        let environment = std::fs::read(format!("/proc/{}/environ", process.pid))?;
        ensure!(!tells(&String::from_utf8_lossy(&environment)), "{process:?}");
    }
    ensure!(!tells(&master.log()), "a secret is in the master's log");
    let id = site.registered("m").await?.first().context("a registration")?.id.clone();
    for file in ["launch.json", "runner.log", "lock"] {
        let text = std::fs::read_to_string(site.path(&format!("state/instances/{id}/{file}")))?;
        ensure!(!tells(&text), "a secret is in {file}");
    }
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "1", "--wait", "60"]).await?.exits(0)?;
    Ok(())
}
