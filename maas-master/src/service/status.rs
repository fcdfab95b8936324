//! `maas_service status`: how the service stands, from ZooKeeper; room per node from the leader, when it can be asked.

use super::{entry, fetch};
use crate::cli::Cli;
use crate::clock::wall_time;
use crate::error::Error;
use crate::status::gather;
use maas_cli::output::Out;
use maas_cli::who;
use maas_cli::{ErrorCode, Failure, exit};
use maas_client::api::{NodeView, ServiceView};
use maas_client::state::Leader;
use std::fmt::Write;
use std::time::Duration;

/// How long the leader is waited for.
const ASK_LEADER: Duration = Duration::from_secs(3);

/// Prints it; 4 when none leads.
pub(super) async fn status(cli: &Cli) -> Result<u8, Error> {
    let (tree, roots, connect) = entry::connect_for_command(cli).await?;
    let gathered = gather(&tree, &roots, &connect, wall_time()).await;
    tree.close().await;
    let mut service = gathered
        .map_err(|source| Error::ZooKeeper { doing: "can't read the service's state".to_string(), source })?
        .service;
    let mut without_capacity = None;
    if let Some(leader) = &service.leader {
        match ask_leader(leader).await {
            Ok(seen) => {
                service.capacity = seen.capacity;
                // Without the masters' credential they are closed to us, and not to the leader.
                service.rejected_24h = service.rejected_24h.or(seen.rejected_24h);
            }
            Err(why) => without_capacity = Some(why),
        }
    }
    let leads = service.leader.is_some();
    let printed = if cli.connection.json {
        Out::stdout().json(&service)
    } else {
        Out::stdout().bytes(text_of(&service, without_capacity.as_deref()).as_bytes())
    };
    printed.map_err(|source| Error::System { doing: "write to standard output", source })?;
    if leads {
        return Ok(exit::DONE);
    }
    if !cli.connection.json {
        let message = format!("no master leads on {connect}; start one with maas_service -zq {connect}");
        Failure::new(ErrorCode::NoMaster, message).print();
    }
    Ok(exit::NOT_FOUND)
}

async fn ask_leader(leader: &Leader) -> Result<ServiceView, String> {
    let is_here = who::is_this_host(&leader.host, &who::host_name());
    let base = match (&leader.http, &leader.http_local) {
        (_, Some(local)) if is_here => local,
        (Some(http), _) => http,
        (None, _) => return Err(format!("its HTTP listens on loopback of {} only", leader.host)),
    };
    let body = fetch::get(base, "/api/v1/status", ASK_LEADER).await.map_err(|why| format!("{base}: {why}"))?;
    serde_json::from_slice(&body).map_err(|error| format!("{base}: {error}"))
}

/// The same for people. Pure.
fn text_of(service: &ServiceView, without_capacity: Option<&str>) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<11}{}", printable(&value));
    };
    match &service.leader {
        None => line("leader", "none".to_string()),
        Some(leader) => {
            let http = leader.http.as_deref().or(leader.http_local.as_deref()).unwrap_or("no HTTP");
            line(
                "leader",
                format!(
                    "{} pid {}, epoch {}, version {}, since {}, {http}",
                    leader.host, leader.pid, leader.epoch, leader.version, leader.since
                ),
            );
        }
    }
    let standbys = if service.standbys.is_empty() { "none".to_string() } else { service.standbys.join(", ") };
    line("standbys", standbys);
    line("zookeeper", service.zookeeper.clone());
    let oldest = service.queue_oldest_s.map_or(String::new(), |age| format!(", the oldest for {age:.0} s"));
    line("queue", format!("{} waiting{oldest}", service.queue_length));
    let rejected =
        service.rejected_24h.map_or("not known: --zk-auth-file is needed to see them".to_string(), |count| {
            format!("{count} in the last 24 h")
        });
    line("rejected", rejected);
    line("models", counts(&service.models));
    line("instances", counts(&service.instances));
    if let Some(why) = without_capacity {
        line("capacity", format!("not known: the leader could not be asked ({why})"));
    }
    for node in service.capacity.iter().flat_map(|capacity| &capacity.nodes) {
        line(
            "capacity",
            format!(
                "{}: {} of {} MB free, {}, {} of {} GPUs",
                node.host,
                node.free.memory_mb,
                node.total.memory_mb,
                cores(node),
                node.free.gpus,
                node.total.gpus
            ),
        );
    }
    for waiting in service.capacity.iter().flat_map(|capacity| &capacity.waiting) {
        line(
            "waiting",
            format!("{} {}: {} instances: {}", waiting.name, waiting.version, waiting.count, waiting.reason),
        );
    }
    text
}

fn counts(counts: &std::collections::BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "none".to_string();
    }
    counts.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

/// Text from ZooKeeper must not move the cursor.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Virtual cores are only counted where `--capacity` gives their number.
fn cores(node: &NodeView) -> String {
    if node.shares_vcores {
        return format!("{} cores shared by {} asked for", node.total.vcores, node.used.vcores);
    }
    format!("{} of {} cores", node.free.vcores, node.total.vcores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_leader_is_told_whole_and_can_not_move_the_cursor() {
        let service = ServiceView {
            leader: None,
            standbys: vec!["node2:7\u{1b}[2J".into()],
            zookeeper: "zk:2181".into(),
            queue_length: 2,
            queue_oldest_s: Some(61.4),
            rejected_24h: Some(1),
            models: [("Ready".to_string(), 2), ("Starting".to_string(), 1)].into(),
            instances: Default::default(),
            capacity: None,
            events: vec![],
        };
        insta::assert_snapshot!(text_of(&service, Some("http://x: refused")), @r"
        leader     none
        standbys   node2:7\u{1b}[2J
        zookeeper  zk:2181
        queue      2 waiting, the oldest for 61 s
        rejected   1 in the last 24 h
        models     2 Ready, 1 Starting
        instances  none
        capacity   not known: the leader could not be asked (http://x: refused)
        ");
    }
}
