//! `enrich`: events of the squid configuration per second, from a file and from Kafka, without a model and with one.
//!
//! What is measured is the program itself, with a null sink; its pages tell how far it is. `cargo bench … -- file` measures one part; the others are `kafka`,
//! `cached`, `uncached`, `stall` and `memory`; `MAAS_BENCH_EVENTS` makes the last shorter. Kafka is where `MAAS_TEST_KAFKA` says, ZooKeeper where `MAAS_TEST_ZK` does; `scripts/bench.sh enrich` starts both.

mod lines;
mod model;
mod parts;
mod program;
mod topic;

use tokio::runtime::Builder;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|asked| asked == part);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if wanted("file") {
            parts::file().await;
        }
        if wanted("kafka") || wanted("cached") {
            parts::kafka(wanted("cached")).await;
        }
        if wanted("uncached") {
            parts::uncached().await;
        }
        if wanted("stall") {
            parts::stall().await;
        }
        if wanted("memory") {
            parts::memory().await;
        }
    });
}
