//! Containers: granted, started, looked at, stopped, and their ends.

use std::collections::BTreeMap;

use anyhow::Context as _;
use hadoop_yarn::client::{ApplicationMaster, Heartbeat, Signal, Start};
use hadoop_yarn::rpc::{ExceptionKind, Options, RetryPolicy};
use hadoop_yarn::shell;
use hadoop_yarn::types::{
    Ask, ContainerState, ExitStatus, FinalStatus, LaunchContext, LocalResource, Resource, ResourceKind, Token,
    Visibility,
};

use crate::cluster::Cluster;

#[tokio::test]
async fn a_container_is_started_looked_at_and_stopped() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("stopped", false).await?;
    let container = master.containers(7, Resource::new(100, 1), 1).await?.remove(0);
    assert_eq!(container.resource.memory_mb, 128, "rounded up to a multiple of the minimum");

    let unknown = master.node(&container)?.statuses(&[container.id]).await?;
    assert!(unknown.failed[0].exception.message().contains("is not handled by this NodeManager"), "{unknown:?}");
    let started = master.start(&container, "sleep 600").await?;
    assert_eq!((started.succeeded.as_slice(), started.failed.len()), (&[container.id][..], 0), "{started:?}");
    let again = master.start(&container, "sleep 600").await?;
    assert!(again.failed[0].exception.message().contains("Attempt to relaunch"), "{again:?}");

    let statuses = master.node(&container)?.statuses(&[container.id]).await?.statuses;
    assert_eq!((statuses[0].state, statuses[0].exit_status), (ContainerState::Running, ExitStatus::INVALID));
    let listed = cluster.client.containers(master.attempt).await?;
    assert!(listed.iter().any(|report| report.id == container.id), "{listed:?}");

    let stopped = master.node(&container)?.stop(&[container.id]).await?;
    assert_eq!(stopped.succeeded, [container.id]);
    let end = master.end_of(container.id).await?;
    assert_eq!((end.exit_status, end.state), (ExitStatus::KILLED_BY_MASTER, ContainerState::Complete), "{end:?}");
    master.calls.finish(FinalStatus::Succeeded, "done", "").await?;
    let report = cluster.report_when(master.attempt.application, "over", |report| report.state.is_over()).await?;
    assert_eq!((report.final_status, report.diagnostics.as_str()), (FinalStatus::Succeeded, "done"));
    Ok(())
}

#[tokio::test]
async fn a_container_gets_its_words_variables_and_files_as_they_were_given() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("words", false).await?;
    let container = master.containers(1, Resource::new(64, 1), 1).await?.remove(0);
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("given.txt");
    std::fs::write(&file, "from a file")?;
    let metadata = std::fs::metadata(&file)?;
    let modified = metadata.modified()?.duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let resource = LocalResource {
        url: format!("file://{}", file.display()).parse()?,
        size: i64::try_from(metadata.len())?,
        timestamp: i64::try_from(modified)?,
        kind: ResourceKind::File,
        visibility: Visibility::Application,
    };
    let output = directory.path().join("output");
    let value = r#"it's "5$" \ `x` {y}"#;
    let script = format!(r#"printf '%s|%s|%s' "$1" "$V" "$(cat sub/link)" > {}"#, output.display());
    let context = LaunchContext {
        local_resources: BTreeMap::from([("sub/link".to_owned(), resource)]),
        environment: BTreeMap::from([("V".to_owned(), shell::environment_value(value))]),
        commands: vec![shell::command(["bash", "-c", &script, "bash", value])],
        ..LaunchContext::default()
    };
    let outcome = master.node(&container)?.start(vec![Start::new(&container, context).context("a token")?]).await?;
    assert_eq!(outcome.failed, []);
    let end = master.end_of(container.id).await?;
    assert_eq!(end.exit_status, ExitStatus::SUCCESS, "{end:?}");
    assert_eq!(std::fs::read_to_string(&output)?, format!("{value}|{value}|from a file"));
    master.kill().await
}

#[tokio::test]
async fn ends_are_told_apart() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("ends", false).await?;
    let containers = master.containers(1, Resource::new(64, 1), 4).await?;
    let [failing, killed, hungry, released] = containers.as_slice() else { anyhow::bail!("four were asked for") };
    master.start(failing, "{ echo oops 1>&2; exit 3; }").await?;
    master.start(killed, "sleep 600").await?;
    // Holds far more than it has, and no more than this machine bears.
    master.start(hungry, r"bash -c 'x=\$(head -c 250000000 /dev/zero | tr \\\\0 a); sleep 600'").await?;
    let failed = master.end_of(failing.id).await?;
    assert_eq!(failed.exit_status, ExitStatus(3));
    assert!(failed.diagnostics.contains("oops"), "{}", failed.diagnostics);

    let node = master.node(killed)?;
    node.signal(killed.id, Signal::Kill).await?;
    assert_eq!(master.end_of(killed.id).await?.exit_status, ExitStatus(137));
    let starved = master.end_of(hungry.id).await?;
    assert_eq!(starved.exit_status, ExitStatus::MEMORY, "{starved:?}");
    assert!(starved.diagnostics.contains("beyond the 'PHYSICAL' memory limit"), "{}", starved.diagnostics);

    master.sleep(released).await?;
    master.beat(&Heartbeat { release: vec![released.id], ..Heartbeat::default() }).await?;
    assert_eq!(master.end_of(released.id).await?.exit_status, ExitStatus::ABORTED);
    master.kill().await
}

#[tokio::test]
async fn one_bad_ask_fails_the_heartbeat_and_the_next_good_one_is_served() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("asks", false).await?;
    let bad = Ask::anywhere(1, Resource::new(1 << 20, 1), 1);
    let error = master.calls.allocate(&Heartbeat { asks: vec![bad], ..Heartbeat::default() }).await.unwrap_err();
    assert_eq!(error.kind(), Some(ExceptionKind::InvalidResourceRequest), "{error:?}");
    let labelled = Ask { node_label: Some("nope".to_owned()), ..Ask::anywhere(2, Resource::new(64, 1), 1) };
    let error = master.calls.allocate(&Heartbeat { asks: vec![labelled], ..Heartbeat::default() }).await.unwrap_err();
    assert_eq!(error.kind(), Some(ExceptionKind::InvalidLabel), "{error:?}");
    master.containers(3, Resource::new(64, 1), 2).await?;
    master.kill().await
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_a_killed_attempt_is_told_that_it_is_over() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("tokens", false).await?;
    let config = hadoop_yarn::config::YarnConfig {
        options: Options { retry: RetryPolicy::never(), ..cluster.config.options.clone() },
        ..cluster.config.clone()
    };
    let forged = Token::new(master.token.identifier().to_vec(), "a guess", Token::AM_RM, "");
    let error = ApplicationMaster::new(&config, forged).allocate(&Heartbeat::default()).await.unwrap_err();
    assert_eq!(error.kind(), Some(ExceptionKind::AccessControl), "{error:?}");

    while !cluster.client.kill(master.attempt.application, "").await? {}
    let on_the_open_connection = master.calls.allocate(&Heartbeat::default()).await.unwrap_err();
    assert!(on_the_open_connection.is_attempt_over(), "{on_the_open_connection:?}");
    let on_a_new_one =
        ApplicationMaster::new(&config, master.token.clone()).allocate(&Heartbeat::default()).await.unwrap_err();
    assert!(on_a_new_one.is_attempt_over(), "{on_a_new_one:?}");
    Ok(())
}
