//! REQUESTS: what was asked, and what became of it; also what waits in the queue and what was set aside.

use crate::context::{Cluster, Context, note};
use crate::error::Error;
use crate::http::Target;
use jiff::Timestamp;
use maas_cli::ErrorCode;
use maas_cli::output::{Out, table};
use maas_client::paths::request_id;
use maas_client::picture::{decode, read_nodes};
use maas_client::request::Action;
use maas_client::state::{Outcome, Rejected, RequestRecord};
use maas_client::tree;
use serde::Serialize;
use std::io::Write;

/// Options of REQUESTS.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy requests
  maas_deploy requests qn-0000000007-1a2
  maas_deploy requests --refused --json")]
pub(crate) struct Args {
    /// Only this request
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Only those that were refused, and messages that could not be read
    #[arg(long)]
    refused: bool,
}

/// The most requests that a master lists at once.
const MOST_FROM_MASTER: &str = "2000";

/// One request as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    id: String,
    request: String,
    action: Option<Action>,
    name: Option<String>,
    version: Option<String>,
    num_instances: Option<u32>,
    outcome: &'static str,
    reason_code: Option<String>,
    reason: Option<String>,
    before: Option<u32>,
    after: Option<u32>,
    duplicate_of: Option<String>,
    time: Option<Timestamp>,
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<SetAside>,
}

/// What is kept of a message that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct SetAside {
    base64: String,
    length: u64,
    sha256: String,
}

/// Prints the requests.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let mut rows = match context.named_master()? {
        Some(api) => match args.id.as_deref().filter(|id| is_whole(id)) {
            Some(id) => vec![Row::recorded(api.get(Target::api(&["requests", id])).await?)],
            None => {
                let records: Vec<RequestRecord> = api.get(listing(args.refused)).await?;
                records.into_iter().map(Row::recorded).collect()
            }
        },
        None => {
            let cluster = context.connect().await?;
            read(&cluster).await?
        }
    };
    if args.refused {
        rows.retain(|row| matches!(row.outcome, "refused" | "rejected"));
    }
    if let Some(id) = &args.id {
        let row = rows.iter().find(|row| row.id == *id).or_else(|| rows.iter().rfind(|row| row.request == *id));
        let Some(row) = row else {
            return Err(Error::say(
                ErrorCode::NoRequest,
                format!("no request {id}; requests are kept for 7 days, and 10000 of them"),
            ));
        };
        if context.json() {
            out.json(row)?;
        } else {
            out.bytes(details(row).as_bytes())?;
        }
        return Ok(());
    }
    if context.json() {
        out.json(&rows)?;
    } else if rows.is_empty() {
        note(if args.refused { "no request was refused" } else { "no requests" });
    } else {
        out.bytes(overview(&rows).as_bytes())?;
    }
    Ok(())
}

/// As many as a master gives, of those that are asked for.
fn listing(refused: bool) -> Target {
    let target = Target::api(&["requests"]).with("limit", MOST_FROM_MASTER);
    if refused { target.with("refused", "true") } else { target }
}

/// Whether an id has all its parts, `qn-0000000007-1a2`, and not only the queue's child.
fn is_whole(id: &str) -> bool {
    id.split('-').count() == 3
}

