//! Programs of others that use MaaS: kazoo and Apache Curator, as `tests/clients/` runs them.

use crate::command::{Output, finish};
use crate::programs::repository;
use anyhow::Result;
use std::path::Path;
use tokio::process::Command;

/// Runs a script of this repository with the machine's own environment (caches, registries).
pub async fn script(path: &Path, args: &[&str], input: &[u8]) -> Result<Output> {
    let mut command = Command::new(repository().join(path));
    command.args(args).env_remove("MAAS_ZK");
    finish(command, input).await
}

/// `tests/clients/kazoo.sh CONNECT VERB …`
pub async fn kazoo(connect: &str, args: &[&str], input: &str) -> Result<Output> {
    let args = [&[connect], args].concat();
    script(Path::new("tests/clients/kazoo.sh"), &args, input.as_bytes()).await?.exits(0)
}

/// `tests/clients/curator.sh CONNECT VERB …`
pub async fn curator(connect: &str, args: &[&str], input: &str) -> Result<Output> {
    let args = [&[connect], args].concat();
    script(Path::new("tests/clients/curator.sh"), &args, input.as_bytes()).await?.exits(0)
}
