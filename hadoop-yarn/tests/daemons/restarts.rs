//! Masters, ResourceManager and NodeManager that die and come back.

use std::time::{Duration, Instant};

use anyhow::ensure;
use hadoop_yarn::client::Heartbeat;
use hadoop_yarn::types::{ApplicationAttemptId, ApplicationState, ContainerState, ExitStatus, FinalStatus, Resource};

use crate::cluster::{BOUND, Cluster, Master};

#[tokio::test]
async fn the_next_attempt_takes_over_the_containers_of_one_that_died() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut first = cluster.master("two attempts", true).await?;
    let container = first.containers(5, Resource::new(64, 1), 1).await?.remove(0);
    first.start(&container, "sleep 600").await?;
    // What survives is what the ResourceManager has seen running.
    let began = Instant::now();
    while !cluster
        .client
        .containers(first.attempt)
        .await?
        .iter()
        .any(|seen| seen.id == container.id && seen.state == ContainerState::Running)
    {
        ensure!(began.elapsed() < BOUND, "it does not run");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    kill_processes_of(&cluster, &cluster.master_container(first.attempt).await?.to_string())?;
    let attempt = ApplicationAttemptId { attempt: 2, ..first.attempt };
    let mut second = Master::of(&cluster, attempt).await?;
    let registered = second.register().await?;
    assert_eq!(registered.containers.iter().map(|kept| kept.id).collect::<Vec<_>>(), [container.id]);
    assert_eq!(registered.containers[0].allocation_request_id, Some(5));
    assert_eq!(registered.node_tokens[0].1.attempt(), Some(first.attempt), "the old attempt's token, good for both");

    // The number begins anew, so only the whole id tells the two apart.
    let new = second.containers(6, Resource::new(64, 1), 1).await?.remove(0);
    assert_eq!((new.id.number(), new.id == container.id), (container.id.number(), false));
    let stopped = second.node(&container)?.stop(&[container.id]).await?;
    assert_eq!(stopped.succeeded, [container.id]);
    assert_eq!(second.end_of(container.id).await?.exit_status, ExitStatus::KILLED_BY_MASTER);
    assert!(first.calls.allocate(&Heartbeat::default()).await.unwrap_err().is_attempt_over());
    second.kill().await
}

#[tokio::test]
async fn after_a_restart_of_the_resource_manager_the_master_registers_again_and_its_containers_run_on()
-> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("restart of rm", true).await?;
    let container = master.containers(1, Resource::new(64, 1), 1).await?.remove(0);
    master.sleep(&container).await?;
    cluster.hadoop(&["kill9", "--daemon", "rm"]).await?;
    let heartbeat = Heartbeat::default();
    let again = async { anyhow::Ok(master.calls.allocate(&heartbeat).await) };
    let ((), answer) = tokio::try_join!(cluster.hadoop(&["start"]), again)?;
    let error = answer.unwrap_err();
    assert!(error.is_not_registered(), "the call waited for the ResourceManager to come back: {error:?}");

    // Told or not, depending on whether the node was faster than we: a master must know by itself. What is told has no token to start it with.
    let registered = master.register().await?;
    assert!(registered.containers.iter().all(|told| told.id == container.id && told.token.is_none()), "{registered:?}");
    let more = master.containers(2, Resource::new(64, 1), 1).await?.remove(0);
    assert!(more.id.epoch() > container.id.epoch(), "{} after {}", more.id, container.id);
    let statuses = master.node(&container)?.statuses(&[container.id]).await?;
    assert_eq!(statuses.statuses[0].state, ContainerState::Running);
    master.calls.finish(FinalStatus::Succeeded, "", "").await?;
    let report = cluster.report_when(master.attempt.application, "over", |report| report.state.is_over()).await?;
    assert_eq!(report.state, ApplicationState::Finished);
    Ok(())
}

#[tokio::test]
async fn a_node_manager_that_comes_back_has_its_containers_and_takes_the_old_tokens() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut master = cluster.master("restart of nm", false).await?;
    let containers = master.containers(1, Resource::new(64, 1), 2).await?;
    master.sleep(&containers[0]).await?;
    cluster.hadoop(&["kill9", "--daemon", "nm1"]).await?;
    let again = master.node(&containers[0])?;
    let ids = [containers[0].id];
    let ask = async { anyhow::Ok(again.statuses(&ids).await?) };
    let ((), statuses) = tokio::try_join!(cluster.hadoop(&["start"]), ask)?;
    assert_eq!(statuses.statuses[0].state, ContainerState::Running);
    assert_eq!(master.start(&containers[1], "exit 7").await?.failed, []);
    assert_eq!(master.end_of(containers[1].id).await?.exit_status, ExitStatus(7));
    master.kill().await
}

/// Kills every process that runs in a container of this name, as a crash would.
fn kill_processes_of(cluster: &Cluster, container: &str) -> anyhow::Result<()> {
    let marks = [format!("CONTAINER_ID={container}"), format!("LOCAL_DIRS={}/", cluster.directory.display())];
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let variables: Vec<_> = environment.split(|&byte| byte == 0).map(String::from_utf8_lossy).collect();
        if variables.iter().any(|variable| *variable == marks[0])
            && variables.iter().any(|variable| variable.starts_with(&marks[1]))
        {
            let pid = entry.file_name().to_string_lossy().into_owned();
            killed += i32::from(std::process::Command::new("kill").args(["-9", &pid]).status()?.success());
        }
    }
    ensure!(killed > 0, "no process of {container}");
    Ok(())
}