async fn read(cluster: &Cluster) -> Result<Vec<Row>, Error> {
    let (tree, roots) = (cluster.tree.as_ref(), &cluster.roots);
    let mut unreadable = Vec::new();
    // The queue first: a request that is taken between the two readings is then seen twice rather than not at all.
    let waiting = tree.children(&roots.queue).await?.unwrap_or_default();
    let waiting = read_nodes(tree, waiting.iter().map(|child| roots.queue_child(child)).collect()).await?;
    let mut rows = Vec::new();
    let ids = tree.children(&roots.requests()).await?.unwrap_or_default();
    for (path, node) in read_nodes(tree, ids.iter().map(|id| roots.request(id)).collect()).await? {
        rows.extend(decode::<RequestRecord>(&path, &node, &mut unreadable).map(Row::recorded));
    }
    match tree.children(&roots.rejected()).await {
        Ok(ids) => {
            let paths = ids.unwrap_or_default().iter().map(|id| roots.rejection(id)).collect();
            match read_nodes(tree, paths).await {
                Ok(nodes) => {
                    for (path, node) in nodes {
                        rows.extend(decode::<Rejected>(&path, &node, &mut unreadable).map(Row::rejected));
                    }
                }
                Err(tree::Error::NoAuth { .. }) => note("messages set aside are not shown: not permitted"),
                Err(error) => return Err(error.into()),
            }
        }
        Err(tree::Error::NoAuth { .. }) => note("messages set aside are not shown: not permitted"),
        Err(error) => return Err(error.into()),
    }
    rows.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    for (path, node) in waiting {
        let child = path.rsplit('/').next().unwrap_or_default();
        let row = Row::waiting(child, &node.data, node.stat.czxid, node.stat.ctime_ms);
        if rows.iter().all(|known| known.id != row.id) {
            rows.push(row);
        }
    }
    for unreadable in unreadable {
        note(format!("left out, can't be read: {unreadable}"));
    }
    Ok(rows)
}

fn child_of(id: &str) -> String {
    id.rsplit_once('-').map_or(id, |(child, _)| child).to_string()
}

impl Row {
    fn recorded(record: RequestRecord) -> Row {
        Row {
            request: child_of(&record.id),
            id: record.id,
            action: Some(record.action),
            name: Some(record.name.to_string()),
            version: Some(record.version.to_string()),
            num_instances: Some(record.num_instances),
            outcome: match record.outcome {
                Outcome::Accepted => "accepted",
                Outcome::Refused => "refused",
                Outcome::Duplicate => "duplicate",
            },
            reason_code: record.code,
            reason: Some(record.reason).filter(|reason| !reason.is_empty()),
            before: Some(record.before),
            after: Some(record.after),
            duplicate_of: record.duplicate_of,
            time: Some(record.time),
            by: record.by,
            message: None,
        }
    }

    fn empty(id: String, outcome: &'static str) -> Row {
        Row {
            request: child_of(&id),
            id,
            action: None,
            name: None,
            version: None,
            num_instances: None,
            outcome,
            reason_code: None,
            reason: None,
            before: None,
            after: None,
            duplicate_of: None,
            time: None,
            by: None,
            message: None,
        }
    }

    fn rejected(rejected: Rejected) -> Row {
        Row {
            reason_code: Some(ErrorCode::BadRequest.to_string()),
            reason: Some(rejected.reason),
            time: Some(rejected.time),
            message: Some(SetAside { base64: rejected.message, length: rejected.length, sha256: rejected.sha256 }),
            ..Row::empty(rejected.id, "rejected")
        }
    }

