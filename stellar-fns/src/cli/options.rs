//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use maas_cli::argv::{LOG4J, Table, ZK_ROOT, ZOOKEEPER};
use maas_cli::options::LogOptions;
use maas_cli::{ErrorCode, Failure};
use serde_json::{Map as JsonMap, Value as Json};

use super::models::ModelOptions;
use super::{check, enrichment, functions, text};
use crate::configuration::is_name;
use crate::environment::Environment;
use crate::program::Compiler;
use crate::value::{Integers, Value, from_json};
use crate::variables::VariableMap;

/// Metron's letters.
pub(super) const TABLE: Table = Table { letters: &[ZOOKEEPER, ZK_ROOT], unused: &[LOG4J], modes: &[] };

const EXAMPLES: &str = r#"Examples:
  stellar                                       the shell; %help says what it knows
  stellar -e "TO_UPPER(name)" --var name=casey
  stellar -e "a + b" -v '{"a": 1, "b": 2}' --json
  stellar -z node1:2181 -e "MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : 'yahoo.com'})"
  stellar -f rules.stellar                      as stellar < rules.stellar
  stellar check parsers/*.json enrichments/*.json
  stellar functions MAAS_MODEL_APPLY
  stellar batch < cases.jsonl > answers.jsonl
  stellar enrichment load --store whois.redb --type whois whois.csv

ZooKeeper is needed by MAAS_* only. It is found by -z, $MAAS_ZK, or zk = "HOST:PORT" in
~/.config/maas/client.toml or /etc/maas/client.toml.

Exit codes: 0 done, 1 a defect of ours, 2 usage, 3 an expression is in error, or a file can't be
read, 4 no such function or file, 6 ZooKeeper can't be reached, or is not known where an expression asks for models,
8 another program changes the store of enrichments."#;

/// Evaluates expressions of the Stellar language. Without -e, -f and a command it is a shell; where stdin is no terminal, it runs what comes from there.
#[derive(Debug, Parser)]
#[command(name = "stellar", version, after_help = EXAMPLES, max_term_width = 120, subcommand_negates_reqs = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub models: ModelOptions,
    #[command(flatten)]
    pub log: LogOptions,
}

impl Cli {
    pub(super) fn wants_json(&self) -> bool {
        match &self.command {
            None => self.input.json,
            Some(Command::Check(args)) => args.json,
            Some(Command::Functions(args)) => args.json,
            Some(Command::Batch { .. } | Command::Enrichment(_) | Command::Completions { .. }) => false,
        }
    }
}

/// What is evaluated, with which variables, and how answers are written.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// The expression to evaluate
    #[arg(short = 'e', long = "expression", value_name = "EXPR", allow_hyphen_values = true, conflicts_with = "files")]
    pub expression: Option<String>,
    /// A file of statements as the shell reads them; - is stdin
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Variables as one JSON object: a file, - for stdin, or the object itself
    #[arg(short = 'v', long = "variables", value_name = "FILE|-|JSON")]
    pub variables: Vec<String>,
    /// A variable; the value is JSON where it can be read as JSON, else the text as it stands ('"1"' is a text)
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    pub single: Vec<(String, Value)>,
    /// Ask whether the expression holds: it must be true or false
    #[arg(long)]
    pub predicate: bool,
    /// Write each call with its arguments and its result to stderr
    #[arg(long)]
    pub trace: bool,
    /// Write answers and errors as JSON, one document a statement
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compile expressions and the expressions of configurations, without evaluating them
    Check(check::Args),
    /// Read cases as JSON lines and write an answer for each
    #[command(after_help = BATCH)]
    Batch {
        /// Add THROW and RET_TRUE, which conformance cases use
        #[arg(long)]
        test_functions: bool,
    },
    /// Print the reference of all functions, or of one
    Functions(functions::Args),
    /// Load and show what ENRICHMENT_GET and ENRICHMENT_EXISTS read
    Enrichment(enrichment::Args),
    /// Print completions for a shell
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

const BATCH: &str = r#"A case is a line
  {"id","expr","vars","var_types"?,"missing"?:"null"|"error","mode"?:"run"|"predicate"|"validate"|"parse","tz"?,"locale"?}
and its answer
  {"id","kind":"value|special|set|entries|valid|error","value"?,"type"?,"error"?:{"code","message","stage","span","hint"?}}
Answers come in the order of the cases. A line that can't be read gets an error, a blank one no answer; exit 0 when every
other line got its answer.

Example:
  echo '{"id": 1, "expr": "a + 1", "vars": {"a": 2}}' | stellar batch"#;

fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text} has no =; write NAME=VALUE"))?;
    if !is_name(name) {
        return Err(format!("{name:?} can't be the name of a variable"));
    }
    let value =
        serde_json::from_str(value).map_or_else(|_| Value::text(value), |json| from_json(&json, Integers::BySize));
    Ok((name.to_owned(), value))
}

impl Input {
    /// All variables that were given; of two of a name the last one, `--var` after `-v`.
    pub(super) fn variables(&self) -> Result<VariableMap, Failure> {
        let mut variables = VariableMap::default();
        for given in &self.variables {
            for (name, value) in object(given)? {
                variables.insert(name, from_json(&value, Integers::BySize));
            }
        }
        for (name, value) in &self.single {
            variables.insert(name, value.clone());
        }
        Ok(variables)
    }

    /// The compiler; a trace shows each call, also those that could be made while compiling.
    pub(super) fn compiler(&self) -> Compiler {
        Compiler { folding: !self.trace, ..Compiler::default() }
    }

    /// The environment, watched where a trace is wanted.
    pub(super) fn watched(&self, environment: Environment) -> Environment {
        match self.trace {
            true => Environment { trace: Some(super::trace::to_stderr()), ..environment },
            false => environment,
        }
    }
}

fn object(given: &str) -> Result<JsonMap<String, Json>, Failure> {
    let no_object = |name: &str, why: String| {
        Failure::new(ErrorCode::Usage, format!("-v: {name} is no JSON object")).with_cause(why)
    };
    if given.trim_start().starts_with('{') {
        return text::object(given).map_err(|why| no_object("the argument", why));
    }
    if given == "-" {
        let stdin = text::of(std::io::stdin());
        let stdin = stdin.map_err(|error| text::unreadable("stdin".as_ref(), &error))?;
        return text::object(&stdin).map_err(|why| no_object("stdin", why));
    }
    match text::of_file(given.as_ref()) {
        Ok(file) => text::object(&file).map_err(|why| no_object(given, why)),
        // Who writes JSON means no file.
        Err(failure) => Err(match text::object(given) {
            Err(why) if serde_json::from_str::<Json>(given).is_ok() => no_object("the argument", why),
            _ => failure,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_where_it_can_be_and_else_text() {
        for (given, name, shown) in [
            ("a=1", "a", "Int(1)"),
            ("a=\"1\"", "a", "Text(\"1\")"),
            ("a=x=y", "a", "Text(\"x=y\")"),
            ("a.b:c=", "a.b:c", "Text(\"\")"),
            ("a=null", "a", "Null"),
            ("a=3000000000", "a", "Long(3000000000)"),
        ] {
            let (got, value) = variable(given).unwrap();
            assert_eq!((got.as_str(), format!("{value:?}").as_str()), (name, shown));
        }
        assert!(variable("a").is_err());
    }

    #[test]
    fn what_is_no_object_of_variables_is_told_apart() {
        for (given, exit, message) in [
            ("[1]", 2, "-v: the argument is no JSON object"),
            ("5", 2, "-v: the argument is no JSON object"),
            ("{1}", 2, "-v: the argument is no JSON object"),
            ("/nowhere/x.json", 4, "there is no file /nowhere/x.json"),
            ("/", 3, "/ is a directory"),
        ] {
            let failure = object(given).unwrap_err();
            assert_eq!((failure.exit(), failure.message()), (exit, message));
        }
    }

    #[test]
    fn the_options_fit_together() {
        maas_cli::parse::command::<Cli>(&TABLE).debug_assert();
    }
}
