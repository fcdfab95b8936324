//! The `stellar` command: one expression (`-e`) or many cases (`batch`).
//!
//! Options become values here; evaluating is the library's affair.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::batch;
use crate::diagnostic::render;
use crate::environment::Environment;
use crate::error::Error;
use crate::program::Compiler;
use crate::value::{Integers, Value, from_json, to_json};
use crate::variables::{Layers, VariableMap};

const REFUSED: u8 = 3;

/// Evaluates expressions of the Stellar language.
#[derive(Debug, Parser)]
#[command(name = "stellar", args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  stellar -e \"TO_UPPER(name)\" --var 'name=\"casey\"'\n  stellar batch < cases.jsonl > answers.jsonl"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    once: Once,
}

#[derive(Debug, Args)]
struct Once {
    /// The expression to evaluate.
    #[arg(short = 'e', long = "expression", value_name = "EXPR", required = true, allow_hyphen_values = true)]
    expression: Option<String>,
    /// A variable; the value is JSON, or text as it stands.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, Value)>,
    /// Ask whether the expression holds: it must be true or false.
    #[arg(long)]
    predicate: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads cases as JSON lines and writes an answer for each.
    Batch {
        /// Adds THROW and RET_TRUE, which conformance cases use.
        #[arg(long)]
        test_functions: bool,
    },
}

fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text} has no =; write NAME=VALUE"))?;
    let value =
        serde_json::from_str(value).map_or_else(|_| Value::text(value), |json| from_json(&json, Integers::BySize));
    Ok((name.to_owned(), value))
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Batch { test_functions }) => {
            batch::run(io::stdin().lock(), io::BufWriter::new(io::stdout().lock()), test_functions)
                .map(|()| ExitCode::SUCCESS)
        }
        None => evaluate(&cli.once),
    };
    match result {
        Ok(code) => code,
        // Whoever reads has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "input or output failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate(once: &Once) -> io::Result<ExitCode> {
    let source = once.expression.as_deref().unwrap_or_default();
    let program = match Compiler::default().compile(source) {
        Ok(program) => program,
        Err(errors) => return refuse(source, &errors.0),
    };
    let variables = VariableMap::from_iter(once.variables.iter().cloned());
    let layers = Layers::new([&variables]);
    let environment = Environment::default();
    let value = if once.predicate {
        program.holds(&layers, &environment).map(Value::from)
    } else {
        program.evaluate(&layers, &environment)
    };
    match value {
        Ok(value) => {
            writeln!(io::stdout(), "{}", shown(&value))?;
            Ok(ExitCode::SUCCESS)
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

fn refuse(source: &str, errors: &[Error]) -> io::Result<ExitCode> {
    for error in errors {
        write!(io::stderr(), "{}", render(source, error))?;
    }
    Ok(ExitCode::from(REFUSED))
}