    /// One that no master has read. Its bytes may be anything; what looks like a request is shown as one.
    fn waiting(child: &str, bytes: &[u8], czxid: i64, ctime_ms: i64) -> Row {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
        let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str).map(str::to_string);
        Row {
            action: value.get("action").and_then(|action| serde_json::from_value(action.clone()).ok()),
            name: text("name"),
            version: text("version"),
            num_instances: value.get("numInstances").and_then(|n| n.as_u64()).and_then(|n| u32::try_from(n).ok()),
            time: Timestamp::from_millisecond(ctime_ms).ok(),
            by: text("by"),
            ..Row::empty(request_id(child, czxid), "queued")
        }
    }

    fn asked(&self) -> String {
        match (&self.action, &self.name, &self.version, self.num_instances) {
            (Some(action), Some(name), Some(version), Some(count)) => {
                let action = match action {
                    Action::Add => "ADD",
                    Action::Remove => "REMOVE",
                    Action::Scale => "SCALE",
                };
                format!("{action} {name} {version} {count}")
            }
            _ => "?".to_string(),
        }
    }

    fn change(&self) -> String {
        match (self.before, self.after) {
            (Some(before), Some(after)) if self.outcome == "accepted" => format!("{before} -> {after}"),
            _ => String::new(),
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.time.map(|time| format!("{time:.3}")).unwrap_or_default(),
            self.id.clone(),
            self.asked(),
            self.outcome.to_string(),
            self.change(),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

fn overview(rows: &[Row]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
    table(&["TIME", "ID", "ASKED", "OUTCOME", "WANTED", "REASON"], &rows)
}

fn details(row: &Row) -> String {
    let mut lines = vec![("id", row.id.clone()), ("asked", row.asked()), ("outcome", row.outcome.to_string())];
    let more = [
        ("wanted", Some(row.change()).filter(|change| !change.is_empty())),
        ("reason", row.reason.clone()),
        ("code", row.reason_code.clone()),
        ("repeats", row.duplicate_of.clone()),
        ("time", row.time.map(|time| format!("{time:.3}"))),
        ("by", row.by.clone()),
        ("message", row.message.as_ref().map(|m| format!("{} bytes, sha256 {}", m.length, m.sha256))),
    ];
    lines.extend(more.into_iter().filter_map(|(key, value)| Some((key, value?))));
    lines.iter().map(|(key, value)| format!("{key:<8} {}\n", value.replace(char::is_control, " "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_master_is_asked_for_one_request_or_for_as_many_as_it_gives() {
        assert!(is_whole("qn-0000000007-1a2") && !is_whole("qn-0000000007"));
        assert_eq!(listing(true).text(), "/api/v1/requests?limit=2000&refused=true");
        assert_eq!(listing(false).text(), "/api/v1/requests?limit=2000");
    }

    #[test]
    fn accepted_waiting_and_rejected_requests_are_one_table() {
        let accepted = Row::recorded(RequestRecord {
            id: "qn-0000000001-a".into(),
            action: Action::Add,
            name: "dga".parse().unwrap(),
            version: "1.0".parse().unwrap(),
            num_instances: 2,
            outcome: Outcome::Accepted,
            code: None,
            reason: String::new(),
            before: 0,
            after: 2,
            duplicate_of: None,
            time: testing::time(0),
            by: Some("alice@here".into()),
        });
        let rejected = Row::rejected(Rejected {
            id: "qn-0000000002-b".into(),
            message: "e30=".into(),
            length: 2,
            sha256: "44".into(),
            reason: "no name".into(),
            time: testing::time(1),
        });
        let bytes = br#"{"name":"dga","version":"2.0","numInstances":1,"memory":512,"action":"ADD","path":"/x"}"#;
        let waiting = Row::waiting("qn-0000000003", bytes, 12, testing::time(2).as_millisecond());
        let odd = Row::waiting("qn-0000000004", b"\xff", 13, testing::time(3).as_millisecond());
        insta::assert_snapshot!(overview(&[accepted.clone(), rejected, waiting, odd]), @r"
        TIME                      ID               ASKED          OUTCOME   WANTED  REASON
        2026-01-02T03:04:05.000Z  qn-0000000001-a  ADD dga 1.0 2  accepted  0 -> 2
        2026-01-02T03:04:06.000Z  qn-0000000002-b  ?              rejected          no name
        2026-01-02T03:04:07.000Z  qn-0000000003-c  ADD dga 2.0 1  queued
        2026-01-02T03:04:08.000Z  qn-0000000004-d  ?              queued
        ");
        insta::assert_snapshot!(details(&accepted), @r"
        id       qn-0000000001-a
        asked    ADD dga 1.0 2
        outcome  accepted
        wanted   0 -> 2
        time     2026-01-02T03:04:05.000Z
        by       alice@here
        ");
    }
}
