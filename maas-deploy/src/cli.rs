//! The command line: which verbs there are, Metron's letters, the options all verbs share.
//!
//! Each verb's own options stand beside what it does, in [`crate::commands`].

use crate::commands::{
    add, call, completions, doctor, errors, events, list, logs, plan, remove, requests, scale, status, try_,
};
use crate::context::Globals;
use maas_cli::argv::{LOG4J, Letter, Table, Unused, ZK_ROOT, ZOOKEEPER};

/// Metron's letters and ours.
pub(crate) const TABLE: Table = Table {
    letters: &[
        ZOOKEEPER,
        ZK_ROOT,
        Letter { short: "-v", also: &["version"], long: "model-version", value: true },
        Letter { short: "-ni", also: &["instances"], long: "num-instances", value: true },
        Letter { short: "-lmp", also: &[], long: "local-model-path", value: true },
        Letter { short: "-hmp", also: &[], long: "hdfs-model-path", value: true },
        // The verbs that take -m take it as clap's own short option; this only adds the other long name.
        Letter { short: "", also: &["memory-mb"], long: "memory", value: true },
    ],
    unused: &[LOG4J, Unused { short: "-j", long: "jar", value: true }],
    modes: &["add", "remove", "scale", "list", "status", "events", "logs", "requests", "call", "try", "plan", "doctor"],
};

const ABOUT: &str = "Publish models, and see what became of them.

Every verb can be given as a subcommand (maas_deploy list) or as Metron's mode (maas_deploy -mo LIST).";

const EXAMPLES: &str = "Examples:
  maas_deploy -zq node1:2181 -mo ADD -lmp examples/mock_dga -hmp /user/root/models -m 512 -n dga -v 1.0 -ni 1
  maas_deploy add -n dga -v 1.0 -m 512 -ni 2 -lmp examples/mock_dga --wait
  maas_deploy list
  maas_deploy call -n dga host=yahoo.com
  maas_deploy remove -n dga -v 1.0 -ni 2 --wait

ZooKeeper is found by -zq, $MAAS_ZK, or zk = \"HOST:PORT\" in ~/.config/maas/client.toml or
/etc/maas/client.toml.

Exit codes: 0 done, 1 a defect of ours, 2 usage, 3 input refused, 4 not found, 5 gave up waiting,
6 a server can't be reached, 7 the model failed, 8 conflict, 9 not permitted, 130 interrupted.
maas_deploy errors lists all error codes.";

/// The whole command line.
#[derive(Debug, clap::Parser)]
#[command(name = "maas_deploy", version, about = ABOUT, after_help = EXAMPLES, subcommand_required = true)]
#[command(arg_required_else_help = false, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,

    /// What to do
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Publish a version and start instances of it
    Add(add::Args),
    /// Stop instances, or a whole version or model
    Remove(remove::Args),
    /// Set the wanted number of instances
    Scale(scale::Args),
    /// What callers can reach now
    List(list::Args),
    /// State, wanted and ready numbers, instances, reasons
    Status(status::Args),
    /// What happened, oldest first
    Events(events::Args),
    /// What instances wrote to stdout and stderr
    Logs(logs::Args),
    /// What was asked, and what became of it
    Requests(requests::Args),
    /// Call a model once
    Call(call::Args),
    /// Run a scratch copy of a model directory here and call it: no ZooKeeper, no master
    Try(try_::Args),
    /// What an ADD, REMOVE or SCALE would do, and why
    Plan(plan::Args),
    /// Look for what nobody else clears up, and mend it
    Doctor(doctor::Args),
    /// The list of error codes
    Errors(errors::Args),
    /// Shell completions
    Completions(completions::Args),
}
