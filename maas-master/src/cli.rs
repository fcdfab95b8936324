//! The command line of `maas_service` and `maas_master`: what may be typed, nothing else.
//!
//! Metron's letters (`-zq`, `-mm` …) are rewritten to long names by `maas_cli` with [`TABLE`] before clap sees them.
//! Values become domain types here; what they mean together with files and the environment is [`crate::config`]'s.

use crate::config::{CapacityGiven, Pair};
use clap::{Args, Parser, Subcommand, ValueEnum};
use maas_cli::argv::{LOG4J, Letter, Table, Unused, ZK_ROOT, ZOOKEEPER};
use maas_cli::options::{LogOptions, ZooKeeperOptions};
use std::net::SocketAddr;
use std::path::PathBuf;

const fn letter(short: &'static str, also: &'static [&'static str], long: &'static str, value: bool) -> Letter {
    Letter { short, also, long, value }
}

/// Metron's letters and what they stand for.
pub const TABLE: Table = Table {
    letters: &[
        ZOOKEEPER,
        ZK_ROOT,
        letter("-q", &[], "queue", true),
        letter("-mm", &[], "master-memory", true),
        letter("-mc", &[], "master-vcores", true),
        letter("-nle", &[], "node-label-expression", true),
        letter("-t", &[], "timeout", true),
        letter("-e", &["shell-env"], "env", true),
        letter("-d", &[], "domain", true),
        letter("-c", &[], "create", false),
        letter("-va", &[], "view-acls", true),
        letter("-ma", &[], "modify-acls", true),
    ],
    unused: &[LOG4J, Unused { short: "-j", long: "jar", value: true }],
    modes: &[],
};

/// The master of model-as-a-service: keeps the wanted number of every published model running.
///
/// Without a subcommand it starts a master: here, in the foreground, unless --detach or --on says otherwise.
#[derive(Debug, Parser)]
#[command(
    name = "maas_service",
    version,
    after_help = EXAMPLES
)]
pub struct Cli {
    /// What to do; without it, start a master.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where ZooKeeper is.
    #[command(flatten)]
    pub connection: ConnectionArgs,

    /// How the master runs.
    #[command(flatten)]
    pub service: ServiceArgs,
}

const EXAMPLES: &str = "\
Examples:
  maas_service -zq node1:2181                        a master in this terminal; Ctrl-C drains its models
  maas_service -zq node1:2181 --detach               the same in the background; returns when it is ready
  maas_service -zq node1:2181 --capacity memory=8192,vcores=4
  maas_service status -zq node1:2181 --json
  maas_service stop -zq node1:2181 --with-models

Metron's letters: -z, -zq, --zk_quorum ZooKeeper  -zr its configuration node  -q queue  -mm, -mc the master's memory and cores
  -nle node label  -t time-out  -e K=V environment  -d, -c, -va, -ma timeline domain  -j, -l accepted without use";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says who leads, what waits, and how the models are. Needs no master.
    Status,
    /// Ends the masters; models go on running and are adopted by the next one.
    Stop(StopArgs),
    /// Writes a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Options of `stop`.
#[derive(Debug, Clone, Args)]
pub struct StopArgs {
    /// Drain and stop every instance first. What is wanted stays: the next master starts them again.
    #[arg(long)]
    pub with_models: bool,
    /// Gives up waiting after this many seconds.
    #[arg(long, value_name = "S", default_value_t = 120)]
    pub wait: u64,
}

/// Where ZooKeeper is and how to get in; the same for every subcommand.
#[derive(Debug, Clone, Args)]
pub struct ConnectionArgs {
    /// Where ZooKeeper is.
    #[command(flatten)]
    pub zookeeper: ZooKeeperOptions,
    /// A file with the masters' ZooKeeper credential, `user:password`; others must not be able to read it
    #[arg(long, value_name = "FILE", global = true)]
    pub zk_auth_file: Option<PathBuf>,
    /// One JSON document, or one a line for events
    #[arg(long, global = true)]
    pub json: bool,
    /// What is logged.
    #[command(flatten)]
    pub log: LogOptions,
}

