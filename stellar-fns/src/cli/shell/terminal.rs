//! The shell at a terminal: editing, history, completion as it is typed.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};

use super::completion::{self, Words};
use super::session::{Flow, Session, SharedStore};
use crate::cli::model_names::ModelNames;
use crate::configuration::{is_command, statement_goes_on};
use crate::function::Functions;

const PROMPT: &str = "[Stellar]>>> ";
const KEPT: usize = 10_000;

/// Reads statements and carries them out until there are no more.
pub(super) fn run(session: &mut Session<'_>) -> io::Result<()> {
    let mut editor = editor(session).map_err(terminal_failed)?;
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is none; one that can't be read is not worth a word.
        let _ = editor.load_history(file);
    }
    let (mut out, mut err) = (io::stdout(), io::stderr());
    writeln!(
        out,
        "Stellar {}. %help says what can be typed, ?FUNCTION what a function does.",
        env!("CARGO_PKG_VERSION")
    )?;
    loop {
        let statement = match editor.readline(PROMPT) {
            Ok(statement) => statement,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                writeln!(err, "error: what was typed is no UTF-8")?;
                continue;
            }
            Err(error) => return Err(terminal_failed(error)),
        };
        keep(&mut editor, &statement, history.as_ref());
        if session.execute(&statement, &mut out, &mut err)? == Flow::Quit {
            return Ok(());
        }
    }
}

fn terminal_failed(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        error => io::Error::other(error),
    }
}

type ShellEditor = Editor<Assistant, FileHistory>;

fn editor(session: &Session<'_>) -> rustyline::Result<ShellEditor> {
    let colourful = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let config = Config::builder()
        .max_history_size(KEPT)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .color_mode(if colourful { ColorMode::Enabled } else { ColorMode::Disabled })
        .build();
    let history = FileHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history)?;
    editor.set_helper(Some(Assistant {
        hints: colourful,
        store: session.store.clone(),
        functions: session.compiler.functions.clone(),
        models: session.models().map(|models| ModelNames::of(models.place())).unwrap_or_default(),
    }));
    Ok(editor)
}

/// Keeps a statement, also for the next shell. Where that can't be written the shell works all the same.
fn keep(editor: &mut ShellEditor, statement: &str, file: Option<&PathBuf>) {
    if statement.trim().is_empty() {
        return;
    }
    let _ = editor.add_history_entry(statement.trim_end());
    if let Some(file) = file {
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = editor.append_history(file);
    }
}

/// `$XDG_STATE_HOME/maas/stellar_history`, else below `~/.local/state`.
fn history_file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("maas").join("stellar_history"))
}

/// What helps while a line is typed.
struct Assistant {
    /// Without colour what is shown behind the line looks as if it were typed.
    hints: bool,
    store: SharedStore,
    functions: Functions,
    models: ModelNames,
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let words = Words {
            functions: &self.functions,
            variables: self.store.lock().iter().map(|(name, ..)| name.to_owned()).collect(),
            models: self.models.known(),
        };
        Ok(completion::complete(&line[..at], &words))
    }
}

/// Shown behind the line; never taken over into it.
struct Parameters(String);

impl Hint for Parameters {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = Parameters;

    fn hint(&self, line: &str, at: usize, _: &Context<'_>) -> Option<Parameters> {
        if !self.hints || at < line.len() {
            return None;
        }
        completion::hint(line, &self.functions).map(Parameters)
    }
}

impl Highlighter for Assistant {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m"))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

impl Validator for Assistant {
    /// A statement goes on while brackets or quotes are open; an empty line ends it all the same.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let typed = context.input();
        let ended = typed.trim().is_empty() || is_command(typed) || typed.ends_with('\n') || !statement_goes_on(typed);
        Ok(if ended { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}
