//! SCALE: sets the wanted number; repeating it changes nothing.

use crate::check::{self, MAX_OF_VERSION};
use crate::commands::change;
use crate::context::Context;
use crate::error::{Error, require};
use maas_cli::output::Out;
use maas_client::picture::Picture;
use maas_client::request::{Action, Extra, ModelRequest, Resources};
use std::io::Write;

/// Options of SCALE.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy scale -n dga -v 1.0 -ni 4 --wait
  maas_deploy scale -n dga -v 1.0 -ni 0")]
pub(crate) struct Args {
    /// The model
    #[arg(short = 'n', long)]
    name: String,

    /// Its version
    #[arg(long, value_name = "VERSION")]
    model_version: String,

    /// How many instances shall run, 0 to 10000
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    num_instances: i64,

    /// Wait until all are ready, or the rest gone; S seconds at most
    #[arg(long, value_name = "S", num_args = 0..=1, default_missing_value = change::DEFAULT_WAIT_S)]
    wait: Option<u64>,
}

/// Sets the number.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let model = check::model(&args.name, &args.model_version)?;
    let count = check::count(args.num_instances, 0, MAX_OF_VERSION)?;
    let cluster = context.connect().await?;
    let picture = Picture::read(&cluster.tree, &cluster.roots, None).await?;
    if cluster.is_ours().await? && !cluster.has_queued().await? {
        require(&picture, &model.name, Some(&model.version))?;
    }
    let request = ModelRequest {
        model,
        action: Action::Scale,
        num_instances: count,
        resources: Resources { memory_mb: 0, ..Resources::default() },
        path: None,
        extra: Extra::default(),
    };
    let carried = change::carry_out(&cluster, request, None, change::patience(args.wait)).await?;
    change::print(context, &carried.followed.report, out)?;
    change::conclude(context, &cluster, &carried.followed).await
}
