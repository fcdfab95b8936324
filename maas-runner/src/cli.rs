//! The command line: two subcommands, read by hand because this program is shipped to every node and stays small.

use crate::error::Error;
use crate::guard::Order;
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Starts one instance of a model, probes it, registers it, and ends it in order. Started by a master's launcher.

Usage:
  maas_runner run --dir DIR                        run the instance whose launch.json is in DIR
  maas_runner run --dir DIR --scratch              the same, without ZooKeeper and without a master
  maas_runner run --dir DIR --container            the same in a YARN container: the order is in its token file
  maas_runner guard [--group FILE]… -- PROGRAM…    run PROGRAM; kill all it started when it or standard input ends
  maas_runner --help | --version

DIR gets: lock (held for life), work/, tmp/, logs/, and at the end exit.json.
With --container launch.json is made from the token file and logs/ is the container's own log directory; how the model
failed is the last line of standard error.
With --scratch each change is printed as a JSON line, and the end of standard input means SIGTERM.
SIGTERM: un-registers, waits for callers to finish, ends the model, ends.

Exit codes: 0 done, 1 a defect, 2 usage, 3 launch.json can't be used, 7 the model failed, 8 another runner has it

Example:
  maas_runner run --dir /var/lib/maas/instances/3-17-9f2c
";

/// Where a runner finds itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Started by a master of its own machine.
    Machine,
    /// Tried out: no ZooKeeper, no master.
    Scratch,
    /// In a container that a cluster's node started.
    Container,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Run an instance.
    Run {
        /// The directory that holds its launch.json.
        directory: PathBuf,
        /// Where the order comes from and what it answers to.
        place: Place,
    },
    /// Be the guard of a script.
    Guard(Order),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Reads the arguments, the program's own name left out.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Error> {
    let mut arguments = arguments.into_iter();
    let usage = |text: String| Err(Error::Usage(text));
    let Some(first) = arguments.next() else { return usage("a subcommand is needed".to_string()) };
    match first.to_str() {
        Some("--help" | "-h" | "help") => Ok(Command::Help),
        Some("--version" | "-V") => Ok(Command::Version),
        Some("run") => {
            let (mut directory, mut place, mut rest) = (None, Place::Machine, arguments);
            while let Some(argument) = rest.next() {
                match argument.to_str() {
                    Some("--dir") => match rest.next() {
                        Some(value) => directory = Some(PathBuf::from(value)),
                        None => return usage("--dir needs a directory".to_string()),
                    },
                    Some("--scratch" | "--container") if place != Place::Machine => {
                        return usage("--scratch and --container can't be had together".to_string());
                    }
                    Some("--scratch") => place = Place::Scratch,
                    Some("--container") => place = Place::Container,
                    Some("--help" | "-h") => return Ok(Command::Help),
                    _ => return usage(format!("unknown argument {}", argument.display())),
                }
            }
            let directory = directory.ok_or_else(|| Error::Usage("--dir DIR is needed".to_string()))?;
            Ok(Command::Run { directory, place })
        }
        Some("guard") => {
            let mut order = Order { groups: Vec::new(), program: Vec::new() };
            while let Some(argument) = arguments.next() {
                match argument.to_str() {
                    Some("--group") => match arguments.next() {
                        Some(group) => order.groups.push(group.into()),
                        None => return usage("--group needs a file".to_string()),
                    },
                    Some("--") => order.program.extend(arguments.by_ref()),
                    _ => return usage(format!("unknown argument {}", argument.display())),
                }
            }
            match order.program.is_empty() {
                true => usage("guard needs -- PROGRAM".to_string()),
                false => Ok(Command::Guard(order)),
            }
        }
        _ => usage(format!("unknown subcommand {}", first.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, Error> {
        parse(line.split_ascii_whitespace().map(OsString::from))
    }

    #[test]
    fn both_subcommands_are_read() {
        assert_eq!(read("run --dir /x").unwrap(), Command::Run { directory: "/x".into(), place: Place::Machine });
        assert_eq!(
            read("run --scratch --dir /x").unwrap(),
            Command::Run { directory: "/x".into(), place: Place::Scratch }
        );
        assert_eq!(
            read("run --dir . --container").unwrap(),
            Command::Run { directory: ".".into(), place: Place::Container }
        );
        let order = Order { groups: vec!["/g".into()], program: vec!["./a.sh".into(), "--dir".into()] };
        assert_eq!(read("guard --group /g -- ./a.sh --dir").unwrap(), Command::Guard(order));
        assert_eq!(read("--help").unwrap(), Command::Help);
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "",
            "walk",
            "run",
            "run --dir",
            "run /x",
            "run --dir /x y",
            "run --dir /x --scratch --container",
            "guard",
            "guard --",
            "guard ls",
        ] {
            assert!(matches!(read(line), Err(Error::Usage(_))), "{line}");
        }
    }
}
