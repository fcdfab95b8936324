//! Two ResourceManagers with their state in ZooKeeper, of which one leads: it is killed, and clients, masters and containers go on with the other.

use std::net::TcpStream;

use anyhow::{Context as _, ensure};
use hadoop_yarn::client::{Heartbeat, ResourceManager};
use hadoop_yarn::config::{Configuration, YarnConfig};
use hadoop_yarn::rpc::Authentication;
use hadoop_yarn::types::{ApplicationFilter, ApplicationState, ContainerState, FinalStatus, NodeState, Resource};

use crate::cluster::{Cluster, USER};
use crate::servers::{Servers, free_port};

const RESOURCE_MANAGER: &str = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager";
const NODE_MANAGER: &str = "org.apache.hadoop.yarn.server.nodemanager.NodeManager";
const IDS: [&str; 2] = ["rm1", "rm2"];

/// Two ResourceManagers and a NodeManager, configured.
fn two() -> anyhow::Result<Servers> {
    let zookeeper = std::env::var("MAAS_TEST_ZK").context(
        "MAAS_TEST_ZK is not set: run scripts/test.sh yarn, or scripts/services/zookeeper.sh start and set it",
    )?;
    let mut servers = Servers::new()?;
    let root = format!("/yarn-{}", free_port()?);
    for (key, value) in [
        ("yarn.resourcemanager.ha.enabled", "true"),
        ("yarn.resourcemanager.ha.rm-ids", "rm1,rm2"),
        ("yarn.resourcemanager.cluster-id", "two"),
        ("yarn.resourcemanager.recovery.enabled", "true"),
        ("yarn.resourcemanager.store.class", "org.apache.hadoop.yarn.server.resourcemanager.recovery.ZKRMStateStore"),
        ("yarn.resourcemanager.zk-address", &zookeeper),
        ("hadoop.zk.address", &zookeeper),
        ("yarn.resourcemanager.zk-timeout-ms", "4000"),
        ("hadoop.zk.timeout-ms", "4000"),
        ("yarn.resourcemanager.zk-state-store.parent-path", &format!("{root}-state")),
        ("yarn.resourcemanager.ha.automatic-failover.zk-base-path", &format!("{root}-leader")),
    ] {
        servers.set(key, value);
    }
    for id in IDS {
        servers.set(format!("yarn.resourcemanager.hostname.{id}"), "127.0.0.1");
        for service in ["", "scheduler.", "resource-tracker.", "admin.", "webapp."] {
            servers.set(format!("yarn.resourcemanager.{service}address.{id}"), format!("127.0.0.1:{}", free_port()?));
        }
    }
    servers.write()?;
    Ok(servers)
}

fn start(servers: &mut Servers, id: &'static str) -> anyhow::Result<()> {
    servers.start(id, RESOURCE_MANAGER, &["-D", &format!("yarn.resourcemanager.ha.id={id}")])
}

/// The one that leads: the other does not listen on this port.
fn leader(config: &YarnConfig) -> Option<usize> {
    config.client_addresses.iter().position(|address| TcpStream::connect(address).is_ok())
}

#[tokio::test]
async fn when_the_resource_manager_that_leads_is_killed_clients_and_masters_go_on_with_the_other() -> anyhow::Result<()>
{
    let mut servers = two()?;
    let configuration = Configuration::from_directory(&servers.conf())?;
    let config = YarnConfig::new(&configuration)?;
    let client = ResourceManager::new(&config, Authentication::simple(USER));
    let pair = Cluster { directory: servers.path().to_owned(), configuration, config: config.clone(), client };
    for id in IDS {
        start(&mut servers, id)?;
    }
    servers.start("nm1", NODE_MANAGER, &[])?;
    servers
        .until("a node", async || {
            leader(&config)?;
            pair.client.nodes(&[NodeState::Running]).await.ok().filter(|nodes| !nodes.is_empty())
        })
        .await?;

    let mut master = pair.master("failover", true).await?;
    let application = master.attempt.application;
    let kept = master.containers(1, Resource::new(64, 1), 1).await?.remove(0);
    master.sleep(&kept).await?;

    // Both ways, so that the second one in the list leads once, and the first one again.
    for round in 0..2 {
        let leads = leader(&config).context("one leads")?;
        servers.kill9(IDS[leads])?;
        let heartbeat = Heartbeat::default();
        let filter = ApplicationFilter::unfinished();
        let (report, listed, new, answer) = tokio::join!(
            pair.client.report(application),
            pair.client.applications(&filter),
            pair.client.new_application(),
            master.calls.allocate(&heartbeat)
        );
        assert_ne!(leader(&config), Some(leads), "the other one leads");
        assert_eq!(report?.id, application);
        assert!(listed?.iter().any(|listed| listed.id == application), "its state was in ZooKeeper");
        assert!(new?.maximum.memory_mb > 0);
        let error = answer.unwrap_err();
        assert!(error.is_not_registered(), "{error:?}");

        master.register().await?;
        let more = master.containers(10 + round, Resource::new(64, 1), 1).await?.remove(0);
        assert!(more.id.epoch() > kept.id.epoch(), "{} after {}", more.id, kept.id);
        assert!(master.start(&more, "exit 3").await?.failed.is_empty());
        assert_eq!(master.end_of(more.id).await?.exit_status.0, 3);
        let statuses = master.node(&kept)?.statuses(&[kept.id]).await?;
        assert_eq!(statuses.statuses[0].state, ContainerState::Running, "it ran through it");
        start(&mut servers, IDS[leads])?;
        // It must stand by before it can take over.
        let web = YarnConfig::addresses(&pair.configuration, hadoop_yarn::config::Server::Web)?;
        servers.until("a standby", async || TcpStream::connect(&web[leads]).ok()).await?;
    }

    master.calls.finish(FinalStatus::Succeeded, "", "").await?;
    let report = pair.report_when(application, "over", |report| report.state.is_over()).await?;
    ensure!(report.state == ApplicationState::Finished, "{report:?}");
    Ok(())
}
