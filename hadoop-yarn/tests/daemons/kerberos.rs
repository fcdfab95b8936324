//! Daemons that take nobody's word: each has a key in a keytab, and clients prove themselves with a ticket of a real key distribution centre.
//!
//! `scripts/test.sh kerberos` starts that one and sets `KRB5_CONFIG`, `KRB5CCNAME` (a ticket of alice's) and `KDC_KEYTAB`.

use std::env;
use std::net::TcpStream;

use anyhow::{Context as _, ensure};
use hadoop_yarn::client::{NameNode, ResourceManager};
use hadoop_yarn::config::{Configuration, HdfsConfig, YarnConfig};
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::rpc::{Authentication, Error, Options, RetryPolicy, SaslError};
use hadoop_yarn::types::{
    ApplicationFilter, ApplicationState, ContainerState, FinalStatus, LaunchContext, NodeState, Resource, Submission,
    Token,
};

use crate::cluster::{Cluster, Master};
use crate::servers::{Servers, free_port};

const REALM: &str = "EXAMPLE.COM";

/// A ResourceManager, a NodeManager and perhaps a NameNode, each with its own key; connections protected as asked.
async fn secure(protection: &str, with_hdfs: bool) -> anyhow::Result<Servers> {
    let variable =
        |name: &str| env::var(name).with_context(|| format!("{name} is not set: run scripts/test.sh kerberos"));
    let (keytab, krb5) = (variable("KDC_KEYTAB")?, variable("KRB5_CONFIG")?);
    let mut servers = Servers::new()?;
    servers.jvm.push(format!("-Djava.security.krb5.conf={krb5}"));
    let path = servers.path().display().to_string();
    for (key, value) in [
        ("hadoop.security.authentication", "kerberos"),
        ("hadoop.rpc.protection", protection),
        ("yarn.resourcemanager.webapp.delegation-token-auth-filter.enabled", "false"),
        (
            "yarn.nodemanager.container-executor.class",
            "org.apache.hadoop.yarn.server.nodemanager.DefaultContainerExecutor",
        ),
        ("dfs.block.access.token.enable", "true"),
        ("dfs.replication", "1"),
        ("dfs.namenode.safemode.extension", "0"),
        ("dfs.namenode.resource.du.reserved", "1048576"),
        ("dfs.web.authentication.kerberos.principal", "HTTP/localhost@EXAMPLE.COM"),
        ("dfs.web.authentication.kerberos.keytab", &keytab),
        ("dfs.namenode.name.dir", &format!("file://{path}/nn")),
    ] {
        servers.set(key, value);
    }
    for (principal, keytab_key, name) in [
        ("yarn.resourcemanager.principal", "yarn.resourcemanager.keytab", "rm"),
        ("yarn.nodemanager.principal", "yarn.nodemanager.keytab", "nm"),
        ("dfs.namenode.kerberos.principal", "dfs.namenode.keytab.file", "nn"),
    ] {
        servers.set(principal, format!("{name}/localhost@{REALM}"));
        servers.set(keytab_key, &keytab);
    }
    for key in [
        "yarn.resourcemanager.address",
        "yarn.resourcemanager.scheduler.address",
        "yarn.resourcemanager.resource-tracker.address",
        "yarn.resourcemanager.admin.address",
        "yarn.resourcemanager.webapp.address",
        "dfs.namenode.rpc-address",
        "dfs.namenode.http-address",
    ] {
        servers.set(key, format!("localhost:{}", free_port()?));
    }
    servers.write()?;
    if with_hdfs {
        let name_node = "org.apache.hadoop.hdfs.server.namenode.NameNode";
        servers.run(name_node, &["-format", "-force", "-nonInteractive"])?;
        servers.start("nn", name_node, &[])?;
    }
    servers.start("rm", "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager", &[])?;
    servers.start("nm1", "org.apache.hadoop.yarn.server.nodemanager.NodeManager", &[])?;
    let addresses = YarnConfig::new(&Configuration::from_directory(&servers.conf())?)?.client_addresses;
    servers.until("the ResourceManager", async || TcpStream::connect(&addresses[0]).ok()).await?;
    Ok(servers)
}

fn configured(servers: &Servers) -> anyhow::Result<(Configuration, YarnConfig)> {
    let configuration = Configuration::from_directory(&servers.conf())?;
    let config = YarnConfig::new(&configuration)?;
    ensure!(config.wants_kerberos, "the cluster asks for Kerberos");
    Ok((configuration, config))
}

/// The class path of every daemon has the configuration of one, so a NameNode's address is found in it.
fn name_node(configuration: &Configuration) -> anyhow::Result<NameNode> {
    let address = configuration.get("dfs.namenode.rpc-address")?.context("an address")?;
    let hdfs = HdfsConfig::new(configuration, &address)?;
    Ok(NameNode::new(&hdfs, hdfs.authentication("nobody")))
}

