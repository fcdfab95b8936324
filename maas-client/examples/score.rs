//! Asks a model about hosts, as an enrichment pipeline would: `MAAS_ZK=host:2181 score yahoo.com cnn.com`.
//!
//! One ZooKeeper session, one resolver and one caller serve a whole program; clones of them are cheap. Publishing a
//! model and keeping it running is left to `maas_deploy` and the master.
#![expect(clippy::print_stdout, reason = "an example shows its answers")]

use maas_client::call::{Arguments, Call, Caller, Policy};
use maas_client::config::DEFAULT_CONFIG_PATH;
use maas_client::resolver::{self, Resolver};
use maas_client::zk::{ZkOptions, ZkTree};
use serde_json::json;
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let tree = ZkTree::connect(ZkOptions::client(std::env::var("MAAS_ZK")?)).await?;
    let roots = maas_client::open(&*tree, DEFAULT_CONFIG_PATH).await?;
    let resolver = Resolver::new(tree, roots, resolver::Policy::default());
    let caller = Caller::new(resolver, Policy::default())?;

    let mut call = Call::new("dga".parse()?);
    for host in std::env::args().skip(1) {
        call.arguments = Arguments::Named([("host".to_string(), json!(host))].into_iter().collect());
        let answer = caller.call(&call).await?;
        let verdict = answer.value.get("is_malicious").cloned().unwrap_or_default();
        println!("{host}: {verdict} by {} at {} in {} us", answer.model, answer.url, answer.latency.as_micros());
    }
    Ok(())
}
