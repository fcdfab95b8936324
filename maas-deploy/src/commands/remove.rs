//! REMOVE: some instances of a version, a whole version, or a whole model. Asks before it takes more than was counted.

use crate::check::{self, MAX_AT_ONCE};
use crate::commands::change;
use crate::context::{Cluster, Context, note};
use crate::error::{Error, require};
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::picture::Picture;
use maas_client::request::{Action, ModelRequest};
use std::io::{BufRead, IsTerminal, Write};

/// Options of REMOVE.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy remove -n dga -v 1.0 -ni 1
  maas_deploy remove -n dga -v 1.0 --wait
  maas_deploy remove -n dga --purge --yes")]
pub(crate) struct Args {
    /// The model
    #[arg(short = 'n', long)]
    name: String,

    /// Its version; without it all versions go
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,

    /// How many instances go; without it all of them
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    num_instances: Option<i64>,

    /// Take the payload out of the store too, once nothing of it runs
    #[arg(long)]
    purge: bool,

    /// Wait until they are gone, S seconds at most
    #[arg(long, value_name = "S", num_args = 0..=1, default_missing_value = change::DEFAULT_WAIT_S)]
    wait: Option<u64>,

    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,

    /// Accepted as in ADD, without use here
    #[arg(short = 'm', long, value_name = "MB", hide = true)]
    memory: Option<i64>,

    /// Accepted as in ADD, without use here
    #[arg(long, value_name = "PATH", hide = true)]
    hdfs_model_path: Option<String>,
}

/// What of one version goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Going {
    model: ModelId,
    /// How many.
    count: u32,
    /// Whether that is all of them.
    all: bool,
}

/// Removes.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let name = check::name(&args.name)?;
    let version = args.model_version.as_deref().map(check::version).transpose()?;
    let count = args.num_instances.map(|number| check::count(number, 1, MAX_AT_ONCE)).transpose()?;
    let cluster = context.connect().await?;
    let going = going(&cluster, &name, version.as_ref(), count).await?;
    if (version.is_none() || count.is_none()) && !args.yes {
        confirm(&going, args.purge)?;
    }
    let mut result = Ok(());
    for going in going {
        let request = request(&going, args.purge);
        let carried = change::carry_out(&cluster, request, None, change::patience(args.wait)).await?;
        change::print(context, &carried.followed.report, out)?;
        // One that failed does not keep the others.
        if let Err(error) = change::conclude(context, &cluster, &carried.followed).await {
            result = Err(error);
        }
    }
    result
}

/// What would go, by what is wanted now.
async fn going(
    cluster: &Cluster,
    name: &ModelName,
    version: Option<&ModelVersion>,
    count: Option<u32>,
) -> Result<Vec<Going>, Error> {
    if let (Some(version), Some(count)) = (version, count) {
        let model = ModelId { name: name.clone(), version: version.clone() };
        let counted = vec![Going { model, count, all: false }];
        // What is not there may be in the queue yet; whether it is there is then the master's to say.
        if !cluster.is_ours().await? || cluster.has_queued().await? {
            return Ok(counted);
        }
        let picture = Picture::read(&cluster.tree, &cluster.roots, None).await?;
        require(&picture, name, Some(version))?;
        refuse_strangers(&picture, &counted)?;
        return Ok(counted);
    }
    let picture = Picture::read(&cluster.tree, &cluster.roots, None).await?;
    require(&picture, name, version)?;
    let is_ours = cluster.is_ours().await?;
    let going: Vec<Going> = picture
        .of(name)
        .filter(|of| version.is_none_or(|version| *version == of.model.version))
        .filter(|of| version.is_some() || of.wanted() > 0 || !of.instances.is_empty() || !is_ours)
        .map(|of| {
            let there = if of.managed() { of.wanted() } else { of.ready() };
            Going { model: of.model.clone(), count: count.unwrap_or(there).max(1), all: count.is_none() }
        })
        .collect();
    if is_ours {
        refuse_strangers(&picture, &going)?;
    }
    if going.is_empty() {
        note(format!("nothing of {name} is wanted"));
    }
    Ok(going)
}

/// Registrations that no master of ours manages can't be removed by a request.
fn refuse_strangers(picture: &Picture, going: &[Going]) -> Result<(), Error> {
    let stranger = going.iter().filter_map(|going| picture.version(&going.model)).find(|of| of.desired.is_none());
    match stranger {
        None => Ok(()),
        Some(of) => Err(Error::say(
            ErrorCode::Conflict,
            format!("{} is registered by others: no master of ours can remove it", of.model),
        )),
    }
}

/// All of more than one request may ask for is SCALE to 0, which means the same.
fn request(going: &Going, purge: bool) -> ModelRequest {
    let mut request = change::remove_request(going.model.clone(), going.count.min(MAX_AT_ONCE), purge);
    if going.all && going.count > MAX_AT_ONCE {
        request.action = Action::Scale;
        request.num_instances = 0;
    }
    request
}

fn confirm(going: &[Going], purge: bool) -> Result<(), Error> {
    if going.is_empty() {
        return Ok(());
    }
    let what = question(going, purge);
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        let message = format!("{what}, and there is no terminal to ask at; give --yes, or -v and -ni");
        return Err(Failure::new(ErrorCode::NeedsAnswer, message).into());
    }
    {
        let mut stderr = std::io::stderr().lock();
        write!(stderr, "{what}. Go on? [y/N] ")?;
        stderr.flush()?;
    }
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::Interrupted, "nothing was removed").into())
}

/// `this removes dga 1.0 (2 instances) and dga 2.0 (1 instance), and their payloads`
fn question(going: &[Going], purge: bool) -> String {
    let each: Vec<String> = going
        .iter()
        .map(|going| {
            let s = if going.count == 1 { "" } else { "s" };
            let all = if going.all { "all " } else { "" };
            format!("{all}{} instance{s} of {}", going.count, going.model)
        })
        .collect();
    let payloads = if purge { ", and what is stored of them" } else { "" };
    format!("this removes {}{payloads}", each.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_question_names_what_would_go() {
        let going = [
            Going { model: testing::model("dga", "1.0"), count: 2, all: true },
            Going { model: testing::model("dga", "2.0"), count: 1, all: true },
        ];
        assert_eq!(
            question(&going, true),
            "this removes all 2 instances of dga 1.0, all 1 instance of dga 2.0, and what is stored of them"
        );
    }

    #[test]
    fn all_of_very_many_is_one_request() {
        let going = Going { model: testing::model("dga", "1.0"), count: 5_000, all: true };
        let request = request(&going, true);
        assert_eq!((request.action, request.num_instances, request.extra.purge), (Action::Scale, 0, true));
    }
}
