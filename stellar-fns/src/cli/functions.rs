//! `stellar functions`: the reference, made from the functions themselves.

use std::fmt::Write as _;
use std::io::Write;

use maas_cli::{ErrorCode, Failure, exit};
use serde_json::{Value as Json, json};

use super::Trouble;
use crate::function::{Doc, Functions, Parameter};

/// Options of `functions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One function only
    name: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints the reference.
pub(super) fn run(args: &Args, mut out: impl Write) -> Result<u8, Trouble> {
    let functions = documented();
    let chosen: Vec<&'static Doc> = match &args.name {
        None => functions.iter().map(|function| function.doc()).collect(),
        Some(name) => vec![named(name, &functions)?],
    };
    if args.json {
        let documents: Vec<Json> = chosen.iter().map(|doc| document(doc)).collect();
        writeln!(out, "{}", Json::from(documents))?;
    } else if args.name.is_some() {
        for doc in chosen {
            write!(out, "{}", page(doc))?;
        }
    } else {
        for doc in chosen {
            writeln!(out, "{}\n    {}", signature(doc), doc.summary)?;
        }
    }
    Ok(exit::DONE)
}

/// All functions, also those that only the shell has.
fn documented() -> Functions {
    let mut functions = Functions::standard();
    for function in super::shell::shell_functions(&Default::default()) {
        functions.register(function);
    }
    functions
}

/// The page of one function, whose name may be in any case.
pub(super) fn documentation(name: &str, functions: &Functions) -> Result<String, Failure> {
    named(name, functions).map(page)
}

fn named(name: &str, functions: &Functions) -> Result<&'static Doc, Failure> {
    functions.get(&name.to_uppercase()).map(|function| function.doc()).ok_or_else(|| unknown(name, functions))
}

fn unknown(name: &str, functions: &Functions) -> Failure {
    let hint = functions
        .similar(name)
        .map_or_else(|| "stellar functions lists all of them".to_owned(), |similar| format!("did you mean {similar}?"));
    Failure::new(ErrorCode::NoFunction, format!("no function {name}; {hint}"))
}

/// `GET_FIRST(list, count?)`
pub(super) fn signature(doc: &Doc) -> String {
    let shown = |parameter: &Parameter| format!("{}{}", parameter.name, if parameter.optional { "?" } else { "" });
    format!("{}({})", doc.name, doc.parameters.iter().map(shown).collect::<Vec<_>>().join(", "))
}

fn page(doc: &Doc) -> String {
    let mut page = format!("{}\n\n{}\n\n", signature(doc), doc.summary);
    let width = doc.parameters.iter().map(|parameter| parameter.name.chars().count()).max().unwrap_or(0);
    for parameter in doc.parameters {
        let _infallible = writeln!(page, "  {:width$}  {}", parameter.name, parameter.meaning);
    }
    let _infallible = write!(page, "\nGives {}.\n", doc.returns);
    if !doc.examples.is_empty() {
        page.push('\n');
    }
    for example in doc.examples {
        let _infallible = match example.gives {
            Some(gives) => writeln!(page, "  {} is {gives}", example.call),
            None => writeln!(page, "  {} is an error", example.call),
        };
    }
    page
}

fn document(doc: &Doc) -> Json {
    let parameters: Vec<Json> = doc
        .parameters
        .iter()
        .map(|parameter| json!({"name": parameter.name, "meaning": parameter.meaning, "optional": parameter.optional}))
        .collect();
    let examples: Vec<Json> =
        doc.examples.iter().map(|example| json!({"call": example.call, "gives": example.gives})).collect();
    json!({
        "name": doc.name,
        "summary": doc.summary,
        "parameters": parameters,
        "returns": doc.returns,
        "examples": examples,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(name: Option<&str>, json: bool) -> Result<String, Trouble> {
        let mut out = Vec::new();
        run(&Args { name: name.map(str::to_owned), json }, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn one_function_has_a_page_and_all_have_a_line() {
        let page = printed(Some("maas_model_apply"), false).unwrap();
        assert!(page.starts_with("MAAS_MODEL_APPLY(endpoint, function?, arguments)\n\nA model's answer"), "{page}");
        assert!(page.contains("  function   the model's function; apply without it\n"), "{page}");
        assert!(page.contains("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga')) is an error\n"), "{page}");
        let all = printed(None, false).unwrap();
        assert!(all.contains("\nTO_UPPER(") && all.contains("\nMAAS_GET_ENDPOINT(name, version?)\n"), "{all}");
    }

    #[test]
    fn all_of_it_is_json_too() {
        let all: Vec<Json> = serde_json::from_str(&printed(None, true).unwrap()).unwrap();
        assert_eq!(all.len(), documented().iter().count());
        assert!(all.iter().all(|function| function["examples"].is_array()));
    }

    #[test]
    fn an_unknown_name_is_not_found_and_gets_a_suggestion() {
        let Err(Trouble::Said(failure)) = printed(Some("TO_UPER"), false) else { panic!() };
        assert_eq!((failure.message(), failure.exit()), ("no function TO_UPER; did you mean TO_UPPER?", 4));
    }
}
