//! From the command line to an exit code: parses, runs the verb, prints its failure once.

use crate::cli::{Cli, TABLE, Verb};
use crate::commands::{
    add, call, completions, doctor, errors, events, list, logs, plan, remove, requests, scale, status, try_,
};
use crate::context::Context;
use crate::error::Error;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit, parse};
use std::process::ExitCode;

/// Runs the program on this process's arguments.
pub fn run() -> ExitCode {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let json = cli.globals.json;
    let result = cli.globals.log.start("error").map_err(Error::from).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let result = runtime.block_on(until_interrupted(cli));
        // What still runs (a read of stdin, a watch) must not hold up the end.
        runtime.shutdown_background();
        result
    });
    ExitCode::from(match result {
        Ok(()) => exit::DONE,
        Err(Error::Exit(code)) => code,
        Err(error) => error.into_failure().report(json),
    })
}

async fn until_interrupted(cli: Cli) -> Result<(), Error> {
    let context = Context::new(cli.globals);
    let result = tokio::select! {
        result = dispatch(cli.verb, &context) => result,
        _ = tokio::signal::ctrl_c() => {
            Err(Failure::new(ErrorCode::Interrupted, "interrupted; what was asked before stays asked").into())
        }
    };
    context.close().await;
    result
}

async fn dispatch(verb: Verb, context: &Context) -> Result<(), Error> {
    let mut out = Out::stdout();
    match verb {
        Verb::Add(args) => add::run(context, args, &mut out).await,
        Verb::Remove(args) => remove::run(context, args, &mut out).await,
        Verb::Scale(args) => scale::run(context, args, &mut out).await,
        Verb::List(args) => list::run(context, args, &mut out).await,
        Verb::Status(args) => status::run(context, args, &mut out).await,
        Verb::Events(args) => events::run(context, args, &mut out).await,
        Verb::Logs(args) => logs::run(context, args, &mut out).await,
        Verb::Requests(args) => requests::run(context, args, &mut out).await,
        Verb::Call(args) => call::run(context, args, &mut out).await,
        Verb::Try(args) => try_::run(context, args, &mut out).await,
        Verb::Plan(args) => plan::run(context, args, &mut out).await,
        Verb::Doctor(args) => doctor::run(context, args, &mut out).await,
        Verb::Errors(args) => errors::run(context, args, &mut out),
        Verb::Completions(args) => completions::run(args, &mut out),
    }
}