/// Where models run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// Processes of this machine.
    Local,
    /// Containers of a YARN cluster.
    Yarn,
    /// EC2 instances.
    Ec2,
}

/// How the master runs.
#[derive(Debug, Clone, Default, Args)]
pub struct ServiceArgs {
    /// Where models run. Default: yarn when a yarn-site.xml is configured, else local.
    #[arg(long, value_enum, value_name = "WHERE")]
    pub on: Option<On>,
    /// Settings, as TOML; docs/service.toml shows them all, the limits too. Else ~/.config/maas/service.toml, then /etc/maas/service.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The model store, e.g. file:///srv/models. Default: `store` in the state directory.
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Where instances, logs and caches live. Default /var/lib/maas for root, else ~/.local/state/maas.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where the HTTP interface listens. Default: loopback, a free port.
    #[arg(long, value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
    /// Logs are given to other hosts without a token.
    #[arg(long)]
    pub http_open: bool,
    /// The bearer token for logs from other hosts, a file. Default: `http-token` in the state directory, made when missing.
    #[arg(long, value_name = "FILE", conflicts_with = "http_open")]
    pub http_token_file: Option<PathBuf>,
    /// The host name published with every endpoint.
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,
    /// What models may use here: memory=MB,vcores=N,gpus=N. Default: 80 % of the memory, all cores, the GPUs found.
    #[arg(long, value_name = "AMOUNTS")]
    pub capacity: Option<CapacityGiven>,
    /// A writable cgroup v2 directory with the memory controller; each instance gets a leaf below it.
    #[arg(long, value_name = "DIR")]
    pub cgroup: Option<PathBuf>,
    /// The maas_runner program. Default: the one beside this program.
    #[arg(long, value_name = "PATH")]
    pub runner: Option<PathBuf>,
    /// Environment of every model, K=V; not for secrets.
    #[arg(long = "env", value_name = "K=V")]
    pub env: Vec<Pair>,
    /// Lets Metron's runners register although the services' root is ours (with --zk-auth-file).
    #[arg(long)]
    pub metron_runners: bool,
    /// Returns when the master is ready and leaves it running in the background.
    #[arg(long)]
    pub detach: bool,
    /// Set by --detach for the program it starts: makes a session of its own.
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub detached: bool,
    /// Set by --on yarn for the program that YARN starts: it is the application's master.
    #[arg(long, hide = true, conflicts_with_all = ["detach", "attach"])]
    pub application: bool,
    /// yarn: stays until the application ends.
    #[arg(long)]
    pub attach: bool,
    /// yarn: the queue.
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<String>,
    /// yarn: memory of the master's container, MB.
    #[arg(long, value_name = "MB")]
    pub master_memory: Option<u64>,
    /// yarn: cores of the master's container.
    #[arg(long, value_name = "N")]
    pub master_vcores: Option<u32>,
    /// yarn: node label for the containers.
    #[arg(long, value_name = "LABEL")]
    pub node_label_expression: Option<String>,
    /// How long --detach (and yarn) may take to get ready, ms; then it is ended: exit 5.
    #[arg(long, value_name = "MS")]
    pub timeout: Option<u64>,
    /// yarn: timeline domain.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// yarn: make the timeline domain.
    #[arg(long, requires = "domain")]
    pub create: bool,
    /// yarn: who may read the timeline domain.
    #[arg(long, value_name = "ACL", requires = "domain")]
    pub view_acls: Option<String>,
    /// yarn: who may change the timeline domain.
    #[arg(long, value_name = "ACL", requires = "domain")]
    pub modify_acls: Option<String>,
}

