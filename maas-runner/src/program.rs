//! From arguments to an exit code: logging, the two subcommands, and the one place where errors are printed.

use crate::cli::{self, Command, Place};
use crate::error::{Error, describe, exit};
use crate::{container, guard, supervise};
use std::ffi::OsString;
use std::io::Write;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Runs the program; `arguments` without its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let outcome = cli::parse(arguments).and_then(|command| match command {
        Command::Help => {
            print(cli::HELP);
            Ok(exit::DONE)
        }
        Command::Version => {
            print(concat!("maas_runner ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(exit::DONE)
        }
        Command::Guard(order) => guard::run(&order)
            .map(|()| exit::DONE)
            .map_err(|source| Error::System { what: "guard can't do its work", source }),
        Command::Run { directory, place } => {
            // The log is not rotated, so little is said: transitions, and trouble.
            let level =
                std::env::var("MAAS_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
            // The library under our ZooKeeper session tells at length what our own lines say.
            let filter =
                Targets::new().with_default(level).with_target("zookeeper_client", level.min(LevelFilter::ERROR));
            // A line that can't be written, on a full disk, is lost: to say so on the same stream would end the runner.
            let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).log_internal_errors(false);
            tracing_subscriber::registry().with(lines.with_filter(filter)).init();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|source| Error::System { what: "no runtime", source })?;
            if place != Place::Container {
                return runtime.block_on(supervise::run(&directory, place, None));
            }
            let credential = container::prepare(&directory)?;
            let outcome = runtime.block_on(supervise::run(&directory, place, credential));
            container::tell_end(&directory, &mut std::io::stderr());
            outcome
        }
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let _nobody_reads = writeln!(std::io::stderr(), "maas_runner: {}", describe(&error));
            error.exit_code()
        }
    }
}

fn print(text: &str) {
    let _closed_pipe = std::io::stdout().write_all(text.as_bytes());
}
