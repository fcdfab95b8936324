//! `maas_enrich run`: a sensor's pipeline between a source and a sink, until the input ends or somebody ends it.
//!
//! `start` makes what the command line asks for, `credentials` finds who asks the search server, `plan` the parts of a worker, `worker` is the loop on a thread of its own, `reload` follows the configuration, `models` bounds
//! calls, `metrics` counts, `http` and `said` show, `dry` shows each stage's effect on a few lines, `running` lets `status` and `stop` find this process.

mod credentials;
mod dry;
mod http;
pub mod metrics;
pub mod models;
pub mod options;
mod plan;
mod reload;
pub mod running;
mod said;
mod start;
pub mod worker;

pub use options::Options;
pub use start::run;
