//! Statements from a file or from stdin.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use maas_cli::{ErrorCode, Failure};

use super::session::{Flow, Session};
use crate::cli::{Trouble, text};
use crate::configuration::Lines;

/// Carries out all statements of a file; `-` is stdin.
pub(super) fn run_file(session: &mut Session<'_>, file: &Path) -> Result<(), Trouble> {
    if file == Path::new("-") {
        return run(session, io::stdin().lock());
    }
    let opened = text::open(file).map_err(|error| text::unreadable(file, &error))?;
    run(session, BufReader::new(opened))
}

/// Carries out all statements.
pub(super) fn run(session: &mut Session<'_>, mut input: impl BufRead) -> Result<(), Trouble> {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut lines = Lines::default();
    let mut first = true;
    loop {
        let (statement, more) = match text::next_line(&mut input)? {
            Some(Ok(line)) => {
                let line = if first { text::without_mark(&line) } else { &line };
                (lines.push(line), true)
            }
            Some(Err(error)) => {
                // The statement that it would be a part of can't be meant without it.
                lines = Lines::default();
                session
                    .complain(&Failure::new(ErrorCode::Unreadable, "a line is no UTF-8").because(&error), &mut err)?;
                (None, true)
            }
            None => (lines.end(), false),
        };
        first = false;
        if let Some(statement) = statement
            && session.execute(&statement, &mut out, &mut err)? == Flow::Quit
        {
            return Ok(());
        }
        if !more {
            return Ok(());
        }
    }
}
