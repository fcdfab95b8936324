//! From the process's arguments to a parsed command line: letters rewritten, clap asked, its errors mapped to ours.
//!
//! The version of the program is `-V`/`--program-version` everywhere, because `-v`/`--version` may be the model's.

use crate::argv::Table;
use crate::code::ErrorCode;
use crate::errors::Failure;
use crate::exit;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;

/// Parses the arguments of this process. An `Err` is the exit code: all there is to say has been printed.
pub fn from_process<C: CommandFactory + FromArgMatches>(table: &Table) -> Result<C, u8> {
    from_args(table, std::env::args_os())
}

/// As [`from_process`], with arguments given (the program's name first).
pub fn from_args<C: CommandFactory + FromArgMatches>(
    table: &Table,
    args: impl IntoIterator<Item = OsString>,
) -> Result<C, u8> {
    let args: Vec<OsString> = args.into_iter().collect();
    let json = wants_json(&args);
    let rewritten = table.rewrite(args).map_err(|failure| failure.report(json))?;
    for note in &rewritten.notes {
        // Nothing can be said about a stderr that can't be written to.
        let _ = writeln!(std::io::stderr().lock(), "note: {note}");
    }
    let mut command = command::<C>(table);
    let parsed = command.try_get_matches_from_mut(rewritten.args).and_then(|matches| C::from_arg_matches(&matches));
    parsed.map_err(|error| report_clap(&discreet(error), json))
}

/// A text that may be a url, be it well formed or not, without its user and password.
pub fn without_user(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (_, None) => text.to_owned(),
        (Some((scheme, _)), Some((_, rest))) if !scheme.contains('@') => format!("{scheme}://…@{rest}"),
        (_, Some((_, rest))) => format!("…@{rest}"),
    }
}

/// An argument in a wrong place, or that is no url as it should be, may hold a password all the same: neither it nor a tip repeats that.
fn discreet(mut error: clap::Error) -> clap::Error {
    let told = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) if text.contains('@') => Some((kind, ContextValue::String(without_user(text)))),
        ContextValue::StyledStrs(tips) if kind == ContextKind::Suggested => {
            let tips = tips.iter().filter(|tip| !tip.to_string().contains('@')).cloned().collect();
            Some((kind, ContextValue::StyledStrs(tips)))
        }
        _ => None,
    });
    for (kind, value) in told.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
    error
}

/// The clap command as users see it: letters in the help, our version option.
pub fn command<C: CommandFactory>(table: &Table) -> Command {
    let version = Arg::new("program-version")
        .short('V')
        .long("program-version")
        .help("Print this program's version")
        .action(ArgAction::Version)
        .global(true);
    annotate(C::command().disable_version_flag(true).propagate_version(true), table).arg(version)
}

fn annotate(command: Command, table: &Table) -> Command {
    command
        .mut_args(|arg| match arg.get_long().and_then(|long| table.letters_of(long)) {
            None => arg,
            Some(letters) => {
                let short = arg.get_help().map(|help| format!("{help} {letters}")).unwrap_or_else(|| letters.clone());
                let long = arg.get_long_help().map(|help| format!("{help}\n\n{letters}"));
                let arg = arg.help(short);
                match long {
                    Some(long) => arg.long_help(long),
                    None => arg,
                }
            }
        })
        .mut_subcommands(|subcommand| annotate(subcommand, table))
}

/// Whether `--json` was asked for, found before anything else can fail.
pub fn wants_json(args: &[OsString]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json")
}

/// Help and version are data and go to stdout; everything else is wrong usage.
fn report_clap(error: &clap::Error, json: bool) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is no error: `maas_deploy --help | head -1`.
            let _ = error.print();
            exit::DONE
        }
        _ if json => clap_failure(error).report(true),
        _ => {
            let _ = error.print();
            exit::USAGE
        }
    }
}

/// clap's words as one of our failures: its first paragraph is the message, its tips are causes.
pub fn clap_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("the command line can't be understood");
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let rest = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    rest.fold(Failure::new(ErrorCode::Usage, message), Failure::with_cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argv::{ZK_ROOT, ZOOKEEPER};
    use clap::{Parser, Subcommand};

    #[derive(Debug, Parser)]
    #[command(name = "p", version)]
    struct Cli {
        /// ZooKeeper's servers
        #[arg(long, global = true)]
        zookeeper: Option<String>,
        #[command(subcommand)]
        verb: Verb,
    }

    #[derive(Debug, Subcommand)]
    enum Verb {
        /// Adds
        Add {
            /// The model's version
            #[arg(long)]
            model_version: String,
        },
    }

    const TABLE: Table = Table {
        letters: &[
            ZOOKEEPER,
            ZK_ROOT,
            crate::argv::Letter { short: "-v", also: &["version"], long: "model-version", value: true },
        ],
        unused: &[],
        modes: &["add"],
    };

    fn parse(line: &str) -> Result<Cli, u8> {
        from_args(&TABLE, line.split(' ').map(OsString::from))
    }

    #[test]
    fn a_password_in_a_url_that_is_refused_is_not_repeated() {
        let command = || {
            let sink = Arg::new("sink").long("sink").short('s').value_parser(clap::value_parser!(u8));
            Command::new("p").arg(sink).subcommand(Command::new("run"))
        };
        for (args, shown) in [
            (&["--sink", "htp://alice:secret@h:1"][..], "htp://…@h:1"),
            (&["--sink", "alice:secret@h"], "'…@h'"),
            (&["es+https://alice:secret@h"], "es+https://…@h"),
            (&["run", "es+https://alice:secret@h"], "es+https://…@h"),
            (&["run", "--alice:secret@h"], "…@h"),
            (&["x@y://alice:secret@h"], "'…@h'"),
        ] {
            let args = ["p"].iter().chain(args);
            let error = command().try_get_matches_from(args).unwrap_err();
            let text = discreet(error).to_string();
            assert!(text.contains(shown) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn letters_reach_the_subcommand_and_wrong_usage_is_2() {
        let cli = parse("p -zq h -mo ADD -v 1.0").unwrap();
        assert_eq!(cli.zookeeper.as_deref(), Some("h"));
        let Verb::Add { model_version } = cli.verb;
        assert_eq!(model_version, "1.0");
        assert_eq!(parse("p -mo ADD").unwrap_err(), exit::USAGE);
        assert_eq!(parse("p add --nonsense").unwrap_err(), exit::USAGE);
        assert_eq!(parse("p -V").unwrap_err(), exit::DONE);
        assert_eq!(parse("p add --help").unwrap_err(), exit::DONE);
        assert_eq!(parse("p add --program-version").unwrap_err(), exit::DONE);
    }

    #[test]
    fn help_shows_the_letters_at_every_level() {
        let mut command = command::<Cli>(&TABLE);
        command.build();
        assert!(command.render_help().to_string().contains("[-zq, --zk-quorum]"));
        let add = command.find_subcommand_mut("add").unwrap();
        assert!(add.render_help().to_string().contains("[-v, --version]"));
        command.debug_assert();
    }

    #[test]
    fn usage_as_json_has_the_value_and_no_usage_text() {
        let error = command::<Cli>(&TABLE).try_get_matches_from(["p", "add", "--nonsense"]).unwrap_err();
        let failure = clap_failure(&error);
        assert_eq!(failure.code(), ErrorCode::Usage);
        assert!(failure.message().contains("--nonsense"), "{failure:?}");
        assert!(failure.causes().iter().all(|cause| !cause.contains("Usage:")));
        assert!(wants_json(&["p".into(), "--json".into()]));
        assert!(!wants_json(&["p".into(), "--".into(), "--json".into()]));
    }
}
