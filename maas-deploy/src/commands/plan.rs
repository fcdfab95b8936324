//! PLAN: what an ADD, REMOVE or SCALE would do and why, thought through by the master and done by nobody.

use crate::check::{self, MAX_AT_ONCE, MAX_OF_VERSION};
use crate::context::Context;
use crate::error::Error;
use crate::http::Target;
use maas_cli::ErrorCode;
use maas_cli::output::{Out, table};
use maas_client::api::{PlanAnswer, PlanQuestion, PlanVerdict};
use maas_client::request::{Action, Resources};
use std::io::Write;
use std::path::PathBuf;

/// Options of PLAN: those of the verb that is thought through.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy plan -n dga -v 1.0 -m 8192 -ni 4
  maas_deploy plan scale -n dga -v 1.0 -ni 10
  maas_deploy plan remove -n dga -v 1.0 -ni 1

Exit codes: 0 fits now, 5 would wait, 3 never fits.")]
pub(crate) struct Args {
    /// Which verb is thought through; ADD when -m or -lmp is given
    #[arg(value_name = "VERB", value_enum, ignore_case = true)]
    verb: Option<PlannedVerb>,

    /// The model
    #[arg(short = 'n', long)]
    name: String,

    /// Its version
    #[arg(long, value_name = "VERSION")]
    model_version: String,

    /// How many instances
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    num_instances: i64,

    /// Memory of an instance
    #[arg(short = 'm', long, value_name = "MB", allow_negative_numbers = true)]
    memory: Option<i64>,

    /// Virtual cores of an instance
    #[arg(long, value_name = "N")]
    vcores: Option<u32>,

    /// GPUs of an instance
    #[arg(long, value_name = "N")]
    gpus: Option<u32>,

    /// Node label it must run on
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,

    /// The model directory, whose settings count where no option is given
    #[arg(long, value_name = "DIR")]
    local_model_path: Option<PathBuf>,

    /// Accepted as in ADD; a plan does not depend on it
    #[arg(long, value_name = "PATH", hide = true)]
    hdfs_model_path: Option<String>,
}

/// A verb that can be thought through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PlannedVerb {
    Add,
    Remove,
    Scale,
}

/// Asks the master and prints its answer.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let question = question(&args)?;
    let api = context.master(None).await?;
    let answer: PlanAnswer = api.post(Target::api(&["plan"]), &question).await?;
    if context.json() {
        out.json(&answer)?;
    } else {
        out.bytes(text(&question, &answer).as_bytes())?;
    }
    match answer.verdict {
        PlanVerdict::Now => Ok(()),
        PlanVerdict::Waits => Err(Error::Exit(ErrorCode::WaitsForRoom.exit())),
        PlanVerdict::Never => Err(Error::Exit(ErrorCode::NeverFits.exit())),
    }
}

fn question(args: &Args) -> Result<PlanQuestion, Error> {
    let model = check::model(&args.name, &args.model_version)?;
    let verb = match args.verb {
        Some(verb) => verb,
        None if args.memory.is_some() || args.local_model_path.is_some() => PlannedVerb::Add,
        None => {
            return Err(Error::say(
                ErrorCode::Usage,
                "plan of what? say plan add, plan remove or plan scale, or give ADD's -m",
            ));
        }
    };
    let (action, count) = match verb {
        PlannedVerb::Add => (Action::Add, check::count(args.num_instances, 1, MAX_AT_ONCE)?),
        PlannedVerb::Remove => (Action::Remove, check::count(args.num_instances, 1, MAX_AT_ONCE)?),
        PlannedVerb::Scale => (Action::Scale, check::count(args.num_instances, 0, MAX_OF_VERSION)?),
    };
    let resources = if verb == PlannedVerb::Add { resources(args)? } else { None };
    Ok(PlanQuestion { action, name: model.name, version: model.version, num_instances: count, resources })
}

/// Options over the directory's settings over defaults; `None` when nothing is given, so that those of the version count.
fn resources(args: &Args) -> Result<Option<Resources>, Error> {
    let given = args.memory.is_some()
        || args.vcores.is_some()
        || args.gpus.is_some()
        || args.label.is_some()
        || args.local_model_path.is_some();
    if !given {
        return Ok(None);
    }
    let base = match &args.local_model_path {
        Some(dir) => crate::payload::settings_of(dir)?,
        None => Resources::default(),
    };
    Ok(Some(Resources {
        memory_mb: args.memory.map(check::memory).transpose()?.unwrap_or(base.memory_mb),
        vcores: args.vcores.unwrap_or(base.vcores),
        gpus: args.gpus.unwrap_or(base.gpus),
        label: args.label.clone().unwrap_or(base.label),
    }))
}

fn text(question: &PlanQuestion, answer: &PlanAnswer) -> String {
    let what = format!("{} {}", question.name, question.version);
    let why = answer.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut text = match answer.verdict {
        PlanVerdict::Now => format!("{what}: fits now{why}\n"),
        PlanVerdict::Waits => format!("{what}: would wait{why}\n"),
        // The reason itself says that it can never fit.
        PlanVerdict::Never if !why.is_empty() => format!("{what}{why}\n"),
        PlanVerdict::Never => format!("{what}: never fits\n"),
    };
    if !answer.steps.is_empty() {
        let rows: Vec<Vec<String>> = answer
            .steps
            .iter()
            .map(|step| {
                let model = format!("{} {}", step.name, step.version);
                vec![step.step.clone(), model, step.instance.clone().unwrap_or_else(|| "-".into()), step.reason.clone()]
            })
            .collect();
        text.push_str(&table(&["STEP", "MODEL", "INSTANCE", "REASON"], &rows));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use maas_client::api::PlannedStep;
    use maas_client::reason::{Reason, ReasonCode};

    #[test]
    fn a_plan_is_a_verdict_and_its_steps() {
        let question = PlanQuestion {
            action: Action::Add,
            name: "dga".parse().unwrap(),
            version: "1.0".parse().unwrap(),
            num_instances: 1,
            resources: None,
        };
        let step = PlannedStep {
            step: "launch".into(),
            name: question.name.clone(),
            version: question.version.clone(),
            instance: None,
            reason: "1 of 1 is missing".into(),
        };
        let reason = Some(Reason::new(ReasonCode::WaitingCapacity, "needs 8192 MB; most free 2048 MB on node7"));
        let answer = PlanAnswer { verdict: PlanVerdict::Waits, reason, steps: vec![step] };
        insta::assert_snapshot!(text(&question, &answer), @r"
        dga 1.0: would wait: needs 8192 MB; most free 2048 MB on node7
        STEP    MODEL    INSTANCE  REASON
        launch  dga 1.0  -         1 of 1 is missing
        ");
    }
}
