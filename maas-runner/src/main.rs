//! Entry point: calls the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(maas_runner::run(std::env::args_os().skip(1)))
}
