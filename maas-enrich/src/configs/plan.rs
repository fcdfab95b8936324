//! What a push changes, and the one transaction that does it. Pure.

use maas_client::tree::{Access, Mode, Op};

use super::check::{Findings, check};
use crate::config::Files;
use crate::topology::{Versioned, node};

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Added,
    Changed,
    Unchanged,
    Refused,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// A file of a push.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) file: String,
    pub(super) verdict: Verdict,
    pub(super) findings: Findings,
}

/// Compares files with what is there. Patterns that are there already are seen by the files that are pushed.
pub(super) fn plan(current: &Versioned, wanted: &Files) -> Vec<Line> {
    let mut together = Files(current.iter().map(|(name, (text, _))| (name.clone(), text.clone())).collect());
    together.0.extend(wanted.0.clone());
    let line = |(file, text): (&String, &String)| {
        let findings = check(file, text, &together);
        let verdict = match current.get(file) {
            _ if !findings.refused.is_empty() => Verdict::Refused,
            None => Verdict::Added,
            Some((before, _)) if before == text => Verdict::Unchanged,
            Some(_) => Verdict::Changed,
        };
        Line { file: file.clone(), verdict, findings }
    };
    wanted.0.iter().map(line).collect()
}

/// All changes of the plan at once, each at the version that was read.
pub(super) fn operations(plan: &[Line], current: &Versioned, wanted: &Files) -> Vec<Op> {
    let mut operations = Vec::new();
    for line in plan {
        let Some(text) = wanted.get(&line.file) else { continue };
        let path = node(&line.file);
        match (line.verdict, current.get(&line.file)) {
            (Verdict::Added, _) => operations.push(Op::Create {
                path,
                data: text.into(),
                mode: Mode::Persistent,
                access: Access::WorldReads,
            }),
            (Verdict::Changed, Some((_, version))) => operations.push(Op::set(path, text, Some(*version))),
            _ => {}
        }
    }
    operations
}

/// The nodes that must be there before the transaction.
pub(super) fn parents(plan: &[Line]) -> Vec<String> {
    let parent = |line: &Line| node(&line.file).rsplit_once('/').map(|(parent, _)| parent.to_owned());
    let mut parents: Vec<String> = plan.iter().filter_map(parent).collect();
    parents.sort_unstable();
    parents.dedup();
    parents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written() {
        let current = Versioned::from_iter([
            ("global.json".to_owned(), ("{}".to_owned(), 3)),
            ("parsers/a.json".to_owned(), ("{}".to_owned(), 5)),
        ]);
        let wanted = [("global.json", "{}"), ("parsers/a.json", "{\"sensorTopic\":\"a\"}"), ("patterns/p", "X y")];
        let wanted = Files(wanted.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
        let plan = plan(&current, &wanted);
        let verdicts: Vec<&str> = plan.iter().map(|line| line.verdict.as_str()).collect();
        assert_eq!(verdicts, ["unchanged", "changed", "added"]);
        let operations = operations(&plan, &current, &wanted);
        assert_eq!(operations[0], Op::set("/metron/topology/parsers/a", "{\"sensorTopic\":\"a\"}", Some(5)));
        assert_eq!(operations[1].path(), "/metron/topology/patterns/p");
        assert_eq!(parents(&plan), ["/metron/topology", "/metron/topology/parsers", "/metron/topology/patterns"]);
    }
}
