//! `stellar check`: what is wrong with expressions and with the expressions of configurations, and where, without evaluating anything.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use maas_cli::exit;
use serde_json::{Value as Json, json};

use super::Trouble;
use crate::configuration::{Checked, Finding, Kind, check, check_expression};
use crate::diagnostic::{draw, safe};
use crate::program::Compiler;

const EXAMPLES: &str =
    "What a file is, is known by where it lies (parsers/*.json, enrichments/*.json, global.json), else
by what it holds; a file whose name doesn't end in .json holds statements as the shell reads them.

Functions that don't exist are warnings, because a call of one is an error only when it is reached.

Examples:
  stellar check -e 'TO_UPPER(name)'
  stellar check parsers/*.json enrichments/*.json global.json
  stellar check --json rules.stellar

Exit codes: 0 all compiles, 3 something doesn't, or a file can't be read, 4 there is no such file.";

/// Options of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// An expression
    #[arg(short = 'e', long = "expression", value_name = "EXPR", allow_hyphen_values = true)]
    expressions: Vec<String>,
    /// Configurations, and files of expressions
    #[arg(value_name = "FILE", required_unless_present = "expressions")]
    files: Vec<PathBuf>,
    /// As one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What came of one file or expression.
struct Report {
    file: Option<String>,
    checked: Checked,
    /// The exit code of a file that can't be read.
    unread: Option<u8>,
}

/// Checks all that was named.
pub(super) fn run(args: &Args, out: &mut impl Write, err: &mut impl Write) -> Result<u8, Trouble> {
    let compiler = Compiler::default();
    let expressions = args.expressions.iter().map(|text| Report {
        file: None,
        checked: check_expression(text, &compiler),
        unread: None,
    });
    let files = args.files.iter().map(|file| check_file(file, &compiler));
    let results: Vec<Report> = expressions.chain(files).collect();
    let count = |of: fn(&Checked) -> usize| results.iter().map(|result| of(&result.checked)).sum::<usize>();
    let errors = count(|checked| checked.errors.len());
    let warnings = count(|checked| checked.warnings.len());
    if args.json {
        writeln!(out, "{}", document(&results))?;
    } else {
        for result in &results {
            err.write_all(drawn(result).as_bytes())?;
        }
        let expressions = count(|checked| checked.expressions);
        writeln!(out, "{}, {}, {}", some(expressions, "expression"), some(errors, "error"), some(warnings, "warning"))?;
    }
    if results.iter().any(|result| result.unread.is_none() && !result.checked.errors.is_empty()) {
        return Ok(exit::REFUSED);
    }
    Ok(results.iter().find_map(|result| result.unread).unwrap_or(exit::DONE))
}

fn some(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn check_file(file: &Path, compiler: &Compiler) -> Report {
    let (checked, unread) = match super::text::open(file).and_then(super::text::of) {
        Ok(text) => (check(Kind::of(file, &text), &text, compiler), None),
        Err(error) => {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
                _ => format!("the file can't be read: {error}"),
            };
            let checked = Checked { errors: vec![Finding::about_file(reason)], ..Checked::default() };
            (checked, Some(super::text::unreadable(file, &error).exit()))
        }
    };
    Report { file: Some(file.display().to_string()), checked, unread }
}

fn drawn(result: &Report) -> String {
    let mut out = String::new();
    let kinds = [("error", &result.checked.errors), ("warning", &result.checked.warnings)];
    for (kind, finding) in kinds.into_iter().flat_map(|(kind, findings)| findings.iter().map(move |one| (kind, one))) {
        if let Some(file) = &result.file {
            let _infallible = write!(out, "{file}:");
            if finding.line > 0 {
                let _infallible = write!(out, "{}:{}:", finding.line, finding.column);
            }
            out.push(' ');
        }
        let code = finding.code.map_or_else(String::new, |code| format!(" {code}"));
        let _infallible = writeln!(out, "{kind}{code}: {}", safe(&finding.message));
        if !finding.key.is_empty() {
            let _infallible = writeln!(out, "  in {}", safe(&finding.key));
        }
        if finding.line > 0 {
            draw(&mut out, &finding.place, finding.hint.as_deref());
        }
    }
    out
}

fn document(results: &[Report]) -> Json {
    let expressions: usize = results.iter().map(|result| result.checked.expressions).sum();
    let all = |of: fn(&Checked) -> &[Finding]| -> Vec<Json> {
        results.iter().flat_map(|result| of(&result.checked).iter().map(|one| one_finding(result, one))).collect()
    };
    json!({"expressions": expressions, "errors": all(|checked| &checked.errors), "warnings": all(|checked| &checked.warnings)})
}

fn one_finding(result: &Report, finding: &Finding) -> Json {
    let mut document = serde_json::to_value(finding).unwrap_or_default();
    document["file"] = json!(result.file);
    document
}
