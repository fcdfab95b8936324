//! `maas_service stop`: tells all masters on the root to end, and waits until the leader has.

use super::announce::note;
use super::entry;
use crate::cli::{Cli, StopArgs};
use crate::error::Error;
use maas_cli::exit;
use maas_cli::output::Out;
use maas_cli::who;
use maas_client::config::Roots;
use maas_client::reason::plural;
use maas_client::state::{Leader, Stop};
use maas_client::tree::{self, Access, Mode, SharedTree, TreeExt};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Writes the stop node and waits.
pub(super) async fn stop(cli: &Cli, args: &StopArgs) -> Result<u8, Error> {
    let (tree, roots, connect) = entry::connect_for_command(cli).await?;
    let outcome = tell_and_wait(&tree, &roots, &connect, args).await;
    tree.close().await;
    let (leader, running) = outcome?;
    if cli.connection.json {
        let document = json!({ "event": "stopped", "leader": leader, "instances": running });
        Out::stdout().json(&document).map_err(|source| Error::System { doing: "write to standard output", source })?;
    } else {
        let models = match running {
            0 => "no instance runs".to_string(),
            1 => "1 instance runs on, the next master adopts it".to_string(),
            running => format!("{running} instances run on, the next master adopts them"),
        };
        note(&format!("the master on {} (pid {}) has stopped; {models}", leader.host, leader.pid));
    }
    Ok(exit::DONE)
}

async fn tell_and_wait(
    tree: &SharedTree,
    roots: &Roots,
    connect: &str,
    args: &StopArgs,
) -> Result<(Leader, usize), Error> {
    let failed = |source: tree::Error| Error::ZooKeeper { doing: "can't tell the masters to stop".to_string(), source };
    let Some(leader) = leader(tree, roots).await.map_err(failed)? else {
        return Err(Error::NoLeader { zookeeper: connect.to_string() });
    };
    let running = instances(tree, roots).await.map_err(failed)?;
    if let Some(application) = leader.application.as_ref().filter(|_| !args.with_models) {
        return Err(Error::EndsModels { application: application.clone() });
    }
    if args.with_models && running > 0 {
        let running = plural(running as u64, "instance");
        note(&format!("stopping {running}; what is wanted stays, the next master starts them again"));
    }
    let asked = Stop { with_models: args.with_models, by: Some(who::user_at_host()) };
    // Plain text and a flag: writing it as JSON can't fail.
    let data = serde_json::to_vec(&asked).unwrap_or_default();
    write(tree, &roots.stop(), data).await.map_err(failed)?;

    let deadline = Instant::now() + Duration::from_secs(args.wait);
    loop {
        // The leader deletes the stop node last; one that another master put there since is none of ours.
        let (node, watch) = tree.get_and_watch(&roots.stop()).await.map_err(failed)?;
        let leads = self::leader(tree, roots).await.map_err(failed)?;
        let is_over = node.is_none() || leads.as_ref().is_none_or(|now| now.epoch != leader.epoch);
        if is_over {
            let running = instances(tree, roots).await.map_err(failed)?;
            return Ok((leader, running));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::StopTimedOut { leader: Box::new(leader), seconds: args.wait });
        }
        // A leader that dies without deleting it is seen by the second look, not by this watch.
        let _ = tokio::time::timeout(left.min(Duration::from_secs(1)), watch.changed()).await;
    }
}

async fn write(tree: &SharedTree, path: &str, data: Vec<u8>) -> Result<(), tree::Error> {
    match tree.create(path, data.clone(), Mode::Persistent, Access::WorldReads).await {
        Err(tree::Error::NodeExists { .. }) => {
            tree.multi(vec![tree::Op::set(path, data, None)]).await?;
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

async fn leader(tree: &SharedTree, roots: &Roots) -> Result<Option<Leader>, tree::Error> {
    Ok(tree.get_json(&roots.leader()).await?.and_then(|(leader, _)| leader.ok()))
}

async fn instances(tree: &SharedTree, roots: &Roots) -> Result<usize, tree::Error> {
    Ok(tree.children(&roots.instances()).await?.map_or(0, |ids| ids.len()))
}
