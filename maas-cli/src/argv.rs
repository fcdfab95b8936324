//! Metron's option letters, rewritten into long names before clap sees them. Pure.
//!
//! Metron's programs take multi-letter options with one dash (`-zq`), which clap would read as several single letters.
//! Each program has one [`Table`]; only tokens that match it exactly are touched, the value after an option never is,
//! and nothing after `--` is. `-mo ADD` becomes the subcommand `add`, put first.

use crate::code::ErrorCode;
use crate::errors::Failure;
use crate::suggest;
use std::ffi::{OsStr, OsString};

/// One option under its names.
#[derive(Debug, Clone, Copy)]
pub struct Letter {
    /// With its dash: `-zq`. Empty when there is only another long name.
    pub short: &'static str,
    /// Other long names, without dashes, with `-` for `_`: `zk-quorum`.
    pub also: &'static [&'static str],
    /// The long name that clap knows, without dashes: `zookeeper`.
    pub long: &'static str,
    /// Whether a value follows.
    pub value: bool,
}

/// An option of Metron's that has no use here: swallowed, and said once.
#[derive(Debug, Clone, Copy)]
pub struct Unused {
    /// With its dash: `-j`.
    pub short: &'static str,
    /// Long name without dashes.
    pub long: &'static str,
    /// Whether a value follows.
    pub value: bool,
}

/// A program's options with letters.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Options that are rewritten.
    pub letters: &'static [Letter],
    /// Options accepted without use.
    pub unused: &'static [Unused],
    /// The subcommands that `-mo` names, in lower case; empty for programs without modes.
    pub modes: &'static [&'static str],
}

/// `-zq`, the same in every program.
pub const ZOOKEEPER: Letter = Letter { short: "-zq", also: &["zk-quorum"], long: "zookeeper", value: true };
/// `-zr`, the same in every program.
pub const ZK_ROOT: Letter = Letter { short: "-zr", also: &[], long: "zk-root", value: true };
/// `-l FILE`, log4j's.
pub const LOG4J: Unused = Unused { short: "-l", long: "log4j", value: true };

/// A command line that clap can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// What the user should hear, one line each.
    pub notes: Vec<String>,
}

impl Table {
    /// Rewrites a whole command line; its first item is the program's name and stays.
    pub fn rewrite(&self, args: impl IntoIterator<Item = OsString>) -> Result<Rewritten, Failure> {
        let mut args = args.into_iter();
        let mut rewritten: Vec<OsString> = args.next().into_iter().collect();
        let first_place = rewritten.len();
        let mut unused: Vec<String> = Vec::new();
        let mut mode: Option<&'static str> = None;

        while let Some(token) = args.next() {
            let Some(text) = token.to_str() else {
                rewritten.push(token);
                continue;
            };
            if text == "--" {
                rewritten.push(token);
                rewritten.extend(args);
                break;
            }
            let (name, given_value) = split(text);

            if !self.modes.is_empty() && (name == "-mo" || name == "--mode") {
                let value = match given_value {
                    Some(value) => Some(OsString::from(value)),
                    None => args.next(),
                };
                let found = self.mode(value.as_deref())?;
                if mode.is_some_and(|earlier| earlier != found) {
                    return Err(Failure::new(ErrorCode::Usage, "-mo is given twice with different modes; give one"));
                }
                mode = Some(found);
            } else if let Some(option) = self.unused.iter().find(|u| name == u.short || long(&name) == Some(u.long)) {
                if option.value && given_value.is_none() {
                    args.next();
                }
                if !unused.contains(&name) {
                    unused.push(name);
                }
            } else if let Some(option) = self.letters.iter().find(|letter| letter.matches(&name)) {
                match given_value {
                    Some(value) => rewritten.push(format!("--{}={value}", option.long).into()),
                    None => {
                        rewritten.push(format!("--{}", option.long).into());
                        if option.value {
                            rewritten.extend(args.next());
                        }
                    }
                }
            } else if name.starts_with("--") {
                rewritten.push(match given_value {
                    Some(value) => format!("{name}={value}").into(),
                    None => name.into(),
                });
            } else {
                rewritten.push(token);
            }
        }
        if let Some(mode) = mode {
            rewritten.insert(first_place, mode.into());
        }
        let notes = if unused.is_empty() {
            Vec::new()
        } else {
            vec![format!("{} accepted for compatibility, without use here", unused.join(", "))]
        };
        Ok(Rewritten { args: rewritten, notes })
    }

