//! STATUS: each version's state, wanted and ready numbers, and what its instances do. Reads ZooKeeper alone.

use crate::check;
use crate::context::{Context, note};
use crate::error::{Error, require, require_among};
use crate::http::{Api, Target};
use maas_cli::output::{Out, table};
use maas_cli::{ErrorCode, Failure};
use maas_client::api::{InstanceView, ModelView};
use maas_client::model::{ModelName, ModelVersion};
use maas_client::picture::Picture;
use maas_client::reason::VersionState;
use maas_client::state::Ended;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Options of STATUS.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy status
  maas_deploy status -n dga -v 1.0
  maas_deploy status --check && echo all ready
  maas_deploy status --json | jq '.[] | select(.state != \"Ready\")'")]
pub(crate) struct Args {
    /// Only this model, with its instances
    #[arg(short = 'n', long)]
    name: Option<String>,

    /// Only this version
    #[arg(long, value_name = "VERSION", requires = "name")]
    model_version: Option<String>,

    /// Exit 7 unless all asked for are Ready
    #[arg(long)]
    check: bool,
}

/// One version with what is kept of its ended instances.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    #[serde(flatten)]
    view: Document,
    ended: Vec<Ended>,
}

/// A [`ModelView`] whose reason fields are always there.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Document {
    #[serde(flatten)]
    fields: serde_json::Map<String, serde_json::Value>,
}

/// Prints the states.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let (name, version) = check::filter(args.name.as_deref(), args.model_version.as_deref())?;
    let (views, ended) = match context.named_master()? {
        Some(api) => (from_master(&api, name.as_ref(), version.as_ref()).await?, BTreeMap::new()),
        None => from_zookeeper(context, name.as_ref(), version.as_ref()).await?,
    };
    let views: Vec<ModelView> = views.into_iter().filter(|view| shown(view, name.as_ref(), version.as_ref())).collect();
    if context.json() {
        let rows: Result<Vec<Row>, serde_json::Error> = views.iter().map(|view| row(view, &ended)).collect();
        out.json(&rows.map_err(std::io::Error::other)?)?;
    } else if name.is_some() {
        out.bytes(details(&views, &ended).as_bytes())?;
    } else {
        out.bytes(overview(&views).as_bytes())?;
        if views.is_empty() {
            note("no model is wanted or registered");
        }
    }
    if args.check { checked(&views, context.json()) } else { Ok(()) }
}

type EndedOf = BTreeMap<(ModelName, ModelVersion), Vec<Ended>>;

async fn from_master(
    api: &Api,
    name: Option<&ModelName>,
    version: Option<&ModelVersion>,
) -> Result<Vec<ModelView>, Error> {
    let views: Vec<ModelView> = api.get(Target::api(&["models"])).await?;
    if let Some(name) = name {
        require_among(views.iter().map(|view| (&view.name, &view.version)), name, version)?;
    }
    Ok(views)
}

async fn from_zookeeper(
    context: &Context,
    name: Option<&ModelName>,
    version: Option<&ModelVersion>,
) -> Result<(Vec<ModelView>, EndedOf), Error> {
    let cluster = context.connect().await?;
    // All models are read even for one name, so that a mistyped name can be told what there is.
    let picture = Picture::read(&cluster.tree, &cluster.roots, None).await?;
    if let Some(name) = name {
        require(&picture, name, version)?;
    }
    for unreadable in &picture.unreadable {
        note(format!("left out, can't be read: {unreadable}"));
    }
    if cluster.leader().await?.is_none() {
        note(format!(
            "no master leads at {}: nothing is started or replaced; start one with maas_service",
            cluster.zookeeper
        ));
    }
    let views = picture.versions.values().map(|version| version.to_view(picture.is_current(&version.model))).collect();
    let ended = picture.versions.values().map(|version| {
        let ended = version.status.as_ref().map(|status| status.ended.clone()).unwrap_or_default();
        ((version.model.name.clone(), version.model.version.clone()), ended)
    });
    Ok((views, ended.collect()))
}

/// What is wanted or there; a version that is neither is shown only to who asks for it by name.
fn shown(view: &ModelView, name: Option<&ModelName>, version: Option<&ModelVersion>) -> bool {
    let is_live = |instance: &InstanceView| !instance.state.is_ended();
    let alive = view.desired > 0 || view.ready > 0 || view.instances.iter().any(is_live);
    let named = name.is_none_or(|name| *name == view.name) && version.is_none_or(|version| *version == view.version);
    named && (alive || name.is_some())
}

