//! The four modes, on a connected tree: reads, decides by `plan` and `patch`, writes in one transaction, says what it did.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use maas_client::tree::{Access, MultiError, SharedTree, TreeExt};
use serde_json::json;

use super::ordered::Ordered;
use super::patch::{Operation, patched};
use super::plan::{Line, Verdict, operations, parents, plan};
use crate::config::Files;
use crate::connect::tree_failure;
use crate::topology::{self, Versioned};

/// How a command speaks and whether it writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) json: bool,
    pub(super) dry_run: bool,
}

/// Pushes files: all, or none when one of them is refused.
pub(super) async fn push(
    tree: &SharedTree,
    wanted: &Files,
    backup: Option<&Path>,
    manner: Manner,
) -> Result<(), Failure> {
    let current = read(tree).await?;
    if let Some(directory) = backup {
        write_files(&current, directory, false)?;
    }
    let lines = plan(&current, wanted);
    say(&lines, manner)?;
    let refused: Vec<&str> =
        lines.iter().filter(|line| line.verdict == Verdict::Refused).map(|line| line.file.as_str()).collect();
    if !refused.is_empty() {
        let message = format!("nothing was written, because of {}; mend it and push again", refused.join(", "));
        return Err(Failure::new(ErrorCode::BadSensor, message));
    }
    if manner.dry_run {
        note("nothing was written: --dry-run");
        return Ok(());
    }
    write(tree, &lines, &current, wanted).await
}

async fn write(tree: &SharedTree, lines: &[Line], current: &Versioned, wanted: &Files) -> Result<(), Failure> {
    let operations = operations(lines, current, wanted);
    if operations.is_empty() {
        return Ok(());
    }
    for parent in parents(lines) {
        tree.ensure_path(&parent, Access::WorldReads).await.map_err(|error| tree_failure(&error))?;
    }
    tree.multi(operations).await.map(drop).map_err(|MultiError { error, .. }| match error {
        maas_client::tree::Error::BadVersion { .. } | maas_client::tree::Error::NodeExists { .. } => Failure::new(
            ErrorCode::Conflict,
            "somebody else changed the configuration just now; nothing was written, try again",
        )
        .because(&error),
        error => tree_failure(&error),
    })
}

/// Writes what is there to a directory.
pub(super) async fn pull(tree: &SharedTree, directory: &Path, force: bool, manner: Manner) -> Result<(), Failure> {
    let current = read(tree).await?;
    if !manner.dry_run {
        write_files(&current, directory, force)?;
    }
    let mut out = Out::stdout();
    for name in current.keys() {
        let path = directory.join(name);
        let said = if manner.json {
            out.json(&json!({"file": name, "path": path}))
        } else {
            out.line(path.display().to_string())
        };
        said.map_err(|error| io_failure(&error))?;
    }
    Ok(())
}

/// Prints what is there, or one file of it.
pub(super) async fn dump(tree: &SharedTree, only: Option<&str>, manner: Manner) -> Result<(), Failure> {
    let current = read(tree).await?;
    let mut out = Out::stdout();
    let mut found = false;
    for (name, (text, _)) in current.iter().filter(|(name, _)| only.is_none_or(|only| only == name.as_str())) {
        found = true;
        let said = match serde_json::from_str::<Ordered>(text) {
            Ok(document) if manner.json => out.json(&json!({"file": name, "config": document})),
            _ if manner.json => out.json(&json!({"file": name, "text": text})),
            _ => out.line(format!("{}\n{text}", heading(name))),
        };
        said.map_err(|error| io_failure(&error))?;
    }
    match only {
        Some(name) if !found => Err(no_such(name, &current)),
        _ => Ok(()),
    }
}

