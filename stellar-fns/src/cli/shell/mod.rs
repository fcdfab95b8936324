//! The shell: statements from a terminal, from files or from stdin, with variables that live as long as it does.
//!
//! `statement` says what a line is, `session` carries it out, `commands` are those that begin with `%`, `functions` the SHELL_* functions. At a terminal
//! `terminal` edits lines with the help of `completion`, and `interrupt` lets Ctrl-C end an evaluation; what comes from elsewhere is read by `script`.

mod commands;
mod completion;
mod functions;
mod interrupt;
mod script;
mod session;
mod statement;
mod table;
mod terminal;

use std::io::{self, IsTerminal};

use maas_cli::exit;

use super::Trouble;
use super::models::ModelOptions;
use super::options::Input;

pub(super) use functions::shell_functions;

use session::Session;

/// Runs the files that were named, else the shell at a terminal, else what comes from stdin.
pub(super) fn run(input: &Input, options: &ModelOptions) -> Result<u8, Trouble> {
    let terminal = input.files.is_empty() && io::stdin().is_terminal();
    let mut session = Session::new(input, options, terminal)?;
    if terminal {
        terminal::run(&mut session)?;
        return Ok(exit::DONE);
    }
    if input.files.is_empty() {
        script::run(&mut session, "stdin", io::stdin().lock())?;
    }
    for file in &input.files {
        script::run_file(&mut session, file)?;
    }
    Ok(session.exit())
}
