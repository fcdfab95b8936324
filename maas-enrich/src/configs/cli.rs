//! The command line of `zk_load_configs`, with the original's letters.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use maas_cli::argv::{LOG4J, Letter, Table, ZK_ROOT, ZOOKEEPER};
use maas_cli::options::{LogOptions, ZooKeeperOptions};
use maas_cli::{ErrorCode, Failure, exit, parse};

use super::commands::{self, Manner};
use super::ordered::Ordered;
use super::patch::Operation;
use crate::config::Files;
use crate::connect;

const TABLE: Table = Table {
    letters: &[
        ZOOKEEPER,
        ZK_ROOT,
        Letter { short: "-pf", also: &[], long: "patch-file", value: true },
        Letter { short: "-pk", also: &[], long: "patch-key", value: true },
        Letter { short: "-pv", also: &[], long: "patch-value", value: true },
        Letter { short: "-pm", also: &[], long: "patch-mode", value: true },
    ],
    unused: &[LOG4J],
    modes: &[],
};

const EXAMPLES: &str = r#"Examples:
  zk_load_configs -m PUSH -z node1:2181 -i ./config
  zk_load_configs -m PULL -z node1:2181 -o ./config -f
  zk_load_configs -m DUMP -z node1:2181 -c PARSER -n squid
  zk_load_configs -m PATCH -z node1:2181 -c GLOBAL -pk /es.ip -pv '"node2"' -pm ADD

A push is checked first, then written at once or not at all; programs that run take it over without restart.

Exit codes: 0 done, 2 usage, 3 refused, 4 not found, 6 ZooKeeper can't be reached, 8 somebody else changed it meanwhile."#;