#[tokio::test]
#[ignore = "needs Hadoop and a KDC: scripts/test.sh kerberos"]
async fn an_application_runs_on_a_cluster_with_kerberos_with_tokens_for_all_that_it_needs() -> anyhow::Result<()> {
    let mut servers = secure("authentication", true).await?;
    let (configuration, config) = configured(&servers)?;
    let client = ResourceManager::new(&config, config.authentication("nobody"));
    servers
        .until("a node", async || client.nodes(&[NodeState::Running]).await.ok().filter(|nodes| !nodes.is_empty()))
        .await?;
    assert_eq!(client.applications(&ApplicationFilter::unfinished()).await?, []);

    assert_eq!(hadoop_yarn::rpc::ticket_owner()?, "alice");

    // A name alone is not believed.
    let none = Options { retry: RetryPolicy::never(), ..config.options.clone() };
    let impatient = YarnConfig { options: none, ..config.clone() };
    let error = ResourceManager::new(&impatient, Authentication::simple("alice")).metrics().await.unwrap_err();
    assert!(error.exception().is_some_and(|exception| exception.message().contains("SIMPLE")), "{error:?}");

    // A server of another name gets nothing.
    let mut elsewhere = impatient.resource_manager.clone();
    elsewhere.name = Some(format!("rm/elsewhere@{REALM}"));
    let error =
        ResourceManager::new(&impatient, Authentication::Kerberos { server: elsewhere }).metrics().await.unwrap_err();
    assert!(matches!(error, Error::Sasl { source: SaslError::Principal { .. }, .. }), "{error:?}");

    // The master and its containers have no ticket: they go by tokens.
    let renewer = config.renewer().context("a renewer")?;
    let mut credentials = Credentials::new();
    let rm = client.delegation_token(&renewer).await?;
    assert_eq!(rm.kind(), Token::RM_DELEGATION);
    credentials.add(rm.service().to_owned(), rm.clone());
    let hdfs = servers
        .until("the NameNode", async || name_node(&configuration).ok()?.delegation_tokens(&renewer).await.ok())
        .await?;
    assert!(hdfs.iter().all(|token| token.kind() == Token::HDFS_DELEGATION) && hdfs.len() == 2, "{hdfs:?}");
    for token in hdfs {
        credentials.add(token.service().to_owned(), token);
    }
    let by_token = ResourceManager::new(&config, Authentication::Token(rm));
    assert_eq!(by_token.metrics().await?.active, 1);

    let id = client.new_application().await?.id;
    let context = LaunchContext {
        credentials: Some(credentials),
        commands: vec!["sleep 600 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr".to_owned()],
        ..LaunchContext::default()
    };
    let report = client.submit_and_wait(&Submission::new(id, "secure", context, Resource::new(64, 1))).await?;
    assert_eq!((report.user.as_str(), report.state.is_over()), ("alice", false), "{}", report.diagnostics);

    let cluster = Cluster { directory: servers.path().to_owned(), configuration, config, client };
    let attempt = hadoop_yarn::types::ApplicationAttemptId { application: id, attempt: 1 };
    let mut master = Master::of(&cluster, attempt).await?;
    master.register().await?;
    let container = master.containers(1, Resource::new(64, 1), 1).await?.remove(0);
    master.sleep(&container).await?;
    let statuses = master.node(&container)?.statuses(&[container.id]).await?;
    assert_eq!(statuses.statuses[0].state, ContainerState::Running);
    master.node(&container)?.stop(&[container.id]).await?;
    master.end_of(container.id).await?;
    master.calls.finish(FinalStatus::Succeeded, "", "").await?;
    let report = cluster.report_when(id, "over", |report| report.state.is_over()).await?;
    assert_eq!(report.state, ApplicationState::Finished);
    Ok(())
}

#[tokio::test]
#[ignore = "needs Hadoop and a KDC: scripts/test.sh kerberos"]
async fn connections_are_sealed_by_the_tickets_keys_under_integrity_and_privacy() -> anyhow::Result<()> {
    // One server offers all, and the client chooses.
    let servers = secure("privacy,integrity,authentication", false).await?;
    let (_, config) = configured(&servers)?;
    for protection in config.options.protection.clone() {
        let options = Options { protection: vec![protection], ..config.options.clone() };
        let one = YarnConfig { options, ..config.clone() };
        let client = ResourceManager::new(&one, one.authentication("nobody"));
        let (metrics, queue, new) =
            tokio::join!(client.metrics(), client.queue("root.default"), client.new_application());
        assert!(metrics.is_ok() && new.is_ok(), "{protection}: {metrics:?} {new:?}");
        assert!(queue?.is_some(), "{protection}");
    }
    Ok(())
}
