//! `errors`: the fixed list of error codes, which scripts match on.

use crate::context::Context;
use crate::error::Error;
use maas_cli::ErrorCode;
use maas_cli::output::Out;
use serde::Serialize;
use std::io::Write;

/// Options of `errors`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy errors
  maas_deploy errors --json")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Row {
    code: ErrorCode,
    exit: u8,
    meaning: &'static str,
}

/// Prints the list.
pub(crate) fn run<W: Write>(context: &Context, _: Args, out: &mut Out<W>) -> Result<(), Error> {
    let rows = ErrorCode::ALL.iter().map(|code| Row { code: *code, exit: code.exit(), meaning: code.meaning() });
    if context.json() {
        out.json(&rows.collect::<Vec<_>>())?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> =
        rows.map(|row| vec![row.code.to_string(), row.exit.to_string(), row.meaning.to_string()]).collect();
    out.table(&["CODE", "EXIT", "MEANING"], &rows)?;
    Ok(())
}
