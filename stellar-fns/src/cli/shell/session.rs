//! What a shell knows and what a statement does to it: variables, global settings, answers.

use std::io::{self, Write};
use std::sync::Arc;

use indexmap::IndexMap;
use maas_cli::{Failure, exit};
use parking_lot::Mutex;

use super::commands;
use super::functions::shell_functions;
use super::interrupt::{Evaluation, NoAnswer, Runner};
use super::statement::Statement;
use crate::cli::models::{ConnectOnDemand, Globals, ModelOptions};
use crate::cli::options::Input;
use crate::cli::{environment, functions, print, services};
use crate::environment::Environment;
use crate::error::{Code, Error, Span};
use crate::program::Compiler;
use crate::value::Value;
use crate::variables::VariableMap;

/// The variables of a shell, each with the expression that it came from, if it came from one.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Store(IndexMap<String, (Value, Option<String>)>);

/// Shared with the functions that look at it, and with completion.
pub(in crate::cli) type SharedStore = Arc<Mutex<Store>>;

impl Store {
    pub(super) fn set(&mut self, name: &str, value: Value, expression: Option<String>) {
        self.0.insert(name.to_owned(), (value, expression));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value, Option<&str>)> {
        self.0.iter().map(|(name, (value, expression))| (name.as_str(), value, expression.as_deref()))
    }

    pub(super) fn expression(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.1.as_deref()
    }

    fn variables(&self) -> VariableMap {
        self.0.iter().map(|(name, (value, _))| (name, value.clone())).collect()
    }
}

/// Whether the shell goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Go,
    Quit,
}

/// A running shell.
pub(super) struct Session<'a> {
    pub(super) store: SharedStore,
    pub(super) compiler: Compiler,
    pub(super) globals: Globals,
    input: &'a Input,
    options: &'a ModelOptions,
    models: Option<Arc<ConnectOnDemand>>,
    /// The same for all evaluations, because what models are called on ends with it.
    environment: Environment,
    runner: Runner,
    exit: u8,
    /// Where in a script the statement stands that is carried out.
    place: Option<String>,
}

impl<'a> Session<'a> {
    /// A shell with the variables and settings of the command line. At a terminal Ctrl-C ends an evaluation, else the program.
    pub(super) fn new(input: &'a Input, options: &'a ModelOptions, terminal: bool) -> Result<Self, Failure> {
        let mut store = Store::default();
        for (name, value) in input.variables()?.iter() {
            store.set(name, value.clone(), None);
        }
        let store: SharedStore = Arc::new(Mutex::new(store));
        let mut compiler = input.compiler();
        for function in shell_functions(&store) {
            compiler.functions.register(function);
        }
        let globals = options.settings()?;
        let models = options.models(&globals)?;
        let runner = if terminal { Runner::interruptible() } else { Runner::Here };
        let environment = environment(models.as_ref(), &globals)?;
        Ok(Self {
            store,
            compiler,
            globals,
            input,
            options,
            models,
            environment,
            runner,
            exit: exit::DONE,
            place: None,
        })
    }

    /// The exit code of a script: that of the first statement that failed.
    pub(super) fn exit(&self) -> u8 {
        self.exit
    }

    /// What goes wrong from now on goes wrong there: `FILE, line 7`.
    pub(super) fn set_place(&mut self, place: String) {
        self.place = Some(place);
    }

    /// Whoever is asked for models.
    pub(super) fn models(&self) -> Option<&Arc<ConnectOnDemand>> {
        self.models.as_ref()
    }

    /// Models and other systems are asked with these settings from now on.
    pub(super) fn set_globals(&mut self, globals: Globals) -> Result<(), Failure> {
        let models = self.options.models(&globals)?;
        self.environment.services = services::services(&globals)?;
        self.globals = globals;
        self.ask(models);
        Ok(())
    }

    fn ask(&mut self, models: Option<Arc<ConnectOnDemand>>) {
        self.environment.models = models.as_ref().map(|models| models.clone() as _);
        self.models = models;
    }

