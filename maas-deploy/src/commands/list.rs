//! LIST: what callers can reach now. Reads the registry (and what is wanted) and never enqueues anything.

use crate::check;
use crate::context::{Context, note};
use crate::error::Error;
use crate::http::{Api, Target};
use jiff::Timestamp;
use maas_cli::output::Out;
use maas_client::api::ModelView;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::picture::{Picture, VersionPicture};
use maas_client::reason::{InstanceState, VersionState};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Options of LIST.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy -zq node1:2181 -mo LIST
  maas_deploy list -n dga
  maas_deploy list --json | jq -r '.[] | select(.current) | .endpoints[].url'")]
pub(crate) struct Args {
    /// Only this model
    #[arg(short = 'n', long)]
    name: Option<String>,

    /// Only this version
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,

    /// How text is laid out
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each version, below it one url a line
    Text,
    /// As Metron's LIST prints its endpoints, with their functions
    Metron,
}

/// One version with endpoints.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Listed {
    name: ModelName,
    version: ModelVersion,
    current: bool,
    managed: bool,
    wanted: u32,
    endpoints: Vec<ListedEndpoint>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ListedEndpoint {
    id: String,
    url: String,
    functions: BTreeMap<String, String>,
    registered: Option<Timestamp>,
}

/// A version that is wanted and has fewer endpoints than that.
#[derive(Debug, Clone, PartialEq)]
struct Missing {
    model: ModelId,
    wanted: u32,
    ready: u32,
    state: VersionState,
    reason: Option<String>,
}

/// Prints what there is.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let (name, version) = check::filter(args.name.as_deref(), args.model_version.as_deref())?;
    let (mut listed, mut missing) = match context.named_master()? {
        Some(api) => from_master(&api).await?,
        None => {
            let cluster = context.connect().await?;
            let picture = Picture::read(&cluster.tree, &cluster.roots, name.as_ref()).await?;
            for unreadable in &picture.unreadable {
                note(format!("left out, can't be read: {unreadable}"));
            }
            from_picture(&picture)
        }
    };
    let chosen = |a: &ModelName, b: &ModelVersion| {
        name.as_ref().is_none_or(|name| name == a) && version.as_ref().is_none_or(|version| version == b)
    };
    listed.retain(|listed| chosen(&listed.name, &listed.version));
    missing.retain(|missing| chosen(&missing.model.name, &missing.model.version));
    if context.json() {
        out.json(&listed)?;
    } else {
        out.bytes(text(&listed, args.format).as_bytes())?;
    }
    for missing in &missing {
        note(missing.line());
    }
    if listed.is_empty() && missing.is_empty() {
        let what = match (&name, &version) {
            (Some(name), Some(version)) => format!("no endpoint of {name} {version} is registered"),
            (Some(name), None) => format!("no endpoint of {name} is registered"),
            _ => "no endpoint is registered".to_string(),
        };
        note(what);
    }
    Ok(())
}

fn from_picture(picture: &Picture) -> (Vec<Listed>, Vec<Missing>) {
    let listed = picture.versions.values().filter(|version| !version.endpoints.is_empty()).map(|version| Listed {
        name: version.model.name.clone(),
        version: version.model.version.clone(),
        current: picture.is_current(&version.model),
        managed: version.managed(),
        wanted: version.wanted(),
        endpoints: endpoints(version),
    });
    let missing = picture.versions.values().filter(|version| version.ready() < version.wanted());
    let missing = missing.map(|version| Missing {
        model: version.model.clone(),
        wanted: version.wanted(),
        ready: version.ready(),
        state: version.state(),
        reason: version.reason().map(|reason| reason.text.clone()),
    });
    (listed.collect(), missing.collect())
}

fn endpoints(version: &VersionPicture) -> Vec<ListedEndpoint> {
    let endpoints = version.endpoints.iter().map(|endpoint| ListedEndpoint {
        id: endpoint.id.to_string(),
        url: endpoint.url.to_string(),
        functions: endpoint.functions.as_ref().clone(),
        registered: Timestamp::from_millisecond(endpoint.registered_ms).ok(),
    });
    endpoints.collect()
}

