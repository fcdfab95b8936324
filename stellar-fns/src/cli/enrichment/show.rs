//! `stellar enrichment get` and `list`.

use std::path::Path;

use clap::Args as ClapArgs;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit};
use serde_json::json;

use super::{GroupOptions, StoreOption, failure, filled_store};
use crate::cli::Trouble;
use crate::services::enrichment::{EnrichmentStore, FileStore};

#[derive(Debug, ClapArgs)]
pub(super) struct GetArgs {
    #[command(flatten)]
    store: StoreOption,
    #[command(flatten)]
    group: GroupOptions,
    /// The indicator
    #[arg(value_name = "INDICATOR")]
    indicator: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ListArgs {
    #[command(flatten)]
    store: StoreOption,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn get(args: &GetArgs, globals: Option<&Path>) -> Result<u8, Trouble> {
    let group = args.group.group();
    let store = FileStore::new(filled_store(&args.store, globals)?);
    match store.get(&group, &args.indicator).map_err(|error| failure(&error))? {
        Some(found) => {
            Out::stdout().json(&found.record)?;
            Ok(exit::DONE)
        }
        None => {
            let missing = format!("nothing is known of {:?}, {group}", args.indicator);
            Err(Failure::new(ErrorCode::NoEnrichment, missing).into())
        }
    }
}

pub(super) fn list(args: &ListArgs, globals: Option<&Path>) -> Result<u8, Trouble> {
    let store = FileStore::new(filled_store(&args.store, globals)?);
    let listed = store.list().map_err(|error| failure(&error))?;
    let mut out = Out::stdout();
    if args.json {
        let groups = listed.iter().map(|listed| {
            let group = &listed.group;
            json!({"table": group.table, "column_family": group.family, "type": group.kind, "indicators": listed.indicators})
        });
        out.json(&groups.collect::<Vec<_>>())?;
    } else {
        let rows = listed.iter().map(|listed| {
            let group = &listed.group;
            vec![group.table.clone(), group.family.clone(), group.kind.clone(), listed.indicators.to_string()]
        });
        out.table(&["TABLE", "FAMILY", "TYPE", "INDICATORS"], &rows.collect::<Vec<_>>())?;
    }
    Ok(exit::DONE)
}