impl ServiceArgs {
    /// Options that were given and have no use where models run as processes of this machine, as they are typed.
    pub fn without_use_here(&self) -> Vec<&'static str> {
        let given = [
            ("-q", self.queue.is_some()),
            ("-mm", self.master_memory.is_some()),
            ("-mc", self.master_vcores.is_some()),
            ("-nle", self.node_label_expression.is_some()),
            ("-d", self.domain.is_some()),
            ("-c", self.create),
            ("-va", self.view_acls.is_some()),
            ("-ma", self.modify_acls.is_some()),
            ("-t", self.timeout.is_some() && !self.detach),
            ("--attach", self.attach),
        ];
        given.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn parse(line: &str) -> Result<Cli, u8> {
        maas_cli::parse::from_args(&TABLE, line.split(' ').map(OsString::from))
    }

    #[test]
    fn a_line_of_metrons_documentation_is_understood() {
        let line = "maas_service.sh -zq node1:2181,node2:2181 -zr /metron/maas/config -q default -mm 512 -mc 2 -nle gpu -t 60000 \
                    -e A=1 -e B=2=3 -d maas -c -va alice -ma bob -j MaaS.jar -l log4j.properties --zk_timeout 5";
        let line = line.split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().join(" ");
        let cli = parse(&line).unwrap();
        assert_eq!(cli.connection.zookeeper.zookeeper.as_deref(), Some("node1:2181,node2:2181"));
        assert_eq!(cli.connection.zookeeper.zk_timeout, 5);
        let service = cli.service;
        assert_eq!(
            (service.queue.as_deref(), service.master_memory, service.master_vcores),
            (Some("default"), Some(512), Some(2))
        );
        assert_eq!((service.node_label_expression.as_deref(), service.timeout), (Some("gpu"), Some(60_000)));
        assert_eq!((service.domain.as_deref(), service.create), (Some("maas"), true));
        assert_eq!((service.view_acls.as_deref(), service.modify_acls.as_deref()), (Some("alice"), Some("bob")));
        let env: Vec<(&str, &str)> = service.env.iter().map(|pair| (pair.key.as_str(), pair.value.as_str())).collect();
        assert_eq!(env, [("A", "1"), ("B", "2=3")]);
    }

    #[test]
    fn what_has_no_use_here_is_named_as_it_was_typed() {
        let unused = |line| parse(line).unwrap().service.without_use_here().join(" ");
        let line = "m -q default -mm 512 -mc 2 -nle gpu -t 60000 -d maas -c -va a -ma b --attach";
        assert_eq!(unused(line), "-q -mm -mc -nle -d -c -va -ma -t --attach");
        assert_eq!(unused("m --detach -t 60000 -e A=1"), "");
    }

    #[test]
    fn every_name_of_zookeepers_option_means_the_same_before_and_after_a_subcommand() {
        for line in [
            "m -z h",
            "m -zq h",
            "m --zk_quorum h",
            "m --zk-quorum=h",
            "m --zookeeper h",
            "m status -zq h",
            "m -zq h stop",
        ] {
            assert_eq!(parse(line).unwrap().connection.zookeeper.zookeeper.as_deref(), Some("h"), "{line}");
        }
        let stop = parse("m stop --with-models --wait 7 --json").unwrap();
        assert!(
            matches!(stop.command, Some(Command::Stop(StopArgs { with_models: true, wait: 7 })))
                && stop.connection.json
        );
    }

    #[test]
    fn what_can_not_be_is_wrong_usage() {
        for line in [
            "m --on moon",
            "m --http x",
            "m --capacity memory",
            "m -e A",
            "m -va x",
            "m stop --detach",
            "m --http-open --http-token-file f",
            "m extra",
        ] {
            assert_eq!(parse(line).unwrap_err(), maas_cli::exit::USAGE, "{line}");
        }
    }

    #[test]
    fn the_command_is_sound() {
        maas_cli::parse::command::<Cli>(&TABLE).debug_assert();
    }
}
