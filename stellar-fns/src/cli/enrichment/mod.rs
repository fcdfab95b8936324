//! `stellar enrichment`: what ENRICHMENT_GET and ENRICHMENT_EXISTS read is loaded, shown and taken away.

mod change;
mod show;

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Subcommand};
use maas_cli::{ErrorCode, Failure};

use super::{Trouble, services};
use crate::services::enrichment::{EnrichmentSettings, Error, Group};

/// What to do with a store of enrichments.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load files of records: all of them, or nothing
    Load(change::LoadArgs),
    /// Print what is known of an indicator
    Get(show::GetArgs),
    /// Print which types are loaded, and how much of each
    List(show::ListArgs),
    /// Take away one indicator, or all of a type
    Delete(change::DeleteArgs),
}

/// Which store.
#[derive(Debug, ClapArgs)]
struct StoreOption {
    /// The store's file; default: store in stellar.enrichment.settings of the file that -c names
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Where in the store.
#[derive(Debug, ClapArgs)]
struct GroupOptions {
    /// The type of enrichment, as expressions name it
    #[arg(long = "type", value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    kind: String,
    /// The table that expressions name
    #[arg(long, value_name = "NAME", default_value = "enrichment", value_parser = NonEmptyStringValueParser::new())]
    table: String,
    /// Its column family
    #[arg(long, value_name = "NAME", default_value = "t", value_parser = NonEmptyStringValueParser::new())]
    column_family: String,
}

impl GroupOptions {
    fn group(&self) -> Group {
        Group { table: self.table.clone(), family: self.column_family.clone(), kind: self.kind.clone() }
    }
}

/// Does what is asked; gives the exit code.
pub(super) fn run(args: &Args, globals: Option<&Path>) -> Result<u8, Trouble> {
    match &args.command {
        Command::Load(args) => change::load(args, globals),
        Command::Get(args) => show::get(args, globals),
        Command::List(args) => show::list(args, globals),
        Command::Delete(args) => change::delete(args, globals),
    }
}

fn store(option: &StoreOption, globals: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(store) = &option.store {
        return Ok(store.clone());
    }
    let settings = match globals {
        Some(file) => EnrichmentSettings::from_globals(&services::globals(file)?)
            .map_err(|error| services::unusable(file, "can't be used").because(&error))?,
        None => EnrichmentSettings::default(),
    };
    let missing = "no store is named; give --store FILE, or -c with a global.json that names one";
    settings.store.ok_or_else(|| Failure::new(ErrorCode::Usage, missing))
}

/// The store, which must be there.
fn filled_store(option: &StoreOption, globals: Option<&Path>) -> Result<PathBuf, Failure> {
    let store = store(option, globals)?;
    if store.exists() {
        return Ok(store);
    }
    let missing = format!("there is no store {}; stellar enrichment load makes it", store.display());
    Err(Failure::new(ErrorCode::NoFile, missing))
}

fn failure(error: &Error) -> Failure {
    let code = match error {
        Error::Unusable { .. } | Error::Damaged { .. } | Error::Source { .. } | Error::Columns { .. } => {
            ErrorCode::BadRequest
        }
        Error::Busy { .. } => ErrorCode::InUse,
        Error::Unwritten { .. } => ErrorCode::StoreUnreachable,
    };
    Failure::of(code, error)
}
