//! An application that runs `sleep` in two containers.
//!
//! From a shell it submits itself as an *unmanaged* application, whose master is this very process:
//! `HADOOP_CONF_DIR=/etc/hadoop/conf cargo run -p hadoop-yarn --example sleep -- 10`
//!
//! In a container that the ResourceManager started for it, it is the master right away: it then finds its token in the file that the
//! NodeManager names. What follows is the same for both: register, ask, start what is granted, wait, finish.

#![expect(clippy::print_stdout, reason = "an example's output")]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use hadoop_yarn::client::{ApplicationMaster, Asks, NodeManagers, ResourceManager, Start, Want};
use hadoop_yarn::config::YarnConfig;
use hadoop_yarn::credentials::{Credentials, TOKEN_FILE_VARIABLE};
use hadoop_yarn::shell;
use hadoop_yarn::types::{Container, ContainerId, ExitStatus, FinalStatus, LaunchContext, Resource, Submission, Token};

const CONTAINERS: usize = 2;
/// What the ask is called: a container that is granted for it says so.
const ASK: i64 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // A ResourceManager that does not answer is waited for, and that is told.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let seconds: u32 =
        std::env::args().nth(1).map_or(Ok(5), |text| text.parse()).context("how many seconds to sleep")?;
    let config = YarnConfig::from_environment()?;
    let token = match std::env::var_os(TOKEN_FILE_VARIABLE) {
        Some(_) => Credentials::from_environment()?
            .of_kind(Token::AM_RM)
            .context("no master's token in the token file")?
            .clone(),
        None => submit_unmanaged(&config).await?,
    };
    run(&config, token, seconds).await
}

/// Submits an application without a master and waits for the token of one.
async fn submit_unmanaged(config: &YarnConfig) -> anyhow::Result<Token> {
    let cluster = ResourceManager::new(config, config.authentication(YarnConfig::user()?));
    let id = cluster.new_application().await?.id;
    let submission = Submission {
        unmanaged: true,
        ..Submission::new(id, "sleep in two containers", LaunchContext::default(), Resource::new(0, 0))
    };
    cluster.submit(&submission).await?;
    println!("submitted {id}");
    loop {
        let report = cluster.report(id).await?;
        ensure!(!report.state.is_over(), "{id} is {}: {}", report.state, report.diagnostics);
        if let Some(token) = report.am_rm_token {
            return Ok(token);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn run(config: &YarnConfig, token: Token, seconds: u32) -> anyhow::Result<()> {
    let mut master = ApplicationMaster::new(config, token);
    let registered = master.register("localhost", None, "").await.context("registering")?;
    println!("registered in {}, at most {} a container", registered.queue, registered.maximum);

    let mut nodes = NodeManagers::new(config);
    let mut asks = Asks::new();
    asks.want(
        ASK,
        Want { priority: 1, resource: Resource::new(64, 1), node_label: None, count: CONTAINERS as i32, pin: None },
    );
    let mut ended: BTreeMap<ContainerId, ExitStatus> = BTreeMap::new();
    while ended.len() < CONTAINERS {
        let answer = match master.allocate(&asks.heartbeat(ended.len() as f32 / CONTAINERS as f32)).await {
            Err(error) if error.is_not_registered() => {
                // The ResourceManager has restarted: it forgets what was asked, and grants that were not started.
                master.register("localhost", None, "").await.context("registering again")?;
                asks.registered_again();
                println!("registered again");
                continue;
            }
            answer => answer.context("asking")?,
        };
        let news = asks.answered(&answer);
        nodes.keep(answer.node_tokens);
        for container in news.granted {
            start(&nodes, &container, seconds).await?;
            asks.started(container.id);
        }
        for status in news.ended {
            println!("{} {}", status.id, status.exit_status);
            ended.insert(status.id, status.exit_status);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let good = ended.values().all(|&status| status == ExitStatus::SUCCESS);
    let status = if good { FinalStatus::Succeeded } else { FinalStatus::Failed };
    master.finish(status, "both have ended", "").await.context("finishing")?;
    println!("finished: {status}");
    ensure!(good, "a container failed");
    Ok(())
}

async fn start(nodes: &NodeManagers, container: &Container, seconds: u32) -> anyhow::Result<()> {
    let sleep = shell::command(["sleep", &seconds.to_string()]);
    let context = LaunchContext {
        commands: vec![format!("{sleep} 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr")],
        ..LaunchContext::default()
    };
    let start = Start::new(container, context).context("a container without its token")?;
    let node = nodes.get(&container.node).with_context(|| format!("no token for {}", container.node))?;
    let outcome = node.start(vec![start]).await.with_context(|| format!("starting on {}", container.node))?;
    if let Some(failed) = outcome.failed.first() {
        bail!("{}: {}", failed.id, failed.exception);
    }
    println!("{} sleeps on {} for {seconds} s", container.id, container.node);
    Ok(())
}
