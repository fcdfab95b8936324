//! What a client reads and orders.

use std::time::Duration;

use anyhow::Context as _;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::config::YarnConfig;
use hadoop_yarn::rpc::{Authentication, ExceptionKind, Options, RetryPolicy};
use hadoop_yarn::types::{
    ApplicationFilter, ApplicationId, ApplicationState, FinalStatus, LaunchContext, NodeState, Resource, Submission,
};

use crate::cluster::{Cluster, USER};

#[tokio::test]
async fn nodes_queues_and_metrics_are_read_over_one_connection_at_once() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let client = &cluster.client;
    let running = [NodeState::Running];
    let (nodes, queue, none, metrics) =
        tokio::join!(client.nodes(&running), client.queue("root.default"), client.queue("nope"), client.metrics());
    let nodes = nodes?;
    assert!(!nodes.is_empty() && nodes[0].capability.memory_mb == 8192, "{nodes:?}");
    let queue = queue?.context("the queue is there")?;
    assert_eq!((queue.name.as_str(), queue.path.as_str(), queue.capacity), ("default", "root.default", 0.5));
    assert_eq!(none?, None);
    assert_eq!(metrics?.active, i32::try_from(nodes.len())?);
    Ok(())
}

#[tokio::test]
async fn an_unknown_application_is_told_as_such() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let error = cluster.client.report(ApplicationId { cluster_timestamp: 1, id: 99 }).await.unwrap_err();
    assert_eq!(error.kind(), Some(ExceptionKind::ApplicationNotFound), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn an_application_is_submitted_listed_and_killed() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let id = cluster.client.new_application().await?.id;
    let context = LaunchContext { commands: vec!["sleep 600".to_owned()], ..LaunchContext::default() };
    let submission = Submission {
        queue: "models".to_owned(),
        tags: vec!["a-tag".to_owned()],
        ..Submission::new(id, "to be killed", context, Resource::new(64, 1))
    };
    cluster.client.submit(&submission).await?;
    let report = cluster.report_when(id, "stored", |report| report.state.is_stored()).await?;
    assert_eq!(
        (report.name.as_str(), report.user.as_str(), report.queue.as_str()),
        ("to be killed", USER, "root.models")
    );
    let filter = ApplicationFilter {
        tags: vec!["a-tag".to_owned()],
        users: vec![USER.to_owned()],
        ..ApplicationFilter::unfinished()
    };
    assert!(cluster.client.applications(&filter).await?.iter().any(|listed| listed.id == id));
    while !cluster.client.kill(id, "enough").await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let report = cluster.client.report(id).await?;
    assert_eq!((report.state, report.final_status), (ApplicationState::Killed, FinalStatus::Killed));
    assert!(report.diagnostics.contains("enough"), "{}", report.diagnostics);
    assert!(!cluster.client.applications(&filter).await?.iter().any(|listed| listed.id == id));
    Ok(())
}

#[tokio::test]
async fn more_than_the_maximum_is_refused_and_an_unknown_queue_fails_later() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let new = cluster.client.new_application().await?;
    let too_big =
        Submission::new(new.id, "too big", LaunchContext::default(), Resource::new(new.maximum.memory_mb + 1, 1));
    let error = cluster.client.submit(&too_big).await.unwrap_err();
    assert_eq!(error.kind(), Some(ExceptionKind::InvalidResourceRequest), "{error:?}");

    let id = cluster.client.new_application().await?.id;
    let lost = Submission {
        queue: "nope".to_owned(),
        ..Submission::new(id, "lost", LaunchContext::default(), Resource::new(64, 1))
    };
    cluster.client.submit(&lost).await?;
    let report = cluster.report_when(id, "over", |report| report.state.is_over()).await?;
    assert_eq!((report.state, report.attempt), (ApplicationState::Failed, None));
    assert!(report.diagnostics.contains("unknown queue"), "{}", report.diagnostics);
    Ok(())
}

#[tokio::test]
async fn a_delegation_token_stands_for_its_owner() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let token = cluster.client.delegation_token("nobody").await?;
    assert_eq!(token.kind(), "RM_DELEGATION_TOKEN");
    let client = ResourceManager::new(&cluster.config, Authentication::Token(token));
    let id = client.new_application().await?.id;
    let context = LaunchContext { commands: vec!["sleep 600".to_owned()], ..LaunchContext::default() };
    client.submit(&Submission::new(id, "by token", context, Resource::new(64, 1))).await?;
    assert_eq!(client.report(id).await?.user, USER);
    client.kill(id, "").await?;
    Ok(())
}

#[tokio::test]
async fn the_resource_manager_that_listens_is_found_among_several() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut configuration = cluster.configuration.clone();
    configuration.set("yarn.resourcemanager.ha.enabled", "true");
    configuration.set("yarn.resourcemanager.ha.rm-ids", "rm1,rm2");
    // Nobody listens on port 1.
    configuration.set("yarn.resourcemanager.hostname.rm1", "127.0.0.1:1");
    configuration.set("yarn.resourcemanager.address.rm2", &cluster.config.client_addresses[0]);
    configuration.set("yarn.resourcemanager.scheduler.address.rm2", &cluster.config.scheduler_addresses[0]);
    let config = YarnConfig::new(&configuration)?;
    assert_eq!(config.client_addresses.len(), 2);
    assert!(ResourceManager::new(&config, Authentication::simple(USER)).metrics().await?.active > 0);

    let alone = YarnConfig {
        client_addresses: config.client_addresses[..1].to_vec(),
        options: Options { retry: RetryPolicy::never(), ..Options::default() },
        ..config
    };
    let error = ResourceManager::new(&alone, Authentication::simple(USER)).metrics().await.unwrap_err();
    assert!(error.is_unreachable() && error.to_string() == "no connection to 127.0.0.1:1", "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_port_that_is_not_for_us_says_what_it_is() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let options = Options { retry: RetryPolicy::never(), ..Options::default() };
    let call = async |addresses| {
        let config = YarnConfig { client_addresses: addresses, options: options.clone(), ..cluster.config.clone() };
        ResourceManager::new(&config, Authentication::simple(USER)).metrics().await.unwrap_err()
    };
    let web = call(YarnConfig::addresses(&cluster.configuration, hadoop_yarn::config::Server::Web)?).await;
    assert!(
        matches!(&web, hadoop_yarn::rpc::Error::Protocol { source, .. } if source.to_string().contains("HTTP")),
        "{web:?}"
    );
    let scheduler = call(cluster.config.scheduler_addresses.clone()).await;
    assert_eq!(scheduler.kind(), Some(ExceptionKind::AccessControl), "{scheduler:?}");
    assert!(
        scheduler.exception().is_some_and(|exception| exception.message().contains("Available:[TOKEN]")),
        "{scheduler:?}"
    );
    Ok(())
}