/// Configurations to, from and in ZooKeeper.
#[derive(Debug, Parser)]
#[command(name = "zk_load_configs", version, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    /// What to do
    #[arg(short = 'm', long, value_enum, ignore_case = true)]
    mode: Mode,
    /// Directory with global.json, parsers/, enrichments/, indexing/, patterns/
    #[arg(short = 'i', long, value_name = "DIR")]
    input_dir: Option<PathBuf>,
    /// Directory to write to
    #[arg(short = 'o', long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Write over files that are there
    #[arg(short = 'f', long)]
    force: bool,
    /// Kind of the one file that is meant
    #[arg(short = 'c', long, value_enum, ignore_case = true, value_name = "TYPE")]
    config_type: Option<Kind>,
    /// Sensor of the one file that is meant
    #[arg(short = 'n', long, value_name = "NAME")]
    config_name: Option<String>,
    /// File with operations of RFC 6902
    #[arg(long, value_name = "PATCHFILE", conflicts_with_all = ["patch_key", "patch_value", "patch_mode"])]
    patch_file: Option<PathBuf>,
    /// Key to change, as a pointer: /parserConfig/grokPath
    #[arg(long, value_name = "KEY")]
    patch_key: Option<String>,
    /// Its new value, as JSON
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    patch_value: Option<String>,
    /// Set it, or take it away
    #[arg(long, value_enum, ignore_case = true, value_name = "MODE")]
    patch_mode: Option<PatchMode>,
    /// Check and show only
    #[arg(long)]
    dry_run: bool,
    /// Write what is there to this directory before anything is changed
    #[arg(long, value_name = "DIR")]
    backup: Option<PathBuf>,
    /// A document a line on stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    zookeeper: ZooKeeperOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Mode {
    /// Files to ZooKeeper
    Push,
    /// From ZooKeeper to files
    Pull,
    /// From ZooKeeper to stdout
    Dump,
    /// Change one in ZooKeeper
    Patch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Kind {
    /// global.json
    Global,
    /// parsers/NAME.json
    Parser,
    /// enrichments/NAME.json
    Enrichment,
    /// indexing/NAME.json
    Indexing,
    /// profiler.json
    Profiler,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum PatchMode {
    /// Set it
    Add,
    /// Take it away
    Remove,
}

/// Runs the command line of this process.
pub fn entry() -> ExitCode {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let json = cli.json;
    let result = cli.log.start("warn").and_then(|()| connect::block_on(run(cli))?);
    ExitCode::from(match result {
        Ok(()) => exit::DONE,
        Err(failure) => failure.report(json),
    })
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let usage = |message: &str| Failure::new(ErrorCode::Usage, message);
    let only = cli.file()?;
    let manner = Manner { json: cli.json, dry_run: cli.dry_run };
    let backup = cli.backup.as_deref();
    match cli.mode {
        Mode::Push => {
            let directory = cli.input_dir.as_deref().ok_or_else(|| usage("PUSH needs -i DIR"))?;
            let mut files =
                Files::from_directory(directory).map_err(|error| Failure::of(ErrorCode::BadPath, &error))?;
            if let Some(only) = &only {
                files.0.retain(|name, _| name == only);
            }
            if files.0.is_empty() {
                let what = only.as_deref().unwrap_or("no configuration: no global.json, parsers/SENSOR.json …");
                return Err(Failure::new(ErrorCode::NoSensor, format!("{} holds {what}", directory.display())));
            }
            let tree = connect::command(&cli.zookeeper).await?;
            commands::push(&tree, &files, backup, manner).await
        }
        Mode::Pull => {
            let directory = cli.output_dir.as_deref().ok_or_else(|| usage("PULL needs -o DIR"))?;
            let tree = connect::command(&cli.zookeeper).await?;
            commands::pull(&tree, directory, cli.force, manner).await
        }
        Mode::Dump => {
            let tree = connect::command(&cli.zookeeper).await?;
            commands::dump(&tree, only.as_deref(), manner).await
        }
        Mode::Patch => {
            let only = only.ok_or_else(|| usage("PATCH needs -c TYPE, and -n NAME unless it is GLOBAL or PROFILER"))?;
            let operations = cli.operations()?;
            let tree = connect::command(&cli.zookeeper).await?;
            commands::patch(&tree, &only, &operations, backup, manner).await
        }
    }
}

impl Cli {
    /// The one file that is meant, if one is.
    fn file(&self) -> Result<Option<String>, Failure> {
        let name = self.config_name.as_deref();
        let usage = |message: &str| Err(Failure::new(ErrorCode::Usage, message));
        if name.is_some_and(|name| name.is_empty() || name.contains('/') || name.starts_with('.')) {
            return usage("-n must be a sensor's name");
        }
        let below = |directory: &str| match name {
            Some(name) => Ok(Some(format!("{directory}/{name}.json"))),
            None => Err(Failure::new(ErrorCode::Usage, "-c needs -n NAME here, a sensor's name")),
        };
        match self.config_type {
            None if name.is_some() => usage("-n needs -c TYPE"),
            None => Ok(None),
            Some(Kind::Global) => Ok(Some("global.json".into())),
            Some(Kind::Profiler) => Ok(Some("profiler.json".into())),
            Some(Kind::Parser) => below("parsers"),
            Some(Kind::Enrichment) => below("enrichments"),
            Some(Kind::Indexing) => below("indexing"),
        }
    }

    fn operations(&self) -> Result<Vec<Operation>, Failure> {
        let usage = |message: String| Failure::new(ErrorCode::Usage, message);
        if let Some(file) = &self.patch_file {
            let shown = file.display();
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::new(ErrorCode::BadPath, format!("{shown} can't be read")).because(&error))?;
            return serde_json::from_str(&text).map_err(|error| {
                Failure::new(ErrorCode::BadSensor, format!("{shown} is no list of operations of RFC 6902"))
                    .because(&error)
            });
        }
        let path = self.patch_key.clone().ok_or_else(|| usage("PATCH needs -pf FILE, or -pk KEY".into()))?;
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        if self.patch_mode == Some(PatchMode::Remove) {
            return Ok(vec![Operation::Remove { path }]);
        }
        let value = self.patch_value.as_deref().ok_or_else(|| usage("ADD needs -pv VALUE".into()))?;
        let value: Ordered = serde_json::from_str(value)
            .map_err(|error| usage(format!("-pv {value:?} is no JSON: {error}; a text needs quotes: '\"text\"'")))?;
        Ok(vec![Operation::Add { path, value }])
    }
}
