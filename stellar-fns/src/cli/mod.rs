//! The `stellar` command: one expression (`-e`), many cases (`batch`), the reference of functions (`functions`), the store of
//! enrichments (`enrichment`).
//!
//! Options become values here, and results text and exit codes; evaluating is the library's affair. `models` connects expressions to models when they ask for
//! one, `functions` prints the reference.

mod enrichment;
mod functions;
mod models;
mod services;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use maas_cli::argv::{LOG4J, Table, ZK_ROOT, ZOOKEEPER};
use maas_cli::options::LogOptions;
use maas_cli::{Failure, exit, parse};

use crate::batch;
use crate::diagnostic::render;
use crate::environment::Environment;
use crate::error::{Code, Error};
use crate::program::Compiler;
use crate::value::{Integers, Value, from_json, to_json};
use crate::variables::{Layers, VariableMap};

use models::{ConnectOnDemand, ModelOptions};

const TABLE: Table = Table { letters: &[ZOOKEEPER, ZK_ROOT], unused: &[LOG4J], modes: &[] };

const EXAMPLES: &str = r#"Examples:
  stellar -e "TO_UPPER(name)" --var 'name="casey"'
  stellar -z node1:2181 -e "MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : 'yahoo.com'})"
  stellar functions MAAS_MODEL_APPLY
  stellar batch < cases.jsonl > answers.jsonl
  stellar enrichment load --store whois.redb --type whois whois.csv

ZooKeeper is needed by MAAS_* only. It is found by -z, $MAAS_ZK, or zk = "HOST:PORT" in
~/.config/maas/client.toml or /etc/maas/client.toml.

Exit codes: 0 done, 1 a defect of ours, 2 usage, 3 the expression is in error, 4 no such function,
6 ZooKeeper can't be reached, or is not known where an expression asks for models."#;

/// Evaluates expressions of the Stellar language.
#[derive(Debug, Parser)]
#[command(name = "stellar", version, after_help = EXAMPLES, max_term_width = 120)]
#[command(subcommand_negates_reqs = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    models: ModelOptions,
    #[command(flatten)]
    log: LogOptions,
}

#[derive(Debug, Args)]
struct Once {
    /// The expression to evaluate
    #[arg(short = 'e', long = "expression", value_name = "EXPR", required = true, allow_hyphen_values = true)]
    expression: Option<String>,
    /// A variable; the value is JSON, or text as it stands
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, Value)>,
    /// Ask whether the expression holds: it must be true or false
    #[arg(long)]
    predicate: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read cases as JSON lines and write an answer for each
    Batch {
        /// Add THROW and RET_TRUE, which conformance cases use
        #[arg(long)]
        test_functions: bool,
    },
    /// Print the reference of all functions, or of one
    Functions(functions::Args),
    /// Load and show what ENRICHMENT_GET and ENRICHMENT_EXISTS read
    Enrichment(enrichment::Args),
}

/// Why the command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Said(#[from] Failure),
    #[error("input or output failed")]
    Io(#[from] io::Error),
}

fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text} has no =; write NAME=VALUE"))?;
    let value =
        serde_json::from_str(value).map_or_else(|_| Value::text(value), |json| from_json(&json, Integers::BySize));
    Ok((name.to_owned(), value))
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let result = cli.log.start("error").map_err(Trouble::from).and_then(|()| dispatch(cli));
    ExitCode::from(match result {
        Ok(code) => code,
        Err(Trouble::Said(failure)) => failure.report(false),
        // Whoever reads has enough.
        Err(Trouble::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => exit::DONE,
        Err(Trouble::Io(error)) => {
            // Nothing can be said about a stderr that can't be written to.
            let _ = writeln!(io::stderr(), "input or output failed: {error}");
            exit::DEFECT
        }
    })
}

fn dispatch(cli: Cli) -> Result<u8, Trouble> {
    match cli.command {
        Some(Command::Batch { test_functions }) => {
            let environment = environment(cli.models.models()?.as_ref(), &cli.models)?;
            let output = io::BufWriter::new(io::stdout().lock());
            batch::run(io::stdin().lock(), output, test_functions, &environment)?;
            Ok(exit::DONE)
        }
        Some(Command::Functions(args)) => functions::run(&args, io::stdout().lock()),
        Some(Command::Enrichment(args)) => enrichment::run(&args, cli.models.globals()),
        None => evaluate(&cli.once, &cli.models),
    }
}

fn environment(models: Option<&Arc<ConnectOnDemand>>, options: &ModelOptions) -> Result<Environment, Failure> {
    let services = services::services(options.globals())?;
    Ok(Environment { models: models.map(|models| models.clone() as _), services, ..Environment::default() })
}

fn evaluate(once: &Once, options: &ModelOptions) -> Result<u8, Trouble> {
    let source = once.expression.as_deref().unwrap_or_default();
    let program = match Compiler::default().compile(source) {
        Ok(program) => program,
        Err(errors) => return refuse(source, &errors.0),
    };
    let variables = VariableMap::from_iter(once.variables.iter().cloned());
    let layers = Layers::new([&variables]);
    let models = options.models()?;
    let environment = environment(models.as_ref(), options)?;
    let value = if once.predicate {
        program.holds(&layers, &environment).map(Value::from)
    } else {
        program.evaluate(&layers, &environment)
    };
    if let Some(failure) = models.as_ref().and_then(|models| models.failure()) {
        return Err(failure.into());
    }
    match value {
        Ok(value) => {
            writeln!(io::stdout(), "{}", shown(&value))?;
            Ok(exit::DONE)
        }
        Err(error) => refuse(source, &[error]),
    }
}

/// Text as it is, lists and maps as JSON, the rest as the language writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Set(_) | Value::Map(_) => {
            to_json(value).map_or_else(|| value.to_string(), |json| json.to_string())
        }
        value => value.to_string(),
    }
}

fn refuse(source: &str, errors: &[Error]) -> Result<u8, Trouble> {
    for error in errors {
        write!(io::stderr(), "{}", render(source, error))?;
    }
    let no_zookeeper = errors.iter().any(|error| error.code == Code::NoZookeeper);
    Ok(if no_zookeeper { exit::UNREACHABLE } else { exit::REFUSED })
}
