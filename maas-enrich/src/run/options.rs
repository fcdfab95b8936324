//! The options of `maas_enrich run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use maas_cli::options::ZooKeeperOptions;

use super::start::MOST_WORKERS;
use crate::address::Address;

/// What is run.
#[derive(Debug, Args)]
pub struct Options {
    /// The sensor: whose parsers/SENSOR.json, enrichments/SENSOR.json, indexing/SENSOR.json count
    #[arg(short = 's', long, value_name = "SENSOR")]
    pub sensor: String,
    /// Directory with the configuration; else it is read from ZooKeeper and followed there
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Where lines come from: kafka://HOST:PORT/TOPIC, file:PATH, - for standard input
    #[arg(long, value_name = "SOURCE")]
    pub source: Address,
    /// Where documents go: es+http://HOST:PORT, kafka://…, file:PATH, -, null; else $MAAS_SINK, else es.ip and es.port of global.json
    #[arg(long, value_name = "SINK")]
    pub sink: Option<Address>,
    /// Where error records go; else to the index `error` of the search server, or to standard error
    #[arg(long, value_name = "SINK")]
    pub errors: Option<Address>,
    /// Where the lines go besides whose model gave no answer because it was gone, to be read again: kafka://…, file:PATH
    #[arg(long, value_name = "SINK")]
    pub retry: Option<Address>,
    /// Consumer group; else TOPIC_parser
    #[arg(long, value_name = "G")]
    pub group: Option<String>,
    /// Where to begin where the group has committed nothing
    #[arg(long, value_enum, default_value = "earliest")]
    pub from: From,
    /// File with settings of Kafka's client, name=value a line, as librdkafka names them: security.protocol=sasl_ssl …
    #[arg(long, value_name = "FILE")]
    pub kafka_config: Option<PathBuf>,
    /// File with USER:PASSWORD for the search server, where its url names no user; else $MAAS_SEARCH_CREDENTIALS
    #[arg(long, value_name = "FILE")]
    pub search_credentials: Option<PathBuf>,
    /// End at the end of the input; for Kafka that is what is there at the start
    #[arg(long)]
    pub once: bool,
    /// Show what each stage does to the first N lines, and write and commit nothing; a topic is read in a group of its own, as --from says
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10")]
    pub dry_run: Option<usize>,
    /// End with exit code 3 when there were error records
    #[arg(long)]
    pub fail_on_errors: bool,
    /// Serve /metrics, /healthz and a status page here
    #[arg(long, value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
    /// Calls of one model at once
    #[arg(long, value_name = "N", default_value_t = super::models::AT_ONCE, value_parser = at_least_one)]
    pub model_calls: usize,
    /// Lines under way at once, for each worker
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = at_least_one)]
    pub in_flight: usize,
    /// Threads that share out a topic's partitions, each a member of the group; else as parserParallelism of the sensor's parser says, else 1
    #[arg(long, value_name = "N", value_parser = a_few)]
    pub workers: Option<usize>,
    /// Say what happens as JSON, a document a line, on stdout
    #[arg(long)]
    pub json: bool,
    /// Where ZooKeeper is.
    #[command(flatten)]
    pub zookeeper: ZooKeeperOptions,
}

/// Where to begin in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// The oldest line that is there
    Earliest,
    /// What comes from now on
    Latest,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| format!("{text} is no number from 1"))
}

fn a_few(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_WORKERS).contains(number));
    number.ok_or_else(|| format!("{text} is no number from 1 to {MOST_WORKERS}"))
}
