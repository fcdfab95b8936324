//! SHELL_*: functions that look at what the shell knows. Outside of the shell they don't exist.

use std::io::IsTerminal;
use std::process::Command;
use std::sync::Arc;

use super::session::SharedStore;
use super::table::table;
use crate::cli::literal::literal;
use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Doc, Example, Function, Outcome, Parameter, Purity};
use crate::value::{Map, MapKind, Value};

/// Columns of a cell where nothing else is asked for.
const WRAP: i32 = 40;

/// The functions, over these variables.
pub(in crate::cli) fn shell_functions(store: &SharedStore) -> Vec<Arc<dyn Function>> {
    let all: [(&'static Doc, Body); 5] = [
        (&LIST_VARS, list_vars),
        (&MAP2TABLE, map2table),
        (&VARS2MAP, vars2map),
        (&GET_EXPRESSION, get_expression),
        (&EDIT, edit),
    ];
    all.into_iter().map(|(doc, body)| Arc::new(OfShell { doc, body, store: store.clone() }) as _).collect()
}

type Body = fn(&SharedStore, &Arguments<'_>, &mut Context<'_>) -> Outcome;

struct OfShell {
    doc: &'static Doc,
    body: Body,
    store: SharedStore,
}

impl Function for OfShell {
    fn doc(&self) -> &'static Doc {
        self.doc
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        (self.body)(&self.store, arguments, context)
    }
}

const fn doc(
    name: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    returns: &'static str,
    examples: &'static [Example],
) -> Doc {
    Doc { name, summary, parameters, returns, examples, purity: Purity::Ambient }
}

static LIST_VARS: Doc = doc(
    "SHELL_LIST_VARS",
    "In the shell: its variables as a table.",
    &[Parameter { name: "wrap", meaning: "how many columns a cell may take; 40", optional: true }],
    "a text",
    &[],
);

fn list_vars(store: &SharedStore, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    arguments.expect(0, 1)?;
    let wrap = if arguments.is_empty() { None } else { arguments.nullable_int(0)? };
    let store = store.lock();
    let rows: Vec<Vec<String>> = store
        .iter()
        .map(|(name, value, expression)| {
            vec![name.to_owned(), literal(value), expression.unwrap_or_default().to_owned()]
        })
        .collect();
    written(table(&["VARIABLE", "VALUE", "EXPRESSION"], &rows, columns(wrap)), context)
}

static MAP2TABLE: Doc = doc(
    "SHELL_MAP2TABLE",
    "In the shell: a map as a table.",
    &[Parameter { name: "map", meaning: "the map", optional: false }],
    "a text; of null, null",
    &[],
);

fn map2table(_: &SharedStore, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    arguments.expect(1, 1)?;
    let Some(map) = arguments.nullable_map(0)? else { return Ok(Value::Null) };
    let mut rows = Vec::new();
    for (key, value) in map.read().iter() {
        let text = |value: &Value| value.as_text().map_or_else(|| literal(value), str::to_owned);
        rows.push(vec![text(key), text(value)]);
    }
    written(table(&["KEY", "VALUE"], &rows, columns(None)), context)
}

static VARS2MAP: Doc = doc(
    "SHELL_VARS2MAP",
    "In the shell: variables with the expressions they came from.",
    &[Parameter { name: "name…", meaning: "a variable's name, as a text", optional: true }],
    "a map of names to expressions; a variable that came from none is left out",
    &[],
);

fn vars2map(store: &SharedStore, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
    let store = store.lock();
    let mut entries = Vec::new();
    for index in 0..arguments.len() {
        let Some(name) = arguments.nullable_text(index)? else { continue };
        if let Some(expression) = store.expression(name) {
            entries.push((Value::text(name), Value::text(expression)));
        }
    }
    Ok(Value::Map(Map::new(MapKind::Hash, entries)))
}

static GET_EXPRESSION: Doc = doc(
    "SHELL_GET_EXPRESSION",
    "In the shell: the expression that a variable came from.",
    &[Parameter { name: "name", meaning: "the variable's name, as a text", optional: false }],
    "a text; null if there is none",
    &[],
);

