//! The command line of `maas_enrich`: options become values here, results exit codes.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use maas_cli::argv::{LOG4J, Table, ZK_ROOT, ZOOKEEPER};
use maas_cli::options::LogOptions;
use maas_cli::{ErrorCode, Failure, exit, parse};
use stellar_fns::Environment;

use crate::apply;

const TABLE: Table = Table { letters: &[ZOOKEEPER, ZK_ROOT], unused: &[LOG4J], modes: &[] };

const EXAMPLES: &str = r#"Examples:
  maas_enrich apply triage < cases.jsonl

Exit codes: 0 done, 1 a defect of ours, 2 usage, 3 the configuration is refused, 4 not found, 6 a server can't be reached."#;

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
    /// Apply one stage to messages: JSON lines {"id","config","message","group"?} in, {"id","message"} or {"id","error"} out
    Apply {
        /// Which stage
        stage: apply::Stage,
    },
}

/// Runs the command line of this process.
pub fn entry() -> ExitCode {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let result = cli.log.start("warn").and_then(|()| dispatch(cli.command));
    ExitCode::from(match result {
        Ok(()) => exit::DONE,
        Err(failure) => failure.report(false),
    })
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Apply { stage } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Failure::new(ErrorCode::Defect, "can't start").because(&error))?;
            let environment = Arc::new(Environment::default());
            let output = io::BufWriter::new(io::stdout().lock());
            match runtime.block_on(apply::run(stage, io::stdin().lock(), output, &environment)) {
                // Whoever reads has enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                Err(error) => Err(Failure::new(ErrorCode::Defect, "input or output failed").because(&error)),
                Ok(()) => Ok(()),
            }
        }
    }
}
