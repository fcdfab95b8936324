//! `stellar enrichment load` and `delete`.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit};
use serde_json::json;

use super::{GroupOptions, StoreOption, failure, filled_store, store};
use crate::cli::{Trouble, text};
use crate::services::enrichment::{self, BadLine, Columns, Format, Load, Loaded, Source};

/// How many bad lines are told of, one by one.
const TOLD: u64 = 20;

#[derive(Debug, ClapArgs)]
pub(super) struct LoadArgs {
    #[command(flatten)]
    store: StoreOption,
    #[command(flatten)]
    group: GroupOptions,
    /// The column or key that is looked up; default: the first column, or the key indicator
    #[arg(long, value_name = "NAME")]
    indicator: Option<String>,
    /// Names of the columns of a CSV file that has no heading
    #[arg(long, value_name = "NAME,NAME…", value_delimiter = ',')]
    columns: Vec<String>,
    /// What stands between the values of a CSV file, one character
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = separator)]
    separator: u8,
    /// How the files are written; default: by their names
    #[arg(long, value_name = "FORMAT")]
    format: Option<Written>,
    /// Replace all of the type by what is loaded
    #[arg(long)]
    replace: bool,
    /// Leave out lines that are no records; without this one of them keeps everything from being loaded
    #[arg(long)]
    skip_bad: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    /// Files to load, .csv or .jsonl; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    store: StoreOption,
    #[command(flatten)]
    group: GroupOptions,
    /// Don't ask before all of a type is taken away
    #[arg(long)]
    yes: bool,
    /// The indicator; without it, all of the type
    #[arg(value_name = "INDICATOR")]
    indicator: Option<String>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Written {
    /// Comma-separated values
    Csv,
    /// A JSON object on each line
    Jsonl,
}

fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("give one ASCII character, or \\t".into()),
    }
}

pub(super) fn load(args: &LoadArgs, globals: Option<&Path>) -> Result<u8, Trouble> {
    let store = store(&args.store, globals)?;
    let group = args.group.group();
    // What can't be opened is noticed before the store is touched.
    let sources = args.files.iter().map(|file| source(file, args)).collect::<Result<Vec<_>, _>>()?;
    let what = Load {
        store: &store,
        group: &group,
        indicator: args.indicator.as_deref(),
        replace: args.replace,
        skip_bad: args.skip_bad,
    };
    let mut told = 0;
    let mut tell = |bad: BadLine<'_>| {
        told += 1;
        if told <= TOLD {
            // Nothing can be said about a stderr that can't be written to.
            let _ = writeln!(io::stderr().lock(), "{}:{}: {}", bad.file, bad.line, bad.reason);
        }
    };
    let loaded = enrichment::load(&what, sources, &mut tell).map_err(|error| failure(&error))?;
    if loaded.bad > TOLD {
        let _ = writeln!(io::stderr().lock(), "and {} more lines that are no records", loaded.bad - TOLD);
    }
    let Loaded { added, changed, unchanged, removed, bad, stored } = loaded;
    let mut out = Out::stdout();
    if args.json {
        out.json(&json!({
            "store": store, "table": group.table, "column_family": group.family, "type": group.kind, "stored": stored,
            "added": added, "changed": changed, "unchanged": unchanged, "removed": removed, "bad": bad,
        }))?;
    } else if stored {
        let removed = if args.replace { format!(", {removed} replaced") } else { String::new() };
        let bad = if bad > 0 { format!(", {bad} bad lines left out") } else { String::new() };
        out.line(format!("{group}: {added} added, {changed} changed, {unchanged} unchanged{removed}{bad}"))?;
    }
    if stored {
        return Ok(exit::DONE);
    }
    let lines = if bad == 1 { "1 line is no record".into() } else { format!("{bad} lines are no records") };
    let message = format!("nothing was loaded: {lines}; correct them, or leave them out with --skip-bad");
    let refusal = Failure::new(ErrorCode::BadRequest, message);
    // With --json the counts were the document.
    refusal.print();
    Ok(refusal.exit())
}

fn source<'a>(file: &Path, args: &LoadArgs) -> Result<Source<'a>, Failure> {
    let name = file.display().to_string();
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let written = match (args.format, ending.as_str()) {
        (Some(format), _) => format,
        (None, "csv" | "tsv") => Written::Csv,
        (None, "jsonl" | "ndjson" | "json") => Written::Jsonl,
        _ => {
            let message = format!("{name}: its name does not say how it is written; give --format csv or jsonl");
            return Err(Failure::new(ErrorCode::Usage, message));
        }
    };
    let format = match written {
        Written::Jsonl => Format::JsonLines,
        Written::Csv => {
            let columns = if args.columns.is_empty() { Columns::Heading } else { Columns::Named(args.columns.clone()) };
            let tabs = ending == "tsv" && args.separator == b',';
            Format::Csv { separator: if tabs { b'\t' } else { args.separator }, columns }
        }
    };
    let input: Box<dyn BufRead> = if name == "-" {
        Box::new(io::stdin().lock())
    } else {
        let opened = text::open(file).map_err(|error| text::unreadable(file, &error))?;
        Box::new(BufReader::with_capacity(1 << 16, opened))
    };
    Ok(Source { name, format, input })
}

pub(super) fn delete(args: &DeleteArgs, globals: Option<&Path>) -> Result<u8, Trouble> {
    let store = filled_store(&args.store, globals)?;
    let group = args.group.group();
    if args.indicator.is_none() && !args.yes {
        confirm(&format!("this takes away all of {group}"))?;
    }
    let gone = enrichment::delete(&store, &group, args.indicator.as_deref()).map_err(|error| failure(&error))?;
    Out::stdout().line(format!("{group}: {gone} deleted"))?;
    Ok(exit::DONE)
}

fn confirm(what: &str) -> Result<(), Trouble> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let message = format!("{what}, and there is no terminal to ask at; give --yes, or an indicator");
        return Err(Failure::new(ErrorCode::NeedsAnswer, message).into());
    }
    write!(io::stderr(), "{what}. Go on? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::Interrupted, "nothing was deleted").into())
}