/// The same from a master's HTTP, which does not know the functions.
async fn from_master(api: &Api) -> Result<(Vec<Listed>, Vec<Missing>), Error> {
    let mut models: Vec<ModelView> = api.get(Target::api(&["models"])).await?;
    models.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    let mut listed = Vec::new();
    let mut missing = Vec::new();
    for model in models {
        let ready = model.instances.iter().filter(|instance| instance.state == InstanceState::Ready);
        let endpoints: Vec<ListedEndpoint> = ready
            .filter_map(|instance| {
                Some(ListedEndpoint {
                    id: instance.id.clone(),
                    url: instance.url.clone()?,
                    functions: BTreeMap::new(),
                    registered: None,
                })
            })
            .collect();
        if model.ready < model.desired {
            missing.push(Missing {
                model: ModelId { name: model.name.clone(), version: model.version.clone() },
                wanted: model.desired,
                ready: model.ready,
                state: model.state,
                reason: model.reason.map(|reason| reason.text),
            });
        }
        if !endpoints.is_empty() {
            listed.push(Listed {
                name: model.name,
                version: model.version,
                current: model.current,
                managed: model.managed,
                wanted: model.desired,
                endpoints,
            });
        }
    }
    Ok((listed, missing))
}

impl Missing {
    fn line(&self) -> String {
        let why = self.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}: {} of {} ready ({}{why})", self.model, self.ready, self.wanted, self.state)
    }
}

fn text(listed: &[Listed], format: Format) -> String {
    let mut text = String::new();
    for version in listed {
        text.push_str(&format!("Model {} @ {}\n", version.name, version.version));
        for endpoint in &version.endpoints {
            match format {
                Format::Text => text.push_str(&format!("{}\n", endpoint.url)),
                Format::Metron => {
                    text.push_str(&format!("{}:{} @ {} serving:\n", version.name, version.version, endpoint.url));
                    for (function, path) in &endpoint.functions {
                        text.push_str(&format!("\t{function}={path}\n"));
                    }
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::picture::Parts;

    fn picture() -> Picture {
        let endpoints = [
            testing::endpoint("dga", "10.0", "1-2-bbbb"),
            testing::endpoint("dga", "9.0", "1-1-aaaa"),
            testing::endpoint("alpha", "1.0", "2"),
        ];
        let ours = [("1-1-aaaa", "9.0"), ("1-2-bbbb", "10.0")].map(|(id, version)| {
            let mut instance = testing::ready(id);
            instance.record.model = testing::model("dga", version);
            instance
        });
        Picture::assemble(Parts {
            instances: ours.to_vec(),
            desired: vec![
                (testing::model("dga", "9.0"), testing::desired(2)),
                (testing::model("dga", "10.0"), testing::desired(1)),
                (testing::model("late", "1.0"), testing::desired(1)),
            ],
            endpoints: endpoints.to_vec(),
            ..Parts::default()
        })
    }

    #[test]
    fn versions_are_listed_by_name_and_natural_order_with_their_urls() {
        let (listed, missing) = from_picture(&picture());
        insta::assert_snapshot!(text(&listed, Format::Text), @r"
        Model alpha @ 1.0
        http://node7:36161
        Model dga @ 9.0
        http://node7:36168
        Model dga @ 10.0
        http://node7:36168
        ");
        insta::assert_snapshot!(text(&listed[..1], Format::Metron), @r"
        Model alpha @ 1.0
        alpha:1.0 @ http://node7:36161 serving:
        	apply=apply
        ");
        let missing: Vec<String> = missing.iter().map(Missing::line).collect();
        assert_eq!(missing, ["dga 9.0: 1 of 2 ready (Degraded)", "late 1.0: 0 of 1 ready (Starting)"]);
    }

    #[test]
    fn as_json_the_highest_version_is_current_and_strangers_are_not_managed() {
        let (listed, _) = from_picture(&picture());
        insta::assert_snapshot!(serde_json::to_string_pretty(&listed[..1]).unwrap(), @r#"
        [
          {
            "name": "alpha",
            "version": "1.0",
            "current": true,
            "managed": false,
            "wanted": 0,
            "endpoints": [
              {
                "id": "2",
                "url": "http://node7:36161",
                "functions": {
                  "apply": "apply"
                },
                "registered": "2026-01-02T03:04:07Z"
              }
            ]
          }
        ]
        "#);
        let current: Vec<&str> = listed.iter().filter(|l| l.current).map(|l| l.version.as_str()).collect();
        assert_eq!(current, ["1.0", "10.0"]);
    }
}
