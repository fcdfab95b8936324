//! EVENTS: what happened, oldest first; `--follow` goes on as more happens.

use crate::changes::Changes;
use crate::check;
use crate::context::{Cluster, Context, note};
use crate::error::Error;
use crate::http::Target;
use jiff::Timestamp;
use maas_cli::output::Out;
use maas_client::event::Event;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::picture::{decode, noted_if_locked, read_permitted};
use maas_client::reason::ReasonCode;
use maas_client::state::{Journal, Status};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;
use tokio::time::Instant;

/// Options of EVENTS.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy events --since 2h
  maas_deploy events -n dga -v 1.0 --follow
  maas_deploy events --json --after 000003-00000042")]
pub(crate) struct Args {
    /// Only this model's
    #[arg(short = 'n', long)]
    name: Option<String>,

    /// Only this version's
    #[arg(long, value_name = "VERSION", requires = "name")]
    model_version: Option<String>,

    /// Only what happened since so long: 90s, 5m, 2h, 1d
    #[arg(long, value_name = "TIME", value_parser = check::duration)]
    since: Option<Duration>,

    /// Only what happened after the event of this id
    #[arg(long, value_name = "ID", value_parser = check::event_id)]
    after: Option<String>,

    /// Go on as more happens
    #[arg(long)]
    follow: bool,
}

/// An [`Event`] with all its fields, absent ones as null.
#[derive(Debug, Serialize)]
struct Document<'a> {
    id: &'a str,
    time: Timestamp,
    kind: &'a str,
    name: Option<&'a ModelName>,
    version: Option<&'a ModelVersion>,
    instance: Option<&'a str>,
    host: Option<&'a str>,
    reason_code: Option<ReasonCode>,
    reason: Option<&'a str>,
    exit_code: Option<i32>,
    request: Option<&'a str>,
    by: Option<&'a str>,
}

/// Which events are wanted.
struct Filter {
    name: Option<ModelName>,
    version: Option<ModelVersion>,
    since: Option<Timestamp>,
    after: Option<String>,
}

impl Filter {
    fn wants(&self, event: &Event) -> bool {
        self.name.as_ref().is_none_or(|name| event.name.as_ref() == Some(name))
            && self.version.as_ref().is_none_or(|version| event.version.as_ref() == Some(version))
            && self.since.is_none_or(|since| event.time >= since)
            && self.after.as_ref().is_none_or(|after| event.id > *after)
    }
}

/// How often to look even when nothing rings.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Prints the events.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let (name, version) = check::filter(args.name.as_deref(), args.model_version.as_deref())?;
    let since = args.since.and_then(|ago| Timestamp::now().checked_sub(ago).ok());
    let filter = Filter { name, version, since, after: args.after };
    let mut printed = BTreeSet::new();
    if let Some(api) = context.named_master()? {
        loop {
            let mut target = Target::api(&["events"]);
            for (key, value) in [("name", filter.name.as_ref().map(|n| n.as_str())), ("after", filter.after.as_deref())]
            {
                if let Some(value) = value {
                    target = target.with(key, value);
                }
            }
            let events: Vec<Event> = api.get(target).await?;
            print(events, &filter, &mut printed, context.json(), out)?;
            if !args.follow || out.is_closed() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    let cluster = context.connect().await?;
    if !args.follow {
        let events = read(&cluster, filter.name.as_ref()).await?;
        if print(events, &filter, &mut printed, context.json(), out)? == 0 {
            note("no events");
        }
        return Ok(());
    }
    let mut changes = Changes::below(&cluster.tree, &[cluster.roots.models(), cluster.roots.journal()]).await?;
    loop {
        match read(&cluster, filter.name.as_ref()).await {
            Ok(events) => {
                print(events, &filter, &mut printed, context.json(), out)?;
            }
            Err(Error::Tree(error)) if error.is_retryable() => note(format!("{error}; trying again")),
            Err(error) => return Err(error),
        }
        if out.is_closed() {
            return Ok(());
        }
        let _rang = changes.changed(Some(Instant::now() + LOOK_EVERY)).await;
    }
}

async fn read(cluster: &Cluster, name: Option<&ModelName>) -> Result<Vec<Event>, Error> {
    let (tree, roots) = (cluster.tree.as_ref(), &cluster.roots);
    let models = match name {
        Some(name) => vec![name.to_string()],
        None => tree.children(&roots.models()).await?.unwrap_or_default(),
    };
    let mut unreadable = Vec::new();
    let mut paths = Vec::new();
    for model in models {
        let path = roots.model(&model);
        let versions = noted_if_locked(&path, tree.children(&path).await, &mut unreadable)?.unwrap_or_default();
        let models = versions.iter().filter_map(|version| ModelId::new(&model, version).ok());
        paths.extend(models.map(|model| roots.status(&model)));
    }
    let mut events = Vec::new();
    for (path, node) in read_permitted(tree, paths, &mut unreadable).await? {
        if node.data.is_empty() {
            continue;
        }
        events.extend(decode::<Status>(&path, &node, &mut unreadable).into_iter().flat_map(|status| status.events));
    }
    if let Some(node) = tree.get(&roots.journal()).await?
        && !node.data.is_empty()
    {
        let journal = decode::<Journal>(&roots.journal(), &node, &mut unreadable);
        events.extend(journal.into_iter().flat_map(|journal| journal.events));
    }
    for unreadable in unreadable {
        note(format!("left out, can't be read: {unreadable}"));
    }
    Ok(events)
}

/// Prints what has not been printed yet; says how many those were.
fn print<W: Write>(
    mut events: Vec<Event>,
    filter: &Filter,
    printed: &mut BTreeSet<String>,
    json: bool,
    out: &mut Out<W>,
) -> Result<usize, Error> {
    events.retain(|event| filter.wants(event) && !printed.contains(&event.id));
    events.sort_by(|a, b| a.id.cmp(&b.id));
    events.dedup_by(|a, b| a.id == b.id);
    for event in &events {
        if json {
            out.json(&document(event))?;
        } else {
            out.line(line(event))?;
        }
        printed.insert(event.id.clone());
    }
    Ok(events.len())
}

fn document(event: &Event) -> Document<'_> {
    Document {
        id: &event.id,
        time: event.time,
        kind: &event.kind,
        name: event.name.as_ref(),
        version: event.version.as_ref(),
        instance: event.instance.as_deref(),
        host: event.host.as_deref(),
        reason_code: event.reason_code,
        reason: Some(event.reason.as_str()).filter(|reason| !reason.is_empty()),
        exit_code: event.exit_code,
        request: event.request.as_deref(),
        by: event.by.as_deref(),
    }
}

