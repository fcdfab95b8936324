//! The command line of `maas_enrich`: options become values here, results exit codes.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use maas_cli::argv::{LOG4J, Table, ZK_ROOT, ZOOKEEPER};
use maas_cli::options::{LogOptions, ZooKeeperOptions};
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit, parse};
use maas_client::config::Roots;
use maas_client::tree::SharedTree;
use stellar_fns::Environment;

use crate::run::running::{self, Running};
use crate::{apply, connect, run};

const TABLE: Table = Table { letters: &[ZOOKEEPER, ZK_ROOT], unused: &[LOG4J], modes: &[] };

const EXAMPLES: &str = r#"Examples:
  maas_enrich run -s squid --config ./config --source file:access.log --sink - --once
  maas_enrich run -s squid --config ./config --source file:access.log --dry-run 3
  maas_enrich run -s squid -z node1:2181 --source kafka://node1:9092/squid --sink es+http://node1:9200
  maas_enrich status -z node1:2181
  maas_enrich apply triage < cases.jsonl

Exit codes: 0 done, 1 a defect of ours, 2 usage, 3 the configuration is refused, 4 not found, 6 a server can't be reached, 9 not permitted."#;

/// Parses, transforms, enriches, triages and indexes events.
#[derive(Debug, Parser)]
#[command(name = "maas_enrich", version, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a sensor's pipeline: source, parse, transform, enrich, triage, sink
    Run(Box<run::Options>),
    /// Show the pipelines that run
    Status(Which),
    /// Ask pipelines to stop: they write what they have read, commit and end
    Stop(Which),
    /// Apply one stage to messages: JSON lines {"id","config","message","group"?} in, {"id","message"} or {"id","error"} out
    Apply {
        /// Which stage
        stage: apply::Stage,
    },
}

/// Pipelines, by their sensor.
#[derive(Debug, Args)]
struct Which {
    /// Only those of this sensor
    #[arg(short = 's', long, value_name = "SENSOR")]
    sensor: Option<String>,
    /// A document on stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    zookeeper: ZooKeeperOptions,
}

/// Runs the command line of this process.
pub fn entry() -> ExitCode {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let json = match &cli.command {
        Command::Run(options) => options.json,
        Command::Status(which) | Command::Stop(which) => which.json,
        Command::Apply { .. } => false,
    };
    let result = cli.log.start("warn").and_then(|()| dispatch(cli.command));
    ExitCode::from(match result {
        Ok(()) => exit::DONE,
        Err(failure) => failure.report(json),
    })
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run(options) => run::run(*options),
        Command::Status(which) => connect::block_on(status(&which))?,
        Command::Stop(which) => connect::block_on(stop(&which))?,
        Command::Apply { stage } => {
            let environment = Arc::new(Environment::default());
            let output = io::BufWriter::new(io::stdout().lock());
            match connect::block_on(apply::run(stage, io::stdin().lock(), output, &environment))? {
                // Whoever reads has enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                other => other.map_err(|error| output_failure(&error)),
            }
        }
    }
}

fn output_failure(error: &io::Error) -> Failure {
    Failure::new(ErrorCode::Defect, "input or output failed").because(error)
}

async fn opened(options: &ZooKeeperOptions) -> Result<(SharedTree, Roots), Failure> {
    let tree = connect::command(options).await?;
    let roots = maas_client::open(&*tree, &options.root()?).await.map_err(|error| match &error {
        maas_client::open::Error::Tree { source, .. } => connect::tree_failure(source),
        maas_client::open::Error::Config(error) => Failure::of(ErrorCode::ConfigNode, error),
    })?;
    Ok((tree, roots))
}

async fn status(which: &Which) -> Result<(), Failure> {
    let (tree, roots) = opened(&which.zookeeper).await?;
    let found: Vec<Running> = running::list(&tree, &roots, which.sensor.as_deref()).await?.into_values().collect();
    if found.is_empty() {
        return Err(Failure::new(ErrorCode::NoSensor, "no such pipeline runs on this ZooKeeper"));
    }
    say(&found, which.json)
}

async fn stop(which: &Which) -> Result<(), Failure> {
    let (tree, roots) = opened(&which.zookeeper).await?;
    let patience = std::time::Duration::from_secs(60);
    let stopped = running::stop(&tree, &roots, which.sensor.as_deref(), patience).await?;
    say(&stopped, which.json)
}

fn say(pipelines: &[Running], json: bool) -> Result<(), Failure> {
    let mut out = Out::stdout();
    let said = if json {
        out.json(&pipelines)
    } else {
        let row = |running: &Running| {
            let Running { sensor, host, pid, since, source, sink, http } = running.clone();
            vec![sensor, format!("{host}:{pid}"), since, source, sink, http.unwrap_or_default()]
        };
        let rows: Vec<Vec<String>> = pipelines.iter().map(row).collect();
        out.table(&["SENSOR", "PROCESS", "SINCE", "SOURCE", "SINK", "HTTP"], &rows)
    };
    said.map_err(|error| output_failure(&error))
}
