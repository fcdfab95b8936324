//! The `stellar` command: the shell, one expression (`-e`), files of expressions (`-f`), `check`, many cases (`batch`), the reference of
//! functions, the store of enrichments (`enrichment`).
//!
//! `options` says what can be asked for, a module per verb does it, `print` turns values and errors into text and JSON. Evaluating is the library's affair.
//! `models` connects expressions to models when they ask for one, `trace` writes down the calls.

mod check;
mod enrichment;
mod functions;
mod literal;
mod model_names;
mod models;
mod once;
mod options;
mod print;
mod services;
mod shell;
mod text;
mod trace;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use maas_cli::{Failure, completions, exit, parse};

use crate::batch;
use crate::environment::Environment;

use models::{ConnectOnDemand, Globals};
use options::{Cli, Command, TABLE};

/// Why the command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Said(#[from] Failure),
    #[error("input or output failed")]
    Io(#[from] io::Error),
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let json = cli.wants_json();
    let result = cli.log.start("error").map_err(Trouble::from).and_then(|()| dispatch(cli));
    ExitCode::from(match result {
        Ok(code) => code,
        Err(Trouble::Said(failure)) => failure.report(json),
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
            let globals = cli.models.settings()?;
            let environment = environment(cli.models.models(&globals)?.as_ref(), &globals)?;
            let output = io::BufWriter::new(io::stdout().lock());
            batch::run(io::stdin().lock(), output, test_functions, &environment)?;
            Ok(exit::DONE)
        }
        Some(Command::Check(args)) => check::run(&args, &mut io::stdout().lock(), &mut io::stderr().lock()),
        Some(Command::Functions(args)) => functions::run(&args, io::stdout().lock()),
        Some(Command::Enrichment(args)) => enrichment::run(&args, cli.models.globals()),
        Some(Command::Completions { shell }) => {
            io::stdout().lock().write_all(&completions::text(shell, &mut parse::command::<Cli>(&TABLE)))?;
            Ok(exit::DONE)
        }
        None if cli.input.expression.is_some() => once::run(&cli.input, &cli.models),
        None => shell::run(&cli.input, &cli.models),
    }
}

fn environment(models: Option<&Arc<ConnectOnDemand>>, globals: &Globals) -> Result<Environment, Failure> {
    let services = services::services(globals)?;
    Ok(Environment { models: models.map(|models| models.clone() as _), services, ..Environment::default() })
}