/// `2026-01-02T03:04:05.000Z  000001-00000002  InstanceFailed  dga 1.0 1-1-aaaa on node7: exited with 3 (exit 3)`
fn line(event: &Event) -> String {
    let mut words: Vec<String> = vec![format!("{:.3}", event.time), event.id.clone(), event.kind.clone()];
    let mut about = Vec::new();
    about.extend(event.name.as_ref().map(ToString::to_string));
    about.extend(event.version.as_ref().map(ToString::to_string));
    about.extend(event.instance.clone());
    about.extend(event.host.as_ref().map(|host| format!("on {host}")));
    let mut text = about.join(" ");
    if !event.reason.is_empty() {
        text.push_str(if text.is_empty() { "" } else { ": " });
        text.push_str(&event.reason);
    }
    text.push_str(&event.exit_code.map(|code| format!(" (exit {code})")).unwrap_or_default());
    text.push_str(&event.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default());
    words.push(text);
    // One line an event, whatever a reason holds.
    words.join("  ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn event(id: &str) -> Event {
        Event {
            id: id.into(),
            time: testing::time(0),
            kind: "InstanceFailed".into(),
            name: Some("dga".parse().unwrap()),
            version: Some("1.0".parse().unwrap()),
            instance: Some("1-1-aaaa".into()),
            host: Some("node7".into()),
            reason_code: Some(ReasonCode::ScriptExited),
            reason: "exited with\n3".into(),
            exit_code: Some(3),
            request: None,
            by: None,
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_its_reason_holds() {
        assert_eq!(
            line(&event("000001-00000002")),
            "2026-01-02T03:04:05.000Z  000001-00000002  InstanceFailed  dga 1.0 1-1-aaaa on node7: exited with 3 (exit 3)"
        );
    }

    #[test]
    fn as_json_absent_fields_are_null() {
        let json = serde_json::to_value(document(&event("1"))).unwrap();
        for field in ["id", "time", "kind", "name", "version", "instance", "host", "reason_code", "reason", "exit_code"]
        {
            assert!(!json[field].is_null(), "{field}");
        }
        for field in ["request", "by"] {
            assert!(json.get(field).is_some_and(serde_json::Value::is_null), "{field}");
        }
    }

    #[test]
    fn events_come_once_oldest_first_and_only_those_after_the_id_asked_for() {
        let filter = Filter { name: None, version: None, since: None, after: Some("1-1".into()) };
        let mut printed = BTreeSet::new();
        let events = vec![event("1-3"), event("1-1"), event("1-2"), event("1-2")];
        let mut out = Out::new(Vec::new());
        assert_eq!(print(events.clone(), &filter, &mut printed, true, &mut out).unwrap(), 2);
        assert_eq!(print(events, &filter, &mut printed, true, &mut out).unwrap(), 0);
        assert_eq!(printed.into_iter().collect::<Vec<_>>(), ["1-2", "1-3"]);
    }
}
