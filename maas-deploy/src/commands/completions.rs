//! `completions`: what a shell needs to complete verbs and options.

use crate::cli::{Cli, TABLE};
use crate::error::Error;
use maas_cli::output::Out;
use maas_cli::{completions, parse};
use std::io::Write;

/// Options of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy completions bash > ~/.local/share/bash-completion/completions/maas_deploy
  maas_deploy completions zsh > ~/.zfunc/_maas_deploy")]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// Prints the completions.
pub(crate) fn run<W: Write>(args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let mut command = parse::command::<Cli>(&TABLE);
    out.bytes(&completions::text(args.shell, &mut command))?;
    Ok(())
}
