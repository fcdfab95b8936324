//! Lists the applications that are not over, the nodes, and the queues.
//!
//! `HADOOP_CONF_DIR=/etc/hadoop/conf cargo run -p hadoop-yarn --example applications`, after `kinit` and with `--features kerberos` where the cluster asks
//! for Kerberos.

#![expect(clippy::print_stdout, reason = "an example's output")]

use anyhow::Context as _;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::config::YarnConfig;
use hadoop_yarn::types::{ApplicationFilter, NodeState, QueueInfo};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // A ResourceManager that does not answer is waited for, and that is told.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let config = YarnConfig::from_environment()?;
    let cluster = ResourceManager::new(&config, config.authentication(YarnConfig::user()?));

    let mut applications = cluster.applications(&ApplicationFilter::unfinished()).await.context("applications")?;
    applications.sort_by_key(|application| application.id);
    println!("{} applications that are not over", applications.len());
    for application in applications {
        println!(
            "  {} {:9} {} {} {}",
            application.id, application.state, application.user, application.queue, application.name
        );
    }

    let nodes = cluster.nodes(&[NodeState::Running]).await.context("nodes")?;
    println!("{} nodes", nodes.len());
    for node in nodes {
        println!("  {} has {}, free are {}", node.id, node.capability, node.free());
    }

    println!("queues");
    let root = cluster.queue("root").await.context("queues")?;
    print_queues(root.into_iter().collect(), 1);
    Ok(())
}

fn print_queues(queues: Vec<QueueInfo>, depth: usize) {
    for queue in queues {
        println!(
            "{:indent$}{} {} {:.0} % of its parent",
            "",
            queue.path,
            queue.state,
            queue.capacity * 100.0,
            indent = 2 * depth
        );
        print_queues(queue.children, depth + 1);
    }
}