fn row(view: &ModelView, ended: &EndedOf) -> Result<Row, serde_json::Error> {
    let mut fields = match serde_json::to_value(view)? {
        serde_json::Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    for key in ["reason_code", "reason"] {
        fields.entry(key).or_insert(serde_json::Value::Null);
    }
    let ended = ended.get(&(view.name.clone(), view.version.clone())).cloned().unwrap_or_default();
    Ok(Row { view: Document { fields }, ended })
}

fn overview(views: &[ModelView]) -> String {
    if views.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            vec![
                view.name.to_string(),
                format!("{}{}", view.version, if view.current { " *" } else { "" }),
                view.state.to_string(),
                if view.managed { format!("{}/{}", view.ready, view.desired) } else { view.ready.to_string() },
                view.restarts.to_string(),
                if view.managed { format!("{} MB", view.memory_mb) } else { "-".into() },
                match (&view.reason, view.managed) {
                    (Some(reason), _) => reason.text.clone(),
                    (None, false) => "registered by others".into(),
                    (None, true) => String::new(),
                },
            ]
        })
        .collect();
    table(&["MODEL", "VERSION", "STATE", "READY", "RESTARTS", "MEMORY", "REASON"], &rows)
}

fn details(views: &[ModelView], ended: &EndedOf) -> String {
    let mut text = String::new();
    for (index, view) in views.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&heading(view));
        let mut rows: Vec<Vec<String>> = view.instances.iter().map(instance_row).collect();
        let ended = ended.get(&(view.name.clone(), view.version.clone()));
        rows.extend(ended.into_iter().flatten().rev().take(5).map(ended_row));
        if !rows.is_empty() {
            text.push_str(&table(&["INSTANCE", "STATE", "HOST", "URL", "MEMORY", "SINCE", "REASON"], &rows));
        }
    }
    text
}

fn heading(view: &ModelView) -> String {
    let current = if view.current { " (current)" } else { "" };
    let mut text = format!("{} {}{current}: {}", view.name, view.version, view.state);
    if !view.managed {
        return format!("{text}, {} registered by others\n", view.ready);
    }
    text.push_str(&format!(", {} of {} ready, {} restarts\n", view.ready, view.desired, view.restarts));
    if let Some(reason) = &view.reason {
        text.push_str(&format!("  {} ({})\n", reason.text, reason.code));
    }
    let gpus = if view.gpus > 0 { format!(", {} GPUs", view.gpus) } else { String::new() };
    text.push_str(&format!("  {} MB, {} vcores{gpus} each; payload {}", view.memory_mb, view.vcores, view.path));
    if let Some(digest) = &view.digest {
        text.push_str(&format!(" ({})", digest.chars().take(19).collect::<String>()));
    }
    text.push('\n');
    if let Some(published) = view.published {
        let by = view.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        text.push_str(&format!("  published {published:.3}{by}\n"));
    }
    text
}

fn instance_row(instance: &InstanceView) -> Vec<String> {
    let memory = match instance.memory_used_mb {
        Some(used) => format!("{used}/{} MB", instance.memory_mb),
        None => format!("{} MB", instance.memory_mb),
    };
    vec![
        instance.id.clone(),
        instance.state.to_string(),
        instance.host.clone(),
        instance.url.clone().unwrap_or_else(|| "-".into()),
        memory,
        instance.started.map_or_else(|| "-".into(), |started| format!("{started:.3}")),
        instance.reason.as_ref().map(|reason| reason.text.clone()).unwrap_or_default(),
    ]
}

fn ended_row(ended: &Ended) -> Vec<String> {
    let reason = ended.reason.as_ref().map(|reason| reason.text.clone()).unwrap_or_default();
    let exit = ended.exit_code.map(|code| format!("exit {code}")).unwrap_or_default();
    let why = [reason, exit].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let state = ended.state.to_string();
    vec![ended.id.clone(), state, ended.host.clone(), "-".into(), "-".into(), format!("{:.3}", ended.ended), why]
}

