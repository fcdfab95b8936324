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
        return run(session, "stdin", io::stdin().lock());
    }
    let opened = text::open(file).map_err(|error| text::unreadable(file, &error))?;
    run(session, &file.display().to_string(), BufReader::new(opened))
}

/// Carries out all statements of what errors call by this name.
pub(super) fn run(session: &mut Session<'_>, name: &str, mut input: impl BufRead) -> Result<(), Trouble> {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut lines = Lines::default();
    let mut number = 0;
    loop {
        number += 1;
        if lines.is_empty() {
            session.set_place(format!("{name}, line {number}"));
        }
        let (statement, more) = match text::next_line(&mut input)? {
            Some(Ok(line)) => {
                let line = if number == 1 { text::without_mark(&line) } else { &line };
                (lines.push(line), true)
            }
            Some(Err(error)) => {
                // The statement that it would be a part of can't be meant without it.
                lines = Lines::default();
                session.set_place(format!("{name}, line {number}"));
                session
                    .complain(&Failure::new(ErrorCode::Unreadable, "a line is no UTF-8").because(&error), &mut err)?;
                (None, true)
            }
            None => (lines.end(), false),
        };
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