fn get_expression(store: &SharedStore, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
    arguments.expect(1, 1)?;
    let Some(name) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
    Ok(store.lock().expression(name).map(str::to_owned).into())
}

static EDIT: Doc = doc(
    "SHELL_EDIT",
    "In the shell, at a terminal: lets the user write a text in $VISUAL, else $EDITOR, else vi.",
    &[Parameter { name: "text", meaning: "what to begin with", optional: true }],
    "what was saved",
    &[],
);

fn edit(_: &SharedStore, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    arguments.expect(0, 1)?;
    let text = if arguments.is_empty() { None } else { arguments.nullable_text(0)? };
    if !std::io::stdin().is_terminal() {
        return Err(Fault::new(Code::Service, "an editor needs a terminal"));
    }
    let editor = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let editor = editor.into_iter().find(|editor| !editor.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    written(edited(&editor, text.unwrap_or_default()).map_err(|why| Fault::new(Code::Service, why))?, context)
}

/// Runs the editor on a file of its own. The words of its name are the program and its first arguments; no shell reads them.
fn edited(editor: &str, text: &str) -> Result<String, String> {
    let unusable = |error: std::io::Error| format!("the text can't be handed to the editor: {error}");
    let file = tempfile::Builder::new().prefix("stellar-").suffix(".txt").tempfile().map_err(unusable)?;
    std::fs::write(file.path(), text).map_err(unusable)?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(file.path()).status();
    let status = status.map_err(|error| format!("{program} can't be started ({error}); set EDITOR"))?;
    if !status.success() {
        return Err(format!("{program} ended with {status}"));
    }
    std::fs::read_to_string(file.path()).map_err(|error| format!("what was saved can't be read: {error}"))
}

fn columns(wrap: Option<i32>) -> usize {
    usize::try_from(wrap.unwrap_or(WRAP)).unwrap_or(1).max(1)
}

fn written(text: String, context: &mut Context<'_>) -> Outcome {
    context.spend_text(text.len())?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::session::tests::ran;
    use super::edited;

    #[test]
    fn variables_and_maps_are_shown_as_tables() {
        let (out, _, _) =
            ran(&[], &["a := {'k' : 1}", "b := TO_UPPER('x')", "SHELL_LIST_VARS()", "SHELL_MAP2TABLE(a)"]);
        let tables = out.split_once("X\n").unwrap().1;
        assert_eq!(
            tables.lines().collect::<Vec<_>>(),
            [
                "VARIABLE | VALUE     | EXPRESSION",
                "---------+-----------+--------------",
                "a        | {'k' : 1} | {'k' : 1}",
                "b        | 'X'       | TO_UPPER('x')",
                "KEY | VALUE",
                "----+------",
                "k   | 1",
            ]
        );
    }

    #[test]
    fn expressions_of_variables_can_be_had() {
        let (out, _, _) = ran(
            &["--var", "given=1"],
            &[
                "a := 1 + 1",
                "SHELL_GET_EXPRESSION('a')",
                "SHELL_GET_EXPRESSION('given')",
                "SHELL_VARS2MAP('a', 'given', 'none')",
            ],
        );
        assert_eq!(out, "2\n1 + 1\nnull\n{\"a\":\"1 + 1\"}\n");
    }

    #[test]
    fn an_editor_is_a_program_with_arguments_and_not_a_line_for_a_shell() {
        assert_eq!(edited("true --ignored", "as it was").as_deref(), Ok("as it was"));
        assert!(edited("false", "x").unwrap_err().starts_with("false ended with"));
        assert!(edited("no-such-editor;true", "x").unwrap_err().contains("set EDITOR"));
    }

    #[test]
    fn without_a_terminal_there_is_no_editor() {
        use std::io::IsTerminal;
        if !std::io::stdin().is_terminal() {
            let (_, err, exit) = ran(&[], &["SHELL_EDIT('x')"]);
            assert!(err.contains("needs a terminal") && exit == 3, "{err}");
        }
    }
}