    fn mode(&self, value: Option<&OsStr>) -> Result<&'static str, Failure> {
        let known = || self.modes.iter().map(|mode| mode.to_uppercase()).collect::<Vec<_>>();
        let Some(value) = value else {
            return Err(Failure::new(ErrorCode::Usage, format!("-mo needs a mode: {}", known().join(", "))));
        };
        let text = value.to_string_lossy();
        self.modes.iter().find(|mode| text.eq_ignore_ascii_case(mode)).copied().ok_or_else(|| {
            let known = known();
            let hint = suggest::hint(&text, known.iter().map(String::as_str));
            Failure::new(ErrorCode::Usage, format!("no mode {text:?}{hint}"))
                .with_cause(format!("modes are {}", known.join(", ")))
        })
    }

    /// The letters of a long name, for help texts: `[-zq, --zk-quorum]`.
    pub fn letters_of(&self, long: &str) -> Option<String> {
        let names: Vec<String> = self
            .letters
            .iter()
            .filter(|letter| letter.long == long)
            .flat_map(|letter| {
                let short = (!letter.short.is_empty()).then(|| letter.short.to_string());
                short.into_iter().chain(letter.also.iter().map(|name| format!("--{name}")))
            })
            .collect();
        (!names.is_empty()).then(|| format!("[{}]", names.join(", ")))
    }
}

impl Letter {
    fn matches(&self, name: &str) -> bool {
        (!self.short.is_empty() && name == self.short)
            || long(name).is_some_and(|long| long == self.long || self.also.contains(&long))
    }
}

fn long(name: &str) -> Option<&str> {
    name.strip_prefix("--")
}

/// `--zk_quorum=h` → (`--zk-quorum`, `h`). Tokens with one dash are never split: `-e K=V` is a value of its own.
fn split(text: &str) -> (String, Option<String>) {
    if !text.starts_with("--") {
        return (text.to_string(), None);
    }
    match text.split_once('=') {
        Some((name, value)) => (name.replace('_', "-"), Some(value.to_string())),
        None => (text.replace('_', "-"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        letters: &[
            ZOOKEEPER,
            ZK_ROOT,
            Letter { short: "-v", also: &["version"], long: "model-version", value: true },
            Letter { short: "-ni", also: &["num-instances"], long: "instances", value: true },
        ],
        unused: &[LOG4J],
        modes: &["add", "list"],
    };

    fn rewrite(line: &str) -> Result<(String, Vec<String>), Failure> {
        let args = line.split(' ').map(OsString::from);
        let rewritten = TABLE.rewrite(args)?;
        let joined = rewritten.args.iter().map(|arg| arg.to_str().unwrap()).collect::<Vec<_>>().join(" ");
        Ok((joined, rewritten.notes))
    }

    #[test]
    fn a_line_of_the_walk_through_becomes_a_subcommand_with_long_names() {
        let (line, notes) = rewrite("p -zq h:1 -zr /x -mo ADD -m 512 -n dga -v 1.0 -ni 1").unwrap();
        assert_eq!(line, "p add --zookeeper h:1 --zk-root /x -m 512 -n dga --model-version 1.0 --instances 1");
        assert!(notes.is_empty());
    }

    #[test]
    fn long_names_with_underscores_values_after_equals_and_any_case_of_the_mode_work() {
        let (line, _) = rewrite("p --zk_quorum=a_b=c --mode List --some_flag --version 2").unwrap();
        assert_eq!(line, "p list --zookeeper=a_b=c --some-flag --model-version 2");
    }

    #[test]
    fn nothing_after_two_dashes_and_no_value_of_an_option_is_touched() {
        let (line, _) = rewrite("p -mo=ADD -v -zq x -- -zq -mo --a_b").unwrap();
        assert_eq!(line, "p -mo=ADD --model-version -zq x -- -zq -mo --a_b");
    }

    #[test]
    fn options_without_use_are_swallowed_and_said_once() {
        let (line, notes) = rewrite("p -l a.properties -mo list -l b --log4j=c").unwrap();
        assert_eq!(line, "p list");
        assert_eq!(notes, ["-l, --log4j accepted for compatibility, without use here"]);
    }

    #[test]
    fn an_unknown_mode_gets_a_suggestion() {
        let failure = rewrite("p -mo LITS").unwrap_err();
        assert_eq!(failure.message(), "no mode \"LITS\"; did you mean LIST?");
        assert_eq!(failure.exit(), crate::exit::USAGE);
        assert!(rewrite("p -mo").is_err());
        assert!(rewrite("p -mo add -mo list").is_err());
    }
}