/// As the original prints it: `PARSER Config: squid`.
fn heading(name: &str) -> String {
    let (kind, rest) = name.split_once('/').unwrap_or(("", name));
    let kind = match kind {
        "" if name == "global.json" => "GLOBAL",
        "parsers" => "PARSER",
        "enrichments" => "ENRICHMENT",
        "indexing" => "INDEXING",
        "patterns" => "PATTERNS",
        _ => "PROFILER",
    };
    format!("{kind} Config: {}", rest.strip_suffix(".json").unwrap_or(rest))
}

/// Changes one file.
pub(super) async fn patch(
    tree: &SharedTree,
    name: &str,
    changes: &[Operation],
    backup: Option<&Path>,
    manner: Manner,
) -> Result<(), Failure> {
    let current = read(tree).await?;
    let (text, _) = current.get(name).ok_or_else(|| no_such(name, &current))?;
    let refused = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(ErrorCode::BadSensor, format!("{name} can't be patched")).because(error)
    };
    let document: Ordered = serde_json::from_str(text).map_err(|error| refused(&error))?;
    let document = patched(&document, changes).map_err(|error| refused(&error))?;
    let text = serde_json::to_string_pretty(&document).map_err(|error| refused(&error))?;
    let wanted = Files([(name.to_owned(), text)].into());
    push(tree, &wanted, backup, manner).await
}

async fn read(tree: &SharedTree) -> Result<Versioned, Failure> {
    topology::read(tree).await.map_err(|error| match &error {
        topology::Error::Tree(source) => tree_failure(source),
        topology::Error::NotText { .. } => Failure::of(ErrorCode::BadSensor, &error),
    })
}

fn no_such(name: &str, current: &Versioned) -> Failure {
    let hint = maas_cli::suggest::hint(name, current.keys().map(String::as_str));
    Failure::new(ErrorCode::NoSensor, format!("there is no {name} in ZooKeeper{hint}"))
}

fn write_files(files: &Versioned, directory: &Path, force: bool) -> Result<(), Failure> {
    let targets: Vec<(PathBuf, &str)> =
        files.iter().map(|(name, (text, _))| (directory.join(name), text.as_str())).collect();
    if let Some((path, _)) = targets.iter().find(|(path, _)| !force && path.exists()) {
        let message = format!("{} is there already; give -f to write over it, or another directory", path.display());
        return Err(Failure::new(ErrorCode::Conflict, message));
    }
    for (path, text) in targets {
        let unwritable = |error: io::Error| {
            Failure::new(ErrorCode::BadPath, format!("{} can't be written", path.display())).because(&error)
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        fs::write(&path, text).map_err(unwritable)?;
    }
    Ok(())
}

/// A line a file, and where it is refused a line for each reason; what is noticed goes below.
fn say(lines: &[Line], manner: Manner) -> Result<(), Failure> {
    let mut out = Out::stdout();
    for line in lines {
        let warnings = &line.findings.warnings;
        let said = if manner.json {
            let warnings: Vec<_> =
                warnings.iter().map(|warning| json!({"key": warning.key, "message": warning.message})).collect();
            let refused = &line.findings.refused;
            let reason = refused.first().map(ToString::to_string);
            let outcome = line.verdict.as_str();
            out.json(
                &json!({"file": line.file, "outcome": outcome, "reason": reason, "errors": refused, "warnings": warnings}),
            )
        } else if line.findings.refused.is_empty() {
            out.line(format!("{} {}", line.verdict.as_str(), line.file))
        } else {
            let reasons = line.findings.refused.iter();
            let reasons: Vec<String> =
                reasons.map(|reason| format!("{} {}: {reason}", line.verdict.as_str(), line.file)).collect();
            out.line(reasons.join("\n"))
        };
        said.map_err(|error| io_failure(&error))?;
        if !manner.json {
            for warning in warnings {
                note(&format!("warning: {}: {warning}", line.file));
            }
        }
    }
    Ok(())
}

fn note(text: &str) {
    use std::io::Write;
    // Nothing can be said about a stderr that can't be written to.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn io_failure(error: &io::Error) -> Failure {
    Failure::new(ErrorCode::Defect, "output failed").because(error)
}
