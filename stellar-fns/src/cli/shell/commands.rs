//! What begins with `%`: looking at and changing what the shell knows.

use std::io::{self, Write};

use maas_cli::{ErrorCode, Failure, suggest};

use super::session::Session;
use crate::cli::functions::signature;
use crate::cli::literal::{cut, literal};
use crate::configuration::assignment;
use crate::error::shown;
use crate::value::{Fuel, LARGEST, to_json_within};

/// The commands with what they do.
pub(super) const COMMANDS: [(&str, &str); 6] = [
    ("%vars", "the variables, and the expressions they came from"),
    ("%functions [TEXT]", "the functions, or those whose name has TEXT in it"),
    ("%globals", "the global settings"),
    ("%define NAME := EXPR", "sets a global setting until the shell ends"),
    ("%undefine NAME", "removes a global setting until the shell ends"),
    ("%help", "this"),
];

const REST: [(&str, &str); 5] = [
    ("EXPR", "evaluates; what has open brackets or quotes goes on in the next line, a blank line ends it"),
    ("NAME := EXPR", "keeps the value"),
    ("?FUNCTION", "what a function does; ? alone: this"),
    ("# …", "a comment"),
    ("quit", "ends the shell, as Ctrl-D does; Ctrl-C drops the line or the evaluation"),
];

/// Names of the commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(usage, _)| usage.split(' ').next().unwrap_or(usage))
}

/// Runs a command.
pub(super) fn run(
    session: &mut Session<'_>,
    name: &str,
    rest: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<io::Result<()>, Failure> {
    Ok(match name {
        "%vars" => variables(session, out),
        "%functions" => functions(session, rest, out),
        "%globals" => globals(session, out),
        "%define" => return define(session, rest, out, err),
        "%undefine" => return undefine(session, rest).map(Ok),
        "%help" => help(out),
        _ => {
            let hint = suggest::hint(name, names());
            return Err(Failure::new(ErrorCode::Usage, format!("no command {name}{hint}; %help lists them")));
        }
    })
}

/// What can be written.
pub(super) fn help(out: &mut dyn Write) -> io::Result<()> {
    let all = REST.iter().chain(&COMMANDS);
    all.into_iter().try_for_each(|(usage, meaning)| writeln!(out, "{usage:21} {meaning}"))
}

fn variables(session: &Session<'_>, out: &mut dyn Write) -> io::Result<()> {
    session.store.lock().iter().try_for_each(|(name, value, expression)| match expression {
        Some(expression) => {
            writeln!(out, "{name} = {}  via `{}`", literal(value), cut(expression.replace('\n', " ")))
        }
        None => writeln!(out, "{name} = {}", literal(value)),
    })
}

fn functions(session: &Session<'_>, pattern: &str, out: &mut dyn Write) -> io::Result<()> {
    let pattern = pattern.to_uppercase();
    let found = session.compiler.functions.iter().filter(|function| function.doc().name.contains(&pattern));
    found.into_iter().try_for_each(|function| writeln!(out, "{}", signature(function.doc())))
}

fn globals(session: &Session<'_>, out: &mut dyn Write) -> io::Result<()> {
    session.globals.iter().try_for_each(|(name, value)| writeln!(out, "{name} = {value}"))
}

fn define(
    session: &mut Session<'_>,
    rest: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<io::Result<()>, Failure> {
    let usage = |what: String| Failure::new(ErrorCode::Usage, what);
    let assigned = assignment(rest).ok_or_else(|| usage(format!("{} is no NAME := EXPR", shown(rest))))?;
    let value = match session.evaluate(assigned.expression, err) {
        Err(error) => return Ok(Err(error)),
        Ok(Err(errors)) => return Ok(session.refuse(assigned.expression, &errors, out, err)),
        Ok(Ok(value)) => value,
    };
    let json = to_json_within(&value, &mut Fuel::new(LARGEST))
        .map_err(|why| usage(format!("{} can't be a setting: the value is {why}", assigned.name)))?;
    let mut globals = session.globals.clone();
    globals.insert(assigned.name.to_owned(), json);
    session.set_globals(globals).map(Ok)
}

fn undefine(session: &mut Session<'_>, name: &str) -> Result<(), Failure> {
    let mut globals = session.globals.clone();
    if globals.remove(name).is_none() {
        let hint = suggest::hint(name, session.globals.keys().map(String::as_str));
        return Err(Failure::new(ErrorCode::Usage, format!("no global setting {name:?}{hint}")));
    }
    session.set_globals(globals)
}

#[cfg(test)]
mod tests {
    use super::super::session::tests::ran;

    #[test]
    fn variables_are_shown_with_their_expressions() {
        let (out, _, _) = ran(&["--var", "a=x"], &["b := [1, 'it\\'s']", "%vars"]);
        assert!(out.ends_with("a = 'x'\nb = [1, 'it\\'s']  via `[1, 'it\\'s']`\n"), "{out}");
    }

    #[test]
    fn functions_can_be_looked_for() {
        let (out, _, _) = ran(&[], &["%functions url_to"]);
        assert_eq!(out, "URL_TO_HOST(url)\nURL_TO_PATH(url)\nURL_TO_PORT(url)\nURL_TO_PROTOCOL(url)\n");
    }

    #[test]
    fn global_settings_are_defined_and_removed() {
        let lines =
            ["%define es.ip := JOIN(['a', 'b'], '-')", "%globals", "%undefine es.ip", "%globals", "%undefine es.ip"];
        let (out, err, exit) = ran(&[], &lines);
        assert_eq!((out.as_str(), exit), ("es.ip = \"a-b\"\n", 3));
        assert_eq!(err, "error: no global setting \"es.ip\"\n");
    }

    #[test]
    fn an_expression_in_error_is_drawn_as_elsewhere_and_defines_nothing() {
        let (out, err, exit) = ran(&[], &["%define a := 1 +", "%define 1", "%globals"]);
        assert_eq!((out.as_str(), exit), ("", 3));
        assert!(err.starts_with("error 110: expected an expression, found the end\n  | 1 +\n"), "{err}");
        assert!(err.ends_with("error: \"1\" is no NAME := EXPR\n"), "{err}");
    }

    #[test]
    fn settings_for_models_are_checked() {
        let (_, err, _) = ran(&[], &["%define stellar.maas.settings := {'timeout.ms' : 'soon'}"]);
        assert!(err.contains("the global settings can't be used"), "{err}");
    }

    #[test]
    fn a_mistyped_command_gets_a_suggestion() {
        let (_, err, exit) = ran(&[], &["%var"]);
        assert_eq!((err.as_str(), exit), ("error: no command %var; did you mean %vars?; %help lists them\n", 3));
    }
}