/// `--check`: 7 unless all that are wanted are Ready. Those that are not are named on stderr; a version of which nothing
/// is wanted is as it should be.
fn checked(views: &[ModelView], json: bool) -> Result<(), Error> {
    let not_ready: Vec<String> = views
        .iter()
        .filter(|view| view.state != VersionState::Ready && (view.desired > 0 || !view.managed))
        .map(|view| {
            format!("{} {} is {}, {} of {} ready", view.name, view.version, view.state, view.ready, view.desired)
        })
        .collect();
    let failure = match not_ready.as_slice() {
        [] => return Ok(()),
        [one] => Failure::new(ErrorCode::NotReady, one),
        several => {
            let message = format!("{} versions are not ready: {}", several.len(), several.join("; "));
            Failure::new(ErrorCode::NotReady, message)
        }
    };
    if json {
        // The document on stdout says it already.
        failure.print();
        return Err(Error::Exit(failure.exit()));
    }
    Err(failure.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::picture::Parts;
    use maas_client::reason::{InstanceState, Reason, ReasonCode};
    use maas_client::state::Claim;

    fn views() -> (Vec<ModelView>, EndedOf) {
        let mut instance = testing::instance("1-1-aaaa");
        instance.claim = Some(Claim {
            state: InstanceState::Ready,
            reason: None,
            pid: 77,
            host: "node7".into(),
            url: Some("http://node7:36168".into()),
            started: Some(testing::time(1)),
            memory_used_mb: Some(31),
        });
        let exited = Reason::new(ReasonCode::ScriptExited, "exited with 3");
        let mut status = testing::status(VersionState::Degraded, Some(exited.clone()), 2);
        status.restarts = 1;
        status.ended.push(Ended {
            id: "1-2-bbbb".into(),
            state: InstanceState::Failed,
            reason: Some(exited),
            host: "node7".into(),
            exit_code: Some(3),
            started: testing::time(1),
            ended: testing::time(2),
        });
        let model = testing::model("dga", "1.0");
        let ended = BTreeMap::from([((model.name.clone(), model.version.clone()), status.ended.clone())]);
        let picture = Picture::assemble(Parts {
            desired: vec![(model.clone(), testing::desired(2))],
            status: vec![(model, status)],
            instances: vec![instance],
            endpoints: vec![testing::endpoint("dga", "1.0", "1-1-aaaa"), testing::endpoint("fraud", "2.0", "9")],
            unreadable: Vec::new(),
        });
        let views = picture.versions.values().map(|v| v.to_view(picture.is_current(&v.model))).collect();
        (views, ended)
    }

    #[test]
    fn the_overview_is_one_line_a_version() {
        insta::assert_snapshot!(overview(&views().0), @r"
        MODEL  VERSION  STATE     READY  RESTARTS  MEMORY  REASON
        dga    1.0 *    Degraded  1/2    1         512 MB  exited with 3
        fraud  2.0 *    Ready     1      0         -       registered by others
        ");
    }

    #[test]
    fn one_model_is_shown_with_its_instances_and_the_last_that_ended() {
        let (views, ended) = views();
        insta::assert_snapshot!(details(&views[..1], &ended), @r"
        dga 1.0 (current): Degraded, 1 of 2 ready, 1 restarts
          exited with 3 (script_exited)
          512 MB, 1 vcores each; payload /models/dga/1.0 (sha256:00)
          published 2026-01-02T03:04:05.000Z by alice@here
        INSTANCE  STATE   HOST   URL                 MEMORY     SINCE                     REASON
        1-1-aaaa  Ready   node7  http://node7:36168  31/512 MB  2026-01-02T03:04:06.000Z
        1-2-bbbb  Failed  node7  -                   -          2026-01-02T03:04:07.000Z  exited with 3; exit 3
        ");
    }

    #[test]
    fn as_json_all_fields_are_there_and_the_check_fails_with_7() {
        let (views, ended) = views();
        let json = serde_json::to_value(row(&views[1], &ended).unwrap()).unwrap();
        for field in [
            "name",
            "version",
            "current",
            "managed",
            "desired",
            "ready",
            "state",
            "reason_code",
            "reason",
            "restarts",
            "memory_mb",
            "vcores",
            "gpus",
            "path",
            "digest",
            "published",
            "by",
            "instances",
        ] {
            assert!(json.get(field).is_some(), "{field} in {json}");
        }
        assert_eq!(checked(&views, false).unwrap_err().into_failure().exit(), 7);
        assert!(checked(&views[1..], false).is_ok());
        let both = [views[0].clone(), views[0].clone()];
        let failure = checked(&both, false).unwrap_err().into_failure();
        assert!(
            failure.message().starts_with("2 versions are not ready: dga 1.0 is Degraded, 1 of 2 ready; dga 1.0 is")
        );
        let removed = ModelView { desired: 0, ready: 0, state: VersionState::Stopping, ..views[0].clone() };
        assert!(checked(&[removed, views[1].clone()], false).is_ok(), "0 of 0 wanted is as wanted");
    }
}