    /// Carries out one statement.
    pub(super) fn execute(&mut self, text: &str, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Flow> {
        match Statement::of(text) {
            Statement::Nothing => {}
            Statement::Quit => return Ok(Flow::Quit),
            Statement::Documentation("") => commands::help(out)?,
            Statement::Documentation(name) => match functions::documentation(name, &self.compiler.functions) {
                Ok(page) => out.write_all(page.as_bytes())?,
                Err(failure) => self.complain(&failure, err)?,
            },
            Statement::Command { name, rest } => match commands::run(self, name, rest, out, err) {
                Ok(result) => result?,
                Err(failure) => self.complain(&failure, err)?,
            },
            Statement::Assign { name, expression } => {
                if let Some(value) = self.answer(expression, out, err)? {
                    self.store.lock().set(name, value, Some(expression.to_owned()));
                }
            }
            Statement::Expression(expression) => drop(self.answer(expression, out, err)?),
        }
        Ok(Flow::Go)
    }

    /// Evaluates and writes the answer or what is wrong.
    fn answer(&mut self, source: &str, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Option<Value>> {
        match self.evaluate(source, err)? {
            Ok(value) => {
                match print::answer(source, &value, self.input.json) {
                    Ok(answer) => writeln!(out, "{answer}")?,
                    // What is assigned is assigned: other expressions can take it apart.
                    Err(error) => self.refuse(source, &[error], out, err)?,
                }
                Ok(Some(value))
            }
            Err(errors) => {
                self.refuse(source, &errors, out, err)?;
                Ok(None)
            }
        }
    }

    /// Says what is wrong with an expression.
    pub(super) fn refuse(
        &mut self,
        source: &str,
        errors: &[Error],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<()> {
        self.failed(print::exit_of(errors));
        let interrupted = errors.iter().all(|error| error.code == Code::Interrupted);
        match self.input.json {
            // Whoever pressed Ctrl-C knows what it was pressed for.
            false if interrupted => writeln!(err, "interrupted"),
            true => writeln!(out, "{}", print::error_document(source, errors)),
            false => {
                self.say_place(err)?;
                err.write_all(print::drawn(source, errors).as_bytes())
            }
        }
    }

    /// The value of an expression.
    pub(super) fn evaluate(&mut self, source: &str, err: &mut dyn Write) -> io::Result<Result<Value, Vec<Error>>> {
        let program = match self.compiler.compile(source) {
            Ok(program) => program,
            Err(errors) => return Ok(Err(errors.0)),
        };
        let evaluation = Evaluation {
            program,
            variables: self.store.lock().variables(),
            environment: self.input.watched(self.environment.clone()),
            predicate: self.input.predicate,
        };
        let whole = Span::new(0, source.len());
        let answer = self.runner.run(evaluation).unwrap_or_else(|no_answer| {
            let code = match no_answer {
                NoAnswer::Interrupted => Code::Interrupted,
                NoAnswer::NotStarted(_) => Code::Service,
            };
            Err(Error::new(code, no_answer.to_string(), whole))
        });
        if let Some(failure) = self.models.as_ref().and_then(|models| models.failure()) {
            self.failed(failure.exit());
            self.complain(&failure, err)?;
            // The next question tries again.
            match self.options.models(&self.globals) {
                Ok(again) => self.ask(again),
                Err(failure) => {
                    self.complain(&failure, err)?;
                    self.ask(None);
                }
            }
        }
        Ok(answer.map_err(|error| vec![error]))
    }

    /// Says what can't be done; the shell goes on.
    pub(super) fn complain(&mut self, failure: &Failure, err: &mut dyn Write) -> io::Result<()> {
        self.failed(exit::REFUSED);
        self.say_place(err)?;
        writeln!(err, "error: {}", failure.message())?;
        failure.causes().iter().try_for_each(|cause| writeln!(err, "  caused by: {cause}"))
    }

    fn say_place(&self, err: &mut dyn Write) -> io::Result<()> {
        self.place.iter().try_for_each(|place| writeln!(err, "{place}:"))
    }

    fn failed(&mut self, exit: u8) {
        if self.exit == exit::DONE {
            self.exit = exit;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cli::options::Cli;
    use clap::Parser;

    /// What a script writes to stdout and to stderr, and its exit code.
    pub(in crate::cli::shell) fn ran(options: &[&str], lines: &[&str]) -> (String, String, u8) {
        let nowhere = ["stellar", "-z", "127.0.0.1:9", "--zk-timeout", "1"];
        let cli = Cli::parse_from(nowhere.iter().chain(options));
        let mut session = Session::new(&cli.input, &cli.models, false).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        for line in lines {
            if session.execute(line, &mut out, &mut err).unwrap() == Flow::Quit {
                break;
            }
        }
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), session.exit())
    }

    #[test]
    fn variables_live_from_statement_to_statement() {
        let (out, err, exit) = ran(&["--var", "a=1"], &["b := a + 1", "# c := 9", "b * 10", "c", "quit", "1"]);
        assert_eq!((out.as_str(), err.as_str(), exit), ("2\n20\nnull\n", "", 0));
    }

    #[test]
    fn the_first_failure_decides_the_exit_code_whatever_models_say_later() {
        let (_, err, exit) = ran(&[], &["1 +", "MAAS_GET_ENDPOINT('m')", "MAAS_GET_ENDPOINT('m')"]);
        assert_eq!((exit, err.matches("127.0.0.1:9").count() > 0), (3, true), "{err}");
    }

    #[test]
    fn a_statement_that_fails_does_not_end_the_script_but_decides_its_exit_code() {
        let (out, err, exit) = ran(&[], &["x := 1 +", "x", "TO_UPER('a')"]);
        assert_eq!((out.as_str(), exit), ("null\n", 3));
        assert!(err.contains("found the end") && err.contains("did you mean TO_UPPER?"), "{err}");
    }

    #[test]
    fn answers_and_errors_can_be_json() {
        let (out, err, _) = ran(&["--json"], &["1 + 1", "1 +"]);
        let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["value"].as_i64(), err.as_str()), (Some(2), ""));
        assert_eq!(lines[1]["errors"][0]["column"], 4);
    }

    #[test]
    fn documentation_is_printed_and_a_wrong_name_gets_a_suggestion() {
        let (out, err, exit) = ran(&[], &["?to_upper", "?TO_UPER"]);
        assert!(out.starts_with("TO_UPPER("), "{out}");
        assert_eq!((err.as_str(), exit), ("error: no function TO_UPER; did you mean TO_UPPER?\n", 3));
        let (out, err, exit) = ran(&[], &["?", " ? "]);
        assert_eq!((out.matches("?FUNCTION").count(), err.as_str(), exit), (2, "", 0));
    }
}
